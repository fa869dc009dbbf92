"""Files in, galaxies out: reading tables, cutting, splitting.  Knows no torch and no metrics."""
