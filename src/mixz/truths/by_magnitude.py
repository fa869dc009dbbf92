"""How far labels are really off, per bin of magnitude: from known redshifts, or from densities and no spectra at all.

In each bin three numbers correct a kernel (`CorrectedKernel`): the factor w on the width of its core, the share f of
outliers, and the offset mu.  They are those that make

    sum_i ln p(z_label_i) - N_w ln^2 w - N_mu (mu / s)^2 / 2 + N_f [ f_0 ln f + (1 - f_0) ln(1 - f) ]

largest, with f_0 the prior kernel's share of outliers in the bin and s the width of its core.  Each penalty is, to
second order, what N galaxies of known redshift would add that scatter as the prior says (N know a Gaussian's ln w to
1 / sqrt(2 N) and its mu to s / sqrt(N)): n such galaxies pull a number n / (n + N) of the way from the prior to what
they say alone, and where there are none the prior stays.  How far a prior can be believed is taken from how far
COSMOS2020's published kernel turned out to be off when measured, bin by bin (`mixz.truths.known`): by 0.37 in ln w
(N_w = 4), 0.2 s in mu (N_mu = 25), and 0.56 in ln f (N_f = 50).

p(z_label) is K(z_label | z) where z is known, and int K(z_label | z) p(z | x) dz where only a density is: the
likelihood of labels under a model, which needs no spectra of the same galaxies (expectation and maximisation climb the
same hill).  A density that is itself too broad or too narrow then goes into the kernel; whose spectra calibrate the
densities is what makes it more than a circle.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from mixz.errors import MixzError
from mixz.truths.corrected import CorrectedKernel

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import ArrayLike

    from mixz.arrays import Floats
    from mixz.densities.grid import Grid
    from mixz.truths.kernel import Kernel
    from mixz.truths.likelihood import Labels

MAG_BORDERS = (20.0, 21.0, 22.0, 23.0, 24.0, 25.0)
"""Borders of the bins, in the reference band (ours)."""
WIDTH_WEIGHT, OFFSET_WEIGHT, SHARE_WEIGHT = 4.0, 25.0, 50.0
"""N_w, N_mu and N_f: so many galaxies the prior kernel weighs in each bin (ours; see above)."""
LEAST_SHARE = 1e-3
"""The least prior share of outliers (ours)."""
MOST_SHARE = 0.5
"""Labels of which more are outliers belong to other galaxies (ours)."""
REACH = math.log(10.0)
"""Widths between 1/10 and 10 times the prior's are believed (ours)."""
FIRST_STEPS = (0.2, 0.3, 0.5)
"""How far the search first steps in ln w, mu / s and logit f."""
TINY = 1e-300


@dataclass(frozen=True)
class BinCorrection:
    """What one bin of magnitude says of a kernel; errors are the widths of the posterior, None where nothing is known.

    Parameters
    ----------
    galaxies
        How many it was learned from.
    width, width_error
        The factor on the width of the core.
    outliers, outliers_error
        The share of outliers; None leaves the prior's.
    offset, offset_error
        The offset in dz.
    """

    galaxies: int = 0
    width: float = 1.0
    width_error: float | None = None
    outliers: float | None = None
    outliers_error: float | None = None
    offset: float = 0.0
    offset_error: float | None = None

    def as_record(self) -> dict[str, Any]:
        """Plain numbers, rounded to what can be known."""
        return {name: round(value, 5) if value is not None else None for name, value in asdict(self).items()}


def corrected_kernel(prior: Kernel, bins: Sequence[Mapping[str, Any]], borders: Sequence[float]) -> CorrectedKernel:
    """A kernel as records of its corrections (`BinCorrection.as_record`) have it, one per bin."""
    width, outliers, offset = (tuple(record[name] for record in bins) for name in ("width", "outliers", "offset"))
    return CorrectedKernel(prior, tuple(borders), width, outliers, offset)


