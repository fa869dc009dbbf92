"""Weights towards a target sample: the known ratio is found, and what they cost is told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from rich.console import Console
from scipy import stats
from toys import QUICK, toy_galaxies

from mixz import stages
from mixz.errors import MixzError
from mixz.galaxies import GalaxySet
from mixz.model.fit import fine_tune, fit
from mixz.model.folder import load_model
from mixz.model.initial import untrained
from mixz.model.training.selection import Selection
from mixz.model.training.targets import rows_of
from mixz.settings.file import load_config
from mixz.settings.recipe import Recipe, Step

RNG = np.random.default_rng(5)
BANDS = ("g", "r", "i")


def two_gaussians(count: int = 6000) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw a sample and a target of two bands, and the true ratio of their densities at the sample."""
    sample = stats.multivariate_normal([21, 20], [[1.0, 0.8], [0.8, 1.0]])
    target = stats.multivariate_normal([21.7, 20.5], [[0.7, 0.5], [0.5, 0.6]])
    at = sample.rvs(count, random_state=1)
    return at, target.rvs(count, random_state=2), target.pdf(at) / sample.pdf(at)


def test_the_known_ratio_of_two_gaussians() -> None:
    sample, target, truth = two_gaussians()
    found = Selection.between(sample, target, limit=1e6).weights(sample, inside=np.ones(len(sample), bool))
    well = truth > 0.1
    scatter = np.log(np.maximum(found, 1e-3)[well] / truth[well])
    assert abs(np.median(scatter)) < 0.1
    assert np.median(np.abs(scatter)) < 0.2
    assert np.corrcoef(found, truth)[0, 1] > 0.9


def test_galaxies_outside_the_sample_get_the_same_ratio() -> None:
    sample, target, _ = two_gaussians()
    selection = Selection.between(sample[:3000], target, limit=10)
    others = selection.weights(sample[3000:], inside=np.zeros(3000, bool))
    truth = np.clip(two_gaussians()[2][3000:], 0.1, 10)
    assert others.min() >= 0.1
    assert others.max() <= 10
    assert abs(np.median(np.log(others / truth))) < 0.15


def test_a_sample_weighted_towards_itself_counts_alike() -> None:
    sample, _, _ = two_gaussians(2000)
    everyone = np.ones(2000, bool)
    weights = Selection.between(sample, sample, limit=10, shared=everyone).weights(
        sample, inside=everyone, shared=everyone
    )
    np.testing.assert_allclose(weights, 1, rtol=0.02)


def surveys(count: int = 900) -> GalaxySet:
    """Spectra of bright galaxies, many-band labels of all, and a table without labels."""
    faint, bright = RNG.normal(23, 1, count), RNG.normal(21.5, 1, count)
    i = np.concatenate([faint, bright, RNG.normal(23, 1, count)])
    z = np.clip((i - 19) / 5 + RNG.normal(0, 0.1, 3 * count), 0.01, None)
    mag = i[:, None] + np.array([1.0, 0.5, 0.0]) * z[:, None] + RNG.normal(0, 0.05, (3 * count, 3))
    which = np.repeat([0, 1, 2], count)
    return GalaxySet(
        np.arange(3 * count),
        BANDS,
        mag,
        np.full(mag.shape, 0.05),
        {"many_band": np.where(which == 0, z, np.nan), "spec": np.where(which == 1, z, np.nan)},
        np.tile(["train", "train", "validation"], count),
        table=np.array(["deep", "wide", "lsst"])[which],
    )


@pytest.mark.parametrize("target", ["many_band", "lsst"])
def test_what_weights_cost_and_bring_is_told(target: str) -> None:
    galaxies = surveys()
    step = Step(truths=("spec",), target=target)
    selection = Selection.of(galaxies, step, ("spec",))
    assert selection is not None
    chosen = galaxies.rows(galaxies.has("spec") & (galaxies.split == "train"))
    balance = selection.balance(chosen)
    weight = selection.of_galaxies(chosen, inside=True)
    assert balance.effective == pytest.approx(weight.sum() ** 2 / (weight**2).sum(), abs=0.1)
    assert 50 < balance.effective < 500 < balance.galaxies == 600
    before, after = balance.differences["mag_i"]
    assert before < -1.2
    assert abs(after) < abs(before) / 2
    assert f"weighted towards {target}" in str(balance)


