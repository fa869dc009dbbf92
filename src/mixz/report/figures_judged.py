"""Static figures of how good a run's recipes are: residuals against redshift and magnitude, n(z), PIT and coverage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib import style

from mixz.report.evidence import (
    LEVELS,
    Judged,
    coverage_curve,
    judged,
    pit_values,
    redshift_counts,
    trend,
    upper_redshift,
)
from mixz.report.figures import STYLE, new_figure
from mixz.report.plot import RECIPE_COLOURS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from mixz.report.run import Entry

LINES = ("-", "--", ":", "-.", (0, (6, 1)), (0, (1, 1)))
MARKS = "os^Dvp"
PIT_BINS = 20
N_OF_Z_BINS = 30


def draw_residuals(entries: Sequence[Entry], truths: Sequence[str], *, note: str = "") -> Figure:
    """Draw the median of dz against redshift and reference magnitude, a row per truth, a line per recipe."""
    with style.context(STYLE):
        figure = new_figure(7.2, 2.1 * len(truths) + 0.5, note)
        axes = figure.subplots(len(truths), 2, squeeze=False)
        for row, truth in zip(axes, truths, strict=True):
            for k, entry in enumerate(entries):
                _draw_trends(row, judged(entry, truth), k, entry.label)
            row[0].set(xlabel=f"z_{truth}", ylabel=f"median dz on {truth}")
            row[1].set_xlabel(f"{entries[0].run.ref_band} [AB mag]")
            for axis in row:
                axis.axhline(0, color="0.5", linewidth=0.6, zorder=0)
        _legend(figure, axes[0][0])
        return figure


def _draw_trends(row: Sequence[Axes], pairs: Judged, number: int, label: str) -> None:
    for axis, at in zip(row, (pairs.z_ref, pairs.mag_ref), strict=True):
        found = trend(pairs.dz, at)
        axis.plot(found.at, found.median, marker=MARKS[number % len(MARKS)], markersize=3, label=label, **_look(number))


def draw_redshifts(entries: Sequence[Entry], truths: Sequence[str], *, note: str = "") -> Figure:
    """Draw n(z) of the test galaxies' labels (grey) and of every recipe's predictions, a panel per truth."""
    with style.context(STYLE):
        figure = new_figure(3.6 * len(truths), 2.9, note)
        axes = figure.subplots(1, len(truths), squeeze=False)[0]
        for axis, truth in zip(axes, truths, strict=True):
            z_ref = judged(entries[0], truth).z_ref
            edges = np.linspace(0, upper_redshift(z_ref), N_OF_Z_BINS + 1)
            axis.stairs(np.histogram(z_ref, edges)[0], edges, fill=True, color="0.85", label=f"{truth} labels")
            for k, entry in enumerate(entries):
                axis.stairs(redshift_counts(entry, truth, edges), edges, label=entry.label, **_look(k))
            axis.set(xlabel="redshift", title=f"test galaxies with {truth} labels")
        axes[0].set_ylabel("galaxies per bin")
        _legend(figure, axes[0])
        return figure


def draw_pit(entries: Sequence[Entry], truths: Sequence[str], *, note: str = "") -> Figure | None:
    """Draw the PIT of every recipe that gives probabilities, a row per truth; None where no recipe does."""
    found = _probabilities(entries, truths)
    if not found:
        return None
    with style.context(STYLE):
        figure = new_figure(2.2 * len(found) + 0.5, 1.7 * len(truths) + 0.3, note)
        axes = figure.subplots(len(truths), len(found), squeeze=False, sharex=True)
        edges = np.linspace(0, 1, PIT_BINS + 1)
        for column, (label, (number, of_truth)) in enumerate(found.items()):
            for row, truth in enumerate(truths):
                axis: Axes = axes[row][column]
                values = of_truth.get(truth, np.empty(0))
                heights = np.histogram(values, edges)[0] * PIT_BINS / max(values.size, 1)
                axis.stairs(heights, edges, fill=True, color=_colour(number), alpha=0.7)
                axis.axhline(1, color="0.3", linestyle="--", linewidth=0.8)
                axis.set_title(f"{label} on {truth}")
            axes[-1][column].set_xlabel("PIT")
        for row in axes:
            row[0].set_ylabel("galaxies / expected")
        return figure


def draw_coverage(entries: Sequence[Entry], truths: Sequence[str], *, note: str = "") -> Figure | None:
    """Draw the share of labels inside central intervals against their probability; None where no recipe gives any."""
    found = _probabilities(entries, truths)
    if not found:
        return None
    with style.context(STYLE):
        figure = new_figure(2.7 * len(truths) + 0.3, 2.9, note)
        axes = figure.subplots(1, len(truths), squeeze=False, sharey=True)[0]
        for axis, truth in zip(axes, truths, strict=True):
            axis.plot([0, 1], [0, 1], color="0.5", linewidth=0.6)
            for label, (number, of_truth) in found.items():
                if truth in of_truth:
                    axis.plot(LEVELS, coverage_curve(of_truth[truth]), label=label, **_look(number))
            axis.set(xlabel="probability of the interval", title=f"judged on {truth}", xlim=(0, 1), ylim=(0, 1))
        axes[0].set_ylabel("share inside")
        _legend(figure, axes[0])
        return figure


def _probabilities(
    entries: Sequence[Entry], truths: Sequence[str]
) -> dict[str, tuple[int, dict[str, NDArray[np.floating[Any]]]]]:
    """Give the PIT per recipe that has any: its number among all (for its colour), and values per truth."""
    found = {}
    for number, entry in enumerate(entries):
        values = {truth: pit for truth in truths if (pit := pit_values(entry, truth)) is not None and pit.size}
        if values:
            found[entry.label] = (number, values)
    return found


def _colour(number: int) -> str:
    return RECIPE_COLOURS[number % len(RECIPE_COLOURS)]


def _look(number: int) -> dict[str, Any]:
    """Give a recipe's line: colour and dashes, so that neither alone must tell it apart."""
    return {"color": _colour(number), "linestyle": LINES[number % len(LINES)], "linewidth": 1.2}


def _legend(figure: Figure, axis: Axes) -> None:
    handles, labels = axis.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=min(len(labels), 7))
