"""The data set that a build writes: galaxies, what their columns mean, where they come from."""
