"""n(z) of tomographic bins from tables and from catalogues in pieces of sky, and as others read it."""
