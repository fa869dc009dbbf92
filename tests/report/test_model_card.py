"""The model card: complete before and after judging, and safe to show."""

from __future__ import annotations

from typing import Any

import pytest
from toy_run import toy_run

from mixz.report.model_card import NOT_JUDGED, model_card

ABOUT: dict[str, Any] = {
    "format": 3,
    "bands": ["g", "r", "i", "z"],
    "members": 3,
    "seed": 7,
    "systems": ["", "wide"],
    "lost": [{"member": 4, "step": 1, "epoch": 2}],
    "network": {"hidden": [200, 200], "kind": "dense", "head": None, "drop_bands": 0.0},
    "steps": [{"truths": ["many_band"]}, {"truths": ["spec"], "freeze": 2, "lr": 5e-4, "lr_factor": 0.2}],
    "provenance": {
        "recipe": "base",
        "config": "toy",
        "train_digest": "abc123",
        "simulated": True,
        "galaxies": {"spec": {"train": 1200, "validation": 100, "test": 100}},
        "versions": {"mixz": "0.1", "torch": "2"},
        "device": "cpu",
        "precision": "float32",
    },
}
DATA: dict[str, Any] = {
    "kernels": {"spec": "exact", "many_band": "cosmos2020: noisy"},
    "z_range": {"spec": [0.1, 0.5, 1.9]},
    "sources": ["wide.csv"],
    "build_digest": "def456",
}


def test_it_tells_data_recipe_limits_versions_and_digests() -> None:
    card = model_card(ABOUT, DATA)
    for words in (
        "1,200",
        "freeze 2",
        "lr_factor 0.2",
        "abc123",
        "def456",
        "torch 2",
        "member 4 in step 1",
        "wide.csv",
    ):
        assert words in card
    assert "SIMULATED" in card
    assert NOT_JUDGED in card
    assert "Part of its labels are photometric redshifts themselves" in card
    assert "gives points, no probabilities" in card


def test_after_judging_it_has_the_metrics_of_its_own_recipe() -> None:
    run = toy_run(("base", "tl"))
    card = model_card(ABOUT, DATA, run.records)
    assert NOT_JUDGED not in card
    mine = next(
        r
        for r in run.records
        if r["recipe"] == "base" and r["truth"] == "spec" and r["z_range"] == "all" and r["metric"] == "rms"
    )
    assert f"{mine['mean']:.4f} ± {mine['std']:.4f}" in card


@pytest.mark.parametrize("field", ["recipe", "config"])
def test_names_cannot_bring_html_or_columns(field: str) -> None:
    about = ABOUT | {"provenance": ABOUT["provenance"] | {field: "<b>|x"}}
    card = model_card(about, DATA)
    assert "<b>" not in card
    assert "&lt;b&gt;\\|x" in card


def test_limits_follow_the_model() -> None:
    spectra_only = ABOUT | {
        "steps": [{"truths": ["spec"]}],
        "network": {"hidden": [8], "kind": "dense", "head": "binned", "drop_bands": 0.2},
        "fitted": ["calibration", "support"],
    }
    card = model_card(spectra_only, DATA)
    assert "believes spectra only" in card
    assert "gives points" not in card
    assert "without one of the bands" not in card
    assert "2 by spectra" in card
    assert "recalibrated" in card


def test_every_side_that_has_galaxies_is_told_of() -> None:
    three = model_card(ABOUT, DATA)
    assert "| train | validation | test |" in three
    counts = {"spec": {"train": 70, "validation": 11, "conformal": 12, "test": 13}}
    four = model_card(ABOUT | {"provenance": ABOUT["provenance"] | {"galaxies": counts}}, DATA)
    assert "| train | validation | conformal | test |" in four
    assert "| 70 | 11 | 12 | 13 |" in four


@pytest.mark.parametrize(
    ("sides", "told", "chose"),
    [
        ({"spec": {"conformal": 1200}}, "of spec 1,200 of the conformal side", False),
        ({"spec": {"validation": 300}}, "of spec 300 of the validation side", True),
        ({"a": {"conformal": 5}, "spec": {"validation": 7}}, "of a 5 of the conformal side, of spec 7 of the v", True),
        ({}, "not recorded", False),
    ],
)
def test_it_tells_who_calibrated(sides: dict[str, dict[str, int]], told: str, *, chose: bool) -> None:
    about = ABOUT | {"fitted": ["calibration", "intervals", "support"], "held_out": {"sides": sides}}
    card = model_card(about, DATA)
    assert told in card
    assert ("also chose the epoch" in card) is chose


def test_what_could_not_be_fitted_is_told() -> None:
    held_out = {"calibrated": False, "why": "12 held-out galaxies; calibrating takes 200", "sides": {}}
    assert "12 held-out galaxies; calibrating takes 200" in model_card(ABOUT | {"held_out": held_out}, DATA)


def test_own_bands_and_their_zero_points_are_told() -> None:
    off = {"system": "other", "against": "egs", "error": 0.004, "galaxies": 900}
    about = {
        "bands": ["g", "i", "u"], "members": 2, "seed": 0, "network": {"hidden": [8], "own_bands": ["u"]},
        "steps": [{"truths": ["spec"]}],
        "provenance": {
            "recipe": "fused",
            "zero_points": [off | {"band": "u", "offset": 0.05}, off | {"band": "g", "offset": 0.2}],
        },
    }  # fmt: skip
    card = model_card(about, {})
    assert "from its g, i magnitudes (AB), and u where it has them" in card
    assert "| u | other | egs | +0.050 ± 0.004 | 900 | `columns: {zero_points: {u: -0.050}}` |" in card
    assert "| g | other | egs | +0.200 ± 0.004 | 900 | adapters learn it |" in card
    about["provenance"]["zero_points"][0]["offset"] = 0.011
    assert "zero_points: {u" not in model_card(about, {}), "a hundredth of a magnitude that is not sure"
