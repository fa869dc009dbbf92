"""Which point of a density to take: its mode, mean, median, zbest and zrms beside each other, as tables and plots."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mixz.report.glossary import term
from mixz.report.plot import HEIGHT, Chart, Group, Rows, Spec, axis, by_recipe, number, only_shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mixz.metrics.summary import Record
    from mixz.report.run import Run

METRICS = ("bias", "sigma_mad", "rms", "outlier_fraction", "catastrophic_fraction", "hsc_loss")
DRAWN = ("sigma_mad", "rms", "outlier_fraction", "hsc_loss")


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
            tables.append(named | {"metrics": METRICS, "rows": rows, "best": _best(rows)})
    return tables


def _best(rows: dict[tuple[str, str], dict[str, Record]]) -> set[tuple[str, str, str]]:
    """Name per recipe and metric the estimate nearest to the metric's best value."""
    best = set()
    for recipe in dict.fromkeys(recipe for recipe, _ in rows):
        for metric in METRICS:
            off = {e: abs(found[metric]["value"] - term(metric).best) for (r, e), found in rows.items() if r == recipe}
            known = {estimate: value for estimate, value in off.items() if np.isfinite(value)}
            if len(known) > 1:
                best.add((recipe, min(known, key=lambda estimate: known[estimate]), metric))
    return best


def estimate_charts(runs: Sequence[Run], truths: Sequence[str], labels: Sequence[str]) -> list[Group]:
    """Draw the metrics of every estimate on each truth's test galaxies: a group per truth, a plot per metric."""
    several = len(runs) > 1
    every = [
        (f"{run.name}: {r['recipe']}" if several else r["recipe"], r)
        for run in runs
        for r in run.estimates
        if r["sample"] == "test"
    ]
    groups = []
    for truth in truths:
        records = [(label, r) for label, r in every if r["truth"] == truth]
        charts = [_chart(metric, truth, records, labels) for metric in DRAWN] if records else []
        groups.append(Group(f"Judged on {truth}", charts))
    return groups


def _chart(metric: str, truth: str, records: Sequence[tuple[str, Record]], labels: Sequence[str]) -> Chart:
    chosen = [(label, r) for label, r in records if r["metric"] == metric]
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
    about = term(metric)
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
        metric=metric,
    )
