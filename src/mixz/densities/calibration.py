"""Calibration: the map of cdfs that makes densities honest, as held-out labels judge them.

A density of cdf F becomes one of cdf F' = sigma(h(logit F)), with sigma(t) = 1 / (1 + e^-t) the logistic function,
logit its inverse, and h increasing and straight between knots.  Where densities are honest h is the identity;
h(t) = a + b t moves and widens them, and bends let the wings differ from the core.  h changes smoothly with the
reference magnitude.  It is the one that makes held-out labels likeliest, by the same label likelihood that networks are
trained on (`mixz.truths.likelihood`): since that passes through the labels' kernel, noisy labels calibrate the density
of the redshift, not of themselves.

Where several photometric systems are, each may have a map of its own: networks carry systems into one, but one survey's
densities may still be too broad where the other's are too narrow.  Half of the held-out galaxies decide for the other
half whether maps of their own make labels likelier than one for all.

So every label counts for what it tells: where a truth is scarce or vague at a magnitude, the others decide there.

Recalibration of PIT values: Kuleshov, Fenner & Ermon 2018 (arXiv:1807.00263).  This map and the correction for label
noise are ours; the logistic function stands where a normal cdf might, because its logarithms and exponentials are in
every array library and in every ONNX runtime, exact in both wings.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from array_api_compat import array_namespace, device

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

    from numpy.typing import ArrayLike, NDArray

    from mixz.densities.grid import Array

FITTED = ("mag", "knots", "height")
"""The numbers of a `Calibration`, stored with a model."""

KNOTS = (-6.6, -2.6, -0.8, 0.0, 0.8, 2.6, 6.6)
"""Where h may bend: near 3, 1.5, 0.5 and 0 standard deviations of a Gaussian (ours)."""
PER_BIN = 400
"""Held-out galaxies behind each magnitude at which h is fitted, at least; between these it is interpolated (ours)."""
MOST_BINS = 6
FEWEST = 200
"""Calibrating on fewer held-out galaxies would add more noise than it takes away (ours)."""
SPREAD = 0.7
"""Width of the prior of ln h', about 0 (ours)."""
KNOT_STEP = 0.25
"""Width of the prior of the steps of ln h' from knot to knot: a wider Gaussian needs steps in logit F (ours)."""
MAG_STEP = 0.2
"""Width of the prior of the steps of ln h' and of h(0) from magnitude to magnitude (ours)."""
SHIFT = 0.8
"""Width of the prior of h(0): half a standard deviation of a Gaussian (ours)."""
SMALLEST = 1e-30
"""No cdf is taken to be nearer to 0 or 1 than this."""
HIGHEST = 80.0
"""No logit is taken to be farther from 0 than this, so that its exponential fits into single precision."""
FARTHEST = 5.0
"""h(0) and ln h' are looked for up to this far from 0, which no density of use comes near."""
ROUNDS = 60
ENOUGH = 1e-8
"""The search ends when a round gains less than this share of the log-likelihood."""


