"""Single galaxies for a report's browser: what each recipe says of them, their labels, magnitudes and neighbours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.spatial import KDTree

from mixz.densities.estimates import OUTLIER_DZ
from mixz.report.charts.chart import number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mixz.arrays import Floats
    from mixz.galaxies import GalaxySet
    from mixz.photoz import PhotoZ
    from mixz.report.run import ReportEntry, Run

GALAXIES = 90
"""How many galaxies a report shows one by one."""

NEIGHBOURS = 5
MOST_NODES = 110
"""Nodes of a density that a plot of it keeps: a report of some recipes stays within some megabytes."""

WORST, TYPICAL, DISAGREE = "worst", "typical", "labels disagree"
"""Why a galaxy is shown."""


def browse(
    run: Run, entries: Sequence[ReportEntry], *, galaxies: int = GALAXIES, seed: int = 0
) -> list[dict[str, Any]]:
    """Choose test galaxies to look at, and give all that there is to know of each.

    A third are those that the recipes get most wrong, some those whose labels disagree, the others drawn at random.

    Parameters
    ----------
    run, entries
        The run, and its recipes.
    galaxies, seed
        How many (at most), and the seed of the drawing.

    Returns
    -------
    list of dict
        Per galaxy its name, why it is shown, labels, magnitudes, the nearest training galaxies in colours and
        magnitude, and per recipe the estimate, members and density; values that JSON can hold.
    """
    test, train = run.test, run.galaxies.in_split("train")
    chosen = choose(run, entries, galaxies=galaxies, seed=seed)
    near = _neighbours(test.rows(np.array(list(chosen), dtype=int)), train, run.shared_bands)
    rows = zip(chosen.items(), near, strict=True)
    return [_galaxy(run, entries, row, why, train.rows(close)) for (row, why), close in rows]


def choose(run: Run, entries: Sequence[ReportEntry], *, galaxies: int, seed: int) -> dict[int, str]:
    """Choose rows of the test galaxies, and say of each why it is shown."""
    test = run.test
    labels = np.array([test.z[truth] for truth in run.truths]).reshape(len(run.truths), len(test))
    known = np.isfinite(labels)
    z_ref = np.where(known.any(axis=0), np.take_along_axis(labels, known.argmax(axis=0)[None], axis=0)[0], np.nan)
    misses = np.array([np.abs(entry.photoz.z_phot - z_ref) / (1 + z_ref) for entry in entries])
    worst = np.nan_to_num(misses, nan=-1.0).max(axis=0)
    with np.errstate(invalid="ignore"):
        spread = np.where(known.sum(axis=0) > 1, np.nan_to_num(_range(labels)) / (1 + z_ref), 0.0)
    order = [int(row) for row in np.argsort(-worst, kind="stable") if worst[row] > OUTLIER_DZ]
    disagree = [int(row) for row in np.argsort(-spread, kind="stable") if spread[row] > OUTLIER_DZ]
    drawn = np.random.default_rng(seed).permutation(len(test)).tolist()
    chosen: dict[int, str] = {}
    for why, rows, share in ((DISAGREE, disagree, 6), (WORST, order, 3), (TYPICAL, drawn, 1)):
        taken = 0
        for row in rows:
            if len(chosen) >= galaxies or taken >= max(galaxies // share, 1):
                break
            if row not in chosen:
                chosen[row] = why
                taken += 1
    return chosen


def _range(labels: Floats) -> Floats:
    known = np.isfinite(labels)
    high, low = np.where(known, labels, -np.inf).max(axis=0), np.where(known, labels, np.inf).min(axis=0)
    return np.asarray(high - low)


def _galaxy(run: Run, entries: Sequence[ReportEntry], row: int, why: str, near: GalaxySet) -> dict[str, Any]:
    test = run.test
    return {
        "id": str(test.object_id[row]),
        "why": why,
        "labels": {t: number(z[row]) for t, z in test.z.items() if np.isfinite(z[row])},
        "mag": [
            {"band": band, "mag": number(float(test.mag[row, k])), "err": number(float(test.mag_err[row, k]))}
            for k, band in enumerate(test.bands)
        ],
        "recipes": [_estimate(entry, row) for entry in entries],
        "neighbours": [
            {
                "id": str(near.object_id[k]),
                "mag": number(float(run.mag_ref(near)[k])),
                "labels": {t: number(z[k]) for t, z in near.z.items() if np.isfinite(z[k])},
            }
            for k in range(len(near))
        ],
    }


def _estimate(entry: ReportEntry, row: int) -> dict[str, Any]:
    photoz = entry.photoz
    told: dict[str, Any] = {
        "recipe": entry.label,
        "z_phot": number(float(photoz.z_phot[row])),
        "members": [number(z) for z in photoz.z_phot_members[:20, row].tolist()],
    }
    if photoz.support is not None:
        told["support"] = int(photoz.support[row])
    if density := density_of(photoz, row):
        told["pdf"] = density
    return told


def density_of(photoz: PhotoZ, row: int) -> list[list[float | None]]:
    """The nodes of a galaxy's density that are worth drawing; none where the model gives no density."""
    if photoz.pdf is not None and photoz.z_grid is not None:
        return density_points(photoz.z_grid, photoz.pdf[row])
    if photoz.z_sigma_members is not None:
        return _gaussians(photoz.z_phot_members[:, row], photoz.z_sigma_members[:, row])
    return []


