"""The one way to a finished model: random starts, the steps of a recipe, calibration, intervals and support."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mixz.galaxies import GALAXIES_DIGEST
from mixz.model.finish import finished
from mixz.model.initial import untrained
from mixz.model.training.step import train_one_step
from mixz.truths.known import KNOWN_TRUTHS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mixz.galaxies import GalaxySet
    from mixz.model.ensemble import Ensemble
    from mixz.model.training.devices import Machine
    from mixz.model.training.history import Progress
    from mixz.settings.recipe import Recipe, Step
    from mixz.truths.truth import Truths


def fit(
    galaxies: GalaxySet,
    recipe: Recipe,
    *,
    members: int = 10,
    seed: int = 0,
    ref_band: str = "",
    truths: Truths = KNOWN_TRUTHS,
    machine: Machine | None = None,
    watch: Callable[[Progress], None] | None = None,
    trainer: Callable[[Ensemble, Step], Ensemble] | None = None,
) -> Ensemble:
    """A finished model by a recipe: trained from random starts through every step, calibrated, with its support.

    `mixz train`, RAIL's informers, `mixz challenge train` and `MixzRegressor` make their models by this function, so
    that the same galaxies, recipe and seed give the same model everywhere.

    Parameters
    ----------
    galaxies
        Galaxies whose `split` says which train and which validate (`mixz.split_by_id` sets it).
    recipe
        Steps and network, e.g. ``mixz.RECIPES["fused"]``.
    members, seed
        Number and random seed of the networks.
    ref_band
        The band whose magnitude says how wrong labels are; i (``i`` or ``I``) where there is one, else the last.
    truths
        How wrong each truth's labels are; exact ones are believed before others where a galaxy has several.
    machine
        Where to train; float32 on the CPU if not given.
    watch
        Called after every epoch.
    trainer
        What trains an ensemble for one more step, in place of `train_one_step` on this `machine` with this `watch`:
        from checkpoints, say, or on many computers.

    Raises
    ------
    MixzError
        A step's truth has no galaxies to train or validate on, or a step cannot be done with so many galaxies or with
        this network.

    Examples
    --------
    Recover a redshift that is written in one magnitude:

    >>> import numpy as np
    >>> from mixz.data.split import split_by_id
    >>> from mixz.galaxies import GalaxySet
    >>> from mixz.settings.recipe import RECIPES
    >>> z = np.linspace(0.1, 1.0, 600)
    >>> galaxies = GalaxySet(np.arange(600), ("r",), 20 + z[:, None], np.full((600, 1), 0.01),
    ...                      z={"spec": z}, split=split_by_id(np.arange(600)))
    >>> recipe = RECIPES["spec"].changed(network={"hidden": (20,)}, training={"epochs": 20, "batch_size": 20})
    >>> test = galaxies.in_split("test")
    >>> photoz = fit(galaxies, recipe, members=2).predict(test)
    >>> bool(np.abs(photoz.z_phot - test.z["spec"]).max() < 0.05), bool((photoz.support == 2).mean() > 0.95)
    (True, True)
    """

    def train(ensemble: Ensemble, step: Step) -> Ensemble:
        return train_one_step(ensemble, galaxies, step, truths=truths, machine=machine, watch=watch)

    ensemble = untrained(galaxies, recipe, members=members, seed=seed, ref_band=ref_band)
    for step in recipe.steps:
        ensemble = (trainer or train)(ensemble, step)
    return _named(finished(ensemble, galaxies, truths=truths), galaxies)


def _named(ensemble: Ensemble, galaxies: GalaxySet) -> Ensemble:
    """The same ensemble with the name of the galaxies that it was made from."""
    return replace(ensemble, provenance={**ensemble.provenance, GALAXIES_DIGEST: galaxies.digest()})


def fine_tune(
    ensemble: Ensemble,
    galaxies: GalaxySet,
    step: Step,
    *,
    truths: Truths = KNOWN_TRUTHS,
    machine: Machine | None = None,
    checkpoint: Path | None = None,
    watch: Callable[[Progress], None] | None = None,
) -> Ensemble:
    """A finished model from another by one more step; the other is unchanged.

    Calibration, intervals and support are learned anew, from these galaxies alone: what they do not cover counts as
    not covered, though the first model's galaxies did.  A member whose loss is no longer a number is left out of the
    result, and named in its `lost`; the others go on.

    Parameters
    ----------
    ensemble
        Where to begin, e.g. what `mixz.open_model` read; it need not be finished.
    galaxies
        Galaxies whose `split` says which train and which validate.
    step
        What to do.
    truths
        How wrong each truth's labels are; exact ones are believed before others where a galaxy has several.
    machine
        Where to train; float32 on the CPU if not given.
    checkpoint
        Folder to save in after every epoch; training goes on from what an earlier try left there.
    watch
        Called after every epoch.

    Raises
    ------
    MixzError
        The step's truths have no galaxies to train or validate on, its batches are larger than the data, it freezes
        more layers than there are, every member was lost, or the checkpoint is of other settings.
    """
    trained = train_one_step(
        ensemble, galaxies, step, truths=truths, machine=machine, checkpoint=checkpoint, watch=watch
    )
    return _named(finished(trained, galaxies, truths=truths), galaxies)
