"""Plots of how good recipes are: metrics, predictions, residuals, probabilities, n(z)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mixz.metrics.metric import METRICS
from mixz.report.charts.chart import (
    HEIGHT,
    SQUARE,
    Chart,
    Panels,
    Rows,
    Spec,
    axis,
    by_recipe,
    line,
    number,
    only_shown,
    rows,
    rule,
)
from mixz.report.charts.colours import GREY, recipe_colour, truth_colour
from mixz.report.evidence import (
    LEVELS,
    compared,
    coverage_curve,
    density_cells,
    pit_values,
    redshift_counts,
    trend,
    upper_redshift,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mixz.metrics.metric import Metric
    from mixz.metrics.summary import Record
    from mixz.report.run import ReportEntry, Runs

PIT_BINS = 20
N_OF_Z_BINS = 30


def _per_truth(runs: Runs, draw: Callable[[Sequence[ReportEntry], str], list[Chart]]) -> list[Panels]:
    return [Panels(f"Judged on {truth}", draw(runs.judged_on(truth), truth)) for truth in runs.truths]


def prediction_panels(runs: Runs) -> list[Panels]:
    """Predicted against reference redshift of each recipe on each truth, the darker the more galaxies."""
    return _per_truth(runs, lambda entries, truth: _prediction_charts(entries, truth, truth_colour(truth, runs.truths)))


def _prediction_charts(entries: Sequence[ReportEntry], truth: str, colour: str) -> list[Chart]:
    beside = {entry.label: compared(entry, truth) for entry in entries}
    top = max((upper_redshift(p.z_ref) for p in beside.values() if p.z_ref.size), default=1.0)
    return [
        _prediction_chart(label, truth, p.z_ref, p.z_phot, top, colour) for label, p in beside.items() if p.z_ref.size
    ]


def _prediction_chart(label: str, truth: str, z_ref: Any, z_phot: Any, top: float, colour: str) -> Chart:
    cells = density_cells(z_ref=z_ref, z_phot=z_phot, top=top)
    dz = (z_phot - z_ref) / (1 + z_ref)
    outside = float(np.mean(np.abs(dz) > 0.15))
    scale = {"domain": [0, number(top)], "nice": False}
    density = {
        "data": {"values": rows(x=cells.x, y=cells.y, n=cells.n)},
        "transform": [{"calculate": f"datum.{a} + {cells.step}", "as": f"{a}2"} for a in ("x", "y")],
        "mark": {"type": "rect", "color": colour, "tooltip": True},
        "encoding": {
            "x": axis("x", f"z_{truth}", scale=scale),
            "x2": {"field": "x2"},
            "y": axis("y", "z_phot", scale=scale),
            "y2": {"field": "y2"},
            "opacity": axis("n", "galaxies", scale={"type": "log", "range": [0.3, 1]}, legend=None),
            "tooltip": [
                {"field": "n", "title": "galaxies"},
                {"field": "x", "title": f"z_{truth} from", "format": ".2f"},
                {"field": "y", "title": "z_phot from", "format": ".2f"},
            ],
        },
    }
    lines = [line([0, top], [shift, top + shift * (1 + top)], dashed=bool(shift)) for shift in (0, 0.15, -0.15)]
    return Chart(
        label,
        {"layer": [density, *lines], "height": SQUARE},
        f"Predicted redshift by {label} against {truth} labels of {len(z_ref):,} test galaxies: half of them lie "
        f"within |dz| = {np.median(np.abs(dz)):.3f} of the line of equality, {outside:.1%} beyond 0.15.",
        recipe=label,
    )


def residual_panels(runs: Runs) -> list[Panels]:
    """How residuals run with redshift and magnitude on each truth: median, and half the width of their middle 68 %."""
    return _per_truth(runs, lambda entries, truth: _residual_charts(entries, truth, runs.labels))


def _residual_charts(entries: Sequence[ReportEntry], truth: str, every: Sequence[str]) -> list[Chart]:
    charts = []
    labels = [entry.label for entry in entries]
    for quantity in ("z", "mag"):
        values: Rows = []
        for entry in entries:
            p = compared(entry, truth)
            t = trend(p.dz, p.z_ref if quantity == "z" else p.mag_ref)
            values += rows(
                recipe=[entry.label] * len(t.at),
                at=t.at,
                median=t.median,
                p16=t.p16,
                p84=t.p84,
                width=(t.p84 - t.p16) / 2,
                outliers=t.outliers,
                n=t.n,
            )
        if not values:
            continue
        title = f"z_{truth}" if quantity == "z" else f"{entries[0].run.ref_band} [AB mag]"
        charts += [
            _residual_chart(every, labels, values, "median", f"median dz against {title}", title),
            _residual_chart(every, labels, values, "width", f"σ68 of dz against {title}", title),
        ]
    return charts


def _residual_chart(
    every: Sequence[str], labels: Sequence[str], values: Rows, what: str, title: str, against: str
) -> Chart:
    x = axis("at", against, scale={"zero": False})
    tooltip = [
        {"field": "recipe"},
        {"field": "at", "title": against, "format": ".2f"},
        {"field": "median", "title": "median dz", "format": ".4f"},
        {"field": "width", "title": "σ68", "format": ".4f"},
        {"field": "outliers", "format": ".1%"},
        {"field": "n", "title": "galaxies"},
    ]
    y = axis(what, "median dz" if what == "median" else "σ68 of dz")
    encoding = {"x": x, "y": y, **by_recipe(every, labels)}
    lines: Spec = {"mark": {"type": "line", "strokeWidth": 2}, "encoding": encoding}
    dots: Spec = {
        "mark": {"type": "point", "filled": True, "size": 28, "opacity": 1},
        "encoding": {k: v for k, v in encoding.items() if k != "strokeDash"} | {"tooltip": tooltip},
    }
    layers = [lines, dots, *([rule(y=0)] if what == "median" else [])]
    worst = max((row for row in values if row[what] is not None), key=lambda row: abs(row[what]), default=None)
    told = f" The largest is {worst[what]:.3f}, {worst['recipe']} at {against} {worst['at']:.2f}." if worst else ""
    return Chart(
        title, {"data": {"values": values}, **only_shown(labels), "layer": layers, "height": HEIGHT}, f"{title}.{told}"
    )


def metric_panels(runs: Runs) -> list[Panels]:
    """The metrics of every recipe on every truth's test galaxies with the spread over members (Figure 3)."""
    records = runs.labelled(lambda run: run.records)
    found = {r["metric"] for _, r in records}
    metrics = [metric for name, metric in METRICS.items() if metric.in_plots and name in found]
    return [Panels("", [_metric_chart(metric, records, runs.labels, runs.truths) for metric in metrics])]


