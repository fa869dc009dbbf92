"""Plots of what runs were made from and how: distributions of their galaxies, training curves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mixz.report.charts.chart import (
    DASHES,
    SQUARE,
    STROKES,
    Chart,
    Panels,
    Rows,
    Spec,
    axis,
    number,
    rows,
)
from mixz.report.charts.colours import recipe_colour, truth_colour
from mixz.report.evidence import shared_edges, step_histogram

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mixz.report.run import Curves, Run, Runs

LEGEND = {**STROKES, "columns": 1, "labelLimit": 220, "symbolOpacity": 1}
"""Steps are named by all that they believe, and their bands are pale."""


def distribution_panels(runs: Runs) -> list[Panels]:
    """Redshift, reference magnitude and colour of each truth's galaxies of every run (Figure 1)."""
    several = len(runs.each) > 1
    return [Panels(run.name if several else "", _distribution_charts(run, runs.truths)) for run in runs.each]


def _distribution_charts(run: Run, truths: Sequence[str]) -> list[Chart]:
    galaxies, bands = run.galaxies, run.shared_bands
    k = bands.index(run.ref_band)
    first, second = bands[max(k - 1, 0)], bands[min(max(k, 1), len(bands) - 1)]
    a, b, k = (galaxies.bands.index(band) for band in (first, second, run.ref_band))
    of_truth = {t: galaxies.rows(galaxies.has(t)) for t in run.truths}
    quantities: dict[str, dict[str, Any]] = {
        "redshift label": {t: g.z[t] for t, g in of_truth.items()},
        f"{run.ref_band} [AB mag]": {t: g.mag[:, k] for t, g in of_truth.items()},
        f"{galaxies.bands[a]} − {galaxies.bands[b]} [mag]": {t: g.mag[:, a] - g.mag[:, b] for t, g in of_truth.items()},
    }
    charts = []
    for title, samples in quantities.items():
        edges = shared_edges(list(samples.values()))
        middle = (edges[:-1] + edges[1:]) / 2
        values = [
            row
            for truth, sample in samples.items()
            for row in rows(truth=[truth] * len(middle), at=middle, share=step_histogram(sample, edges))
        ]
        colours = [truth_colour(truth, truths) for truth in run.truths]
        color = {"field": "truth", "type": "nominal", "title": None, "legend": STROKES}
        lines: Spec = {
            "data": {"values": values},
            "mark": {"type": "line", "interpolate": "step", "strokeWidth": 2, "tooltip": True},
            "encoding": {
                "x": axis("at", title, scale={"zero": False}),
                "y": axis("share", "share of galaxies"),
                "color": {**color, "scale": {"domain": [*run.truths], "range": colours}},
                "strokeDash": {**color, "scale": {"domain": [*run.truths], "range": [*DASHES[: len(run.truths)]]}},
            },
        }
        told = "; ".join(f"{t}: median {np.nanmedian(v):.2f} of {len(v):,} galaxies" for t, v in samples.items())
        charts.append(Chart(title, {**lines, "height": SQUARE}, f"Distribution of {title}. {told}."))
    return charts


def training_panels(runs: Runs) -> list[Panels]:
    """The validation loss of each recipe after each epoch: middle of the members, band from best to worst.

    The dots are the epochs whose weights were kept.
    """
    drawn = [
        _training_chart(entry.label, runs.labels, entry.run.curves.get(entry.recipe, {})) for entry in runs.entries
    ]
    return [Panels("", [chart for chart in drawn if chart is not None])]


def _training_chart(label: str, labels: Sequence[str], steps: Curves) -> Chart | None:
    values, kept = _epochs(steps)
    if not values:
        return None
    scale = _loss_scale([row["loss"] for row in values if row["loss"] is not None])
    x, color = axis("epoch", "epoch"), {"value": recipe_colour(labels, label)}
    dash = {"field": "step", "type": "nominal", "title": None, "legend": LEGEND, "sort": [*steps]}
    loss = axis("loss", "validation loss", scale=scale)
    band: Spec = {
        "mark": {"type": "area", "opacity": 0.25, "clip": True},
        "encoding": {
            "x": x,
            "y": axis("low", "validation loss", scale=scale),
            "y2": {"field": "high"},
            "color": color,
            "detail": {"field": "step"},
        },
    }
    curve: Spec = {
        "mark": {"type": "line", "clip": True, "tooltip": True},
        "encoding": {"x": x, "y": loss, "color": color, "strokeDash": dash},
    }
    dots: Spec = {
        "data": {"values": kept},
        "mark": {"type": "point", "filled": True, "size": 30, "opacity": 1, "clip": True, "tooltip": True},
        "encoding": {"x": x, "y": loss, "color": color},
    }
    last = ", ".join(f"step {name} ends at {_last(values, name):.4f}" for name in steps)
    return Chart(
        label,
        {"data": {"values": values}, "layer": [band, curve, dots], "height": SQUARE},
        f"Validation loss of {label} after each epoch, middle of its members: {last}.",
        recipe=label,
    )


def _epochs(steps: Curves) -> tuple[Rows, Rows]:
    """The losses of every epoch over members, and each member's epoch of the least loss, epochs counted on."""
    values: Rows = []
    kept: Rows = []
    begun = 0
    for step, members in steps.items():
        longest = max(map(len, members))
        padded = np.array([[*m, *[np.nan] * (longest - len(m))] for m in members])
        best, middle, worst = np.nanmin(padded, axis=0), np.nanmedian(padded, axis=0), np.nanmax(padded, axis=0)
        epochs = np.arange(begun + 1, begun + longest + 1)
        values += rows(step=[step] * longest, epoch=epochs, low=best, loss=middle, high=worst)
        least = np.nanargmin(padded, axis=1)
        kept += rows(step=[step] * len(members), epoch=begun + 1 + least, loss=np.nanmin(padded, axis=1))
        begun += longest
    return values, kept


def _loss_scale(losses: Sequence[float]) -> Spec:
    """The axis ends where the middle of the curves lies: the first epochs tower over everything that matters."""
    top = float(np.percentile(losses, 97)) if losses else 1.0
    bottom = min(losses, default=0.0)
    return {"domain": [number(bottom - 0.05 * (top - bottom)), number(max(top, bottom + 1e-6))], "zero": False}


def _last(values: Rows, step: str) -> float:
    losses = [row["loss"] for row in values if row["step"] == step and row["loss"] is not None]
    return float(losses[-1]) if losses else float("nan")
