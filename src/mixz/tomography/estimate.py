"""n(z) of tomographic bins, four ways side by side: stack, spectra, labels, both.

    stack     the sum of the galaxies' densities (`points`, a histogram of z_phot, where a model gives no densities)
    spectra   exact labels, re-weighted to the bin's galaxies by nearest neighbours in magnitudes, or by cells of them
    labels    noisy labels of a representative sample, deconvolved by their kernel
    both      densities times one smooth factor that makes representative labels likeliest through their kernel, freed
              of the shift that galaxies with an exact label too show them to have (ours)

Labelled galaxies are sorted into the same bins by their own photo-z, and only those in a bin stand for it.  Which
truth's galaxies are representative is the caller's to say: spectra rarely are, and no weights in magnitudes make up for
a success that depends on the redshift itself.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mixz.tomography.answers import BY_LABELS, STACK, BinEstimates, Tomography
from mixz.tomography.drawn import FEWEST_PATCHES, drawn_galaxies, drawn_patches
from mixz.tomography.nz import GALAXIES, PATCHES
from mixz.tomography.one_bin import OneBin
from mixz.tomography.shift import LabelShift

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from mixz.arrays import Floats
    from mixz.densities.grid import Grid
    from mixz.tomography.bins import Sorted
    from mixz.tomography.one_bin import Drawn, StandIns
    from mixz.tomography.samples import LabelledSample, PhotometricSample

RESAMPLES = 100
"""Realisations of every n(z): an error is known to 7 % (ours)."""


def estimate_nz(
    sample: PhotometricSample,
    sorted_: Sorted,
    grid: Grid,
    *,
    labelled: LabelledSample | None = None,
    labelled_bin: NDArray[np.int64] | None = None,
    representative: str = "",
    stand_ins: StandIns = "neighbours",
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Tomography:
    """n(z) of every bin by every method that has what it needs.

    Parameters
    ----------
    sample, sorted_
        Galaxies with photo-z, and their bins (`sort_into_bins`).
    grid
        Of their densities.
    labelled, labelled_bin
        Galaxies with labels and photo-z by the same model, and the bin of each by the same edges and cuts; by default
        by the edges.
    representative
        The truth whose galaxies are like the sample's where magnitudes are; by default the first noisy one, or else
        the exact ones.
    stand_ins
        How labelled galaxies are made to stand for a bin's: by nearest ``neighbours`` in magnitudes, or by ``cells``.
    resamples, seed
        How many realisations, and the seed of them.
    """
    shift, truth = LabelShift.none(), ""
    number = np.empty(0, np.int64)
    if labelled is not None:
        truth = representative or next(iter(labelled.noisy()), "")
        number = sorted_.bins.of(labelled.photometry.z_phot) if labelled_bin is None else labelled_bin
        if truth in labelled.noisy():
            labels = labelled.labels[truth]
            shift = LabelShift.learned(labels.z, labelled.exact, labelled.photometry.colour)
    kinds = _kinds(sample, labelled, resamples, seed)
    each = []
    for k, name in enumerate(sorted_.bins.names):
        inside = np.flatnonzero(sorted_.number == k)
        theirs = np.flatnonzero(number == k)
        if not len(inside):
            each.append(BinEstimates(name, 0, {}, dict.fromkeys((STACK, *BY_LABELS), "no galaxy is in this bin")))
            continue
        drawn = {kind: at(inside, theirs) for kind, at in kinds.items()}
        one = OneBin(sample.rows(inside), grid, drawn, seed + k, stand_ins)
        if labelled is None or not len(theirs):
            each.append(one.estimates(name, None, truth, shift))
            continue
        places = np.full(len(sample), -1)
        places[inside] = np.arange(len(inside))
        own = labelled.rows(theirs)
        own = replace(own, same=np.where(own.same >= 0, places[own.same], -1))
        each.append(one.estimates(name, own, truth, shift))
    notes = (*_notes(sample, labelled, grid, kinds), *_alone(each))
    return Tomography(sorted_.bins, tuple(each), dict(sorted_.left_out), truth, shift, notes)


def _kinds(
    sample: PhotometricSample, labelled: LabelledSample | None, times: int, seed: int
) -> dict[str, Callable[[NDArray[np.intp], NDArray[np.intp]], Drawn]]:
    """Ways of drawing again, each a function of the rows of a bin."""
    same = np.empty(0, np.intp) if labelled is None else labelled.same

    def of(whole: Floats | None, others: Floats | None) -> Callable[[NDArray[np.intp], NDArray[np.intp]], Drawn]:
        def rows(inside: NDArray[np.intp], theirs: NDArray[np.intp]) -> Drawn:
            a = drawn_galaxies(len(inside), times, seed=[seed, 0, int(inside[0])]) if whole is None else whole[inside]
            b = drawn_galaxies(len(theirs), times, seed=[seed, 1, int(inside[0])]) if others is None else others[theirs]
            # A galaxy in both samples is drawn once for both.
            place = np.searchsorted(inside, same[theirs])
            both = (same[theirs] >= 0) & (place < len(inside))
            both &= inside[np.minimum(place, len(inside) - 1)] == same[theirs]
            b[both] = a[place[both]]
            return a, b

        return rows

    kinds = {GALAXIES: of(None, None)}
    if sample.patch is not None:
        whole = drawn_patches(sample.patch, times, seed=[seed, 2])
        patch = None if labelled is None else labelled.photometry.patch
        others = None if patch is None else drawn_patches(patch, times, seed=[seed, 3])
        if whole is not None:
            kinds[PATCHES] = of(whole, others)
    return kinds


def _notes(
    sample: PhotometricSample, labelled: LabelledSample | None, grid: Grid, kinds: Mapping[str, Any]
) -> tuple[str, ...]:
    notes = []
    if PATCHES not in kinds:
        placed = sample.patch is not None
        why = f"fewer than {FEWEST_PATCHES} patches of sky" if placed else "not every galaxy has a position"
        notes.append(f"errors hold no cosmic variance: {why}")
    for name, labels in ({} if labelled is None else labelled.labels).items():
        off = int(((labels.z < grid.z[0]) | (labels.z > grid.z[-1])).sum())
        if off:
            notes.append(f"{off:,} labels of {name} lie off the grid of densities ({grid.z[0]:g} to {grid.z[-1]:g})")
    return tuple(notes)


def _alone(each: Sequence[BinEstimates]) -> list[str]:
    return [
        f"{one.name}, {method}: {n:,} of {one.galaxies:,} galaxies lie in cells without a label; n(z) is of the others"
        for one in each
        for method, n in one.alone.items()
    ]
