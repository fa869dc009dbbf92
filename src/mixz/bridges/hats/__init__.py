"""Redshifts for HATS catalogues: the run, its parts, their columns."""