def density_points(z_grid: Floats, pdf: NDArray[Any], *, most: int = MOST_NODES) -> list[list[float | None]]:
    """The nodes of one density that are worth drawing, as pairs (z, p).

    Examples
    --------
    >>> density_points(np.array([0.0, 1, 2, 3, 4]), np.array([0.0, 0, 1, 0, 0]))
    [[1.0, 0.0], [2.0, 1.0], [3.0, 0.0]]
    """
    pdf = np.asarray(pdf, float)
    seen = np.flatnonzero(pdf > 1e-3 * np.nanmax(pdf, initial=0.0))
    if not seen.size:
        return []
    first, last = max(int(seen[0]) - 1, 0), min(int(seen[-1]) + 1, len(pdf) - 1)
    kept = np.unique(np.linspace(first, last, min(most, last - first + 1)).round().astype(int))
    return [[number(float(z_grid[k])), float(f"{pdf[k]:.3g}")] for k in kept]


def _gaussians(z: Floats, sigma: Floats) -> list[list[float | None]]:
    """Draw the equal mixture of the members' Gaussians."""
    if not np.isfinite(z).all() or not (sigma > 0).all():
        return []
    grid = np.linspace(max(0.0, (z - 4 * sigma).min()), (z + 4 * sigma).max(), MOST_NODES)
    each = np.exp(-(((grid[:, None] - z) / sigma) ** 2) / 2) / (sigma * np.sqrt(2 * np.pi))
    return density_points(grid, each.mean(axis=1))


def _neighbours(galaxies: GalaxySet, train: GalaxySet, bands: Sequence[str]) -> list[NDArray[np.intp]]:
    """Find the training galaxies nearest in colours and magnitude, each divided by its spread."""
    places, there = (_place(some.in_bands(bands)[0]) for some in (train, galaxies))
    measured = np.flatnonzero(np.isfinite(places).all(axis=1))
    none = np.empty(0, dtype=np.intp)
    if not measured.size:
        return [none for _ in range(len(galaxies))]
    spread = places[measured].std(axis=0)
    spread[spread == 0] = 1
    tree = KDTree(places[measured] / spread)
    wanted = list(range(1, min(NEIGHBOURS, measured.size) + 1))
    return [
        measured[np.atleast_1d(tree.query(place / spread, k=wanted)[1])] if np.isfinite(place).all() else none
        for place in there
    ]


def _place(mag: Floats) -> Floats:
    mag = np.asarray(mag, dtype=np.float64)
    return np.column_stack([mag[:, :1], mag[:, :-1] - mag[:, 1:]])
