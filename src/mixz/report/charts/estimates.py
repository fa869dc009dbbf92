"""Which point of a density to take: every estimate beside the others, as tables and plots."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mixz.metrics.metric import METRICS, columns, point_metrics
from mixz.report.charts.chart import HEIGHT, Chart, Panels, Rows, Spec, axis, by_recipe, number, only_shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mixz.metrics.metric import Metric
    from mixz.metrics.summary import Record
    from mixz.report.run import Run, Runs


def estimate_tables(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """Lay out a table per run and sample: a row per recipe and estimate, a column per metric."""
    tables = []
    for run in runs:
        for truth, sample in dict.fromkeys((r["truth"], r["sample"]) for r in run.estimates):
            mine = [r for r in run.estimates if (r["truth"], r["sample"]) == (truth, sample)]
            rows: dict[tuple[str, str], dict[str, Record]] = {}
            for record in mine:
                rows.setdefault((record["recipe"], record["estimate"]), {})[record["metric"]] = record
            named = {"run": run.name, "truth": truth, "sample": sample, "n": max(r["n"] for r in mine)}
            metrics = [metric.name for metric in columns()]
            tables.append(named | {"metrics": metrics, "rows": rows, "best": _best(rows, metrics)})
    return tables


def _best(rows: dict[tuple[str, str], dict[str, Record]], metrics: Sequence[str]) -> set[tuple[str, str, str]]:
    """Name per recipe and metric the estimate nearest to the metric's best value."""
    best = set()
    for recipe in dict.fromkeys(recipe for recipe, _ in rows):
        for metric in metrics:
            off = {
                e: abs(found[metric]["value"] - METRICS[metric].best) for (r, e), found in rows.items() if r == recipe
            }
            known = {estimate: value for estimate, value in off.items() if np.isfinite(value)}
            if len(known) > 1:
                best.add((recipe, min(known, key=lambda estimate: known[estimate]), metric))
    return best


def estimate_panels(runs: Runs) -> list[Panels]:
    """The metrics of every estimate on each truth's test galaxies: a plot per metric."""
    every = [(label, r) for label, r in runs.labelled(lambda run: run.estimates) if r["sample"] == "test"]
    metrics = [METRICS[name] for name in point_metrics() if METRICS[name].in_plots]
    found = []
    for truth in runs.truths:
        records = [(label, r) for label, r in every if r["truth"] == truth]
        charts = [_chart(metric, truth, records, runs.labels) for metric in metrics] if records else []
        found.append(Panels(f"Judged on {truth}", charts))
    return found


def _chart(about: Metric, truth: str, records: Sequence[tuple[str, Record]], labels: Sequence[str]) -> Chart:
    chosen = [(label, r) for label, r in records if r["metric"] == about.name]
    values: Rows = [
        {
            "recipe": label,
            "estimate": r["estimate"],
            "value": number(r["value"]),
            "low": number(r["value"] - np.nan_to_num(r["bootstrap"])),
            "high": number(r["value"] + np.nan_to_num(r["bootstrap"])),
        }
        for label, r in chosen
    ]
    drawn = [label for label in labels if label in {label for label, _ in chosen}]
    estimates = [*dict.fromkeys(r["estimate"] for _, r in chosen)]
    scale = {"zero": False}
    shared: Spec = {
        "x": {"field": "estimate", "type": "nominal", "sort": estimates, "title": None, "axis": {"labelAngle": -40}},
        "xOffset": {"field": "recipe", "type": "nominal", "sort": drawn},
        "color": by_recipe(labels, drawn, narrow=True)["color"],
    }
    tooltip = [
        {"field": "recipe"},
        {"field": "estimate"},
        {"field": "value", "title": about.title, "format": ".4f"},
    ]
    bars: Spec = {
        "mark": {"type": "rule", "strokeWidth": 1.6},
        "encoding": {**shared, "y": axis("low", about.title, scale=scale), "y2": {"field": "high"}},
    }
    dots: Spec = {
        "mark": {"type": "point", "filled": True, "size": 60, "opacity": 1},
        "encoding": {**shared, "y": axis("value", about.title, scale=scale), "tooltip": tooltip},
    }
    told = "; ".join(f"{label} {r['estimate']} {r['value']:.4f}" for label, r in chosen if np.isfinite(r["value"]))
    return Chart(
        about.title,
        {"data": {"values": values}, **only_shown(labels), "layer": [bars, dots], "height": HEIGHT},
        f"{about.title} of every estimate of the densities on {truth}, all redshifts: {told or 'no number'}.",
        metric=about.name,
    )
