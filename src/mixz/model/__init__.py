"""Galaxies in, photometric redshifts out: networks with a member axis.  Knows no astropy, pandas and metrics."""
