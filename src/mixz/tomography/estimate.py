"""n(z) of tomographic bins, four ways side by side: stack, spectra, labels, both.

    stack     the sum of the galaxies' densities
    spectra   exact labels, re-weighted to the bin's galaxies by nearest neighbours in magnitudes
    labels    noisy labels of a representative sample, deconvolved by their kernel
    both      densities times one smooth factor that makes representative labels likeliest through their kernel, freed
              of the shift that galaxies with an exact label too show them to have (ours)

Labelled galaxies are sorted into the same bins by their own photo-z, and only those in a bin stand for it.  Which
truth's galaxies are representative is the caller's to say: spectra rarely are, and no weights in magnitudes make up for
a success that depends on the redshift itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mixz.densities.grid import Grid, cell
from mixz.tomography.drawn import FEWEST_PATCHES, drawn_galaxies, drawn_patches
from mixz.tomography.neighbours import Neighbours, effective
from mixz.tomography.nz import GALAXIES, MEMBERS, PATCHES, SHIFT, NofZ, moments, moved, normalised, spread
from mixz.tomography.shift import LabelShift
from mixz.tomography.tilt import LEAST, Tilt, fit_tilt

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from mixz.arrays import Floats, Mask
    from mixz.tomography.bins import Bins, Sorted
    from mixz.tomography.samples import LabelledSample, PhotometricSample

STACK, SPECTRA, LABELS, BOTH, TRUTH = "stack", "spectra", "labels", "both", "truth"
METHODS = {
    STACK: "sum of the densities",
    SPECTRA: "spectra re-weighted by nearest neighbours in magnitudes",
    LABELS: "many-band labels deconvolved by their kernel",
    BOTH: "densities calibrated by all labels through their kernels",
}
"""The methods, and what they are."""
FEWEST = 50
"""Labels of a bin from which on a method answers: their mean is known to a seventh of their scatter then (ours)."""
RESAMPLES = 100
"""Realisations of every n(z): an error is known to 7 % (ours)."""
DOUBT = 1e-5
"""Share of a density that lies anywhere: none rules a redshift out beyond all doubt, or one label could (ours)."""
AT_ONCE = 20_000
"""Galaxies whose densities are of double precision at a time: bounds the memory."""


@dataclass(frozen=True, eq=False)
class BinEstimates:
    """What is known of one bin.

    Parameters
    ----------
    name
        The bin, by its edges.
    galaxies
        How many it holds.
    nz
        n(z) by method (`METHODS`, and ``truth`` where galaxies are simulated).
    why_not
        By method, why it does not answer.
    labels
        By method, how many labels it stands on, as effective number.
    """

    name: str
    galaxies: int
    nz: Mapping[str, NofZ]
    why_not: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Tomography:
    """n(z) of every bin by every method.

    Parameters
    ----------
    bins
        The bins.
    each
        What is known of each, in their order.
    left_out
        How many galaxies are in no bin, by the reason.
    representative
        The truth whose galaxies were taken to be like the bins'; empty where there is none.
    shift
        The shift that its labels have, where it could be learned.
    notes
        What a person should know.
    """

    bins: Bins
    each: tuple[BinEstimates, ...]
    left_out: Mapping[str, int]
    representative: str = ""
    shift: LabelShift = field(default_factory=LabelShift.none)
    notes: tuple[str, ...] = ()


def estimate_nz(
    sample: PhotometricSample,
    sorted_: Sorted,
    grid: Grid,
    *,
    labelled: LabelledSample | None = None,
    labelled_bin: NDArray[np.int64] | None = None,
    representative: str = "",
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
        one = _Bin(sample.rows(inside), grid, {kind: at(inside, theirs) for kind, at in kinds.items()}, seed + k)
        if labelled is None or not len(theirs):
            each.append(one.estimates(name, None, truth, shift))
            continue
        places = np.full(len(sample), -1)
        places[inside] = np.arange(len(inside))
        own = labelled.rows(theirs)
        own = replace(own, same=np.where(own.same >= 0, places[own.same], -1))
        each.append(one.estimates(name, own, truth, shift))
    return Tomography(
        sorted_.bins, tuple(each), dict(sorted_.left_out), truth, shift, _notes(sample, labelled, grid, kinds)
    )


Drawn = tuple["Floats", "Floats"]
"""How often galaxies of the sample, and labelled ones, are drawn; shapes (galaxy, 1 + resample)."""


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
        why = "no positions" if sample.patch is None else f"fewer than {FEWEST_PATCHES} patches of sky"
        notes.append(f"errors hold no cosmic variance: {why}")
    for name, labels in ({} if labelled is None else labelled.labels).items():
        off = int(((labels.z < grid.z[0]) | (labels.z > grid.z[-1])).sum())
        if off:
            notes.append(f"{off:,} labels of {name} lie off the grid of densities ({grid.z[0]:g} to {grid.z[-1]:g})")
    return tuple(notes)


class _Bin:
    """One bin's galaxies, and how often each is drawn."""

    def __init__(self, sample: PhotometricSample, grid: Grid, drawn: Mapping[str, Drawn], seed: int) -> None:
        self.sample, self.grid, self.drawn, self.seed = sample, grid, drawn, seed
        self.weights = {kind: sample.counted[:, None] * own for kind, (own, _) in drawn.items()}
        self.nz: dict[str, NofZ] = {}
        self.why_not: dict[str, str] = {}
        self.labels: dict[str, float] = {}

    def estimates(self, name: str, labelled: LabelledSample | None, truth: str, shift: LabelShift) -> BinEstimates:
        """Every method's answer."""
        self._stack()
        if labelled is None:
            self.why_not |= dict.fromkeys((SPECTRA, LABELS, BOTH), "there are no labels in this bin")
        else:
            self._spectra(labelled)
            self._labels(labelled, truth)
            self._both(labelled, truth, shift)
        if self.sample.z_true is not None:
            known = np.isfinite(self.sample.z_true)
            at = spread(np.where(known, self.sample.z_true, 0), self.grid)
            self._keep(TRUTH, {kind: (at.T @ (w * known[:, None])).T for kind, w in self.weights.items()})
        return BinEstimates(name, len(self.sample), self.nz, self.why_not, self.labels)

    def _stack(self) -> None:
        even = np.ones((len(self.grid), 1))
        found = {kind: self._tilted(w, even, self.sample.mass) for kind, w in self.weights.items()}
        moves = {}
        if self.sample.z_members is not None:
            members = np.average(self.sample.z_members, axis=1, weights=self.sample.counted)
            moves[MEMBERS] = _drawn_means(members - members.mean(), self._times, seed=self.seed)
        self._keep(STACK, found, moves)

    def _spectra(self, labelled: LabelledSample) -> None:
        z = labelled.exact
        chosen = self._standing(labelled, np.isfinite(z), SPECTRA)
        if chosen is None:
            return
        rows, weights = chosen
        at = spread(z[rows], self.grid)
        self._keep(SPECTRA, {kind: (at.T @ w).T for kind, w in weights.items()})

    def _labels(self, labelled: LabelledSample, truth: str) -> None:
        if truth not in labelled.noisy():
            self.why_not[LABELS] = "there are no noisy labels of representative galaxies"
            return
        chosen = self._standing(labelled, np.isfinite(labelled.labels[truth].z), LABELS)
        if chosen is None:
            return
        rows, weights = chosen
        likelihood = labelled.labels[truth].rows(rows).likelihood(self.grid)
        even = (cell(self.grid) / cell(self.grid).sum())[None]
        found = {}
        tilt = fit_tilt(likelihood, even, self.grid, weight=weights[GALAXIES][:, 0])
        for kind, weight in weights.items():
            found[kind] = (even[0][:, None] * _factors(tilt, weight)).T
        self._keep(LABELS, found)

    def _both(self, labelled: LabelledSample, truth: str, shift: LabelShift) -> None:
        exact, noisy = labelled.exact, truth in labelled.noisy()
        has = np.isfinite(labelled.labels[truth].z) if noisy else np.isfinite(exact)
        whole = np.isfinite(labelled.photometry.prior).all(axis=1)
        chosen = self._standing(labelled, has & labelled.held_out & whole, BOTH)
        if chosen is None:
            return
        rows, weights = chosen
        own = labelled.rows(rows)
        likelihood = np.ones((len(rows), len(self.grid)), np.float32)
        if noisy:
            likelihood = shift.corrected(own.labels[truth], own.photometry.colour).likelihood(self.grid)
        for labels in own.labels.values():
            if labels.truth.exact and not labels.truth.simulated:
                known = np.isfinite(labels.z)
                likelihood[known] = labels.rows(known).likelihood(self.grid)
        even = cell(self.grid) / cell(self.grid).sum()
        base = (1 - DOUBT) * normalised(np.asarray(own.photometry.prior, np.float64)) + DOUBT * even
        tilt = fit_tilt(likelihood, base, self.grid, weight=weights[GALAXIES][:, 0])
        prior = self.sample.prior
        found = {k: self._tilted(self.weights[k], _factors(tilt, weight), prior) for k, weight in weights.items()}
        wrong = shift.drawn(own.photometry.colour, weights[GALAXIES][:, 0], times=self._times, seed=self.seed)
        self._keep(BOTH, found, {SHIFT: wrong * (1 + float(moments(found[GALAXIES][:1], self.grid)[0, 0]))})

    @property
    def _times(self) -> int:
        return int(self.weights[GALAXIES].shape[1]) - 1

    def _tilted(self, weight: Floats, factors: Floats, densities: NDArray[Any]) -> Floats:
        """The sum of densities times a factor, each normalised, in every resample; shape (1 + resample, z)."""
        found = np.zeros((weight.shape[1], len(self.grid)))
        for start in range(0, len(self.sample), AT_ONCE):
            mass = np.asarray(densities[start : start + AT_ONCE], dtype=np.float64)
            known = np.isfinite(mass).all(axis=1)
            mass, own = mass[known], weight[start : start + AT_ONCE][known]
            found += ((own / np.maximum(mass @ factors, LEAST)).T @ mass) * factors.T
        return np.asarray(normalised(found))

    def _standing(
        self, labelled: LabelledSample, has: Mask, method: str
    ) -> tuple[NDArray[np.intp], dict[str, Floats]] | None:
        """Rows of labelled galaxies, and their weights towards the bin's galaxies in every resample."""
        bands = np.isfinite(self.sample.mag).any(axis=0) & np.isfinite(labelled.photometry.mag).any(axis=0)
        measured = np.isfinite(labelled.photometry.mag[:, bands]).all(axis=1)
        rows = np.flatnonzero(has & measured)
        mine = np.flatnonzero(np.isfinite(self.sample.mag[:, bands]).all(axis=1))
        if len(rows) < FEWEST:
            self.why_not[method] = f"{len(rows):,} labels in this bin, {FEWEST} are needed"
            return None
        if not len(mine) or not bands.any():
            self.why_not[method] = "no galaxy of this bin is measured in every band"
            return None
        place = np.full(len(self.sample), -1)
        place[mine] = np.arange(len(mine))
        same = labelled.same[rows]
        own = np.where(same >= 0, place[same], -1)
        near = Neighbours.between(self.sample.mag[mine][:, bands], labelled.photometry.mag[rows][:, bands], same=own)
        weights = {
            kind: near.weights(self.weights[kind][mine], others[rows]) for kind, (_, others) in self.drawn.items()
        }
        self.labels[method] = effective(weights[GALAXIES][:, 0])
        return rows, weights

    def _keep(self, method: str, found: Mapping[str, Floats], moves: Mapping[str, Floats] | None = None) -> None:
        """Keep an answer: realisations are of patches where these are known, moved by what else is uncertain."""
        kind = PATCHES if PATCHES in found else GALAXIES
        every = {k: np.asarray(normalised(mass)) for k, mass in found.items()}
        mass, resampled = every[GALAXIES][0], every[kind][1:]
        errors = {k: moments(one[1:], self.grid).std(axis=0, ddof=1) for k, one in every.items() if len(one) > 2}
        mean_width = np.array([1.0, 0.0])
        for source, by in (moves or {}).items():
            if len(by) > 1 and by.any():
                errors[source] = mean_width * by.std(ddof=1)
                resampled = moved(resampled, self.grid, by)
        self.nz[method] = NofZ(self.grid, mass, resampled, errors)


def _factors(tilt: Tilt, weight: Floats) -> Floats:
    """The factor of the weights it was fitted with, then of every resample, shape (z, 1 + resample)."""
    return np.concatenate([tilt.factors(), tilt.factors(weight[:, 1:])], axis=1)


def _drawn_means(values: Floats, times: int, *, seed: int) -> Floats:
    """Means of as many values, drawn again; shape (time,)."""
    rng = np.random.default_rng([seed, 4])
    return np.asarray(values[rng.integers(0, len(values), (times, len(values)))].mean(axis=1))
