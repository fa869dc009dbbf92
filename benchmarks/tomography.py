"""n(z) of tomographic bins where the truth is known: every method's error, on SIMULATED galaxies.

A mock survey (`mixz.mock`): a deep field, every galaxy of which has a many-band label, and wide fields with spectra
chosen as real ones are (by i, g - z and redshift: the trap).  `fused` is trained on half of the deep field and most of
the wide ones.  The bins are of the other half of the deep field, i < 25, in five equal counts of z_phot; n(z) is found

    own     with these galaxies' own many-band labels, as a run judges its test galaxies;
    other   without them, from the galaxies of the training half.

Printed as Markdown: (mean - true mean) / (1 + z) of every bin and method in units of .001, and of the width; the last
columns are the root mean square over bins and seeds, and the largest.

    python benchmarks/tomography.py [--seeds 3] [--quick]

needs mixz[train,mock].
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch

import mixz
from mixz.densities.grid import Grid
from mixz.mock import hsc
from mixz.mock.survey import simulate
from mixz.tomography import (
    STACK,
    TRUTH,
    LabelledSample,
    PhotometricSample,
    Tomography,
    estimate_nz,
    offset,
    sort_into_bins,
)
from mixz.tomography.answers import BY_LABELS
from mixz.truths import KNOWN_TRUTHS, Labels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mixz.tomography.one_bin import StandIns

Pair = tuple[Tomography, Tomography]
"""What was found with nearest neighbours, and with cells."""

DEEP, WIDE, I_LIMIT, BINS, MEMBERS = 54_000, 20_000, 25.0, 5, 3
GOAL = 0.003
"""On the mean of every bin, in units of (1 + z)."""
I_BAND = hsc.BANDS.index("i")


def survey(deep: int, wide: int, *, seed: int) -> tuple[mixz.GalaxySet, NDArray[np.bool_], NDArray[np.float64]]:
    """Simulate the galaxies, which of them are the target, and the target's own many-band labels."""
    table = simulate(deep + wide, seed=seed, cosmos_share=deep / (deep + wide)).galaxies
    mag = table[[f"mag_{b}" for b in hsc.BANDS]].to_numpy()
    table = table[np.isfinite(mag).all(axis=1) & (mag[:, I_BAND] < I_LIMIT)].reset_index(drop=True)
    ids = table["object_id"].to_numpy()
    in_deep = (table["field"] == "COSMOS").to_numpy()
    target = in_deep & (np.random.default_rng(seed).random(len(table)) < 0.5)
    side = mixz.split_by_id(ids, train=0.7, validation=0.3, seed=seed)
    galaxies = mixz.GalaxySet(
        ids,
        tuple(hsc.BANDS),
        table[[f"mag_{b}" for b in hsc.BANDS]].to_numpy(),
        table[[f"mag_err_{b}" for b in hsc.BANDS]].to_numpy(),
        {name: table[f"z_{name}"].to_numpy() for name in ("many_band", "spec", "true")},
        np.where(target, "test", side),
        ra_deg=table["ra_deg"].to_numpy(),
        dec_deg=table["dec_deg"].to_numpy(),
    )
    return galaxies, target, table["z_many_band"].to_numpy()


def found(
    photoz: mixz.PhotoZ,
    galaxies: mixz.GalaxySet,
    target: NDArray[np.bool_],
    *,
    own: bool,
    seed: int,
    stand_ins: StandIns = "neighbours",
) -> Tomography:
    """n(z) of the target's bins, with its own labels or without."""
    mag = np.asarray(galaxies.mag, dtype=np.float64)
    everyone = PhotometricSample.of(photoz, mag, z_true=galaxies.z["true"])
    row = np.full(len(galaxies), -1)
    row[target] = np.arange(target.sum())
    many_band, spec = galaxies.z["many_band"], galaxies.z["spec"]
    if not own:
        many_band, spec = (np.where(target, np.nan, z) for z in (many_band, spec))
    labels = {
        name: Labels(KNOWN_TRUTHS[name], z, mag[:, I_BAND]) for name, z in (("many_band", many_band), ("spec", spec))
    }
    known = np.flatnonzero(np.isfinite(many_band) | np.isfinite(spec))
    labelled = LabelledSample(everyone, labels, row, galaxies.split != "train").rows(known)
    sample = everyone.rows(np.flatnonzero(target))
    assert photoz.z_grid is not None
    bins, grid = sort_into_bins(BINS, sample.z_phot), Grid(photoz.z_grid)
    return estimate_nz(sample, bins, grid, labelled=labelled, resamples=40, seed=seed, stand_ins=stand_ins)


def errors(both: Pair, quantity: str) -> dict[str, list[float]]:
    """Per method how far every bin's mean (or width) is from the true one, in units of (1 + z)."""
    by_neighbours, by_cells = both
    asked = [(method, by_neighbours, method) for method in (STACK, *BY_LABELS)]
    asked += [(f"{method}, cells", by_cells, method) for method in BY_LABELS]
    return {
        name: [
            offset(one.nz[method], one.nz[TRUTH], quantity)[0] if method in one.nz else np.nan
            for one in tomography.each
        ]
        for name, tomography, method in asked
    }


def table(every: list[Pair], quantity: str, title: str) -> str:
    """One table in Markdown: the errors of the first seed by bin, and over all seeds."""
    several = [errors(one, quantity) for one in every]
    bins = every[0][0].bins.names
    lines = [f"| {title} | {' | '.join(bins)} | rms | largest |", f"|---|{'--:|' * (len(bins) + 2)}"]
    for method in several[0]:
        values = 1000 * np.array([one[method] for one in several])
        cells = [f"{value:+.1f}" for value in values[0]]
        rms, largest = np.sqrt(np.nanmean(values**2)), np.nanmax(np.abs(values))
        lines.append(f"| {method} | {' | '.join(cells)} | {rms:.1f} | {largest:.1f} |")
    return "\n".join(lines)


def main() -> None:
    """Simulate, train, find n(z), and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="few galaxies, one epoch: whether it works")
    given = parser.parse_args()
    torch.set_num_threads(1)
    share = 20 if given.quick else 1
    recipe = mixz.RECIPES["fused"]
    if given.quick:
        recipe = recipe.changed(training={"epochs": 2})
    results: dict[str, list[Pair]] = {"own": [], "other": []}
    for seed in range(1, 1 + (1 if given.quick else given.seeds)):
        begun = time.perf_counter()
        galaxies, target, _ = survey(DEEP // share, WIDE // share, seed=seed)
        # What trains has no labels of the target, and no truth.
        hidden = replace(
            galaxies, z={name: np.where(target, np.nan, galaxies.z[name]) for name in ("many_band", "spec")}
        )
        photoz = mixz.fit(hidden, recipe, members=MEMBERS, seed=seed).predict(galaxies)
        for kind, several in results.items():
            own = kind == "own"
            by_neighbours, by_cells = (
                found(photoz, galaxies, target, own=own, seed=seed, stand_ins=how) for how in ("neighbours", "cells")
            )
            several.append((by_neighbours, by_cells))
        print(
            f"<!-- seed {seed}: {target.sum():,} galaxies in bins, {time.perf_counter() - begun:.0f} s -->", flush=True
        )
    print("\nSIMULATED galaxies; errors in units of .001 (1 + z), by bin for the first seed.\n")
    for kind, several in results.items():
        for quantity in ("mean", "width"):
            print(table(several, quantity, f"{quantity}, {kind} labels"), end="\n\n")


if __name__ == "__main__":
    main()
