"""The vocabulary: `GalaxySet` is what goes in, `PhotoZ` is what comes out; both frozen, both check themselves."""

from mixz.schema.arrays import Floats, Mask
from mixz.schema.galaxies import NO_TRUTH, SPLITS, WEIGHT, GalaxySet, concatenate
from mixz.schema.photoz import PhotoZ

__all__ = ["NO_TRUTH", "SPLITS", "WEIGHT", "Floats", "GalaxySet", "Mask", "PhotoZ", "concatenate"]
