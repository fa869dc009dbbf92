"""How far to trust a photo-z: `odds`, what its density holds about it, and `risk`, the loss of galaxies like it.

A density says how sure the networks are.  Of galaxies unlike those with labels it is often too sure: magnitudes alone
do not show that labels there were chosen by their redshift.  `risk` is the expected HSC loss at z_phot, made honest by
held-out galaxies from three signs, of which each can only raise it:

  logit risk = w0 + w1 logit(expected loss) + w2 logit(mean loss against the neighbours' labels) + w3 ln(distance),

the neighbours being the training galaxies that lie nearest in magnitudes, and the distance that to the farthest of them
in units of what counts as covered (`mixz.densities.support`).  Ours; sorting by expected loss is Tanaka et al. 2018's
(arXiv:1704.05988), and `odds` Benitez 2000's (ApJ 536, 571).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from array_api_compat import array_namespace

from mixz.densities.estimates import hsc_loss
from mixz.densities.grid import Array, Grid, nodes

if TYPE_CHECKING:
    from typing import Any, Self

    from numpy.typing import ArrayLike, NDArray

    from mixz.densities.support import Support

FITTED = ("weight",)
"""The numbers of a `Risk`, stored with a model."""

ODDS_DZ = 0.06
"""Half the width in ln(1 + z) of the window about z_phot whose density is the odds."""
SIGNS = 3
SURE = 1e-3
"""No loss is taken to be nearer to 0 or 1 than this."""
NEAREST, FARTHEST = 0.1, 20.0
"""Distances below and above these, in units of the limit of support, count as these."""
SPREAD = 1.0
"""Width of the prior of the weights, about the density's own loss: (0, 1, 0, 0) (ours)."""


def odds(mass: Array, z_phot: Array, grid: Grid) -> Array:
    """The share of each density within .06 in ln(1 + z) of its point estimate, shape (galaxy,).

    Each node's mass is spread evenly over its cell.

    Examples
    --------
    >>> from mixz.densities.grid import even_grid
    >>> grid = even_grid(401, 3.0)
    >>> x = np.log1p(grid.z) - np.log(2.0)
    >>> mass = np.exp(-((x / 0.06) ** 2) / 2)[None]
    >>> odds(mass / mass.sum(), np.array([1.0]), grid).round(2)
    array([0.68])
    """
    xp = array_namespace(mass)
    away = xp.abs(grid.constant(_logarithm, mass) - xp.log1p(z_phot)[..., None])
    inside = xp.clip(0.5 + (ODDS_DZ - away) / grid.constant(_width, mass), min=0.0, max=1.0)
    return xp.sum(mass * inside, axis=-1)


def expected_loss(mass: Array, z_phot: Array, grid: Grid) -> Array:
    """The HSC loss that densities expect of their point estimates, sum_k s_k L(z_phot, z_k), shape (galaxy,)."""
    xp = array_namespace(mass)
    return xp.sum(mass * hsc_loss(z_phot=z_phot[..., None], z_ref=grid.constant(nodes, mass)), axis=-1)


@dataclass(frozen=True, eq=False)
class Risk:
    """From the signs of a galaxy to the HSC loss that held-out galaxies with these signs had.

    Parameters
    ----------
    weight
        w, shape (4,); those of signs are not negative.

    Examples
    --------
    Densities that expect a tenth of their true loss, where only neighbours show it:

    >>> rng = np.random.default_rng(1)
    >>> lonely = rng.uniform(0.05, 0.6, 4000)
    >>> signs = signs_of(np.full(4000, 0.03), lonely, np.ones(4000))
    >>> risk = Risk.fit(signs, (rng.uniform(size=4000) < lonely).astype(float))(signs)
    >>> bool(abs(risk[lonely > 0.5].mean() - 0.55) < 0.05), bool(abs(risk[lonely < 0.1].mean() - 0.075) < 0.03)
    (True, True)
    """

    weight: NDArray[np.float64]

    def __post_init__(self) -> None:
        object.__setattr__(self, "weight", np.asarray(self.weight, dtype=np.float64))

    @classmethod
    def fit(cls, signs: ArrayLike, loss: ArrayLike) -> Self:
        """The weights under which held-out losses are likeliest, each a share between 0 and 1.

        Parameters
        ----------
        signs
            Of held-out galaxies, from `signs_of`, shape (galaxy, sign).
        loss
            Their HSC losses at z_phot, or what is expected of them, shape (galaxy,).
        """
        from scipy.optimize import minimize

        x, loss = _with_one(np.asarray(signs, dtype=np.float64)), np.asarray(loss, dtype=np.float64)
        start = np.eye(SIGNS + 1)[1]

        def objective(weight: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
            t, away = x @ weight, (weight - start) / SPREAD
            cost = float((np.logaddexp(0, t) - loss * t).sum() + np.square(away).sum() / 2)
            return cost, (1 / (1 + np.exp(-t)) - loss) @ x + away / SPREAD

        bounds = [(None, None)] + [(0.0, None)] * SIGNS
        return cls(minimize(objective, start, jac=True, method="L-BFGS-B", bounds=bounds).x)

    def __call__(self, signs: ArrayLike) -> NDArray[np.float32]:
        """The risk of each galaxy, 0 to 1, shape (galaxy,); NaN where a sign is."""
        t = _with_one(np.asarray(signs, dtype=np.float64)) @ self.weight
        return (1 / (1 + np.exp(-t))).astype(np.float32)


def signs_of(by_density: ArrayLike, by_neighbours: ArrayLike, distance: ArrayLike) -> NDArray[np.float64]:
    """The signs of risk, shape (galaxy, sign).

    Parameters
    ----------
    by_density, by_neighbours
        Losses that the density expects, and that the estimate has against its neighbours' labels, shape (galaxy,).
    distance
        To the farthest of the neighbours, in units of the limit of support, shape (galaxy,).
    """
    losses = [np.clip(np.asarray(loss, dtype=np.float64), SURE, 1 - SURE) for loss in (by_density, by_neighbours)]
    far = np.clip(np.asarray(distance, dtype=np.float64), NEAREST, FARTHEST)
    return np.stack([*(np.log(loss / (1 - loss)) for loss in losses), np.log(far)], axis=-1)


def risk_of(
    z_phot: NDArray[Any] | None,
    loss: NDArray[Any] | None,
    place: NDArray[Any] | None,
    support: Support | None,
    risk: Risk | None,
) -> NDArray[np.float32] | None:
    """The risk of galaxies of these estimates, expected losses and places; None where the model has not all of it."""
    if z_phot is None or loss is None or place is None or support is None or risk is None:
        return None
    return risk(signs_among(z_phot, loss, place, support))


def signs_among(z_phot: NDArray[Any], loss: NDArray[Any], place: NDArray[Any], support: Support) -> NDArray[np.float64]:
    """The signs of risk of galaxies among the training galaxies of a support, shape (galaxy, sign)."""
    labels, distance = support.neighbours(place)
    return signs_of(loss, hsc_loss(z_phot=z_phot[:, None], z_ref=labels).mean(axis=1), distance)


def _with_one(signs: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.concatenate([np.ones((*signs.shape[:-1], 1)), signs], axis=-1))


def _logarithm(grid: Grid) -> NDArray[np.float64]:
    """ln(1 + z) of the nodes, shape (z,)."""
    return np.asarray(np.log1p(grid.z))


def _width(grid: Grid) -> NDArray[np.float64]:
    """Each node's share of ln(1 + z), shape (z,)."""
    return np.asarray(np.gradient(np.log1p(grid.z)))
