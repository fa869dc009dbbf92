"""A metric is added in one place: an entry of the table is judged, resampled, compared, tabled, drawn, explained."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from rich.console import Console
from test_model_card import ABOUT, DATA
from toy_run import Z_GRID, page_of, toy_run

from mixz.metrics import (
    METRICS,
    Estimates,
    Metric,
    PointMetric,
    Requirement,
    Sample,
    judge,
    summarize_differences,
    summarize_pdf,
)
from mixz.report.figures import draw_figures
from mixz.report.markdown import markdown_pdf_table, markdown_table
from mixz.report.model_card import model_card
from mixz.report.paper import paper_figures
from mixz.report.run import Runs
from mixz.report.screen import metrics_tables, pdf_tables

WORST = Metric(
    "worst",
    PointMetric(lambda residuals: np.nanmax(np.abs(residuals.dz), axis=-1, initial=0.0)),
    "worst of all",
    "How far off the worst galaxy is.",
    "max|dz|",
    requirement=Requirement(9.0, "ours"),
    in_tables=True,
    in_plots=True,
)
MIDDLE = Metric(
    "middle_pit",
    lambda scores: float(np.median(scores.pit)) if scores.pit.size else float("nan"),
    "middle PIT",
    "The median of the PIT.",
    "median(PIT)",
    best=0.5,
    in_tables=True,
)


def printed(tables: list[Any]) -> str:
    console = Console(file=io.StringIO(), width=200)
    console.print(*tables)
    return console.file.getvalue()  # type: ignore[attr-defined,no-any-return]


def test_a_metric_of_points_is_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mixz.report.page.vega_script", lambda: "")
    monkeypatch.setitem(METRICS, "worst", WORST)
    run = toy_run(("base", "fused"))
    (record,) = [
        r
        for r in run.records
        if (r["metric"], r["recipe"], r["truth"], r["z_range"]) == ("worst", "base", "spec", "all")
    ]
    test = run.test
    rows, members = test.has("spec"), run.photoz["base"].z_phot_members
    expected = np.abs((members - test.z["spec"]) / (1 + test.z["spec"]))[:, rows].max(axis=1)
    assert record["mean"] == pytest.approx(expected.mean())
    assert (record["requirement"], record["passes"]) == (9.0, True)
    number = f"{record['mean']:.4f}"
    assert "worst of all" in printed(metrics_tables(run.records, z_range="all"))
    assert number in printed(metrics_tables(run.records, z_range="all"))
    assert "| worst of all |" in markdown_table(run.records, z_range="all")
    assert f"**{number}" in markdown_table(run.records, z_range="all")
    card = model_card(ABOUT, DATA, run.records)
    assert "worst of all" in card
    assert f"{number} ± {record['std']:.4f} ✓" in card
    page = page_of([run])
    assert number in page
    assert 'id="term-worst"' in page
    assert "max|dz|" in page
    drawn = draw_figures(Runs([run]))
    assert "worst of all" in str(paper_figures(drawn)["figure_3_metrics"])
    assert any(r["metric"] == "worst" for r in run.estimates)


def test_a_metric_of_points_has_errors_and_differences(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(METRICS, "worst", WORST)
    rng = np.random.default_rng(1)
    z = rng.uniform(0.4, 1.4, 200)
    sample = Sample("spec", "test", z, np.full(200, 22.0))
    error = 0.05 * rng.standard_normal((2, 200))
    one, two = (judge(sample, Estimates(z + k * error), resamples=20) for k in (1, 2))
    found = [r for r in summarize_differences(("one", "two"), one, two, seed=1) if r["metric"] == "worst"]
    assert found
    assert all(r["difference"] < 0 and r["error"] > 0 for r in found)


def test_a_metric_of_densities_is_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mixz.report.page.vega_script", lambda: "")
    monkeypatch.setitem(METRICS, "middle_pit", MIDDLE)
    run = toy_run(("fused",))
    test, photoz = run.test, run.photoz["fused"]
    rows = test.has("spec")
    sample = Sample("spec", "test", test.z["spec"][rows], test.mag[rows, 2].astype(float))
    assert photoz.pdf is not None
    records = summarize_pdf("fused", sample, photoz.pdf[rows], z_grid=Z_GRID, z_phot=photoz.z_phot[rows], resamples=9)
    (record,) = [r for r in records if (r["metric"], r["z_range"]) == ("middle_pit", "all")]
    assert 0.3 < record["mean"] < 0.7
    assert record["bootstrap"] > 0
    number = f"{record['mean']:.4f}"
    assert "middle PIT" in printed(pdf_tables(records, z_range="all"))
    assert number in printed(pdf_tables(records, z_range="all"))
    assert number in markdown_pdf_table(records, z_range="all")
    about = ABOUT | {"provenance": ABOUT["provenance"] | {"recipe": "fused"}}
    assert number in model_card(about, DATA, records)
    page = page_of([toy_run(("fused",))])
    assert 'id="term-middle_pit"' in page
