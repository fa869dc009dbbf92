"""Residuals on resamples of the galaxies, by how often each galaxy is drawn: sorted once, counted ever after.

A resample with replacement is a count per galaxy.  Means over it are products of counts and values, one matrix product
for all resamples and members; its quantiles follow from the counts added up in the order of the residuals, which is
the same for every resample.  Both are what drawing the rows would give (to rounding: sums are of single precision).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import comb
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from mixz.metrics.products import product

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mixz.arrays import Floats
    from mixz.metrics.residuals import Residuals

HALVINGS = 24
"""How often an interval is halved in search of a median distance: to single precision, as sums are."""

STEP, MANY = 16, 1_000_000
"""From a million counts on they are added up 16 galaxies at a time, and one by one only where a search ends (ours)."""


@dataclass(frozen=True, eq=False)
class Draws:
    """Resamples of galaxies, as how often each holds each galaxy.

    Parameters
    ----------
    counts
        Whole numbers, shape (resample, galaxy).

    Examples
    --------
    >>> Draws.of(4, 3, np.random.default_rng(1)).counts.sum(axis=1).tolist()
    [4, 4, 4]
    """

    counts: NDArray[np.unsignedinteger[Any]]

    @classmethod
    def of(cls, galaxies: int, times: int, rng: np.random.Generator) -> Self:
        """Draw as many galaxies as there are, with replacement, so many times."""
        counts = np.empty((times, galaxies), np.min_scalar_type(galaxies))
        for row in counts:
            row[:] = np.bincount(rng.integers(0, galaxies, galaxies), minlength=galaxies)
        # Small numbers are quick to move; those of a block must still fit.
        most = int(counts.max(initial=1)) * STEP
        return cls(counts.astype(np.min_scalar_type(most)))

    @cached_property
    def of_galaxy(self) -> NDArray[np.unsignedinteger[Any]]:
        """The counts of each galaxy beside each other, shape (galaxy, resample)."""
        return np.ascontiguousarray(self.counts.T)

    @cached_property
    def weights(self) -> NDArray[np.float32]:
        """The counts as factors of matrix products, shape (galaxy, resample)."""
        return self.of_galaxy.astype(np.float32)

    def rows(self, which: slice) -> NDArray[np.intp]:
        """The indices of the galaxies that some of the resamples hold, in ascending order, shape (resample, galaxy)."""
        galaxies = np.arange(self.counts.shape[1])
        return np.array([np.repeat(galaxies, row) for row in self.counts[which]])


class Counted:
    """Residuals of every member on every resample: the `Statistics` of them, of shape (member, resample).

    Parameters
    ----------
    residuals
        Of shape (member, galaxy).
    draws
        Resamples of the same galaxies.

    Examples
    --------
    >>> from mixz.metrics.residuals import Residuals
    >>> one = Residuals.of(np.array([[1.0, 1.2, 1.4]]), np.ones(3))
    >>> twice_the_last = Counted(one, Draws(np.array([[1, 0, 2]], np.uint8)))
    >>> twice_the_last.median, twice_the_last.mean(one.dz).round(3)
    (array([[0.2]]), array([[0.133]]))
    """

    def __init__(self, residuals: Residuals, draws: Draws) -> None:
        self.dz, self.off = residuals.dz, residuals.off
        self._draws = draws
        self._inside = np.isfinite(residuals.dz)
        self._whole = bool(self._inside.all())

    @cached_property
    def n(self) -> Floats:
        """How many galaxies count."""
        if self._whole:
            return np.broadcast_to(self._draws.counts.sum(axis=1, dtype=float), (len(self.dz), len(self._draws.counts)))
        return self._total(self._inside)

    @cached_property
    def median(self) -> Floats:
        """The median of dz."""
        return self.quantile(0.5)

    @cached_property
    def mad(self) -> Floats:
        """The median of |dz - median(dz)|."""
        return np.array([r.median_distance(m) for r, m in zip(self._ranked, self.median, strict=True)])

    @cached_property
    def middle_half(self) -> Floats:
        """q75(dz) - q25(dz)."""
        return np.asarray(self.quantile(0.75) - self.quantile(0.25))

    def quantile(self, level: float) -> Floats:
        """A quantile of dz, as numpy interpolates it; NaN where no galaxy counts."""
        return np.array([ranked.quantile(level) for ranked in self._ranked])

    def mean(self, values: Floats) -> Floats:
        """The mean over the galaxies that count of something of shape (member, galaxy)."""
        return self._per_galaxy(self._total(values if self._whole else np.where(self._inside, values, 0)))

    def share(self, which: NDArray[np.bool_]) -> Floats:
        """The share of the galaxies that count for which something of shape (member, galaxy) holds."""
        return self._per_galaxy(self._total(which if self._whole else which & self._inside))

    def beyond(self, limit: Floats) -> Floats:
        """The share of the galaxies that count with |dz - median(dz)| > limit, of shape (member, resample)."""
        near = [r.within(m, at) for r, m, at in zip(self._ranked, self.median, limit, strict=True)]
        return self._per_galaxy(self.n - np.array(near))

    def biweight_shift(self, reach: Floats) -> Floats:
        """The biweight mean of dz - median(dz) within reach, of shape (member, resample); see `Residuals`."""
        each = zip(self.dz, self._inside, self.median, reach, strict=True)
        return np.array([_biweight_shift(dz[i], self._draws, i, m, at) for dz, i, m, at in each])

    @cached_property
    def _ranked(self) -> list[_Ranked]:
        return [_Ranked(dz, inside, self._draws) for dz, inside in zip(self.dz, self._inside, strict=True)]

    def _total(self, values: NDArray[Any]) -> Floats:
        return product(values.astype(np.float32), self._draws.weights)

    def _per_galaxy(self, total: Floats) -> Floats:
        return np.asarray(np.divide(total, self.n, out=np.full(self.n.shape, np.nan), where=self.n > 0))


class _Ranked:
    """The residuals of one member in ascending order, and how many galaxies of every resample come before each.

    Counts are added up some galaxies at a time (a block); a search looks into the one block that it ends in.
    """

    def __init__(self, dz: Floats, inside: NDArray[np.bool_], draws: Draws) -> None:
        rows = np.flatnonzero(inside)
        order = rows[np.argsort(dz[rows])]
        self.values = dz[order]
        times = len(draws.counts)
        step = STEP if order.size * times > MANY else 1
        blocks = order.size // step + 1  # the last one is not full
        self.counts = np.empty((blocks * step, times), draws.counts.dtype)
        np.take(draws.of_galaxy, order, axis=0, out=self.counts[: order.size], mode="clip")
        self.counts[order.size :] = 0
        of_block = self.counts.reshape(blocks, step, times).sum(axis=1, dtype=self.counts.dtype)
        # All resamples in one row: one sum runs through, and one search finds a place in any of them.
        self.sums = np.cumsum(np.ascontiguousarray(of_block.T).ravel(), dtype=np.int64)
        ends = self.sums[blocks - 1 :: blocks]
        self.start = np.concatenate([[0], ends[:-1]])
        self.n = ends - self.start
        self.first, self.inner, self.resample = np.arange(times) * blocks, np.arange(step), np.arange(times)

    def quantile(self, level: float) -> Floats:
        """A quantile of every resample, shape (resample,)."""
        low, high, share = self._ranks(level)
        below, above = self._at_rank(np.stack([low, high]))
        return np.asarray(below + share * (above - below))

    def median_distance(self, centre: Floats) -> Floats:
        """The median of |dz - centre| of every resample with its median as the centre, shape (resample,)."""
        if not self.values.size:
            return np.full(len(self.n), np.nan)
        low, high, share = self._ranks(0.5)
        needed = np.stack([low, np.where(share > 0, high, low)]) + 1
        # From quarter to quarter lies a half: within the longer way, and seldom within the shorter.
        last = np.maximum(self.n - 1, 0)
        ways = np.abs(self._at_rank(np.stack([last // 4, -(-3 * last // 4)])) - centre)
        no, yes = ways.min(axis=0), np.broadcast_to(ways.max(axis=0), needed.shape)
        no = np.where(self.within(centre, no) < needed, no, 0.0)
        yes = np.where(self.within(centre, 0.0) >= needed, 0.0, yes)
        for _ in range(HALVINGS):
            middle = (no + yes) / 2
            enough = self.within(centre, middle) >= needed
            yes, no = np.where(enough, middle, yes), np.where(enough, no, middle)
        return np.asarray(yes[0] + share * (yes[1] - yes[0]))

    def within(self, centre: Floats, distance: Floats | float) -> NDArray[np.int64]:
        """How many galaxies of every resample have |dz - centre| <= distance, of shape (..., resample)."""
        return self._below(centre + distance, "right") - self._below(centre - distance, "left")

    def _below(self, value: Floats, side: str) -> NDArray[np.int64]:
        place = np.searchsorted(self.values, value, side=side)  # type: ignore[call-overload]
        block, rest = np.divmod(place, len(self.inner))
        found = np.where(block > 0, self.sums[self.first + np.maximum(block, 1) - 1] - self.start, 0)
        if len(self.inner) > 1:
            found += np.where(self.inner < rest[..., None], self._of_block(block), 0).sum(axis=-1, dtype=np.int64)
        return found

    def _of_block(self, block: NDArray[np.intp]) -> NDArray[np.unsignedinteger[Any]]:
        """The counts in a block of every resample, shape (..., resample, galaxy of the block)."""
        place = block[..., None] * len(self.inner) + self.inner
        return self.counts.ravel().take(place * len(self.resample) + self.resample[:, None])

    def _ranks(self, level: float) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
        last = np.maximum(self.n - 1, 0)
        low = np.floor(level * last).astype(np.int64)
        return low, np.minimum(low + 1, last), level * last - low

    def _at_rank(self, rank: NDArray[np.int64]) -> Floats:
        """The residuals that so many of every resample come before, of shape (..., resample)."""
        if not self.values.size:
            return np.full(rank.shape, np.nan)
        found = np.searchsorted(self.sums, self.start + rank, side="right")
        left = rank + self.start - np.where(found > 0, self.sums[np.maximum(found, 1) - 1], 0)
        block = np.minimum(found - self.first, len(self.counts) // len(self.inner) - 1)
        place = block * len(self.inner)
        if len(self.inner) > 1:
            place += (np.cumsum(self._of_block(block), axis=-1, dtype=np.int64) <= left[..., None]).sum(axis=-1)
        return np.where(self.n > 0, self.values[np.clip(place, 0, len(self.values) - 1)], np.nan)


ALIKE = 2.0
"""How many times the smallest the largest reach of resamples may be for moments to serve them all."""


def _biweight_shift(dz: Floats, draws: Draws, inside: NDArray[np.bool_], median: Floats, reach: Floats) -> Floats:
    """sum d (1 - u^2)^2 / sum (1 - u^2)^2 over |u| < 1 of one member, shape (resample,).

    Galaxies inside the reach of every resample enter as moments, powers of their residuals summed once for all
    resamples; only those at the edge, inside for some and outside for others, are looked at in each.
    """
    known = np.isfinite(median)
    if not known.any():
        return np.zeros(len(median))
    m, r = np.where(known, median, median[known][0]), np.where(known, reach, reach[known][0])
    core = (dz > (m - r).max()) & (dz < (m + r).min())
    if r.max() > ALIKE * r.min():  # of reaches this far apart powers would lose their digits
        core[:] = False
    edge = np.flatnonzero(~core & (dz > (m - r).min()) & (dz < (m + r).max()))
    centre, scale = m.mean(), r.mean()
    v = np.where(core, (dz - centre) / scale, 0).astype(np.float32)
    powers = np.cumprod([core, *[v] * 5], axis=0, dtype=np.float32)
    weights = draws.weights if inside.all() else draws.weights[inside]
    moments = product(powers, weights)
    # u = (v - a) / b with v = (dz - centre) / scale: powers of u from those of v.
    a, b = (m - centre) / scale, r / scale
    of_u = [sum(comb(p, k) * moments[k] * (-a) ** (p - k) for k in range(p + 1)) / b**p for p in range(6)]
    total, shift = of_u[0] - 2 * of_u[2] + of_u[4], of_u[1] - 2 * of_u[3] + of_u[5]
    u = (dz[edge] - m[:, None]) / r[:, None]
    counts = draws.of_galaxy[np.flatnonzero(inside)[edge]].T
    weight = np.square(np.maximum(1 - np.square(u), 0)) * counts
    total, shift = total + weight.sum(axis=1), r * (shift + (weight * u).sum(axis=1))
    return np.asarray(np.divide(shift, total, out=np.zeros_like(total), where=total > 0))
