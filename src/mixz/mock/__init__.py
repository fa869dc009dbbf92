"""A simulated survey in the surveys' own file formats: galaxies, noise, labels, spectra, and what goes wrong."""
