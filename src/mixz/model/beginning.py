"""What a config leaves open of a network, filled in from the galaxies before training begins."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from mixz.errors import MixzError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mixz.config import Network
    from mixz.schema import GalaxySet

Z_MAX_STEP = 0.5
"""The grid of densities ends at the next multiple of this above the highest label."""


def filled_in(network: Network, galaxies: GalaxySet) -> Network:
    """Choose what a network leaves open: the end of the grid of densities, by the labels outside the test galaxies."""
    if not network.has_density or network.z_max is not None:
        return network
    labels = [z[np.isfinite(z) & (galaxies.split != "test")] for z in galaxies.z.values()]
    highest = max((float(z.max()) for z in labels if z.size), default=1.0)
    return network.model_copy(update={"z_max": Z_MAX_STEP * (math.floor(highest / Z_MAX_STEP) + 1)})


def systems_of(galaxies: GalaxySet, network: Network) -> tuple[str, ...]:
    """Name the photometric systems of the labelled training galaxies: that without colour terms, or of most, first."""
    labelled = np.any([np.isfinite(z) for z in galaxies.z.values()], axis=0)
    names, counts = np.unique(galaxies.system[(galaxies.split == "train") & labelled], return_counts=True)
    known = np.isin(names, [term.system for term in network.colour_terms])
    if known.any() and (~known).sum() != 1:
        raise MixzError(
            f"colour terms of {', '.join(names[known]) or 'no system'}",
            f"of all but one of the systems {', '.join(names)}",
            "leave out the system that the others are carried into",
        )
    return tuple(names[np.lexsort((-counts, known))].tolist())


def default_ref_band(bands: Sequence[str]) -> str:
    """Name the band whose magnitude says how wrong labels are: i, or the last."""
    return "i" if "i" in bands else bands[-1]
