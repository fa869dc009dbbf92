"""The sentence on a report's first screen: one for everything that runs come to."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from mixz.metrics.verdict import CHANCE
from mixz.report.headline import headline, threshold_words
from mixz.truths.known import KNOWN_TRUTHS

LOSSES = {"base": 0.12, "tl": 0.08, "combo": 0.09}


def run_of(losses: dict[str, dict[str, float]], p_values: dict[str, float]) -> Any:
    """A run with HSC losses by truth and recipe, in which the leads of `tl` have p-values."""
    place = {"sample": "test", "z_range": "all", "metric": "hsc_loss", "n": 900, "bin": None}
    records = [
        place | {"truth": truth, "recipe": recipe, "mean": mean}
        for truth, found in losses.items()
        for recipe, mean in found.items()
    ]
    tested = [
        place | {"truth": truth, "recipe": "tl", "against": other, "difference": -0.01, "error": 0.01, "p_value": p}
        for truth in losses
        for other, p in p_values.items()
    ]
    return SimpleNamespace(records=records, differences=tested, known=KNOWN_TRUTHS)


@pytest.mark.parametrize(
    ("p_values", "said"),
    [
        ({"base": 0.001, "combo": 0.002}, "tl is best on spec labels, by more than chance."),
        ({"base": 0.001, "combo": 0.04}, "tl is best on spec labels, though these galaxies cannot tell it from combo."),
        (
            {"base": 0.5, "combo": 0.4},
            "tl is best on spec labels, though these galaxies cannot tell it from combo and base.",
        ),
        ({}, "tl is best on spec labels (by more than chance? that was not tested)."),
    ],
)
def test_a_lead_is_told_with_what_chance_makes_of_it(p_values: dict[str, float], said: str) -> None:
    assert headline(run_of({"spec": LOSSES}, p_values)).words == said


def test_exact_labels_come_first_and_a_recipe_is_named_once() -> None:
    told = headline(run_of({"many_band": LOSSES, "spec": LOSSES}, {"base": 0.001, "combo": 0.001}))
    assert told.words == (
        "tl is best on spec labels, by more than chance; it is best on many_band labels too, by more than chance."
    )
    assert told.lead is not None
    assert told.lead.truth == "spec"
    assert [tile.value for tile in told.tiles] == ["0.0800", "900"]


def test_one_recipe_or_none_is_said() -> None:
    assert headline(run_of({"spec": {"tl": 0.08}}, {})).words == (
        "tl is the only recipe judged on spec labels (HSC loss 0.0800)."
    )
    nothing = headline(run_of({"spec": {"tl": float("nan")}}, {}))
    assert (nothing.words, nothing.lead) == ("No recipe has a number to judge it by.", None)


def test_the_threshold_is_told_as_it_is_used() -> None:
    assert f"{CHANCE / 4:.2g}" in threshold_words()