def _metric_rows(chosen: Sequence[tuple[str, Record]]) -> Rows:
    """Lay records out for a plot: the mean over members, one spread to either side of it, and the ensemble's own."""
    return [
        {
            "recipe": label,
            "truth": r["truth"],
            "z_range": r["z_range"],
            "mean": number(r["mean"]),
            "low": number(r["mean"] - np.nan_to_num(r["std"])),
            "high": number(r["mean"] + np.nan_to_num(r["std"])),
            "std": number(r["std"]),
            "ensemble": number(r["ensemble"]) if r["members"] > 1 else None,
            "n": r["n"],
        }
        for label, r in chosen
    ]


def _metric_marks(title: str, values: Rows, labels: Sequence[str], truths: Sequence[str]) -> list[Spec]:
    """Draw a dot and a bar per recipe and truth, truths beside each other, and a diamond where members are several."""
    colours = [truth_colour(truth, truths) for truth in truths]
    shared: Spec = {
        "x": {"field": "recipe", "type": "nominal", "sort": [*labels], "title": None, "axis": {"labelAngle": -40}},
        "xOffset": {"field": "truth", "type": "nominal", "sort": [*truths]},
        "color": {"field": "truth", "type": "nominal", "title": None, "scale": {"domain": [*truths], "range": colours}},
    }
    tooltip = [
        {"field": "recipe"},
        {"field": "truth", "title": "judged on"},
        {"field": "mean", "format": ".4f", "title": title},
        {"field": "std", "format": ".4f", "title": "spread over members"},
        {"field": "ensemble", "format": ".4f", "title": "the ensemble's own"},
        {"field": "n", "title": "galaxies"},
    ]
    bars: Spec = {
        "mark": {"type": "rule", "strokeWidth": 1.6},
        "encoding": {**shared, "y": axis("low", title), "y2": {"field": "high"}},
    }
    shape = {"field": "truth", "type": "nominal", "title": None, "scale": {"domain": [*truths]}}
    dots: Spec = {
        "mark": {"type": "point", "filled": True, "size": 60, "opacity": 1},
        "encoding": {**shared, "shape": shape, "y": axis("mean", title), "tooltip": tooltip},
    }
    diamonds: Spec = {
        "mark": {"type": "point", "shape": "diamond", "size": 120, "strokeWidth": 1.3, "opacity": 1},
        "encoding": {**shared, "y": axis("ensemble", title), "tooltip": tooltip},
    }
    several = any(row["ensemble"] is not None for row in values)
    return [bars, dots, *([diamonds] if several else [])]