def fit_pairs(labels: Labels, *, z: ArrayLike, borders: Sequence[float] = MAG_BORDERS) -> list[BinCorrection]:
    """The corrections that make labels of galaxies likeliest whose redshifts are known.

    Parameters
    ----------
    labels
        The labels; their truth's kernel is the prior.
    z
        The redshifts, shape (galaxy,).
    borders
        Where bins of magnitude end.

    Raises
    ------
    MixzError
        In some bin more labels are wrong than right, or their scatter is beyond what is believed.

    Examples
    --------
    >>> from mixz.truths import GaussianKernel, Labels, Truth
    >>> z, mag_ref = np.full(2000, 1.0), np.full(2000, 22.5)
    >>> drawn = Labels(Truth("many_band", GaussianKernel(0.03)), z, mag_ref).draw(z, seed=1)
    >>> found = fit_pairs(Labels(Truth("many_band", GaussianKernel(0.01)), drawn.z, mag_ref), z=z)
    >>> [correction.galaxies for correction in found], bool(abs(found[3].width - 3) < 3 * found[3].width_error)
    ([0, 0, 0, 2000, 0, 0, 0], True)
    """
    redshift = np.asarray(z, dtype=np.float64)[:, None]

    def seen(some: Labels, which: Floats) -> Floats:
        return some.density(redshift[which])[:, 0]

    return _fit(labels, seen, borders)


def fit_densities(
    labels: Labels, mass: Floats, grid: Grid, borders: Sequence[float] = MAG_BORDERS
) -> list[BinCorrection]:
    """The corrections that make labels likeliest under densities of their galaxies' redshifts; no spectra are needed.

    Parameters
    ----------
    labels
        The labels; their truth's kernel is the prior.  Neither they nor the like may have chosen the densities: those
        of galaxies held out of training, say.
    mass, grid
        Masses of the densities p(z | x), shape (galaxy, z), on their grid.
    borders
        Where bins of magnitude end.

    Raises
    ------
    MixzError
        In some bin more labels are wrong than right, or their scatter is beyond what is believed.

    Examples
    --------
    Densities of width 0.04 and labels that scatter by 0.03 about the redshift, where the prior says 0.02:

    >>> from mixz.densities.grid import Grid
    >>> from mixz.truths import GaussianKernel, Labels, Truth
    >>> rng, grid, mag_ref = np.random.default_rng(1), Grid(np.linspace(0.4, 1.6, 61)), np.full(1000, 22.5)
    >>> middle = rng.uniform(0.8, 1.2, 1000)
    >>> z = middle + rng.normal(0, 0.04, 1000)
    >>> drawn = Labels(Truth("many_band", GaussianKernel(0.03)), z, mag_ref).draw(z, seed=2)
    >>> mass = np.exp(-((grid.z - middle[:, None]) ** 2) / (2 * 0.04**2))
    >>> labels = Labels(Truth("many_band", GaussianKernel(0.02)), drawn.z, mag_ref)
    >>> found = fit_densities(labels, mass / mass.sum(axis=1, keepdims=True), grid)[3]
    >>> bool(abs(found.width - 1.5) < 3 * found.width_error), bool(found.width_error < 0.15)
    (True, True)
    """

    def seen(some: Labels, which: Floats) -> Floats:
        return np.asarray(np.einsum("gz,gz->g", some.likelihood(grid), mass[which]), dtype=np.float64)

    return _fit(labels, seen, borders)


def _fit(labels: Labels, seen: Callable[[Labels, Any], Floats], borders: Sequence[float]) -> list[BinCorrection]:
    """The correction of every bin; `seen` says how likely the labels of some galaxies are."""
    which = np.searchsorted(borders, labels.mag_ref, side="right")
    found = []
    for number in range(len(borders) + 1):
        rows = np.flatnonzero((which == number) & np.isfinite(labels.z))
        if not rows.size:
            found.append(BinCorrection())
            continue
        correction = _fit_bin(labels.rows(rows), lambda some, rows=rows: seen(some, rows))  # type: ignore[misc]
        _require_likely(correction)
        found.append(correction)
    return found


def _require_likely(correction: BinCorrection) -> None:
    """Refuse what no labels of these galaxies would say."""
    if correction.outliers is not None and correction.outliers > MOST_SHARE:
        raise MixzError(
            f"{correction.outliers:.0%} of {correction.galaxies:,} labels are outliers of their kernel",
            f"at most {MOST_SHARE:.0%}",
            "name another kernel, or look for labels of other galaxies",
        )
    if abs(math.log(correction.width)) > 0.99 * REACH:
        more = "more" if correction.width > 1 else "less"
        raise MixzError(
            f"{correction.galaxies:,} labels are {correction.width:.2g} times as far off as in their kernel, or {more}",
            f"a factor between {math.exp(-REACH):g} and {math.exp(REACH):g}",
            "name another kernel, or look whether both columns hold the same redshifts",
        )


