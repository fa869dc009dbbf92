"""The paper's figures 1 to 3 for any run, and how its training went, each saved as PNG and PDF."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib import style
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from mixz.atomic import replacing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from mixz.galaxies import GalaxySet
    from mixz.metrics.summary import Record
    from mixz.photoz import PhotoZ

NO_DATE = {".pdf": {"CreationDate": None}, ".svg": {"Date": None}}
"""The same numbers give the same bytes, on any day."""

STYLE = Path(__file__).parent / "mixz.mplstyle"

# The paper draws the spectroscopic sample (the target) blue and the many-band one (the source) orange.
COLOURS = {"spec": "#0072B2", "many_band": "#E69F00", "true": "#000000"}
OTHER_COLOURS = ("#009E73", "#CC79A7", "#D55E00", "#56B4E9")

CURVE_COLOURS = ("#56B4E9", "#CC79A7", "#009E73", "#D55E00")

TRAINING_COLUMNS = 4
"""Panels of training curves in a row, at most: a page is no wider."""

FIGURE_3_METRICS = {
    "bias": "bias",
    "outlier_fraction": "outlier fraction",
    "rms": "RMS of dz",
    "sigma_mad": r"$\sigma_{\rm MAD}$",
}


def colour_of(truth: str, truths: Sequence[str]) -> str:
    """Give a truth its colour: the paper's where it has one, else the next of a colour-blind-safe list."""
    others = [t for t in truths if t not in COLOURS]
    return COLOURS.get(truth) or OTHER_COLOURS[others.index(truth) % len(OTHER_COLOURS)]


def draw_distributions(galaxies: GalaxySet, truths: Sequence[str], ref_band: str, *, note: str = "") -> Figure:
    """Draw Figure 1: redshift, reference magnitude and colour of each truth's galaxies.

    Parameters
    ----------
    galaxies
        All galaxies of the run.
    truths
        The truths to compare.
    ref_band
        Band of the magnitude histogram.
    note
        Words under the figure, e.g. that the data are simulated.
    """
    with style.context(STYLE):
        figure = new_figure(7.2, 2.6, note)
        axes = figure.subplots(1, 3)
        k = galaxies.bands.index(ref_band)
        a, b = (0, min(1, len(galaxies.bands) - 1)) if k == 0 else (k - 1, k)
        per_truth = {t: galaxies.rows(galaxies.has(t)) for t in truths}
        quantities: dict[str, dict[str, NDArray[Any]]] = {
            "redshift label": {t: g.z[t] for t, g in per_truth.items()},
            f"{ref_band} [AB mag]": {t: g.mag[:, k] for t, g in per_truth.items()},
            f"{galaxies.bands[a]} - {galaxies.bands[b]} [mag]": {
                t: g.mag[:, a] - g.mag[:, b] for t, g in per_truth.items()
            },
        }
        for axis, (label, values) in zip(axes, quantities.items(), strict=True):
            _draw_histograms(axis, values, truths)
            axis.set_xlabel(label)
        axes[0].set_ylabel("share of galaxies")
        _legend_above(figure, axes[0])
        return figure


def _draw_histograms(axis: Axes, values: Mapping[str, NDArray[Any]], truths: Sequence[str]) -> None:
    low, high = np.nanpercentile(np.concatenate(list(values.values())), [0.2, 99.8])
    edges = np.linspace(low, high if high > low else low + 1, 41).tolist()
    for truth, sample in values.items():
        weights = np.full(len(sample), 1 / max(len(sample), 1))
        colour = colour_of(truth, truths)
        axis.hist(sample, edges, weights=weights, histtype="step", color=colour, label=f"{truth} ({len(sample):,})")


def draw_predictions(
    galaxies: GalaxySet, photoz: Mapping[str, PhotoZ], truths: Sequence[str], *, note: str = ""
) -> Figure:
    """Draw Figure 2: predicted against reference redshift, a row per truth and a column per recipe.

    Density, not overplotted dots.  The solid line is equality, the dashed ones |dz| = 0.15.
    """
    with style.context(STYLE):
        figure = new_figure(1.9 * len(photoz) + 0.6, 1.9 * len(truths) + 0.4, note)
        axes = figure.subplots(len(truths), len(photoz), squeeze=False, sharex="row", sharey="row")
        for row, truth in zip(axes, truths, strict=True):
            has = galaxies.has(truth)
            z_ref = galaxies.z[truth][has]
            top = float(np.percentile(z_ref, 99.5)) * 1.15
            for axis, (recipe, estimate) in zip(row, photoz.items(), strict=True):
                _draw_density(axis, z_ref=z_ref, z_phot=estimate.z_phot[has], top=top)
                axis.set_title(f"{recipe} on {truth}")
                axis.set_xlabel(f"z_{truth}")
            row[0].set_ylabel("z_phot")
        return figure


def _draw_density(axis: Axes, *, z_ref: NDArray[Any], z_phot: NDArray[Any], top: float) -> None:
    line = np.array([0.0, top])
    inside = np.isfinite(z_phot)
    edges = np.linspace(0, top, 81)
    counts, _, _ = np.histogram2d(z_ref[inside], np.clip(z_phot[inside], 0, top), bins=[edges, edges])
    shade = np.ma.masked_equal(np.log10(1 + counts.T), 0)
    axis.pcolormesh(edges, edges, shade, cmap="viridis_r", rasterized=True)
    axis.plot(line, line, color="black", linewidth=0.8)
    for sign in (-1, 1):
        axis.plot(line, line + sign * 0.15 * (1 + line), color="black", linewidth=0.6, linestyle="--")
    axis.set(xlim=(0, top), ylim=(0, top))


