"""n(z) of a catalogue that is too large to be held: sums of all its galaxies, and a sample of them for what needs each.

Stacks are of all galaxies.  Labels are re-weighted to the sample, so that its luck would be theirs too; but what labels
change of the stack hardly depends on which galaxies were drawn, and for `both`

    n(z) of all = stack of all x (both / stack) of the sample

which is `both` itself where the sample is all there is.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from mixz.tomography.answers import BOTH, POINTS, STACK, TRUTH
from mixz.tomography.drawn import drawn_galaxies, drawn_patches
from mixz.tomography.nz import GALAXIES, MEMBERS, PATCHES, NofZ, realised
from mixz.tomography.one_bin import drawn_means

if TYPE_CHECKING:
    from mixz.arrays import Floats
    from mixz.tomography.answers import BinEstimates, Tomography
    from mixz.tomography.bins import Bins
    from mixz.tomography.sums import DensitySums

NOTHING = 1e-5
"""Of the highest mass: where a stack has less, labels change nothing of it (ours)."""


def of_whole(found: Tomography, sums: DensitySums, *, resamples: int, seed: int, points: bool = False) -> Tomography:
    """What was found of a sample, made that of all galaxies whose sums are known.

    Parameters
    ----------
    found
        Of the sample, in the bins of all (`estimate_nz`).
    sums
        Of all.
    resamples, seed
        As `estimate_nz` had them.
    points
        Whether the model gives points without densities.
    """
    counts = sums.galaxies(found.bins)
    each = [
        _completed(one, sums, found.bins, k, int(counts[k]), resamples, seed, POINTS if points else STACK)
        for k, one in enumerate(found.each)
    ]
    note = (
        f"sums are of all {counts.sum():,} galaxies of the bins, labels re-weighted to a sample of "
        f"{sum(one.galaxies for one in found.each):,} of them, drawn by their positions"
    )
    return replace(found, each=tuple(each), notes=(*found.notes, note))


def _completed(
    one: BinEstimates, sums: DensitySums, bins: Bins, k: int, galaxies: int, times: int, seed: int, stack: str
) -> BinEstimates:
    moves = {}
    if sums.layout.members > 1:
        means = sums.member_means(bins, k)
        moves[MEMBERS] = drawn_means(means - means.mean(), times, seed=seed + k)
    nz = dict(one.nz)
    nz[stack] = _summed(sums, bins, k, times, seed, moves)
    if sums.knows_truth(bins, k):
        nz[TRUTH] = _summed(sums, bins, k, times, seed, {}, truth=True)
    if BOTH in one.nz and stack in one.nz:
        nz[BOTH] = _as_labels_change_it(nz[stack], one.nz[BOTH], one.nz[stack])
    why_not = {method: why for method, why in one.why_not.items() if method not in nz}
    return replace(one, galaxies=galaxies, nz=nz, why_not=why_not)


def _summed(
    sums: DensitySums, bins: Bins, k: int, times: int, seed: int, moves: dict[str, Floats], *, truth: bool = False
) -> NofZ:
    """The sum of densities of a bin, with groups of galaxies and patches of sky drawn again."""
    patches, groups = sums.masses(bins, k, truth=truth)
    found = {GALAXIES: drawn_galaxies(len(groups), times, seed=[seed, 6]).T @ groups}
    # Patches are numbered as in a sample that has some galaxy of each, so that both draw the same.
    drawn = drawn_patches(np.arange(len(patches)), times, seed=[seed, 2])
    if drawn is not None:
        found[PATCHES] = drawn.T @ patches
    return realised(found, sums.layout.grid, moves)


def _as_labels_change_it(stack: NofZ, both: NofZ, of_sample: NofZ) -> NofZ:
    """The stack of all, changed as the labels change that of the sample, in every realisation."""
    mass = stack.mass * _ratio(both.mass, of_sample.mass)
    resampled = stack.resampled * _ratio(both.resampled, of_sample.resampled)
    return NofZ(stack.grid, mass, resampled, both.errors)


def _ratio(a: Floats, b: Floats) -> Floats:
    least = NOTHING * b.max(axis=-1, keepdims=True)
    return np.asarray((a + least) / (b + least))
