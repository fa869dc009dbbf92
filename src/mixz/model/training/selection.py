"""Weights towards a target sample: training galaxies count as much as there are galaxies like them that matter.

Spectra are of bright, easy galaxies.  Where what decides who has a label is in the magnitudes, a training galaxy of
magnitudes m that counts w(m) = p_target(m) / p_training(m) makes training galaxies stand for the target sample
(covariate shift).  The ratio is found from nearest neighbours in magnitude space, as Lima et al. 2008 (MNRAS 390, 118)
do for photometric redshifts.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from mixz.errors import MixzError
from mixz.model.training.labels import labelled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mixz.arrays import Floats, Mask
    from mixz.galaxies import GalaxySet
    from mixz.settings.recipe import Step

NEIGHBOURS = (10, 100)
"""Neighbours that a ratio is found from, at least and at most; between them the square root of the training sample
(ours)."""
NARROWEST_MAG = 0.01
"""No direction of magnitude space is blown up whose spread is below this [mag]: it holds noise only."""


@dataclass(frozen=True)
class Balance:
    """What weights towards a target do to a training sample.

    Parameters
    ----------
    target
        Name of the target sample.
    galaxies, target_galaxies
        How many there are of each on the training side.
    effective
        How many equally weighted galaxies scatter as much: (sum w)^2 / sum w^2.
    clipped_high, clipped_low
        Shares of galaxies whose weight was held at the limit, and at its inverse.
    unweighted
        Share of galaxies that lack a band: their weight is 1.
    differences
        Per magnitude and colour how far the sample's mean is from the target's, in units of the target's spread,
        before and after.
    """

    target: str
    galaxies: int
    target_galaxies: int
    effective: float
    clipped_high: float
    clipped_low: float
    unweighted: float
    differences: dict[str, tuple[float, float]]

    def __str__(self) -> str:
        """The same in a line."""
        worst = max(self.differences, key=lambda name: abs(self.differences[name][0]))
        before, after = self.differences[worst]
        clipped = self.clipped_high + self.clipped_low
        return (
            f"weighted towards {self.target} ({self.target_galaxies:,} galaxies): {self.galaxies:,} galaxies count as "
            f"{self.effective:,.0f}, {clipped:.1%} clipped; mean {worst} differs by {before:+.2f} -> {after:+.2f} sigma"
        )

    def as_record(self) -> dict[str, Any]:
        """Its content as plain values, for JSON."""
        return asdict(self)


@dataclass(frozen=True, eq=False)
class Selection:
    """The ratio of two densities in magnitude space, target over training sample.

    Parameters
    ----------
    sample, target
        Magnitudes on the training side in whitened coordinates, shapes (galaxy, band).
    mean, matrix
        The map to these coordinates.
    typical
        The mean ratio over the sample, which weights are in units of.
    limit
        No galaxy counts more than this times the mean, or less than 1 / this.
    name
        Name of the target sample.
    bands
        The bands that samples are compared in: those that every table has; if none are named, all there are.

    Examples
    --------
    Bright galaxies towards a sample as deep as it is dim:

    >>> rng = np.random.default_rng(1)
    >>> bright, faint = rng.normal(21, 1, (4000, 1)), rng.normal(22, 1, (4000, 1))
    >>> w = Selection.between(bright, faint, limit=20).weights(bright, inside=np.ones(4000, bool))
    >>> round(float(np.average(bright[:, 0], weights=w)), 1)
    22.0
    """

    sample: Floats
    target: Floats
    mean: Floats
    matrix: Floats
    limit: float
    typical: float = 1.0
    name: str = ""
    bands: tuple[str, ...] = ()

    @classmethod
    def of(cls, galaxies: GalaxySet, step: Step, exact: Sequence[str]) -> Selection | None:
        """Compare what a step learns from with its target, both on the training side; None for a step without one.

        Raises
        ------
        MixzError
            The target is unknown or has no training galaxy measured in every band, or the step has none.
        """
        if step.target is None:
            return None
        own = galaxies.own_bands()
        bands = tuple(band for band in galaxies.bands if band not in own)
        wanted = galaxies.rows(galaxies.sample(step.target) & (galaxies.split == "train") & galaxies.measured(bands))
        chosen = labelled(galaxies, step.truths, "train", exact)[0]
        chosen = chosen.rows(chosen.measured(bands))
        for what, found in (("target", wanted), ("training", chosen)):
            if len(found) < 2:
                raise MixzError(
                    f"target {step.target!r}: {len(found)} {what} galaxies on the training side have every band",
                    "two or more",
                    "name a target sample with such galaxies, or leave target out",
                )
        shared = _are_in(step.target, chosen)
        sample, target = (found.in_bands(bands)[0].astype(float) for found in (chosen, wanted))
        between = cls.between(sample, target, limit=step.target_limit, shared=shared, name=step.target)
        return replace(between, bands=bands)

    @classmethod
    def between(
        cls, sample: Floats, target: Floats, *, limit: float, shared: Mask | None = None, name: str = ""
    ) -> Selection:
        """Compare two samples of magnitudes; `shared` says which of the first are also in the second."""
        mean, matrix = _whitening(sample, target)
        found = cls((sample - mean) @ matrix, (target - mean) @ matrix, mean, matrix, limit, name=name)
        ratio = found.ratio(sample, inside=np.ones(len(sample), bool), shared=shared)
        if not ratio.any():
            raise MixzError(
                f"target {name!r}: no galaxy of it lies near any training galaxy in magnitudes",
                "samples that overlap",
                "name another target: weights cannot make up for galaxies that have no labels at all",
            )
        return cls(found.sample, found.target, mean, matrix, limit, float(ratio.mean()), name)

    def ratio(self, mag: Floats, *, inside: Mask, shared: Mask | None = None) -> Floats:
        """p_target / p_training at some magnitudes, shape (galaxy,).

        Parameters
        ----------
        mag
            Shape (galaxy, band), measured in every band.
        inside, shared
            Which of these galaxies are in the sample themselves, and which in the target; they do not count as their
            own neighbours.
        """
        from scipy.spatial import cKDTree

        x = (mag - self.mean) @ self.matrix
        shared = np.zeros(len(mag), bool) if shared is None else shared & inside
        there = len(self.sample) - inside
        k = min(max(NEIGHBOURS[0], round(len(self.sample) ** 0.5)), NEIGHBOURS[1], len(self.sample) - 1)
        far = np.asarray(cKDTree(self.sample).query(x, k=[k, k + 1])[0])
        reach = np.where(inside, far[:, 1], far[:, 0])
        like = cKDTree(self.target).query_ball_point(x, reach, return_length=True) - shared
        return np.asarray(like / np.maximum(len(self.target) - shared, 1) * there / k)

    def weights(self, mag: Floats, *, inside: Mask, shared: Mask | None = None) -> Floats:
        """Clipped weights of mean about 1, shape (galaxy,); 1 for galaxies that lack a band."""
        measured = np.isfinite(mag).all(axis=1)
        weight = np.ones(len(mag))
        own = None if shared is None else shared[measured]
        ratio = self.ratio(mag[measured].astype(float), inside=inside[measured], shared=own) / self.typical
        weight[measured] = np.clip(ratio, 1 / self.limit, self.limit)
        return weight

    def balance(self, galaxies: GalaxySet) -> Balance:
        """What the weights do to the training galaxies they are made for.

        Parameters
        ----------
        galaxies
            The training galaxies of the step.
        """
        weight = self.of_galaxies(galaxies, inside=True)
        bands = self.bands or galaxies.bands
        measured = galaxies.measured(bands)
        here, there = (
            galaxies.in_bands(bands)[0][measured].astype(float),
            self.target @ np.linalg.inv(self.matrix) + self.mean,
        )
        names = [f"mag_{band}" for band in bands]
        names += [f"{a} - {b}" for a, b in pairwise(bands)]
        differences = {}
        for name, mine, wanted in zip(names, _and_colours(here).T, _and_colours(there).T, strict=True):
            spread = float(wanted.std()) or 1.0
            means = (float(np.average(mine, weights=w)) for w in (None, weight[measured]))
            before, after = (round((mean - float(wanted.mean())) / spread, 4) for mean in means)
            differences[name] = (before, after)
        return Balance(
            self.name,
            len(galaxies),
            len(self.target),
            round(float(weight.sum() ** 2 / np.square(weight).sum()), 1),
            round(float((weight >= self.limit).mean()), 4),
            round(float((weight <= 1 / self.limit).mean()), 4),
            round(float((~measured).mean()), 4),
            differences,
        )

    def of_galaxies(self, galaxies: GalaxySet, *, inside: bool) -> Floats:
        """The weights of galaxies, all of them in the training sample or none; shape (galaxy,)."""
        bands = self.bands or galaxies.bands
        return self.weights(
            galaxies.in_bands(bands)[0],
            inside=np.full(len(galaxies), inside) & galaxies.measured(bands),
            shared=_are_in(self.name, galaxies),
        )


def _are_in(target: str, galaxies: GalaxySet) -> Mask:
    """Which galaxies are in the target sample themselves; it may hold none of them."""
    return galaxies.has(target) if target in galaxies.z else np.asarray(galaxies.table == target)


def _and_colours(mag: Floats) -> Floats:
    return np.concatenate([mag, mag[:, :-1] - mag[:, 1:]], axis=1)


def _whitening(sample: Floats, target: Floats) -> tuple[Floats, Floats]:
    """The map to coordinates in which colours count as they scatter inside a sample, the mean of both."""
    covariance = np.mean([np.atleast_2d(np.cov(mag.T, ddof=0)) for mag in (sample, target)], axis=0)
    variance, directions = np.linalg.eigh(covariance)
    return sample.mean(axis=0), directions / np.sqrt(np.maximum(variance, NARROWEST_MAG**2))
