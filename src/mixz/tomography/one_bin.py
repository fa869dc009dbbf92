"""One bin's n(z) by every method, and how it scatters when galaxies and patches of sky are drawn again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from mixz.densities.grid import Grid, cell
from mixz.tomography.answers import BOTH, BY_LABELS, LABELS, POINTS, SPECTRA, STACK, TRUTH, BinEstimates
from mixz.tomography.cells import MagnitudeCells
from mixz.tomography.members import member_means
from mixz.tomography.neighbours import Neighbours, effective
from mixz.tomography.nz import GALAXIES, MEMBERS, SHIFT, NofZ, moments, normalised, realised, spread
from mixz.tomography.tilt import LEAST, Tilt, fit_tilt

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from mixz.arrays import Floats
    from mixz.tomography.samples import LabelledSample, PhotometricSample
    from mixz.tomography.shift import LabelShift

Drawn = tuple["Floats", "Floats"]
"""How often galaxies of the sample, and labelled ones, are drawn; shapes (galaxy, 1 + resample)."""
StandIns = Literal["neighbours", "cells"]
"""How labelled galaxies are made to stand for a bin's: by nearest neighbours in magnitudes, or by cells of them."""
FEWEST = 50
"""Labels of a bin from which on a method answers: their mean is known to a seventh of their scatter then (ours)."""
DOUBT = 1e-5
"""Share of a density that lies anywhere: none rules a redshift out beyond all doubt, or one label could (ours)."""
AT_ONCE = 20_000
"""Galaxies whose densities are of double precision at a time: bounds the memory."""


class OneBin:
    """One bin's galaxies, and how often each is drawn."""

    def __init__(
        self,
        sample: PhotometricSample,
        grid: Grid,
        drawn: Mapping[str, Drawn],
        seed: int,
        stand_ins: StandIns = "neighbours",
    ) -> None:
        self.sample, self.grid, self.drawn, self.seed, self.stand_ins = sample, grid, drawn, seed, stand_ins
        self.weights = {kind: sample.counted[:, None] * own for kind, (own, _) in drawn.items()}
        self.nz: dict[str, NofZ] = {}
        self.why_not: dict[str, str] = {}
        self.labels: dict[str, float] = {}
        self.alone: dict[str, int] = {}

    def estimates(self, name: str, labelled: LabelledSample | None, truth: str, shift: LabelShift) -> BinEstimates:
        """Every method's answer."""
        self._stack()
        if labelled is None:
            self.why_not |= dict.fromkeys(BY_LABELS, "there are no labels in this bin")
        else:
            self._spectra(labelled)
            self._labels(labelled, truth)
            self._both(labelled, truth, shift)
        if self.sample.z_true is not None:
            known = np.isfinite(self.sample.z_true)
            at = spread(np.where(known, self.sample.z_true, 0), self.grid)
            self._keep(TRUTH, {kind: (at.T @ (w * known[:, None])).T for kind, w in self.weights.items()})
        return BinEstimates(name, len(self.sample), self.nz, self.why_not, self.labels, self.alone)

    def _stack(self) -> None:
        even = np.ones((len(self.grid), 1))
        found = {kind: self._tilted(w, even, self.sample.mass) for kind, w in self.weights.items()}
        moves = {}
        if self.sample.z_members is not None:
            members = np.average(self.sample.z_members, axis=1, weights=self.sample.counted)
            moves[MEMBERS] = drawn_means(members - members.mean(), self._times, seed=self.seed)
        self._keep(STACK if self.sample.before is None else POINTS, found, moves)

    def _spectra(self, labelled: LabelledSample) -> None:
        z = labelled.exact
        chosen = self._standing(labelled, z, SPECTRA)
        if chosen is None:
            return
        rows, weights = chosen
        at = spread(z[rows], self.grid)
        self._keep(SPECTRA, {kind: (at.T @ w).T for kind, w in weights.items()})

    def _labels(self, labelled: LabelledSample, truth: str) -> None:
        if truth not in labelled.noisy():
            self.why_not[LABELS] = "there are no noisy labels of representative galaxies"
            return
        chosen = self._standing(labelled, labelled.labels[truth].z, LABELS)
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
        whole = np.isfinite(labelled.photometry.prior).all(axis=1)
        z = labelled.labels[truth].z if noisy else exact
        chosen = self._standing(labelled, np.where(labelled.held_out & whole, z, np.nan), BOTH)
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
        moves = {SHIFT: wrong * (1 + float(moments(found[GALAXIES][:1], self.grid)[0, 0]))}
        members = member_means(self.sample, own.photometry, tilt, likelihood, base, self.grid)
        if members is not None:
            moves[MEMBERS] = drawn_means(members, self._times, seed=self.seed)
        self._keep(BOTH, found, moves)

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
        self, labelled: LabelledSample, z: Floats, method: str
    ) -> tuple[NDArray[np.intp], dict[str, Floats]] | None:
        """Rows of galaxies that have a label, and their weights towards the bin's galaxies in every resample."""
        bands = np.isfinite(self.sample.mag).any(axis=0) & np.isfinite(labelled.photometry.mag).any(axis=0)
        measured = np.isfinite(labelled.photometry.mag[:, bands]).all(axis=1)
        rows = np.flatnonzero(np.isfinite(z) & measured)
        mine = np.flatnonzero(np.isfinite(self.sample.mag[:, bands]).all(axis=1))
        # Labels off the grid say no more of n(z) than that it does not reach there.
        useful = int(((z[rows] >= self.grid.z[0]) & (z[rows] <= self.grid.z[-1])).sum())
        if useful < FEWEST:
            off = f" ({len(rows) - useful:,} more lie off the grid of densities)" if useful < len(rows) else ""
            self.why_not[method] = f"{useful:,} labels in this bin, {FEWEST} are needed{off}"
            return None
        if not len(mine) or not bands.any():
            self.why_not[method] = "no galaxy of this bin is measured in every band"
            return None
        place = np.full(len(self.sample), -1)
        place[mine] = np.arange(len(mine))
        same = labelled.same[rows]
        own = np.where(same >= 0, place[same], -1)
        sample, theirs = self.sample.mag[mine][:, bands], labelled.photometry.mag[rows][:, bands]
        near: MagnitudeCells | Neighbours
        if self.stand_ins == "cells":
            near = MagnitudeCells.between(sample, theirs, seed=self.seed)
        else:
            near = Neighbours.between(sample, theirs, same=own)
        if near.alone.any():
            self.alone[method] = int(near.alone.sum())
        weights = {
            kind: near.weights(self.weights[kind][mine], others[rows]) for kind, (_, others) in self.drawn.items()
        }
        self.labels[method] = effective(weights[GALAXIES][:, 0])
        return rows, weights

    def _keep(self, method: str, found: Mapping[str, Floats], moves: Mapping[str, Floats] | None = None) -> None:
        """Keep an answer."""
        self.nz[method] = realised(found, self.grid, moves)


def _factors(tilt: Tilt, weight: Floats) -> Floats:
    """The factor of the weights it was fitted with, then of every resample, shape (z, 1 + resample)."""
    return np.concatenate([tilt.factors(), tilt.factors(weight[:, 1:])], axis=1)


def drawn_means(values: Floats, times: int, *, seed: int) -> Floats:
    """Means of as many values, drawn again; shape (time,)."""
    rng = np.random.default_rng([seed, 4])
    return np.asarray(values[rng.integers(0, len(values), (times, len(values)))].mean(axis=1))
