"""What is left when the riskiest galaxies go: outliers and scatter of those kept, and whether risk is honest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mixz.densities.estimates import OUTLIER_DZ, hsc_loss
from mixz.metrics.point import scaled_residual, sigma_mad
from mixz.report.charts.chart import (
    DASHES,
    SQUARE,
    STROKES,
    Chart,
    Panels,
    Rows,
    Spec,
    axis,
    by_recipe,
    line,
    only_shown,
    rows,
)
from mixz.report.charts.colours import GREY

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from mixz.arrays import Floats
    from mixz.report.run import ReportEntry, Runs

KEPT = tuple(round(0.05 * k, 2) for k in range(6, 21))
"""Shares of galaxies that are kept."""
PARTS = 10
"""Parts of like risk, in which the mean of risk stands against that of losses."""
FEWEST = 100
"""Fewer galaxies than this say nothing about a third of them."""
SIGNS = ("risk", "odds")
"""What galaxies are sorted by: the least risky first, or those of the highest odds."""


def quality_panels(runs: Runs) -> list[Panels]:
    """For every truth, what recipes with densities leave when the galaxies they trust least go."""
    found = []
    for truth in runs.truths:
        judged = {e.label: one for e in runs.judged_on(truth) if (one := _judged(e, truth)) is not None}
        if judged:
            charts = [
                _curve(runs, judged, truth, "outliers", lambda z_phot, z: float(np.mean(_outliers(z_phot, z)))),
                _curve(runs, judged, truth, "σ_MAD", lambda z_phot, z: float(sigma_mad(z_phot=z_phot, z_ref=z))),
                _honesty(runs, judged, truth),
            ]
            found.append(Panels(f"Judged on {truth}", charts))
    return found


def _outliers(z_phot: Floats, z_ref: Floats) -> NDArray[np.bool_]:
    return np.asarray(np.abs(scaled_residual(z_phot=z_phot, z_ref=z_ref)) > OUTLIER_DZ)


def _judged(entry: ReportEntry, truth: str) -> dict[str, Floats] | None:
    """The columns of a recipe's test galaxies with a label of the truth; None where it knows no risk or has few."""
    photoz, test = entry.photoz, entry.run.test
    if photoz.risk is None or photoz.odds is None or truth not in test.truths:
        return None
    rows_ = test.has(truth) & np.isfinite(photoz.risk)
    if rows_.sum() < FEWEST:
        return None
    return {
        "z_phot": photoz.z_phot[rows_],
        "z_ref": test.z[truth][rows_],
        "risk": photoz.risk[rows_],
        "odds": -photoz.odds[rows_],
    }


def kept_curve(sign: Floats, of: Callable[[NDArray[np.intp]], float]) -> list[float]:
    """A metric of the galaxies with the lowest signs, at each of the shares that are kept.

    Examples
    --------
    >>> kept_curve(np.arange(100.0), lambda kept: float(len(kept)))[:2]
    [30.0, 35.0]
    """
    order = np.argsort(sign, kind="stable")
    return [of(order[: round(share * len(order))]) for share in KEPT]


def _curve(
    runs: Runs,
    judged: dict[str, dict[str, Floats]],
    truth: str,
    title: str,
    metric: Callable[[Floats, Floats], float],
) -> Chart:
    values: Rows = []
    told = []
    for label, of in judged.items():
        for sign in SIGNS:
            curve = kept_curve(of[sign], lambda kept, of=of: metric(of["z_phot"][kept], of["z_ref"][kept]))  # type: ignore[misc]
            n = len(KEPT)
            values += rows(recipe=[label] * n, by=[f"by {sign}"] * n, kept=KEPT, value=curve)
            told.append(f"{label} by {sign}: all {curve[-1]:.4f}, best half {curve[KEPT.index(0.5)]:.4f}")
    scale = {"domain": [f"by {sign}" for sign in SIGNS], "range": [DASHES[0], DASHES[2]]}  # a line, and dots
    legend = {**STROKES, "symbolStrokeColor": GREY, "symbolStrokeWidth": 2}
    dash = {"field": "by", "type": "nominal", "title": None, "scale": scale, "legend": legend}
    lines: Spec = {
        "mark": {"type": "line", "strokeWidth": 2, "tooltip": True},
        "encoding": {
            "x": axis("kept", "share kept", scale={"zero": False}),
            "y": axis("value", title, scale={"zero": False}),
            "color": by_recipe(runs.labels, [*judged], narrow=True)["color"],
            "strokeDash": dash,
        },
    }
    return Chart(
        f"{title} of the galaxies kept",
        {"data": {"values": values}, **only_shown(runs.labels), **lines, "height": SQUARE},
        f"{title} of the share of {truth} galaxies that is kept: {'; '.join(told)}.",
    )


def _honesty(runs: Runs, judged: dict[str, dict[str, Floats]], truth: str) -> Chart:
    values: Rows = []
    told = []
    for label, of in judged.items():
        loss = np.asarray(hsc_loss(z_phot=of["z_phot"], z_ref=of["z_ref"]))
        parts = np.array_split(np.argsort(of["risk"], kind="stable"), PARTS)
        risk, mean = ([float(column[part].mean()) for part in parts] for column in (of["risk"], loss))
        values += rows(recipe=[label] * PARTS, risk=risk, loss=mean)
        told.append(f"{label}: mean risk {of['risk'].mean():.4f}, mean loss {loss.mean():.4f}")
    top = max(max(row["risk"], row["loss"]) for row in values)
    dots: Spec = {
        "data": {"values": values},
        "transform": only_shown(runs.labels)["transform"],
        "mark": {"type": "point", "filled": True, "size": 60, "opacity": 1, "tooltip": True},
        "encoding": {
            "x": axis("risk", "mean risk"),
            "y": axis("loss", "mean HSC loss"),
            "color": by_recipe(runs.labels, [*judged], narrow=True)["color"],
        },
    }
    layers = [line([0, top], [0, top], dashed=True), dots]
    spec: Spec = {"layer": layers, "params": only_shown(runs.labels)["params"], "height": SQUARE}
    return Chart("Is risk honest?", spec, f"Mean loss against mean risk on {truth}, by tenths: {'; '.join(told)}.")
