"""A model over HTTP, safe to leave running: who may ask, how much, for how long, and what is answered."""
