"""What an ensemble begins with: what its config leaves open, filled in from the galaxies, and random weights."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from mixz.errors import MixzError
from mixz.model.bayes import with_spread
from mixz.model.colour_terms import adapter_starts
from mixz.model.features import Features, Photometry
from mixz.model.heads import head_of
from mixz.model.nets import Weights, initial_weights, with_adapters
from mixz.model.seeds import START, generators
from mixz.model.training.labels import labelled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mixz.galaxies import GalaxySet
    from mixz.settings.network import Network
    from mixz.settings.recipe import Step

Z_MAX_STEP = 0.5
"""The grid of densities ends at the next multiple of this above the highest label."""


def filled_in(network: Network, galaxies: GalaxySet) -> Network:
    """Choose what a network leaves open: the end of the grid of densities, by the labels outside the test galaxies."""
    if not network.has_density or network.z_max is not None:
        return network
    labels = [z[np.isfinite(z) & (galaxies.split != "test")] for z in galaxies.z.values()]
    highest = max((float(z.max()) for z in labels if z.size), default=1.0)
    return network.model_copy(update={"z_max": Z_MAX_STEP * (math.floor(highest / Z_MAX_STEP) + 1)})


def default_ref_band(bands: Sequence[str]) -> str:
    """Name the band whose magnitude says how wrong labels are: i, or the last."""
    return "i" if "i" in bands else bands[-1]


def first_features(galaxies: GalaxySet, first: Step, network: Network) -> Features:
    """Fit a network's inputs to the training galaxies of its first step."""
    systems = _systems_of(galaxies, network) if network.systems else ("",)
    chosen = labelled(galaxies, first.truths, "train", ())[0]
    photometry = Photometry.of(chosen, order=range(len(galaxies.bands)), systems=systems)
    return Features.fit(photometry, network, systems=systems)


def random_weights(network: Network, features: Features, bands: Sequence[str], seeds: Sequence[int]) -> Weights:
    """Draw the first weights of each member from its own seed, adapters and spreads of weights included.

    Parameters
    ----------
    network, features, bands
        What each member is, and what it sees.
    seeds
        A seed per member.
    """
    weights = initial_weights(features.width, head_of(network).outputs, network, generators(seeds, START))
    known = adapter_starts(network, features, bands)
    weights = with_adapters(weights, bands=len(bands), systems=len(features.systems), starts=known)
    return with_spread(weights, network) if network.kind == "bayesian" else weights


def _systems_of(galaxies: GalaxySet, network: Network) -> tuple[str, ...]:
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
