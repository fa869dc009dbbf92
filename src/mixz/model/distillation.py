"""Distillation: an ensemble's densities taught to one network, for cheap use on billions of galaxies.

The student learns -sum_k t_k ln s_k, the cross entropy of its masses s under the ensemble's t (Hinton, Vinyals & Dean
2015, arXiv:1503.02531); what it lacks at the end is stated as the mean Kullback-Leibler divergence on galaxies that
neither training nor stopping saw.  No labels are needed, so any galaxies of the survey serve.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch

from mixz.densities.estimates import zbest
from mixz.errors import MixzError
from mixz.model.heads import head_of
from mixz.model.initial import random_weights
from mixz.model.seeds import STEP, derive_seed
from mixz.model.training.engine import train_step
from mixz.model.training.rows import Rows

if TYPE_CHECKING:
    from collections.abc import Callable

    from mixz.galaxies import GalaxySet
    from mixz.model.ensemble import Ensemble
    from mixz.model.training.devices import Machine
    from mixz.model.training.history import Progress
    from mixz.settings.network import Network
    from mixz.settings.recipe import Step


class Distilled(NamedTuple):
    """One network in place of an ensemble, and how far it is from it.

    Parameters
    ----------
    model
        The student, an ensemble of one.
    divergence
        Mean KL(teacher | student) over the test galaxies [nats].
    shift
        Mean |zbest(student) - zbest(teacher)| / (1 + zbest(teacher)) over them.
    galaxies
        How many they are.
    """

    model: Ensemble
    divergence: float
    shift: float
    galaxies: int


def distil(
    teacher: Ensemble,
    galaxies: GalaxySet,
    step: Step,
    *,
    hidden: tuple[int, ...] | None = None,
    seed: int = 0,
    machine: Machine | None = None,
    watch: Callable[[Progress], None] | None = None,
) -> Distilled:
    """Train one network to say what an ensemble says, calibration and all.

    Parameters
    ----------
    teacher
        An ensemble whose heads end in densities.
    galaxies
        Galaxies with or without labels; their `split` says which train, decide when to stop, and test.
    step
        How to train: learning rate, schedule, batches and epochs count, truths do not.
    hidden
        Widths of the student's layers; the teacher's if not given.
    seed
        Seed of the student's start and data order.
    machine, watch
        As in `mixz.fit`.

    Raises
    ------
    MixzError
        The teacher gives no densities, or a side of the split has no galaxy that it can be asked about.
    """
    if head_of(teacher.network).grid is None:
        raise MixzError(
            f"the model ends in a {teacher.network.head_name}", "a head with densities: binned, mixture", "see --recipe"
        )
    network = teacher.network.model_copy(
        update={"head": "binned", "kind": "dense", "hidden": hidden or teacher.network.hidden}
    )
    sides = {side: _rows(teacher, galaxies.in_split(side), side) for side in ("train", "validation", "test")}
    student = _student(teacher, network, seed)
    if step.batch_size > len(sides["train"]):
        step = step.model_copy(update={"batch_size": len(sides["train"])})
    trained = train_step(
        student.weights,
        network,
        step.model_copy(update={"loss": "imitate"}),
        sides["train"],
        sides["validation"],
        members=[0],
        seeds=[derive_seed(seed, 0, STEP)],
        machine=machine,
        watch=watch,
    )
    if trained.lost:
        raise MixzError(str(trained.lost[0]), "a finite loss", "lower the learning rate")
    student = replace(student, weights=trained.weights, history=(trained.history,))
    return _judged(student, teacher, galaxies.in_split("test"))


def _student(teacher: Ensemble, network: Network, seed: int) -> Ensemble:
    """The student before it learns; it sees galaxies as its teacher does."""
    features = replace(teacher.features, network=network)
    weights = random_weights(network, features, teacher.bands, [derive_seed(seed, 0)])
    # What it learns is calibrated already.  Where it carries several photometric systems into one in its own way,
    # galaxies no longer lie where the teacher's training galaxies do.
    return replace(
        teacher,
        network=network,
        features=features,
        weights=weights,
        seed=seed,
        numbers=(0,),
        history=(),
        lost=(),
        calibration=None,
        support=teacher.support if len(features.systems) == 1 else None,
    )


def _rows(teacher: Ensemble, galaxies: GalaxySet, side: str) -> Rows:
    """One side's inputs and what the teacher says of them, as masses; of galaxies with own bands also without these."""
    x, mass = teacher.masses(galaxies)
    if teacher.own_bands:
        own, _ = galaxies.in_bands(teacher.own_bands, optional=teacher.own_bands)
        more = galaxies.rows(np.flatnonzero(np.isfinite(own).any(axis=1)))
        without = teacher.masses(more.without(teacher.own_bands))
        x, mass = (torch.cat(parts) for parts in zip((x, mass), without, strict=True))
    known = mass.isfinite().all(dim=1)
    if not known.any():
        raise MixzError(
            f"the teacher can say nothing of the {side} galaxies",
            "galaxies with the model's bands on every side of the split",
            "give more galaxies",
        )
    return Rows(x[known], torch.zeros(int(known.sum())), likelihood=mass[known])


def _judged(student: Ensemble, teacher: Ensemble, test: GalaxySet) -> Distilled:
    """Compare student and teacher on galaxies that training did not see."""
    (_, learned), (_, taught) = student.masses(test), teacher.masses(test)
    known = learned.isfinite().all(dim=1) & taught.isfinite().all(dim=1)
    t, s = taught[known].clamp_min(1e-12), learned[known].clamp_min(1e-12)
    divergence = float((t * (t / s).log()).sum(dim=1).mean())
    grid = head_of(teacher.network).grid
    assert grid is not None
    apart = (zbest(s, grid) - zbest(t, grid)).abs() / (1 + zbest(t, grid))
    return Distilled(student, divergence, float(np.mean(apart.numpy())), int(known.sum()))
