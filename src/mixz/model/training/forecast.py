"""How long training will take at most, told before it begins: a few updates of each kind of network, timed."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mixz.errors import MixzError
from mixz.model.initial import untrained
from mixz.model.training.engine import train_step
from mixz.model.training.targets import rows_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mixz.galaxies import GalaxySet
    from mixz.model.training.devices import Machine
    from mixz.settings.network import Network
    from mixz.settings.recipe import Recipe, Step
    from mixz.truths.truth import Truths

UPDATES = 6
"""Updates that are timed, after as many that are not: libraries set themselves up in the first ones (ours)."""

WORTH = 10
"""Training that takes less than so many times its forecast is not worth one (ours)."""


@dataclass(frozen=True)
class Forecast:
    """What training will take.

    Parameters
    ----------
    seconds
        At most, if every member runs through all epochs.
    steps
        Steps to train; one that several recipes have in common counts once.
    may_stop
        Whether members may stop earlier, without a better validation loss.
    """

    seconds: float
    steps: int
    may_stop: bool


def forecast(
    galaxies: GalaxySet, recipes: Sequence[Recipe], *, members: int, ref_band: str, truths: Truths, machine: Machine
) -> Forecast | None:
    """Time a few updates of each network, as many members at once as there will be, and count up all epochs.

    The time grows with galaxies x epochs x members.  Reading galaxies, calibration and judging come on top.

    Parameters
    ----------
    galaxies
        Galaxies whose `split` says which train and which validate.
    recipes
        What is to be trained.
    members, ref_band, truths, machine
        As `mixz.model.fit.fit` has them.

    Returns
    -------
    Forecast or None
        None where there is so little to do, or so little to time it on, that a forecast would tell nothing.
    """
    todo = {
        (recipe.network, recipe.steps[:number]): recipe
        for recipe in recipes
        for number in range(1, len(recipe.steps) + 1)
    }
    speed: dict[Network, float] = {}
    seconds = 0.0
    for (network, steps), recipe in todo.items():
        epochs = len(_rows(galaxies, steps[-1], "train")) * steps[-1].epochs
        if network not in speed:
            probe = _Probe(galaxies, recipe, _at_once(steps[0], members, machine))
            if epochs <= 2 * WORTH * len(probe.train):
                return None
            try:
                speed[network] = probe.seconds(ref_band, truths, machine) / len(probe.train) / probe.members
            except MixzError:
                return None  # training itself tells what is wrong
        seconds += speed[network] * epochs * members
    may_stop = any(steps[-1].patience_epochs < steps[-1].epochs for _, steps in todo)
    return Forecast(seconds, len(todo), may_stop)


def _at_once(step: Step, members: int, machine: Machine) -> int:
    """How many members train at the same time."""
    parts = machine.parts(members, step.batch_size)
    return sum(part.stop - part.start for part in parts[: machine.workers])


def _rows(galaxies: GalaxySet, step: Step, side: str) -> NDArray[np.intp]:
    """The galaxies of a side that have a label of the step."""
    of_truths = [galaxies.has(truth) for truth in step.truths if truth in galaxies.truths]
    labelled = np.any(of_truths, axis=0) if of_truths else np.zeros(len(galaxies), bool)
    return np.flatnonzero((galaxies.split == side) & labelled)


class _Probe:
    """The first step of a recipe on few galaxies, with the full share of validation."""

    def __init__(self, galaxies: GalaxySet, recipe: Recipe, members: int) -> None:
        self.galaxies, self.recipe, self.members = galaxies, recipe, members
        self.step = recipe.steps[0].model_copy(update={"epochs": 1, "patience": 1, "warm_up": 0.0, "target": None})
        train, validation = (_rows(galaxies, self.step, side) for side in ("train", "validation"))
        self.train = train[: UPDATES * self.step.batch_size]
        share = len(self.train) / max(len(train), 1)
        self.validation = validation[: max(UPDATES, math.ceil(share * len(validation)))]

    def seconds(self, ref_band: str, truths: Truths, machine: Machine) -> float:
        """How long an epoch of them takes."""
        some = self.galaxies.rows(np.concatenate([self.train, self.validation]))
        ensemble = untrained(some, self.recipe, members=self.members, ref_band=ref_band)
        sides = [rows_of(ensemble, some, self.step, side, truths, None) for side in ("train", "validation")]

        def epoch() -> float:
            begun = time.perf_counter()
            train_step(
                ensemble.weights,
                ensemble.network,
                self.step,
                *sides,
                members=ensemble.numbers,
                seeds=ensemble.numbers,
                machine=machine,
            )
            return time.perf_counter() - begun

        epoch()
        return epoch()