def _fit_bin(labels: Labels, seen: Callable[[Labels], Floats]) -> BinCorrection:
    from scipy.optimize import minimize
    from scipy.special import expit, logit

    prior = labels.truth.kernel
    s = _core_width(labels)
    f_0 = max(float(np.mean(prior.tail_share(labels.mag_ref))), LEAST_SHARE)

    def likely(width: float, share: float, offset: float) -> Floats:
        kernel = CorrectedKernel(prior, (), (width,), (share,), (offset,))
        return seen(replace(labels, truth=replace(labels.truth, kernel=kernel)))

    # Of outliers it does not matter whether they are a core's offset farther off.
    tail = likely(1.0, 1.0, 0.0)

    @cache
    def core(ln_w: float, shift: float) -> Floats:
        return likely(math.exp(ln_w), 0.0, shift * s)

    def surprise(at: Floats) -> float:
        ln_w, shift, logit_f = (float(x) for x in at)
        f = float(expit(logit_f))
        of_labels = np.log(np.maximum((1 - f) * core(ln_w, shift) + f * tail, TINY)).sum()
        of_share = SHARE_WEIGHT * (f_0 * math.log(f) + (1 - f_0) * math.log1p(-f))
        return -float(of_labels) + WIDTH_WEIGHT * ln_w**2 + OFFSET_WEIGHT * shift**2 / 2 - of_share

    # A coarse look first: far from the truth, outliers make likelihoods with several valleys.
    starts = [np.array([ln_w, 0.0, logit(f)]) for ln_w in np.linspace(-1.0, 1.0, 5) for f in {f_0, max(f_0, 0.05)}]
    bounds = [(-REACH, REACH), (-20.0, 20.0), (-12.0, 6.0)]
    # Likelihoods of densities are in single precision, too coarse for differences to be slopes.
    start = min(starts, key=surprise)
    simplex = start + np.vstack([np.zeros(3), np.diag(FIRST_STEPS)])
    best = minimize(
        surprise,
        start,
        method="Nelder-Mead",
        bounds=bounds,
        options={"initial_simplex": simplex, "xatol": 2e-3, "fatol": 2e-3},
    )
    ln_w, shift, logit_f = (float(x) for x in best.x)
    errors = _errors(surprise, best.x)
    w, f = math.exp(ln_w), float(expit(logit_f))
    scales = (w, s, f * (1 - f))
    w_error, mu_error, f_error = (e * scale if e is not None else None for e, scale in zip(errors, scales, strict=True))
    return BinCorrection(len(labels), w, w_error, f, f_error, shift * s, mu_error)


def _core_width(labels: Labels) -> float:
    """The width s of the prior's core in dz, from its height at a label that is right: 1 / (sqrt(2 pi) s)."""
    of_core = replace(labels, truth=replace(labels.truth, kernel=labels.truth.kernel.core))
    height = float(np.median(of_core.density(labels.z[:, None])[:, 0] * (1 + labels.z)))
    if height <= 0:  # a table that holds right labels impossible
        return of_core.truth.kernel.narrowest(labels.z_err)
    return 1 / (math.sqrt(2 * math.pi) * height)


def _errors(surprise: Callable[[Floats], float], at: Floats, step: float = 0.05) -> list[float | None]:
    """The widths of the posterior about its peak: roots of the diagonal of its inverse curvature."""
    n = len(at)
    steps = np.eye(n) * step
    bend = np.empty((n, n))
    for i in range(n):
        for j in range(i + 1):
            corners = [surprise(at + a * steps[i] + b * steps[j]) for a in (1, -1) for b in (1, -1)]
            bend[i, j] = bend[j, i] = (corners[0] - corners[1] - corners[2] + corners[3]) / (4 * step**2)
    if (np.linalg.eigvalsh(bend) <= 0).any():
        return [None] * n
    return [float(width) for width in np.sqrt(np.diag(np.linalg.inv(bend)))]
