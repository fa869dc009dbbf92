"""The interactive plots of what a run was made from and how: distributions of its galaxies, training curves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mixz.report.evidence import shared_edges, step_histogram
from mixz.report.figures import colour_of
from mixz.report.plot import DASHES, SQUARE, Chart, Rows, Spec, axis, number, rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mixz.report.run import Entry, Run

LEGEND = {"columns": 1, "labelLimit": 220, "symbolOpacity": 1, "symbolType": "stroke"}
"""Steps are named by all that they believe, and their bands are pale."""


def distribution_charts(run: Run, truths: Sequence[str]) -> list[Chart]:
    """Draw redshift, reference magnitude and colour of each truth's galaxies (Figure 1)."""
    galaxies, k = run.galaxies, run.galaxies.bands.index(run.ref_band)
    a, b = (0, min(1, len(galaxies.bands) - 1)) if k == 0 else (k - 1, k)
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
        colours = [colour_of(truth, truths) for truth in run.truths]
        color = {"field": "truth", "type": "nominal", "title": None}
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


def training_charts(entries: Sequence[Entry]) -> list[Chart]:
    """Draw the validation loss after each epoch: the middle of the members, and the band between best and worst."""
    charts = []
    for entry in entries:
        steps = entry.run.curves.get(entry.recipe, {})
        values: Rows = []
        begun = 0
        for step, members in steps.items():
            longest = max(map(len, members))
            padded = np.array([[*m, *[np.nan] * (longest - len(m))] for m in members])
            best, middle, worst = np.nanmin(padded, axis=0), np.nanmedian(padded, axis=0), np.nanmax(padded, axis=0)
            epochs = np.arange(begun + 1, begun + longest + 1)
            values += rows(step=[step] * longest, epoch=epochs, low=best, loss=middle, high=worst)
            begun += longest
        if not values:
            continue
        losses = [row["loss"] for row in values if row["loss"] is not None]
        top = float(np.percentile(losses, 97)) if losses else 1.0
        bottom = min(losses, default=0.0)
        scale = {"domain": [number(bottom - 0.05 * (top - bottom)), number(max(top, bottom + 1e-6))], "zero": False}
        x, color = axis("epoch", "epoch"), {"field": "step", "type": "nominal", "title": None, "legend": LEGEND}
        band: Spec = {
            "mark": {"type": "area", "opacity": 0.25, "clip": True},
            "encoding": {
                "x": x,
                "y": axis("low", "validation loss", scale=scale),
                "y2": {"field": "high"},
                "color": color,
            },
        }
        curve: Spec = {
            "mark": {"type": "line", "clip": True, "tooltip": True},
            "encoding": {"x": x, "y": axis("loss", "validation loss", scale=scale), "color": color},
        }
        last = ", ".join(f"step {name} ends at {_last(values, name):.4f}" for name in steps)
        charts.append(
            Chart(
                entry.label,
                {"data": {"values": values}, "layer": [band, curve], "height": SQUARE},
                f"Validation loss of {entry.label} after each epoch, middle of its members: {last}.",
                recipe=entry.label,
            )
        )
    return charts


def _last(values: Rows, step: str) -> float:
    losses = [row["loss"] for row in values if row["step"] == step and row["loss"] is not None]
    return float(losses[-1]) if losses else float("nan")
