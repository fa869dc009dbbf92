"""`mixz evaluate` on the toy survey: what it writes, what it leaves out, and what it prints."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from mixz import stages
from mixz.cli.messages import print_evaluation
from mixz.errors import MixzError
from mixz.galaxies import GalaxySet
from mixz.metrics.bins import POINT_BINS
from mixz.metrics.places import Sample
from mixz.photoz import PhotoZ
from mixz.report.evidence import pit_values
from mixz.report.markdown import markdown_pdf_table, markdown_table
from mixz.report.model_card import model_card
from mixz.report.run import ReportEntry, Run
from mixz.settings.file import load_config
from mixz.stages.evaluate import _Judging, _Labelled
from mixz.truths import KNOWN_TRUTHS, GaussianKernel, Labels, ReportedKernel, Truth, Truths

Z = np.linspace(0.1, 1.5, 120)


def labelled(labels: Labels) -> _Labelled:
    return _Labelled(Sample(labels.truth.name, "test", labels.z, labels.mag_ref), np.arange(len(labels)), labels)


SAMPLE = labelled(Labels(KNOWN_TRUTHS["spec"], Z, np.full(120, 22.0)))


ABOUT = {
    "bands": ["i"],
    "members": 1,
    "steps": [{"truths": ["many_band"]}],
    "network": {},
    "provenance": {"recipe": "fused"},
}


def shown(records: list[dict[str, Any]], differences: list[dict[str, Any]], width: int = 80) -> str:
    text = io.StringIO()
    print_evaluation(records, differences, Console(file=text, width=width))
    return text.getvalue()


def points(scatter: float, *, members: int = 2, seed: int = 1) -> PhotoZ:
    noise = np.random.default_rng(seed).standard_normal((members, len(Z)))
    return PhotoZ(np.arange(len(Z)), Z + scatter * (1 + Z) * noise)


def judged(photoz: dict[str, PhotoZ], resamples: int = 80) -> _Judging:
    judging = _Judging(seed=1, resamples=resamples)
    judging.judge(SAMPLE, photoz, lambda *_: None)
    return judging


def test_evaluate_writes_all_that_the_report_reads(
    toy_settings: dict[str, Any], write_config: Any, tmp_path: Path
) -> None:
    networks = {"fused": {"nodes": 40}}
    config = load_config(write_config(toy_settings | {"recipes": ["base", "fused"], "networks": networks}))
    console, results = Console(file=io.StringIO()), stages.Results(config)
    with pytest.raises(MixzError, match="run `mixz evaluate` first"):
        results.read_differences()
    stages.build(config)
    stages.train(config, console)
    records = stages.evaluate(config, console, resamples=20)
    names = ("metrics.json", "differences.json", "estimates.json")
    before = [(tmp_path / "out" / "toy" / name).read_bytes() for name in names]

    assert json.dumps(results.read_records()) == json.dumps(records)
    ranges = {r["z_range"] for r in records if r["recipe"] == "base"}
    assert ranges == {"all", "0.3-1.5", "lsst"} | {b.name for b in POINT_BINS}
    keys = [(r["recipe"], r["truth"], r["sample"], r["z_range"], r["metric"]) for r in records]
    assert len(set(keys)) == len(keys), "one record of each kind"
    assert {r["estimate"] for r in records if r["recipe"] == "fused"} == {"zcore", "zrms", "pdf"}
    assert {r["estimate"] for r in records if r["recipe"] == "base"} == {"mean"}
    pairs = {(r["recipe"], r["against"], r["truth"]) for r in results.read_differences()}
    assert pairs == {("base", "fused", "many_band"), ("base", "fused", "spec")}
    estimates = {(r["recipe"], r["estimate"]) for r in results.read_estimates()}
    assert estimates == {("fused", name) for name in ("zmode", "zmean", "zmedian", "zbest", "zcore", "zrms")}

    told = shown(records, results.read_differences())
    assert told.startswith("many_band: ")
    assert "densities judged on spec" in told
    assert max(map(len, told.splitlines())) <= 80
    assert "| fused |" in markdown_pdf_table(records, z_range="all")

    stages.evaluate(config, console, resamples=20)
    assert [(tmp_path / "out" / "toy" / name).read_bytes() for name in names] == before, "the same again"


def test_recipes_are_judged_on_the_same_galaxies() -> None:
    lacking = points(0.01, seed=2)
    gaps = np.array(lacking.z_phot_members)
    gaps[0, :20] = np.nan
    found = judged({"base": points(0.05), "tl": replace(lacking, z_phot_members=gaps)})
    overall = [r for r in found.records if r["z_range"] == "all"]
    assert {(r["n"], r["left_out"]) for r in overall} == {(100, 20)}
    told = shown(found.records, found.differences, width=200)
    assert told.startswith("spec: tl is best (hsc_loss 0.0")
    assert "is significant" in told
    assert "20 more" in told


def test_a_recipe_without_redshifts_spoils_nobody() -> None:
    nothing = PhotoZ(np.arange(len(Z)), np.full((2, len(Z)), np.nan))
    found = judged({"base": points(0.05), "lost": nothing})
    n = {r["recipe"]: (r["n"], r["left_out"]) for r in found.records}
    assert n["base"][1] == n["lost"][1] == 0
    assert n["lost"][0] == 0
    assert found.differences == []
    told = shown(found.records, found.differences, width=200)
    assert "base is the only recipe" in told
    assert "n/a" in told


def test_one_recipe_and_one_galaxy() -> None:
    one = _Labelled(SAMPLE.sample.rows(np.array([40])), np.array([40]), SAMPLE.labels.rows(np.array([40])))
    judging = _Judging(seed=1, resamples=20)
    judging.judge(one, {"base": points(0.05, members=1)}, lambda *_: None)
    told = shown(judging.records, judging.differences)
    assert "base is the only recipe" in told
    assert "1 test galaxies" in told
    assert markdown_table(judging.records, z_range="all", errors="bootstrap").count("\n") == 2


def test_without_resamples_nothing_is_called_significant() -> None:
    found = judged({"base": points(0.05), "tl": points(0.01)}, resamples=0)
    assert found.differences == []
    assert all(np.isnan(r["bootstrap"]) for r in found.records)
    assert "was not tested" in shown(found.records, found.differences, width=200)


def test_marks_tell_what_the_data_cannot() -> None:
    found = judged({"base": points(0.05, seed=3), "tl": points(0.05, seed=4), "bad": points(0.4, seed=5)})
    told = shown(found.records, found.differences, width=200)
    assert "★" in told
    assert "≈" in told
    assert "not significantly ahead of" in told
    assert "  bad" in told
    assert "✗ by" in told


def honest(z_phot: np.ndarray, width: np.ndarray) -> PhotoZ:
    """Densities as wide as the estimates' errors."""
    grid = np.linspace(0, 4, 401)
    pdf = np.exp(-0.5 * np.square((grid - z_phot[:, None]) / width[:, None]))
    pdf /= np.trapezoid(pdf, grid, axis=1)[:, None]
    named = dict.fromkeys(("zmode", "zmean", "zmedian", "zbest", "zcore", "zrms"), z_phot)
    rows = np.arange(len(z_phot))
    return PhotoZ(rows, z_phot[None], z_grid=grid, pdf=pdf, points=named, z_rms_members=z_phot[None])


