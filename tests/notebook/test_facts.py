"""What a prompt and a notebook show of a value: a few lines, whatever it holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import mixz
from mixz.metrics.verdict import verdicts

if TYPE_CHECKING:
    from mixz.galaxies import GalaxySet


@pytest.fixture(scope="module")
def galaxies() -> GalaxySet:
    rng = np.random.default_rng(0)
    return mixz.GalaxySet(
        np.arange(60), ("g", "<b>r"), rng.uniform(20, 24, (60, 2)), np.full((60, 2), 0.1),
        z={"spec": np.where(np.arange(60) < 40, rng.uniform(0.1, 1, 60), np.nan)},
        split=np.repeat(["train", "validation", "test"], 20),
    )  # fmt: skip


@pytest.fixture(scope="module")
def values(galaxies: GalaxySet) -> dict[str, Any]:
    step = mixz.Step(truths=("spec",), epochs=1, batch_size=16, loss="label_likelihood")
    network = mixz.RECIPES["fused"].network.model_copy(update={"hidden": (8,)})
    model = mixz.fit(galaxies, mixz.Recipe(steps=(step,), network=network), members=2, ref_band="g")
    record = {"truth": "spec", "sample": "test", "z_range": "all", "n": 9, "recipe": "tl"}
    verdict = verdicts([record | {"metric": "hsc_loss", "mean": 0.08, "requirement": None}])[0]
    return {"galaxies": galaxies, "model": model, "photoz": model.predict(galaxies), "verdict": verdict}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("galaxies", ["GalaxySet of 60 galaxies", "bands: g, <b>r", "spec 40", "train 20"]),
        ("model", ["Ensemble of 2 networks", "hidden layers: 8", "trained on: spec"]),
        ("photoz", ["PhotoZ of 60 galaxies by 2 members", "z_phot: ", "densities: on "]),
        ("verdict", ["tl is the only recipe"]),
    ],
)
def test_a_value_is_told_in_a_line_and_a_small_table(name: str, words: list[str], values: dict[str, Any]) -> None:
    line, html = repr(values[name]), values[name]._repr_html_()
    for word in words:
        assert word in line
    assert len(line) < 600
    assert len(html) < 1200
    assert "<b>" not in html, "names are no markup"


def test_values_without_galaxies_are_told_too(values: dict[str, Any]) -> None:
    nothing = np.zeros(0, dtype=int)
    assert "0 galaxies" in repr(values["galaxies"].rows(nothing))
    assert "z_phot: none" in repr(values["photoz"].rows(nothing))


def test_names_that_are_offered_are_there() -> None:
    assert set(mixz.__all__) <= set(dir(mixz))
    for name in mixz.__all__:
        if name not in ("RECIPES",):
            assert getattr(mixz, name).__doc__, f"help(mixz.{name}) says nothing"
    assert "mixz.fit(" in (mixz.__doc__ or "")
