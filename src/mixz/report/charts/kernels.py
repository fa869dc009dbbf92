"""Kernels of noisy labels against galaxies that also have an exact one, per magnitude."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from mixz.densities.estimates import OUTLIER_DZ
from mixz.metrics.bins import I_EDGES, bins_between
from mixz.report.charts.chart import DASHES, SQUARE, STROKES, Chart, Panels, Spec, axis, rows
from mixz.report.charts.colours import GREY, truth_colour
from mixz.truths.corrected import CorrectedKernel
from mixz.truths.known import KERNELS
from mixz.truths.likelihood import Labels

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mixz.arrays import Floats
    from mixz.metrics.bins import Bin
    from mixz.report.run import Run, Runs
    from mixz.truths.kernel import Kernel

BINS = bins_between("i", I_EDGES)
"""Where labels are looked at apart."""
LEAST = 30
"""Bins of fewer galaxies are left out."""
MOST = 1000
"""So many galaxies tell what a kernel says of a bin."""
STEPS, REACH, NARROWEST = 41, 6.0, 0.03
"""Bins of dz, how many widths of the data they reach, and how far at least."""
FARTHEST = np.linspace(-1.0, 1.0, 2001)
"""Where a kernel's outliers are counted."""
COMPARED = tuple(name for name in KERNELS if name != "exact")
"""Kernels of the same kind of labels, drawn beside one that is or corrects any of them."""


class Both(NamedTuple):
    """Galaxies with a noisy label and an exact one: the labels, the redshifts, and which kernels are compared."""

    labels: Labels
    z: Floats
    kernels: Mapping[str, Kernel]


def kernel_panels(runs: Runs) -> list[Panels]:
    """The dz of labels that have an exact one beside them, and what kernels say, a plot per bin of magnitude."""
    found = []
    for run in runs.each:
        for truth in run.truths:
            if not run.known[truth].exact and (both := _both(run, truth)) is not None:
                title = f"{run.name}: {truth}" if len(runs.each) > 1 else truth
                colour = truth_colour(truth, runs.truths)
                found.append(
                    Panels(title, [chart for b in BINS if (chart := _chart(run, truth, both, b, colour)) is not None])
                )
    return [panels for panels in found if panels.charts]


def _both(run: Run, truth: str) -> Both | None:
    """The galaxies of a run, of every side, that have both labels."""
    galaxies, known = run.galaxies, run.known
    z, _ = galaxies.reference([t for t in known.exact if t in galaxies.truths and not known[t].simulated])
    both = np.isfinite(z) & galaxies.has(truth)
    if not both.any():
        return None
    used = known[truth].kernel
    origin = used.prior if isinstance(used, CorrectedKernel) else used
    others = {name: KERNELS[name] for name in COMPARED} if origin in [KERNELS[name] for name in COMPARED] else {}
    kernels = {"used": used} | {name: kernel for name, kernel in others.items() if kernel != used}
    return Both(Labels.of(galaxies.rows(both), known[truth], ref_band=run.ref_band), np.asarray(z[both]), kernels)


def _chart(run: Run, truth: str, both: Both, where: Bin, colour: str) -> Chart | None:
    its = where.holds(mag_ref=both.labels.mag_ref, z_ref=both.z, z_phot=both.z)
    if its.sum() < LEAST:
        return None
    labels, z = both.labels.rows(its), both.z[its]
    dz = (labels.z - z) / (1 + z)
    reach = max(REACH * _half_of(dz), NARROWEST)
    edges = np.linspace(-reach, reach, STEPS + 1)
    middle = (edges[:-1] + edges[1:]) / 2
    heights = np.histogram(dz, edges)[0] / len(dz) / np.diff(edges)
    some = np.linspace(0, len(z) - 1, min(len(z), MOST)).astype(int)
    values, told = [], []
    for name, kernel in both.kernels.items():
        asked = replace(labels.rows(some), truth=replace(labels.truth, kernel=kernel))
        values += rows(kernel=[name] * STEPS, dz=middle, density=_density(asked, z[some], middle))
        whole = _density(asked, z[some], FARTHEST)
        outliers = np.trapezoid(np.where(np.abs(FARTHEST) > OUTLIER_DZ, whole, 0), FARTHEST)
        told.append(f"{name} {_half_width(whole):.4f}, {outliers:.1%}")
    x, y = axis("dz", "dz of labels"), axis("density", "density of dz")
    legend = {**STROKES, "columns": 1, "labelLimit": 200}
    kind: Spec = {"field": "kernel", "type": "nominal", "title": None, "legend": legend}
    names = [*both.kernels]
    lines: Spec = {
        "data": {"values": values},
        "mark": {"type": "line", "strokeWidth": 2, "tooltip": True},
        "encoding": {
            "x": x,
            "y": y,
            "color": {"condition": {"test": "datum.kernel === 'used'", "value": colour}, "value": GREY},
            "strokeDash": {**kind, "scale": {"domain": names, "range": [*DASHES[: len(names)]]}},
        },
    }
    area: Spec = {
        "data": {"values": rows(dz=middle, density=heights)},
        "mark": {"type": "area", "interpolate": "step", "color": GREY, "opacity": 0.35, "line": {"color": GREY}},
        "encoding": {"x": x, "y": y},
    }
    return Chart(
        f"{run.ref_band} {where.low:g}–{where.high:g}, {len(dz):,} galaxies",
        {"layer": [area, lines], "height": SQUARE},
        f"Distribution of dz of {truth} labels against exact ones for {len(dz):,} galaxies of {run.ref_band} "
        f"magnitude {where.low:g} to {where.high:g}, and kernels. Half of the middle 68 % and share beyond "
        f"{OUTLIER_DZ:g}: labels {_half_of(dz):.4f}, {np.mean(np.abs(dz) > OUTLIER_DZ):.1%}; {'; '.join(told)}.",
    )


def _density(labels: Labels, z: Floats, dz: Floats) -> Floats:
    """What the labels' kernel says of dz, the mean over galaxies of these redshifts."""
    kernel, error = labels.truth.kernel, labels.z_err
    total = np.zeros(len(dz))
    for start in range(0, len(z), 200):  # bounds the memory
        here = slice(start, start + 200)
        at = z[here, None]
        p = kernel.density(
            z_label=at + (1 + at) * dz,
            z=at,
            mag_ref=labels.mag_ref[here, None],
            z_err=None if error is None else error[here, None],
        )
        total += (p * (1 + at)).sum(axis=0)
    return total / len(z)


def _half_width(density: Floats) -> float:
    """Half of the middle 68 % of a density on `FARTHEST`."""
    cdf = np.cumsum(density)
    low, high = np.interp([0.16, 0.84], cdf / cdf[-1], FARTHEST)
    return float(high - low) / 2


def _half_of(dz: Floats) -> float:
    """Half of the middle 68 % of some dz."""
    low, high = np.quantile(dz, [0.16, 0.84])
    return float(high - low) / 2