def test_corrected_metrics_are_those_against_the_truth() -> None:
    """Labels are drawn through the published kernel from known redshifts; densities are honest about these."""
    rng, n = np.random.default_rng(6), 600
    z, mag_ref = rng.uniform(0.2, 1.5, n), rng.uniform(21, 24.5, n)
    z_phot = z + 0.03 * (1 + z) * rng.standard_normal(n)
    photoz = honest(z_phot, 0.03 * (1 + z))
    judging = _Judging(seed=1, resamples=40)
    for labels in (
        Labels(KNOWN_TRUTHS["many_band"], z, mag_ref).draw(z, seed=7),
        Labels(KNOWN_TRUTHS["true"], z, mag_ref),
    ):
        judging.judge(labelled(labels), {"fused": photoz}, lambda *_: None)
    by = {(r["truth"], r["metric"]): r for r in judging.records if r["z_range"] == "all"}
    for metric in ("bias", "sigma_mad", "rms", "outlier_fraction", "catastrophic_fraction", "hsc_loss"):
        noisy, true = by["many_band", metric], by["true", metric]["ensemble"]
        assert abs(noisy["corrected"] - true) < 3 * noisy["corrected_error"] + 1e-3, metric
        assert np.isnan(by["true", metric]["corrected"]), "exact labels need no correction"
    for metric in ("sigma_mad", "rms", "hsc_loss"):
        noisy, true = by["many_band", metric], by["true", metric]["ensemble"]
        assert abs(noisy["corrected"] - true) < 0.5 * (noisy["ensemble"] - true), metric
    exact, seen = by["true", "coverage_68"]["mean"], by["many_band", "coverage_68"]
    assert exact == pytest.approx(0.68, abs=0.06)
    assert abs(seen["corrected"] - 0.68) < 0.06 < 0.68 - seen["mean"]


def test_honest_densities_are_honest_through_the_labels_own_errors() -> None:
    """Judged and drawn through ``kernel: reported``, each label by the error that its catalogue gives it."""
    rng, n = np.random.default_rng(8), 2000
    z, z_err = rng.uniform(0.4, 1.5, n), rng.choice([0.01, 0.03, 0.09], (n, 2))
    truth = Truth("many_band", ReportedKernel(fallback=GaussianKernel(0.05)))
    labels = Labels(truth, z, np.full(n, 22.0), z_err).draw(z, seed=9)
    width = np.full(n, 0.04)
    photoz = honest(z + width * rng.standard_normal(n), width)

    judging = _Judging(seed=1, resamples=0)
    judging._judge_densities("fused", photoz, np.arange(n), labelled(labels).sample, labels)
    found = {r["metric"]: r for r in judging.records if r["z_range"] == "all"}
    mag = np.full((n, 1), 22.0)
    galaxies = GalaxySet(
        np.arange(n), ("i",), mag, mag / 100, z={"many_band": labels.z}, z_err={"many_band": z_err}, split=["test"] * n
    )
    run = Run("run", {}, galaxies, {"fused": photoz}, [], {}, ["many_band"], "i", known=Truths((truth,)))
    drawn = pit_values(ReportEntry("fused", run, "fused"), "many_band")
    assert drawn is not None
    for level in (68, 90, 95):
        record = found[f"coverage_{level}"]
        assert record["mean"] < level / 100 - 0.04, "the labels' errors make honest densities look too sharp"
        assert record["corrected"] == pytest.approx(level / 100, abs=0.025)
        assert np.mean(np.abs(drawn - 0.5) < level / 200) == pytest.approx(record["corrected"], abs=1e-9)
    card = model_card(ABOUT, {}, judging.records)
    assert f"{found['coverage_68']['corrected']:.4f} ({found['coverage_68']['mean']:.4f})" in card
    assert f"{found['coverage_68']['corrected']:.4f}" in shown(judging.records, [], width=200)