@dataclass(frozen=True, eq=False)
class Calibration:
    """An increasing map of cdfs that depends on the reference magnitude, and may on the photometric system.

    Parameters
    ----------
    mag
        The magnitudes where it was fitted, shape (m,), increasing; beyond them the nearest one's map holds.
    knots
        Where h may bend, in logit F, shape (knot,).
    height
        h at the knots, shape (system, m, knot), or (1, m, knot) of one map for all; increasing along the knots; it goes
        on straight beyond the outer ones.

    Examples
    --------
    A density that claims half its true width is widened:

    >>> from mixz.densities.estimates import sigma
    >>> from mixz.densities.grid import Grid
    >>> grid = Grid(np.linspace(0, 2, 401))
    >>> x = (grid.z - 1) / 0.05
    >>> mass = 1 / np.cosh(x / 2) ** 2  # a logistic distribution, whose width h scales exactly
    >>> mass = (mass / mass.sum())[None]
    >>> knots = np.array([-1.0, 0.0, 1.0])
    >>> honest = Calibration([22.0], knots, knots[None, None] / 2)(mass, np.array([22.0]))
    >>> round(float(sigma(honest, grid)[0] / sigma(mass, grid)[0]), 2), round(float(honest.sum()), 6)
    (2.0, 1.0)
    """

    mag: NDArray[np.float64]
    knots: NDArray[np.float64]
    height: NDArray[np.float64]

    def __post_init__(self) -> None:
        for name in FITTED:
            object.__setattr__(self, name, np.asarray(getattr(self, name), dtype=np.float64))

    @classmethod
    def identity(cls) -> Self:
        """The map that changes nothing."""
        return cls(np.zeros(1), np.array(KNOTS), np.array([[KNOTS]]))

    @classmethod
    def fit(
        cls, mass: ArrayLike, likelihood: ArrayLike, mag_ref: ArrayLike, *, system: ArrayLike | None = None
    ) -> Self:
        """The map that makes held-out labels likeliest: argmax sum_g ln sum_k L_gk s'_gk + ln prior.

        Parameters
        ----------
        mass
            Masses s of the held-out galaxies' densities, shape (galaxy, z).
        likelihood
            L, what their labels say of the redshift, shape (galaxy, z).
        mag_ref
            Their reference magnitudes, shape (galaxy,).
        system
            Numbers of their photometric systems, shape (galaxy,); each with enough galaxies has a map of its own where
            that makes labels likelier that it was not fitted to.
        """
        held_out = _HeldOut(np.asarray(mass, float), np.asarray(likelihood, float), np.asarray(mag_ref, float))
        mag = _magnitudes(held_out.mag_ref)
        system = np.zeros(len(held_out.mass), int) if system is None else np.asarray(system)
        enough = [number for number in range(system.max(initial=0) + 1) if (system == number).sum() >= 2 * FEWEST]
        if len(enough) > 1 and _gains(held_out, mag, system, enough):
            height = _own_maps(held_out, mag, system, enough)
        else:
            height = _fitted(held_out, mag)[None]
        return cls(mag, np.array(KNOTS), height)

    def __call__(self, mass: Array, mag_ref: Array, system: Array | None = None) -> Array:
        """The masses of honest densities, shape (galaxy, z); they are >= 0 and sum to 1 as before.

        Where the magnitude is unknown the map of the middle magnitude holds; where a mass is NaN all stay so.  Without
        the numbers of `system` all galaxies are of the first.
        """
        mag, height = (_like(values, mass) for values in (self.mag, self.height))
        xp = array_namespace(mass)
        known = xp.where(xp.isfinite(mag_ref), xp.astype(mag_ref, mass.dtype), mag[len(self.mag) // 2])
        of_galaxy = _shares(known, mag) @ height[0]
        for number in range(1, len(self.height)) if system is not None else ():
            its: Array = system == number
            of_galaxy = xp.where(its[:, None], _shares(known, mag) @ height[number], of_galaxy)
        return _masses(_bent(_logit(mass), self.knots, of_galaxy))


class _HeldOut(NamedTuple):
    """What maps are fitted to, a row per galaxy."""

    mass: NDArray[np.float64]
    likelihood: NDArray[np.float64]
    mag_ref: NDArray[np.float64]

    def rows(self, which: NDArray[np.bool_]) -> _HeldOut:
        return _HeldOut(*(values[which] for values in self))


def _fitted(held_out: _HeldOut, mag: NDArray[np.float64]) -> NDArray[np.float64]:
    """The heights of the map that makes these labels likeliest, shape (m, knot)."""
    # scipy.optimize takes half a second to load; whoever only applies a map should not wait for it.
    from scipy.optimize import minimize

    knots = np.array(KNOTS)
    near = np.asarray(_shares(held_out.mag_ref, mag))
    problem = _Problem(_logit(held_out.mass), held_out.likelihood, near, knots)
    start = np.zeros(len(mag) * len(knots))
    found = minimize(
        problem.objective,
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=[(-FARTHEST, FARTHEST)] * len(start),
        options={"maxiter": ROUNDS, "ftol": ENOUGH},
    )
    shift, steep = problem.parts(found.x)
    return _heights(shift, steep, knots)


def _own_maps(
    held_out: _HeldOut, mag: NDArray[np.float64], system: NDArray[Any], enough: Sequence[int]
) -> NDArray[np.float64]:
    """A map per system, shape (system, m, knot); of systems with too few galaxies that of all."""
    shared = _fitted(held_out, mag)
    systems = range(system.max() + 1)
    return np.stack([_fitted(held_out.rows(system == k), mag) if k in enough else shared for k in systems])


def _gains(held_out: _HeldOut, mag: NDArray[np.float64], system: NDArray[Any], enough: Sequence[int]) -> bool:
    """Whether maps of their own make the labels of either half of the galaxies likelier, fitted to the other half."""
    gain, half = 0.0, np.arange(len(system)) % 2 == 0
    for fitted, judged in ((half, ~half), (~half, half)):
        own = _own_maps(held_out.rows(fitted), mag, system[fitted], enough)
        shared = _fitted(held_out.rows(fitted), mag)[None]
        there = held_out.rows(judged)
        likely = [
            (Calibration(mag, np.array(KNOTS), height)(there.mass, there.mag_ref, system[judged]) * there.likelihood)
            for height in (own, shared)
        ]
        own_log, shared_log = (np.log(np.maximum(one.sum(axis=1), SMALLEST)) for one in likely)
        gain += float((own_log - shared_log).sum())
    return gain > 0


@dataclass(frozen=True, eq=False)
class _Problem:
    """What a map is fitted to: logit F between nodes, the labels' likelihoods, each galaxy's share of magnitudes."""

    t: NDArray[np.float64]
    likelihood: NDArray[np.float64]
    near: NDArray[np.float64]
    knots: NDArray[np.float64]

    @cached_property
    def piece(self) -> NDArray[np.intp]:
        """Number of the piece between knots that each t lies in, or is nearest to."""
        return np.searchsorted(self.knots[1:-1], self.t)

    @cached_property
    def share(self) -> NDArray[np.float64]:
        """How far through its piece each t lies."""
        return np.asarray((self.t - self.knots[self.piece]) / np.diff(self.knots)[self.piece])

    @cached_property
    def rise(self) -> NDArray[np.float64]:
        """How much more likely each label gets when F' rises between two nodes."""
        return np.asarray(self.likelihood[:, :-1] - self.likelihood[:, 1:])

    def parts(self, flat: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """h(0), shape (m, 1), and ln h' between knots, shape (m, knot - 1)."""
        both = flat.reshape(self.near.shape[1], len(self.knots))
        return both[:, :1], both[:, 1:]

    def objective(self, flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        """-ln posterior and its gradient."""
        shift, steep = self.parts(flat)
        of_galaxy = self.near @ _heights(shift, steep, self.knots)
        x = _bent(self.t, self.knots, of_galaxy)
        likely = (_masses(x) * self.likelihood).sum(axis=1)
        # What is flat below the least likelihood has no slope there.
        by_likely = np.where(likely > SMALLEST, -1 / np.maximum(likely, SMALLEST), 0)
        # F' = sigma(x): dF'/dx = sigma(x) sigma(-x), symmetric, so that one exponential is exact in both wings.
        falling = np.exp(-np.abs(x))
        by_x = by_likely[:, None] * self.rise * (falling / np.square(1 + falling))
        by_height = self.near.T @ self._to_knots(by_x)
        by_shift, by_steep = _heights_gradient(by_height, steep, self.knots)
        prior, prior_shift, prior_steep = _prior(shift, steep)
        gradient = np.concatenate([by_shift + prior_shift, by_steep + prior_steep], axis=1)
        return float(prior - np.log(np.maximum(likely, SMALLEST)).sum()), gradient.ravel()

    def _to_knots(self, by_x: NDArray[np.float64]) -> NDArray[np.float64]:
        """The gradient by each galaxy's heights at the knots, shape (galaxy, knot)."""
        galaxies, knots = len(self.t), len(self.knots)
        left = (np.arange(galaxies)[:, None] * knots + self.piece).ravel()
        low = np.bincount(left, (by_x * (1 - self.share)).ravel(), galaxies * knots)
        high = np.bincount(left + 1, (by_x * self.share).ravel(), galaxies * knots)
        return np.asarray((low + high).reshape(galaxies, knots))


def _like(values: NDArray[np.float64], other: Array) -> Array:
    return array_namespace(other).asarray(values, dtype=other.dtype, device=device(other))


def _magnitudes(mag_ref: NDArray[np.float64]) -> NDArray[np.float64]:
    """The magnitudes at which h is fitted: medians of bins of equal counts."""
    bins = max(1, min(MOST_BINS, len(mag_ref) // PER_BIN))
    return np.unique(np.quantile(mag_ref, (np.arange(bins) + 0.5) / bins))


def _shares(mag_ref: Array, mag: Array) -> Array:
    """How much of each fitted magnitude's map holds for a galaxy, shape (galaxy, m)."""
    xp = array_namespace(mag_ref)
    one = xp.ones_like(mag_ref)[:, None]
    if mag.shape[0] == 1:
        return one
    # Steps from one magnitude to the next that are behind the galaxy; each takes its share from the one before.
    passed = xp.clip((mag_ref[:, None] - mag[:-1]) / (mag[1:] - mag[:-1]), min=0.0, max=1.0)
    return xp.concat([one, passed], axis=1) - xp.concat([passed, xp.zeros_like(one)], axis=1)


def _logit(mass: Array) -> Array:
    """logit F between the nodes, shape (galaxy, z - 1); exact in both wings."""
    xp = array_namespace(mass)
    below = xp.cumulative_sum(mass, axis=-1)[..., :-1]
    above = xp.flip(xp.cumulative_sum(xp.flip(mass, axis=-1), axis=-1), axis=-1)[..., 1:]
    return xp.log(xp.clip(below, min=SMALLEST) / xp.clip(above, min=SMALLEST))


def _bent(t: Array, knots: NDArray[np.float64], height: Array) -> Array:
    """h(t), shape (galaxy, z - 1), for its heights at the knots, shape (galaxy, knot): a line, and a hinge per knot."""
    xp = array_namespace(t)
    slope = (height[:, 1:] - height[:, :-1]) / xp.asarray(np.diff(knots), dtype=t.dtype, device=device(t))
    bend = slope[:, 1:] - slope[:, :-1]
    # c max(t - k, 0) = c max(t, k) - c k; what does not hang on t comes first.
    level = height[:, 0] - slope[:, 0] * float(knots[0])
    for k, knot in enumerate(knots[1:-1].tolist()):
        level = level - bend[:, k] * knot
    found = level[:, None] + slope[:, :1] * t
    for k, knot in enumerate(knots[1:-1].tolist()):
        found = found + bend[:, k : k + 1] * xp.clip(t, min=knot)
    return found


def _masses(x: Array) -> Array:
    """The mass on each node from logit F' between the nodes, shape (galaxy, z); exact in both wings."""
    xp = array_namespace(x)
    falling = xp.exp(xp.clip(-x, min=-HIGHEST, max=HIGHEST))
    below = 1 / (1 + falling)
    above = falling * below
    # In the lower wing a mass is a rise of F', in the upper one a fall of 1 - F': each is exact where it is near 0.
    inner = xp.where(x[..., 1:] < 0, below[..., 1:] - below[..., :-1], above[..., :-1] - above[..., 1:])
    # x rises, but in single precision a step of it may round down.
    return xp.concat([below[..., :1], xp.clip(inner, min=0.0), above[..., -1:]], axis=-1)


def _heights(shift: NDArray[Any], steep: NDArray[Any], knots: NDArray[Any]) -> NDArray[np.float64]:
    """h at the knots, shape (m, knot), from h(0) and the logarithms of its slopes."""
    risen = np.pad(np.cumsum(np.exp(steep) * np.diff(knots), axis=1), ((0, 0), (1, 0)))
    return np.asarray(shift + risen - risen[:, [KNOTS.index(0.0)]])


def _heights_gradient(
    by_height: NDArray[Any], steep: NDArray[Any], knots: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[Any]]:
    """The gradient by h(0) and by the logarithms of the slopes, from that by the heights at the knots."""
    middle = KNOTS.index(0.0)
    by_risen = by_height.copy()
    by_risen[:, middle] -= by_height.sum(axis=1)
    # A slope raises every knot after it.
    after = np.cumsum(by_risen[:, ::-1], axis=1)[:, ::-1][:, 1:]
    return by_height.sum(axis=1, keepdims=True), after * np.exp(steep) * np.diff(knots)


def _prior(shift: NDArray[Any], steep: NDArray[Any]) -> tuple[float, NDArray[Any], NDArray[Any]]:
    """-ln of the prior, and its gradients: near the identity, alike from knot to knot and magnitude to magnitude."""
    along_knots, along_mag, shift_mag = np.diff(steep, axis=1), np.diff(steep, axis=0), np.diff(shift, axis=0)
    squares = [
        (steep, SPREAD),
        (shift, SHIFT),
        (along_knots, KNOT_STEP),
        (along_mag, MAG_STEP),
        (shift_mag, MAG_STEP),
    ]
    value = sum(float(np.square(step / width).sum()) for step, width in squares) / 2
    by_steep = steep / SPREAD**2 - np.diff(along_knots, axis=1, prepend=0, append=0) / KNOT_STEP**2
    by_steep -= np.diff(along_mag, axis=0, prepend=0, append=0) / MAG_STEP**2
    by_shift = shift / SHIFT**2 - np.diff(shift_mag, axis=0, prepend=0, append=0) / MAG_STEP**2
    return value, by_shift, by_steep