def test_limits_clip() -> None:
    galaxies = surveys()
    step = Step(truths=("spec",), target="many_band", target_limit=1.5)
    selection = Selection.of(galaxies, step, ("spec",))
    assert selection is not None
    balance = selection.balance(galaxies.rows(galaxies.has("spec") & (galaxies.split == "train")))
    assert balance.clipped_high > 0.1
    assert balance.clipped_low > 0.1
    assert balance.effective > 400


def test_targets_that_are_not_there() -> None:
    galaxies = surveys()
    with pytest.raises(MixzError, match="no sample is called 'deeep'.*\n.*many_band, spec, deep, lsst, wide"):
        fit(galaxies, Recipe(steps=(Step(truths=("spec",), target="deeep", epochs=1),)), members=1)
    none = replace(galaxies, split=np.where(galaxies.table == "lsst", "test", galaxies.split))
    with pytest.raises(MixzError, match="0 target galaxies on the training side"):
        fit(none, Recipe(steps=(Step(truths=("spec",), target="lsst", epochs=1),)), members=1)
    far = replace(galaxies, mag=galaxies.mag + 9 * (galaxies.table == "lsst")[:, None])
    with pytest.raises(MixzError, match="lies near any training galaxy"):
        fit(far, Recipe(steps=(Step(truths=("spec",), target="lsst", epochs=1),)), members=1)


def test_it_multiplies_the_weights_of_truths_and_moves_the_training() -> None:
    galaxies = surveys()
    both = Step(truths=("many_band", "spec"), weights=(0.2, 1.0), target="lsst", **QUICK)
    start = untrained(galaxies, Recipe(steps=(both,)), members=1)
    selection = Selection.of(galaxies, both, ("spec",))
    from mixz.truths.known import KNOWN_TRUTHS

    with_target, without = (
        rows_of(start, galaxies, both, "validation", KNOWN_TRUTHS, s).weight for s in (selection, None)
    )
    assert with_target is not None
    assert without is not None
    assert float(with_target.mean()) == pytest.approx(1, abs=1e-5)
    ratio = (with_target / without).unique()
    assert len(ratio) > 50
    plain = fine_tune(start, galaxies, both.model_copy(update={"target": None}))
    assert not torch.equal(plain.weights["output.bias"], fine_tune(start, galaxies, both).weights["output.bias"])


def test_without_a_target_nothing_is_weighted() -> None:
    galaxies = toy_galaxies()
    step = Step(truths=("many_band", "spec"), **QUICK)
    assert Selection.of(galaxies, step, ("spec",)) is None
    named = replace(galaxies, table=np.where(galaxies.has("spec"), "a", "b"))
    first, second = (fit(g, Recipe(steps=(step,)), members=2).weights for g in (galaxies, named))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_a_run_towards_a_table_without_labels(
    toy_settings: dict[str, Any], write_config: Any, tmp_path: Any, console: Console
) -> None:
    pd.read_parquet(tmp_path / "deep.parquet").drop(columns="z_many").to_parquet(tmp_path / "lsst.parquet")
    toy_settings["tables"].append({"path": "lsst.parquet", "truths": {}, "id_prefix": "lsst-"})
    with pytest.raises(MixzError, match="set unlabelled: true"):
        load_config(write_config(toy_settings))
    toy_settings["tables"][2]["unlabelled"] = True
    toy_settings["recipes"] = {"near": [{"truths": ["spec"], "target": "lst"}]}
    with pytest.raises(MixzError, match="target 'lst'.*nearest name: 'lsst'"):
        load_config(write_config(toy_settings))
    toy_settings["recipes"] = {"near": [{"truths": ["spec"], "target": "lsst"}]}
    config = load_config(write_config(toy_settings))
    stages.build(config)
    (path,) = stages.train(config, console)
    assert "near, step 1: weighted towards lsst" in console.file.getvalue()
    (told,) = load_model(path).provenance["selection"]
    assert told["target"] == "lsst"
    assert 0 < told["effective"] <= told["galaxies"]
    records = stages.evaluate(config, console)
    assert {r["truth"] for r in records} == {"many_band", "spec"}
