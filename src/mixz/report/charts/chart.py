"""The building blocks of plots: a plot in Vega-Lite, what it says in words, and how its marks are drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mixz.report.charts.colours import GREY, recipe_colour

if TYPE_CHECKING:
    from collections.abc import Sequence

Spec = dict[str, Any]
Rows = list[dict[str, Any]]

DASHES = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [12, 3], [4, 4])
SHOWN = "shown"
"""The parameter of a chart that holds the recipes to show; the page's check boxes set it."""

STROKES: Spec = {"symbolType": "stroke", "symbolSize": 160}
"""A legend of lines, long enough for their dashes to be seen."""

HEIGHT, SQUARE = 230, 210

SHORT = 7
"""So many letters of a recipe's name leave room for three in a row."""


@dataclass(frozen=True)
class Chart:
    """One plot.

    Parameters
    ----------
    title
        What it is, in a few words.
    spec
        The plot in Vega-Lite.
    description
        What it shows, in words and numbers, for those who cannot see it.
    recipe
        The one recipe it is about; empty if it is about several.
    metric
        The metric it is about, for its explanation; empty if none.
    key
        Its name in the page.
    """

    title: str
    spec: Spec
    description: str
    recipe: str = ""
    metric: str = ""
    key: str = ""


@dataclass(frozen=True)
class Panels:
    """Plots that belong together under a heading."""

    title: str
    charts: Sequence[Chart]


def number(value: float) -> float | None:
    """Round to what a plot can show; what is not a number becomes null, since JSON has no NaN."""
    return float(f"{value:.5g}") if np.isfinite(value) else None


def rows(**columns: Any) -> Rows:
    """Turn columns into rows that JSON can hold."""
    names, values = list(columns), [np.asarray(v).tolist() for v in columns.values()]
    return [
        dict(zip(names, (number(v) if isinstance(v, float) else v for v in row), strict=True))
        for row in zip(*values, strict=True)
    ]


def by_recipe(every: Sequence[str], labels: Sequence[str] = (), *, narrow: bool = False) -> Spec:
    """Colour and dash the lines of some recipes, so that neither alone must tell them apart.

    In a narrow plot long names stand below each other.
    """
    labels = labels or every
    colours = [recipe_colour(every, label) for label in labels]
    dashes = [DASHES[every.index(label) % len(DASHES)] for label in labels]
    field_of = {"field": "recipe", "type": "nominal", "title": None}
    long = narrow and max(map(len, labels), default=0) > SHORT
    legend = STROKES | ({"columns": 1, "labelLimit": 200} if long else {})
    return {
        "color": {**field_of, "scale": {"domain": [*labels], "range": colours}, "legend": legend},
        "strokeDash": {**field_of, "scale": {"domain": [*labels], "range": dashes}},
    }


def only_shown(labels: Sequence[str]) -> Spec:
    """Keep the rows of recipes whose boxes are checked; all of them are to begin with."""
    return {
        "params": [{"name": SHOWN, "value": [*labels]}],
        "transform": [{"filter": f"indexof({SHOWN}, datum.recipe) >= 0"}],
    }


def axis(name: str, title: str, **more: Any) -> Spec:
    """Encode a column of numbers along an axis of this title."""
    return {"field": name, "type": "quantitative", "title": title, **more}


def rule(**where: float) -> Spec:
    """Draw a dashed line across the plot."""
    encoding = {channel: {"datum": value} for channel, value in where.items()}
    return {"mark": {"type": "rule", "color": GREY, "strokeDash": [4, 3]}, "encoding": encoding}


def line(x: Sequence[float], y: Sequence[float], *, dashed: bool) -> Spec:
    """Draw a grey line through points, for what recipes are compared with."""
    return {
        "data": {"values": rows(x=x, y=y)},
        "mark": {"type": "line", "color": GREY, "strokeWidth": 1, "clip": True, "strokeDash": [4, 3] if dashed else []},
        "encoding": {"x": axis("x", ""), "y": axis("y", "")},
    }
