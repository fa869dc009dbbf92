"""Ensembles before training: what the recipe leaves open, filled in from the galaxies, and random weights."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from mixz.errors import MixzError
from mixz.model.bayes import with_spread
from mixz.model.colour_terms import adapter_starts
from mixz.model.embedding import embedded_width, embedding_weights
from mixz.model.ensemble import Ensemble
from mixz.model.heads import head_of
from mixz.model.inputs.features import Features, Photometry
from mixz.model.nets import Weights, initial_weights, with_adapters
from mixz.model.seeds import START, derive_seed, generators
from mixz.model.training.labels import labelled
from mixz.settings.bands import reference_band

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mixz.galaxies import GalaxySet
    from mixz.settings.network import Network
    from mixz.settings.recipe import Recipe, Step

Z_MAX_STEP = 0.5
"""The grid of densities ends at the next multiple of this above the highest label."""


def untrained(galaxies: GalaxySet, recipe: Recipe, *, members: int = 10, seed: int = 0, ref_band: str = "") -> Ensemble:
    """An ensemble at random weights, its inputs fitted to the training galaxies of a recipe's first step.

    What the network leaves open is filled in from all training galaxies: where the grid of densities ends, which
    photometric systems there are (the common one is that without colour terms, or of most galaxies), and which bands
    are own ones, of some tables only.

    Parameters
    ----------
    galaxies
        Galaxies whose `split` says which train.
    recipe
        Its network is what each member is; its first step says which galaxies it will see first.
    members, seed
        Number and random seed of the networks.
    ref_band
        The band whose magnitude says how wrong labels are; i where there is one (`reference_band`) if not given.

    Raises
    ------
    MixzError
        There are no members, or the galaxies have no such reference band or none of the first step's labels.
    """
    if members < 1:
        raise MixzError(f"members: {members}", "1 or more", "set members to 5, say")
    network, numbers = filled_in(recipe.network, galaxies, recipe.steps[0]), tuple(range(members))
    bands = _bands(network, galaxies)
    shared = bands[: len(bands) - len(network.own)]
    ref_band = ref_band or reference_band(shared or galaxies.bands)
    if ref_band not in shared:
        raise MixzError(
            f"ref_band {ref_band!r}",
            f"bands that every table has: {', '.join(shared) or 'none'}",
            "name one of them" if shared else "use tables that share bands",
        )
    features = first_features(galaxies, recipe.steps[0], network, bands=bands, ref_band=ref_band)
    weights = random_weights(network, features, bands, [derive_seed(seed, k) for k in numbers])
    return Ensemble(bands, network, weights, features, ref_band, seed, numbers)


def filled_in(network: Network, galaxies: GalaxySet, first: Step) -> Network:
    """The network with what it leaves open, by what training looks at.

    That is the end of its grid of densities, and its own bands: those that some tables lack and galaxies of the first
    step have.  What that step never saw stays unseen: its weights would be random.
    """
    seen = galaxies.rows(np.isin(galaxies.split, ("train", "validation")))
    found: dict[str, Any] = {}
    if network.own_bands is None:
        taught = labelled(galaxies, first.truths, "train", ())[0]
        found["own_bands"] = tuple(band for band in seen.own_bands() if taught.measured([band]).any())
    if network.has_density and network.z_max is None:
        highest = max((float(z[np.isfinite(z)].max()) for z in seen.z.values() if np.isfinite(z).any()), default=1.0)
        found["z_max"] = Z_MAX_STEP * (math.floor(highest / Z_MAX_STEP) + 1)
    return network.model_copy(update=found)


def _bands(network: Network, galaxies: GalaxySet) -> tuple[str, ...]:
    """The bands that networks look at: those that every table has, then their own ones.

    Raises
    ------
    MixzError
        The galaxies have none of a name that the network's own bands are said to have.
    """
    if unknown := [band for band in network.own if band not in galaxies.bands]:
        raise MixzError(
            f"own_bands: {', '.join(unknown)}", f"bands: {', '.join(galaxies.bands)}", "name some of these, or none"
        )
    seen = galaxies.rows(np.isin(galaxies.split, ("train", "validation")))
    apart = {*seen.own_bands(), *network.own}
    return (*(band for band in galaxies.bands if band not in apart), *network.own)


def first_features(
    galaxies: GalaxySet, first: Step, network: Network, *, bands: Sequence[str], ref_band: str
) -> Features:
    """A network's inputs, fitted to the training galaxies of its first step."""
    systems = _systems_of(galaxies, network) if network.systems else ("",)
    chosen = labelled(galaxies, first.truths, "train", ())[0]
    photometry = Photometry.of(chosen, bands, systems=systems, own=network.own)
    return Features.fit(photometry, network, systems=systems, ref_place=bands.index(ref_band))


def random_weights(network: Network, features: Features, bands: Sequence[str], seeds: Sequence[int]) -> Weights:
    """The first weights of each member, drawn from its own seed, adapters and spreads of weights included.

    Those of own bands start at zero: a network begins as if it did not see them, and what never teaches it anything
    never changes what it says.

    Parameters
    ----------
    network, features, bands
        What each member is, and what it sees.
    seeds
        A seed per member.
    """
    starts, shared = generators(seeds, START), bands[: len(bands) - len(network.own)]
    inputs = embedded_width(network, features.width, len(shared))
    weights = initial_weights(inputs, head_of(network).outputs, network, starts)
    own = slice(features.width - 2 * len(network.own), features.width)
    weights["hidden.0.weight"][:, own] = 0
    if network.skip:
        weights["output.weight"][:, network.hidden[-1] :][:, own] = 0
    weights |= embedding_weights(network, features, starts)
    known = adapter_starts(network, features, shared)
    weights = with_adapters(weights, bands=len(shared), systems=len(features.systems), starts=known)
    return with_spread(weights, network) if network.kind == "bayesian" else weights


def _systems_of(galaxies: GalaxySet, network: Network) -> tuple[str, ...]:
    """The photometric systems of the labelled training galaxies: that without colour terms, or of most, first."""
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
