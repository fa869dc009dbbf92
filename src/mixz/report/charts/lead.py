"""The one figure of a report's first screen: the metric that decides, of every recipe on every truth's labels."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from mixz.metrics.metric import METRICS
from mixz.report.charts.chart import Chart, Rows, Spec, axis, number, only_shown
from mixz.report.charts.colours import recipe_colour

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mixz.metrics.summary import Record
    from mixz.metrics.verdict import Verdict
    from mixz.report.run import Run, Runs

STEP = 27
"""Pixels of a recipe's row."""
MARKS = {True: "★", False: "≈"}


def lead_charts(runs: Runs, run: Run, judged: Sequence[Verdict], *, key: str) -> list[Chart]:
    """The recipes of a run in the order of the metric that decides, a plot per verdict.

    Parameters
    ----------
    runs, run
        The runs of the report, and the one that is drawn.
    judged
        What to draw.
    key
        What the keys of the plots begin with.
    """
    return [_chart(runs, run, verdict, f"{key}-{k}") for k, verdict in enumerate(judged)]


def _chart(runs: Runs, run: Run, verdict: Verdict, key: str) -> Chart:
    about, values = METRICS[verdict.metric], _rows(runs, run, verdict)
    names = [row["name"] for row in values]
    colours = [recipe_colour(runs.labels, row["recipe"]) for row in values]
    y = {"field": "name", "type": "nominal", "sort": names, "title": None, "axis": {"labelLimit": 130, "ticks": False}}
    scale = {"zero": False, "padding": 12, "nice": False}
    tooltip = [
        {"field": "recipe"},
        {"field": "value", "title": about.title, "format": ".4f"},
        {"field": "told", "title": "beside the best"},
    ]
    color = {"field": "name", "type": "nominal", "legend": None, "scale": {"domain": names, "range": colours}}
    bars: Spec = {
        "mark": {"type": "rule", "strokeWidth": 2.5},
        "encoding": {"y": y, "x": axis("low", about.title, scale=scale), "x2": {"field": "high"}, "color": color},
    }
    dots: Spec = {
        "mark": {"type": "point", "filled": True, "size": 110, "opacity": 1},
        "encoding": {"y": y, "x": axis("value", about.title, scale=scale), "color": color, "tooltip": tooltip},
    }
    told = "; ".join(f"{row['recipe']} {row['value']:.4f} ({row['told']})" for row in values)
    return Chart(
        f"{about.title} on {verdict.truth} labels",
        {
            "data": {"values": values},
            **only_shown(runs.labels),
            "layer": [bars, dots],
            "height": STEP * len(values) + 8,
        },
        f"{about.title} of every recipe on {verdict.galaxies:,} test galaxies with {verdict.truth} labels, all "
        f"redshifts, the smallest first: {told}.",
        metric=verdict.metric,
        key=key,
    )


def _rows(runs: Runs, run: Run, verdict: Verdict) -> Rows:
    place = (verdict.truth, verdict.sample, verdict.z_range, verdict.metric, None)
    mine = [
        r
        for r in run.records
        if (r["truth"], r["sample"], r["z_range"], r["metric"], r.get("bin")) == place and not math.isnan(r["mean"])
    ]
    return [_row(runs.label_of(run, r["recipe"]), r, verdict) for r in sorted(mine, key=lambda r: abs(r["mean"]))]


def _row(label: str, record: Record, verdict: Verdict) -> dict[str, Any]:
    recipe, mean, error = record["recipe"], record["mean"], record.get("bootstrap", math.nan)
    error = 0.0 if math.isnan(error) else error
    lead = verdict.lead_over(recipe)
    mark = MARKS[True] if recipe == verdict.best else MARKS[False] if recipe in verdict.equals else ""
    told = "the best" if lead is None else "not tested" if lead.significant is None else ""
    return {
        "recipe": label,
        "name": f"{mark} {label}".strip(),
        "value": number(mean),
        "low": number(mean - error),
        "high": number(mean + error),
        "told": told or ("behind by more than chance" if lead and lead.significant else "not told from the best"),
    }
