"""Plots and tables of tomographic bins: n(z) of every bin with bands of error, and the DESC SRD's verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mixz.report.charts.chart import DASHES, SQUARE, STROKES, Chart, Panels, Rows, Spec, axis, number
from mixz.report.charts.colours import bin_colours
from mixz.report.nz_screen import counted, reasons, reference_of, with_error

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mixz.metrics.summary import Record
    from mixz.report.run import Run, Runs

SHOWN = ("truth", "both", "stack", "points")
"""Methods that a plot shows, where they answer: a band of what the others are compared with, lines of the others."""
POINTS = 80
"""Redshifts that a plot shows at most: finer ones show noise only."""
TOP = 0.002
"""Redshifts above the last at which some density reaches this share of the highest are not shown."""


def tomography_panels(runs: Runs) -> list[Panels]:
    """n(z) of every bin of every recipe that has densities."""
    several = len(runs.each) > 1
    panels = [
        Panels(run.name if several else "", [_nz_chart(runs.label_of(run, r["recipe"]), r) for r in _with_bins(run)])
        for run in runs.each
    ]
    return [group for group in panels if group.charts]


def _with_bins(run: Run) -> list[Record]:
    return [record for record in run.tomography if "bins" in record]


def _nz_chart(label: str, record: Record) -> Chart:
    bins, z = record["bins"], record["z"]
    # Recipes have edges of their own; on paper all share one legend.
    names = [f"bin {k}" for k in range(1, len(bins) + 1)]
    colours = bin_colours(len(names))
    methods = [method for method in SHOWN if any(method in one["methods"] for one in bins)]
    high = max(max(told["pdf"]) for one in bins for told in one["methods"].values())
    seen = [k for k in range(len(z)) if any(t["pdf"][k] > TOP * high for o in bins for t in o["methods"].values())]
    last = seen[-1] + 1 if seen else len(z)
    z = _thinned(z[:last])
    lines: Rows = []
    bands: Rows = []
    for name, one in zip(names, bins, strict=True):
        for method in methods:
            if (told := one["methods"].get(method)) is None:
                continue
            named = {"bin": name, "method": method}
            low, middle, top = (_thinned(told[key][:last]) for key in ("low", "pdf", "high"))
            lines += [{**named, "z": at, "n": n} for at, n in zip(z, middle, strict=True)]
            if method == reference_of(one) or len(methods) == 1:
                bands += [{**named, "z": at, "low": a, "high": b} for at, a, b in zip(z, low, top, strict=True)]
    of_bin = {"field": "bin", "type": "nominal", "title": None, "scale": {"domain": names, "range": colours}}
    of_method = {
        "field": "method",
        "type": "nominal",
        "title": None,
        "scale": {"domain": methods, "range": [*DASHES[: len(methods)]]},
    }
    x = axis("z", "redshift")
    spec: Spec = {
        "layer": [
            {
                "data": {"values": bands},
                "mark": {"type": "area", "opacity": 0.3},
                "encoding": {
                    "x": x,
                    "y": axis("low", "n(z)"),
                    "y2": {"field": "high"},
                    "color": of_bin,
                },
            },
            {
                "data": {"values": lines},
                "mark": {"type": "line", "strokeWidth": 1.5, "tooltip": True},
                "encoding": {
                    "x": x,
                    "y": axis("n", "n(z)"),
                    "color": of_bin,
                    "strokeDash": of_method | {"legend": STROKES},
                },
            },
        ],
        "height": SQUARE,
    }
    return Chart(label, spec, _in_words(label, bins, methods), recipe=label)


def _thinned(values: Sequence[float | None]) -> list[float | None]:
    """Means of neighbouring values, as many as a plot can show.

    Examples
    --------
    >>> _thinned([0.0, 1.0]), len(_thinned([1.0] * 200)), _thinned([None, 1.0] * 100)[0]
    ([0.0, 1.0], 67, None)
    """
    step = -(-len(values) // POINTS)
    groups = [values[first : first + step] for first in range(0, len(values), step)]
    return [None if None in group else number(float(np.mean(np.asarray(group, float)))) for group in groups]


def _in_words(label: str, bins: Sequence[Record], methods: Sequence[str]) -> str:
    told = [
        f"{one['name']}: " + ", ".join(f"{m} {one['methods'][m]['mean']:.3f}" for m in methods if m in one["methods"])
        for one in bins
    ]
    return f"n(z) of the tomographic bins of {label}; mean redshifts by bin: {'; '.join(told)}."


def tomography_tables(runs: Runs) -> list[dict[str, Any]]:
    """Per recipe its bins' means and widths by every method, the verdicts counted, and what else must be said."""
    tables = []
    for run in runs.each:
        for record in run.tomography:
            label = runs.label_of(run, record["recipe"])
            if "bins" not in record:
                tables.append({"recipe": label, "notes": [record["why_not"]], "rows": [], "verdicts": [], "asked": []})
                continue
            asked = list(dict.fromkeys(v["requirement"] for v in record["verdicts"]))
            methods = dict.fromkeys(v["method"] for v in record["verdicts"])
            notes = [f"In no bin: {n:,} galaxies ({reason})." for reason, n in record["left_out"].items()]
            notes += [f"{text}." for text in reasons(record)]
            tables.append(
                {
                    "recipe": label,
                    "notes": [*notes, *record["notes"]],
                    "rows": [
                        [one["name"], f"{one['galaxies']:,}", method]
                        + [with_error(told[q], told[f"{q}_error"]) for q in ("mean", "width")]
                        for one in record["bins"]
                        for method, told in one["methods"].items()
                    ],
                    "asked": asked,
                    "verdicts": [[method, *(counted(record, method, name) for name in asked)] for method in methods],
                }
            )
    return tables
