"""A smooth positive factor of densities, by maximum likelihood of labels through their kernels.

With s_ik the masses of what is known of galaxy i before its label (its density, or the same for all), L_ik how likely
its label is at every redshift, and w_i its weight, the factor t_k = exp(f(z_k)) makes

    sum_i w_i ln [ sum_k L_ik s_ik t_k / sum_k s_ik t_k ]  -  lambda / 2  int f'''(z)^2 (1 + z)^5 dz

greatest; f is a cubic spline.  The penalty does not see parabolas (Silverman 1982, Ann. Stat. 10, 795), so that however
smooth f is, at the maximum the mean and the mean square redshift of the s_ik t_k are those that the labels ask for:

    sum_i w_i E[z | label, s_i t] = sum_i w_i E[z | s_i t],    and so with z^2.

lambda is the one of the greatest marginal likelihood (Laplace's approximation).  How f changes when galaxies are drawn
again follows from one Newton step, for all resamples in one matrix product.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy.interpolate import BSpline
from scipy.optimize import minimize

from mixz.tomography.neighbours import effective

if TYPE_CHECKING:
    from mixz.arrays import Floats
    from mixz.densities.grid import Grid

SPLINES = 40
"""Functions that f is made of, evenly in ln(1 + z): several to the width of any bin (ours)."""
SMOOTHNESS = tuple(10.0**power for power in range(3, -10, -1))
"""Values of lambda that are tried, from smooth to free, until the marginal likelihood falls twice (ours)."""
RIDGE = 1e-3
"""Keeps coefficients bounded where there are no galaxies: a prior of 1 / sqrt(RIDGE) on each (ours)."""
FARTHEST_STEP = 3.0
"""No resample changes f anywhere by more than this (ours): a step is only as good as the parabola it is taken on."""
ITERATIONS = 300
LEAST = 1e-300
"""Stands for no probability at all where a search strays."""


class Basis(NamedTuple):
    """Cubic splines at the nodes of a grid, shape (z, spline), and their penalty, shape (spline, spline)."""

    at_nodes: Floats
    penalty: Floats


@dataclass(frozen=True, eq=False)
class Tilt:
    """A fitted factor, and how it follows the galaxies' weights.

    Parameters
    ----------
    splines
        The functions that f is made of, at the nodes, shape (z, spline).
    coefficients
        Of f, shape (spline,).
    response
        How much the coefficients change with each galaxy's weight, shape (galaxy, spline).
    weight
        The weights that f was fitted with, shape (galaxy,).
    smoothness
        lambda.
    per_score
        How much the coefficients change with the sum of the galaxies' scores, shape (spline, spline).
    """

    splines: Floats
    coefficients: Floats
    response: Floats
    weight: Floats
    smoothness: float
    per_score: Floats

    def factors(self, weight: Floats | None = None) -> Floats:
        """t at the nodes; where galaxies count otherwise, shape (galaxy, resample), for every resample.

        Returns
        -------
        Shape (z, 1), or (z, resample); the largest of each is 1.
        """
        log = (self.splines @ self.coefficients)[:, None]
        if weight is not None:
            change = self.splines @ (self.response.T @ (weight - self.weight[:, None]))
            log = log + np.clip(change, -FARTHEST_STEP, FARTHEST_STEP)
        return np.asarray(np.exp(log - log.max(axis=0)))

    def anew(self, likelihood: Floats, base: Floats, other: Floats) -> Floats:
        """t at the nodes, shape (z,), had something else been known of the galaxies before their labels.

        Parameters
        ----------
        likelihood, base
            What it was fitted to.
        other
            In place of `base`, shape (galaxy, z).
        """
        change = self.splines @ (self.per_score @ (self._score(likelihood, other) - self._score(likelihood, base)))
        log = self.splines @ self.coefficients + np.clip(change, -FARTHEST_STEP, FARTHEST_STEP)
        return np.asarray(np.exp(log - log.max()))

    def _score(self, likelihood: Floats, base: Floats) -> Floats:
        """What labels ask for beyond what is there, along every spline, shape (spline,)."""
        before = base * self.factors()[:, 0]
        after = before * likelihood
        share = self.weight / np.maximum(after.sum(axis=1), LEAST) @ after
        share -= self.weight / np.maximum(before.sum(axis=1), LEAST) @ before
        return np.asarray(share @ self.splines)


def fit_tilt(likelihood: Floats, base: Floats, grid: Grid, *, weight: Floats) -> Tilt:
    """Fit the factor.

    Parameters
    ----------
    likelihood
        L_ik, shape (galaxy, z) (`Labels.likelihood`).
    base
        s_ik, shape (galaxy, z); or (1, z) where the same is known of all.
    grid
        Of both.
    weight
        w_i, shape (galaxy,).

    Examples
    --------
    Densities are all 0.1 too low, and the factor brings their mean to that of the labels:

    >>> from mixz.densities.grid import Grid
    >>> from mixz.truths import GaussianKernel, Labels, Truth
    >>> grid, rng = Grid(np.linspace(0, 2, 101)), np.random.default_rng(1)
    >>> z = rng.normal(1.0, 0.15, 2000)
    >>> labels = Labels(Truth("many_band", GaussianKernel(0.02)), z, np.full(2000, 22.0)).draw(z, seed=1)
    >>> base = np.exp(-((grid.z - 0.9) ** 2) / (2 * 0.15**2))[None]
    >>> n = base[0] * fit_tilt(labels.likelihood(grid), base, grid, weight=np.ones(2000)).factors()[:, 0]
    >>> bool(abs(n @ grid.z / n.sum() - z.mean()) < 0.005)
    True
    """
    likelihood, base = np.asarray(likelihood, dtype=np.float64), np.asarray(base, dtype=np.float64)
    # As much as so many galaxies of weight 1 tell.
    unit = effective(weight) / weight.sum()
    tried: list[_Fit] = []
    for smoothness in SMOOTHNESS:
        tried.append(_fit(likelihood, base, grid, weight * unit, smoothness, tried[-1].raw if tried else None))
        if len(tried) > 2 and tried[-1].evidence < tried[-2].evidence < tried[-3].evidence:
            break
    best = max(tried, key=lambda fit: fit.evidence)
    per_score = np.linalg.inv(best.bend) * unit
    weight = np.asarray(weight, float)
    return Tilt(best.splines, best.coefficients, best.scores @ per_score, weight, best.smoothness, per_score)


class _Fit(NamedTuple):
    """What one lambda gives, in coordinates in which every coefficient is about equally well known."""

    smoothness: float
    evidence: float
    coefficients: Floats
    raw: Floats
    splines: Floats
    scores: Floats
    bend: Floats


def _fit(likelihood: Floats, base: Floats, grid: Grid, weight: Floats, smoothness: float, start: Floats | None) -> _Fit:
    total = weight.sum()
    per_base = np.array([total]) if len(base) == 1 else weight
    mean_base = per_base @ base / (per_base @ base).sum()
    own = basis(grid)
    centred = own.at_nodes - mean_base @ own.at_nodes
    penalty = smoothness * own.penalty + RIDGE * np.eye(SPLINES)
    variance, directions = np.linalg.eigh(total * (centred.T * mean_base) @ centred + penalty)
    scale = np.sqrt(np.maximum(variance, RIDGE))
    splines = centred @ (directions / scale)
    penalty = (directions / scale).T @ penalty @ (directions / scale)
    joint = likelihood * base

    def surprise(coefficients: Any) -> tuple[float, Any]:
        log = splines @ coefficients
        factor = np.exp(log - log.max())
        seen, any_label = (np.maximum(one @ factor, LEAST) for one in (joint, base))
        pull = penalty @ coefficients
        value = coefficients @ pull / 2 - weight @ np.log(seen) + per_base @ np.log(any_label)
        away = (per_base / any_label) @ base - (weight / seen) @ joint
        return float(value), (factor * away) @ splines + pull

    first: Any = np.zeros(SPLINES) if start is None else scale * (directions.T @ start)
    options: Any = {"maxiter": ITERATIONS, "ftol": 1e-11, "gtol": 1e-4}
    found = minimize(surprise, first, jac=True, method="L-BFGS-B", options=options)
    log = splines @ found.x
    before, after = (one * np.exp(log - log.max()) for one in (base, joint))
    before, after = (one / np.maximum(one.sum(axis=1, keepdims=True), LEAST) for one in (before, after))
    prior, posterior = before @ splines, after @ splines
    spread = (splines.T * (per_base @ before)) @ splines - (prior.T * per_base) @ prior
    told = (splines.T * (weight @ after)) @ splines - (posterior.T * weight) @ posterior
    values, vectors = np.linalg.eigh(spread - told + penalty)
    # Where the likelihood is not bent, the penalty alone holds f.
    values = np.maximum(values, 1e-6)
    bend = (vectors * values) @ vectors.T
    evidence = -float(found.fun) + (np.linalg.slogdet(penalty)[1] - np.log(values).sum()) / 2
    raw = directions @ (found.x / scale)
    return _Fit(smoothness, float(evidence), found.x, raw, splines, posterior - prior, bend)


def basis(grid: Grid) -> Basis:
    """The splines of a grid; they hold all parabolas, which their penalty does not see."""
    return _basis(tuple(grid.z.tolist()))


@lru_cache(maxsize=4)
def _basis(nodes: tuple[float, ...]) -> Basis:
    low, high = nodes[0], nodes[-1]
    inner = np.expm1(np.linspace(np.log1p(low), np.log1p(high), SPLINES - 2))
    knots = np.concatenate([[low] * 3, inner, [high] * 3])
    knots[[3, -4]] = low, high
    at_nodes = BSpline.design_matrix(np.asarray(nodes), knots, 3).toarray()
    # The third derivative of a cubic spline is the same all over between two knots.
    middle = (inner[1:] + inner[:-1]) / 2
    third = np.stack([BSpline(knots, row, 3).derivative(3)(middle) for row in np.eye(SPLINES)], axis=1)
    weight = np.diff((1 + inner) ** 6) / 6
    return Basis(at_nodes, third.T @ (third * weight[:, None]))