def _metric_chart(
    about: Metric, records: Sequence[tuple[str, Record]], labels: Sequence[str], truths: Sequence[str]
) -> Chart:
    chosen = [
        (label, r)
        for label, r in records
        if r["metric"] == about.name and r["sample"] == "test" and r["truth"] in truths and r.get("bin") is None
    ]
    limit = next((r["requirement"] for _, r in chosen if r["requirement"] is not None), None)
    values = _metric_rows(chosen)
    marks = _metric_marks(about.title, values, labels, truths)
    limits = [] if limit is None else [rule(y=sign * limit) for sign in ((1, -1) if about.name == "bias" else (1,))]
    zero = [{"mark": {"type": "rule", "color": GREY, "strokeWidth": 0.6}, "encoding": {"y": {"datum": 0}}}]
    known = [(label, r) for label, r in chosen if r["z_range"] == "all" and np.isfinite(r["mean"])]
    told = "; ".join(f"{label} on {r['truth']} {r['mean']:.4f}, ensemble {r['ensemble']:.4f}" for label, r in known)
    shown = only_shown(labels)
    shown["params"].append({"name": "z_range", "value": "0.3-1.5"})
    shown["transform"].append({"filter": "datum.z_range === z_range"})
    return Chart(
        about.title,
        {
            "data": {"values": values},
            **shown,
            "layer": [*limits, *(zero if about.name == "bias" else []), *marks],
            "height": HEIGHT,
        },
        f"{about.title} of every recipe ({about.sentence} {about.formula}). All redshifts: {told or 'no number'}."
        + ("" if limit is None else f" LSST asks for less than {limit:g}."),
        metric=about.name,
    )


def probability_panels(runs: Runs) -> list[Panels]:
    """The PIT of each recipe that gives probabilities, and the coverage of all of them, on each truth."""
    return _per_truth(runs, lambda entries, truth: _probability_charts(entries, truth, runs.labels))


def _probability_charts(entries: Sequence[ReportEntry], truth: str, every: Sequence[str]) -> list[Chart]:
    charts, curves = [], []
    edges = np.linspace(0, 1, PIT_BINS + 1)
    for entry in entries:
        values = pit_values(entry, truth)
        if values is None or not values.size:
            continue
        heights = np.histogram(values, edges)[0] * PIT_BINS / values.size
        color = recipe_colour(every, entry.label)
        bars: Spec = {
            "data": {"values": rows(low=edges[:-1], high=edges[1:], height=heights)},
            "mark": {"type": "bar", "color": color, "opacity": 0.8, "tooltip": True, "binSpacing": 1},
            "encoding": {
                "x": axis("low", f"PIT on {truth}", bin="binned", axis={"values": [0, 0.5, 1]}),
                "x2": {"field": "high"},
                "y": axis("height", "galaxies / expected"),
            },
        }
        honest = "would be flat at 1 if every density were honest"
        charts.append(
            Chart(
                f"PIT of {entry.label}",
                {"layer": [bars, rule(y=1)], "height": SQUARE},
                f"PIT of {entry.label} on {truth}, {values.size:,} galaxies; it {honest}, and lies between "
                f"{heights.min():.2f} and {heights.max():.2f}.",
                recipe=entry.label,
            )
        )
        curves.append((entry.label, coverage_curve(values)))
    return [*charts, _coverage_chart(curves, every, truth)] if curves else []