def draw_metrics(
    records: Sequence[Record], truths: Sequence[str], *, z_range: str = "0.3-1.5", note: str = ""
) -> Figure:
    """Draw Figure 3: metrics per recipe on each truth's test galaxies, bars showing the spread over members.

    The dotted line is LSST's requirement where there is one.
    """
    chosen = [r for r in records if r["z_range"] == z_range and r["sample"] == "test" and r["truth"] in truths]
    recipes = list(dict.fromkeys(r["recipe"] for r in chosen))
    with style.context(STYLE):
        figure = new_figure(2.0 * len(FIGURE_3_METRICS), 2.6, note)
        axes = figure.subplots(1, len(FIGURE_3_METRICS))
        for axis, (metric, label) in zip(axes, FIGURE_3_METRICS.items(), strict=True):
            of_metric = [r for r in chosen if r["metric"] == metric]
            _draw_metric(axis, of_metric, recipes, truths)
            axis.set_title(label)
        axes[0].set_ylabel(f"test galaxies, {z_range}")
        _legend_above(figure, axes[0])
        return figure


def _draw_metric(axis: Axes, records: Sequence[Record], recipes: Sequence[str], truths: Sequence[str]) -> None:
    for shift, truth in enumerate(truths):
        mine = {r["recipe"]: r for r in records if r["truth"] == truth}
        x = [k + 0.16 * (shift - (len(truths) - 1) / 2) for k, recipe in enumerate(recipes) if recipe in mine]
        rows = [mine[recipe] for recipe in recipes if recipe in mine]
        error = np.nan_to_num([r["std"] for r in rows])
        axis.errorbar(
            x, [r["mean"] for r in rows], error, fmt="o", ms=4, capsize=2, label=truth, color=colour_of(truth, truths)
        )
    limits = {r["requirement"] for r in records if r["requirement"] is not None}
    for limit in limits:
        signs = (-1, 1) if any(r["metric"] == "bias" for r in records) else (1,)
        for sign in signs:
            axis.axhline(sign * limit, color="0.3", linestyle=":", linewidth=1)
    if any(r["metric"] == "bias" for r in records):
        axis.axhline(0, color="0.7", linewidth=0.6, zorder=0)
    axis.set_xticks(range(len(recipes)), recipes, rotation=45)
    axis.set_xlim(-0.5, len(recipes) - 0.5)


def _legend_above(figure: Figure, axis: Axes) -> None:
    """Explain the colours once, where no data can lie."""
    handles, labels = axis.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(labels))


def draw_training(curves: Mapping[str, Mapping[str, Sequence[Sequence[float]]]], *, note: str = "") -> Figure:
    """Draw the validation loss after each epoch: a panel per recipe, a line per member, a colour per step.

    The dot is the epoch whose weights were kept.

    Parameters
    ----------
    curves
        Per recipe and step (named by what it trains on) the losses of each member.
    note
        Words under the figure.
    """
    with style.context(STYLE):
        rows = -(-len(curves) // TRAINING_COLUMNS)
        columns = -(-len(curves) // rows)
        figure = new_figure(2.2 * columns + 0.4, 2.2 * rows + 0.2, note)
        axes = figure.subplots(rows, columns, squeeze=False)
        for axis, (recipe, steps) in zip(axes.flat, curves.items(), strict=False):
            _draw_steps(axis, steps)
            axis.set_title(recipe)
            axis.set_xlabel("epoch")
        for axis in axes.flat[len(curves) :]:
            axis.set_axis_off()
        for first in axes[:, 0]:
            first.set_ylabel("validation loss")
        return figure


def _draw_steps(axis: Axes, steps: Mapping[str, Sequence[Sequence[float]]]) -> None:
    begun = 0
    for number, (name, members) in enumerate(steps.items()):
        colour = CURVE_COLOURS[number % len(CURVE_COLOURS)]
        for losses in members:
            epochs, best = np.arange(begun + 1, begun + len(losses) + 1), int(np.argmin(losses))
            axis.plot(epochs, losses, color=colour, linewidth=0.6, alpha=0.6)
            axis.plot(epochs[best], losses[best], ".", color=colour, markersize=3)
        axis.plot([], [], color=colour, label=name)
        begun += max(map(len, members))
    # The first epochs tower over everything that matters: let the axis end where the middle of the curves lies.
    values = np.concatenate([np.asarray(losses) for members in steps.values() for losses in members])
    low, high = np.min(values), np.percentile(values, 97)
    axis.locator_params(axis="x", integer=True)
    axis.set_ylim(low - 0.05 * (high - low), high if high > low else low + 1)
    axis.legend()


def save_figure(figure: Figure, folder: Path, name: str, endings: Sequence[str] = ("png", "pdf")) -> list[Path]:
    """Save a figure, by default as PNG and PDF, and give the paths."""
    paths = [folder / f"{name}.{ending}" for ending in endings]
    with style.context(STYLE):
        for path in paths:
            with replacing(path) as draft:
                figure.savefig(draft, metadata=NO_DATE.get(path.suffix))
    return paths


def new_figure(width: float, height: float, note: str) -> Figure:
    """Make a figure that belongs to no window and no global state."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    if note:
        figure.supxlabel(note, fontsize=7, color="0.35")
    return figure
