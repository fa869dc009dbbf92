"""What training refuses, and how a member that breaks is kept from breaking the others."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import torch

from mixz.errors import MixzError
from mixz.model.ensemble import Ensemble
from mixz.model.fit import fine_tune, fit
from mixz.model.folder import load_model, save_model
from mixz.model.initial import untrained
from mixz.settings.recipe import Recipe, Step

if TYPE_CHECKING:
    from pathlib import Path

    from mixz.galaxies import GalaxySet
    from mixz.settings.network import Network

STEP = Step(truths=("spec",), epochs=3, batch_size=32)


def poisoned(galaxies: GalaxySet, network: Network, *, members: int, who: tuple[int, ...]) -> Ensemble:
    """Start an ensemble of which some members' weights are not numbers."""
    model = untrained(galaxies, Recipe(steps=(STEP,), network=network), members=members)
    weights = {name: w.clone() for name, w in model.weights.items()}
    for member in who:
        weights["output.weight"][member] = torch.nan
    return replace(model, weights=weights)


def test_a_lost_member_is_named_and_left_out(galaxies: GalaxySet, network: Network, tmp_path: Path) -> None:
    healthy = fine_tune(untrained(galaxies, Recipe(steps=(STEP,), network=network), members=4), galaxies, STEP)
    model = fine_tune(poisoned(galaxies, network, members=4, who=(1,)), galaxies, STEP)
    assert model.numbers == (0, 2, 3)
    assert str(model.lost[0]) == "member 1 was lost in step 1: its loss was no number after epoch 1"
    for name, weight in model.weights.items():
        torch.testing.assert_close(weight, healthy.weights[name][[0, 2, 3]], rtol=1e-3, atol=1e-4)
    save_model(model, tmp_path / "model")
    again = fine_tune(load_model(tmp_path / "model"), galaxies, STEP)
    assert (again.numbers, again.lost, again.members) == ((0, 2, 3), model.lost, 3)
    assert len(again.predict(galaxies).z_phot_members) == 3


def test_a_learning_rate_that_breaks_all_is_an_error(galaxies: GalaxySet, network: Network) -> None:
    wild = Step(truths=("spec",), epochs=30, batch_size=32, lr=1e18, optimiser="sgd")
    with pytest.raises(MixzError, match=r"no member is left: member 0 was lost in step 1: .*, and 1 others"):
        fine_tune(untrained(galaxies, Recipe(steps=(wild,), network=network), members=2), galaxies, wild)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"freeze": 5}, "step 1, freeze: 5\n  allowed: 0 to 4 hidden layers"),
        ({"batch_size": 5000}, "step 1, batch_size: 5,000, but only .* training galaxies have its labels"),
        ({"truths": ("grism",)}, "truth 'grism' is not in the galaxies"),
    ],
)
def test_impossible_steps_are_refused(galaxies: GalaxySet, settings: dict[str, object], message: str) -> None:
    step = Step.model_validate(STEP.model_dump() | settings)
    model = untrained(galaxies, Recipe(steps=(STEP,)), members=1)
    with pytest.raises(MixzError, match=message):
        fine_tune(model, galaxies, step)


def test_a_truth_without_rows_is_refused(galaxies: GalaxySet) -> None:
    empty = replace(galaxies, z=dict(galaxies.z) | {"spec": galaxies.z["spec"] * float("nan")})
    with pytest.raises(MixzError, match="no train galaxy has a label of spec"):
        fit(empty, Recipe(steps=(STEP,)), members=1)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"schedule": "cosine"}, "schedule: cosine needs epochs"),
        ({"warm_up": 7, "epochs": 5}, "warm_up lasts 7 of 5 epochs"),
        ({"weights": (1.0, 2.0)}, "2 weights for 1 truths"),
        ({"truths": ("spec", "spec")}, "name each truth once"),
        ({"adapter_rank": 0}, "greater than or equal to 1"),
        ({"optimizer": "adam"}, "unknown key 'optimizer'.*nearest name: 'optimiser'"),
    ],
)
def test_steps_check_themselves(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Step.model_validate({"truths": ("spec",)} | settings)


def test_truths_may_carry_their_weights() -> None:
    step = Step.model_validate({"truths": {"many_band": 0.2, "spec": 1}})
    assert (step.truths, step.weights, step.weight_of("many_band")) == (("many_band", "spec"), (0.2, 1.0), 0.2)
    assert Step.model_validate(step.model_dump()) == step
