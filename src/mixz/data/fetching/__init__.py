"""Public files, downloaded and checked."""
