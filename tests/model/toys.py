"""Galaxies, recipes and networks that the laws of the engine are tried on, small enough to train in a blink."""

from __future__ import annotations

import numpy as np

from mixz.data.split import split_by_id
from mixz.galaxies import GalaxySet
from mixz.settings.network import Network
from mixz.settings.recipe import RECIPES, Recipe, Step

QUICK = {"epochs": 3, "batch_size": 32, "lr": 2e-3}

ADAPTED = Recipe(steps=(Step(truths=("many_band",)), Step(truths=("spec",), freeze=1, adapter_rank=2, pull=0.1)))
WEIGHTED = Recipe(
    steps=(Step(truths=("many_band", "spec"), weights=(0.2, 1.0), optimiser="adamw", schedule="cosine", epochs=3),)
)
# Label likelihood goes with densities only, and has tests of its own.
ALL_RECIPES = {n: r for n, r in RECIPES.items() if n != "fused"} | {"adapted": ADAPTED, "weighted": WEIGHTED}

HEADS = {
    "point": Network(hidden=(16, 12)),
    "gaussian": Network(hidden=(16, 12), head="gaussian"),
    "bayesian": Network(hidden=(16, 12), kind="bayesian", draws=4),
    "binned": Network(hidden=(16, 12), head="binned", nodes=40, drop_bands=0.2, errors="robust"),
    "relative": Network(hidden=(16, 12), head="binned", nodes=40, errors="relative"),
    "periodic": Network(hidden=(16, 12), head="binned", nodes=40, inputs="whitened", embedding="periodic"),
    "mixture": Network(hidden=(16, 12), head="mixture", nodes=40, components=3),
    "bayesian_binned": Network(hidden=(16, 12), kind="bayesian", head="binned", nodes=40, draws=4),
}


def quick(recipe: Recipe) -> Recipe:
    """Make a recipe's steps short."""
    return recipe.changed(training=QUICK)


def toy_galaxies(count: int = 240, *, seed: int = 0) -> GalaxySet:
    """Make galaxies whose colours tell their redshift; two in three have many-band labels, two in three spectra."""
    rng = np.random.default_rng(seed)
    z, ids = rng.uniform(0.1, 1.5, count), np.arange(count)
    mag = 22 + rng.normal(0, 1, count)[:, None] + z[:, None] * np.array([2.0, 0.5, 0.0])
    many = np.where(ids % 3 != 0, z + rng.normal(0, 0.02, count), np.nan)
    spec = np.where(ids % 3 != 1, z, np.nan)
    return GalaxySet(
        ids, ("g", "r", "i"), mag, np.full(mag.shape, 0.02), {"many_band": many, "spec": spec}, split_by_id(ids)
    )
