"""From photometry to what networks see: magnitudes, errors, own bands."""
