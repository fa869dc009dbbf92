"""An ensemble through one more step: checked, its galaxies gathered, the members trained, the lost left out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch

from mixz.digest import digest_of_arrays
from mixz.errors import MixzError
from mixz.model.ensemble import Ensemble
from mixz.model.seeds import STEP, derive_seed
from mixz.model.training.checkpoint import Checkpoint
from mixz.model.training.devices import Machine
from mixz.model.training.engine import train_step
from mixz.model.training.selection import Selection
from mixz.model.training.targets import rows_of
from mixz.truths.known import KNOWN_TRUTHS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mixz.galaxies import GalaxySet
    from mixz.model.training.history import Progress
    from mixz.model.training.rows import Rows
    from mixz.settings.network import Network
    from mixz.settings.recipe import Step
    from mixz.truths.truth import Truths

ROWS = ("x", "z_ref", "weight", "likelihood")
"""What a step learns from."""


def train_members(
    ensemble: Ensemble,
    galaxies: GalaxySet,
    step: Step,
    *,
    truths: Truths = KNOWN_TRUTHS,
    machine: Machine | None = None,
    checkpoint: Path | None = None,
    watch: Callable[[Progress], None] | None = None,
) -> Ensemble:
    """Train an ensemble for one more step; where every member is lost, the result has none.

    `train_one_step` is this and refuses to be left with none, but one of many workers may be.  What was known of the
    ensemble afterwards (calibration, intervals, support) is gone: `mixz.model.finish.finished` learns it anew.  The
    provenance notes on what device, and how exactly, it was really trained.

    Parameters
    ----------
    ensemble
        Where to begin; not changed.
    galaxies, step, truths, machine, checkpoint, watch
        As `mixz.fine_tune` has them.

    Raises
    ------
    MixzError
        As `mixz.fine_tune`, but for lost members.
    """
    number = len(ensemble.steps) + 1
    selection = Selection.of(galaxies, step, truths.exact)
    train, validation = (rows_of(ensemble, galaxies, step, side, truths, selection) for side in ("train", "validation"))
    _check_step(step, number, ensemble.network, len(train))
    machine = machine or Machine()
    save_to = (
        Checkpoint(checkpoint, _settings(ensemble, galaxies, step, (train, validation), machine))
        if checkpoint
        else None
    )
    trained = train_step(
        ensemble.weights,
        ensemble.network,
        step,
        train,
        validation,
        members=ensemble.numbers,
        seeds=[derive_seed(ensemble.seed, member, STEP, number) for member in ensemble.numbers],
        number=number,
        machine=machine,
        checkpoint=save_to,
        watch=watch,
    )
    kept = ensemble.subset(trained.history.members)
    return replace(
        kept,
        weights=trained.weights,
        steps=(*ensemble.steps, step),
        history=(*kept.history, trained.history),
        lost=(*ensemble.lost, *trained.lost),
        provenance={**ensemble.provenance, "device": machine.device, "precision": machine.precision},
        support=None,
        risk=None,
    )


def train_one_step(
    ensemble: Ensemble,
    galaxies: GalaxySet,
    step: Step,
    *,
    truths: Truths = KNOWN_TRUTHS,
    machine: Machine | None = None,
    checkpoint: Path | None = None,
    watch: Callable[[Progress], None] | None = None,
) -> Ensemble:
    """Train an ensemble for one more step, as `train_members` does.

    Raises
    ------
    MixzError
        As `train_members`, or every member was lost.
    """
    trained = train_members(
        ensemble, galaxies, step, truths=truths, machine=machine, checkpoint=checkpoint, watch=watch
    )
    return Ensemble.joined([trained])


def _check_step(step: Step, number: int, network: Network, galaxies: int) -> None:
    """Refuse what a step cannot do with this network and so many training galaxies."""
    layers = len(network.hidden)
    if step.freeze > layers:
        raise MixzError(f"step {number}, freeze: {step.freeze}", f"0 to {layers} hidden layers", "freeze fewer layers")
    if step.loss == "label_likelihood" and not network.has_density:
        raise MixzError(
            f"step {number}, loss: label_likelihood, but the networks end in a {network.head_name}",
            "networks with head: binned or mixture",
            'give the recipe such a network, as mixz.RECIPES["fused"].network is',
        )
    if step.batch_size > galaxies:
        raise MixzError(
            f"step {number}, batch_size: {step.batch_size:,}, but only {galaxies:,} training galaxies have its labels",
            f"1 to {galaxies:,}",
            "set a smaller batch_size (`training: {batch_size: ...}` for all steps)",
        )


def _settings(
    ensemble: Ensemble, galaxies: GalaxySet, step: Step, sides: tuple[Rows, Rows], machine: Machine
) -> dict[str, Any]:
    """Name everything that decides what a step makes of the members."""
    parts = {f"{name} {number}": getattr(rows, name) for number, rows in enumerate(sides) for name in ROWS}
    return {
        "step": step.model_dump(mode="json"),
        "number": len(ensemble.steps) + 1,
        "network": ensemble.network.model_dump(mode="json"),
        "members": ensemble.numbers,
        "seed": ensemble.seed,
        "galaxies": galaxies.digest(),
        "rows": digest_of_arrays({name: t.numpy() for name, t in parts.items() if t is not None}),
        "weights": digest_of_arrays({name: w.numpy() for name, w in ensemble.weights.items()}),
        "device": machine.device,
        "precision": machine.precision,
        "torch": torch.__version__,
    }