def _coverage_chart(curves: Sequence[tuple[str, Any]], labels: Sequence[str], truth: str) -> Chart:
    values = [row for label, c in curves for row in rows(recipe=[label] * len(LEVELS), level=LEVELS, share=c)]
    unit = {"domain": [0, 1]}
    lines: Spec = {
        "mark": {"type": "line", "strokeWidth": 2, "point": {"size": 20}, "tooltip": True},
        "encoding": {
            "x": axis("level", "probability of the interval", scale=unit),
            "y": axis("share", f"share of {truth} inside", scale=unit),
            **by_recipe(labels, [label for label, _ in curves], narrow=True),
        },
    }
    told = "; ".join(f"{label}: {np.interp(0.68, LEVELS, c):.1%}" for label, c in curves)
    return Chart(
        "coverage",
        {
            "layer": [
                {"data": {"values": values}, "transform": only_shown(labels)["transform"], **lines},
                line([0, 1], [0, 1], dashed=True),
            ],
            "params": only_shown(labels)["params"],
            "height": SQUARE,
        },
        f"Share of {truth} labels inside central intervals of each probability. Inside the 68 % interval lie: {told}.",
    )


def redshift_panels(runs: Runs) -> list[Panels]:
    """n(z) of each recipe against that of the labels, for the test galaxies of each truth."""
    drawn = [_redshift_chart(runs.judged_on(truth), truth, runs.labels) for truth in runs.truths]
    return [Panels("", [chart for chart in drawn if chart is not None])]


def _redshift_chart(entries: Sequence[ReportEntry], truth: str, every: Sequence[str]) -> Chart | None:
    z_ref = [compared(entry, truth).z_ref for entry in entries]
    everything = np.concatenate(z_ref)
    if not everything.size:
        return None
    labels = [entry.label for entry in entries]
    edges = np.linspace(0, upper_redshift(everything), N_OF_Z_BINS + 1)
    middle = (edges[:-1] + edges[1:]) / 2
    of_labels = np.histogram(z_ref[0], edges)[0]
    values = [
        row
        for entry in entries
        for row in rows(recipe=[entry.label] * len(middle), z=middle, n=redshift_counts(entry, truth, edges))
    ]
    x = axis("z", "redshift")
    area: Spec = {
        "data": {"values": rows(z=middle, n=of_labels)},
        "mark": {"type": "area", "interpolate": "step", "color": GREY, "opacity": 0.35, "line": {"color": GREY}},
        "encoding": {"x": x, "y": axis("n", "galaxies per bin")},
    }
    lines: Spec = {
        "data": {"values": values},
        "transform": only_shown(labels)["transform"],
        "mark": {"type": "line", "interpolate": "step", "strokeWidth": 1.8, "tooltip": True},
        "encoding": {"x": x, "y": axis("n", "galaxies per bin"), **by_recipe(every, labels)},
    }
    means = "; ".join(f"{label} {np.average(middle, weights=_weights(values, label)):.3f}" for label in labels)
    return Chart(
        f"n(z) of {truth} test galaxies",
        {"layer": [area, lines], "params": only_shown(labels)["params"], "height": HEIGHT},
        f"Distribution of redshifts of the {len(z_ref[0]):,} test galaxies with {truth} labels (grey) and of each "
        f"recipe's predictions. Mean redshift of the labels {z_ref[0].mean():.3f}; {means}.",
    )


def _weights(values: Rows, label: str) -> list[float]:
    counts = [row["n"] or 0.0 for row in values if row["recipe"] == label]
    return counts if any(counts) else [1.0] * len(counts)
