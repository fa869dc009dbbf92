"""The distribution of photo-z residuals, unfolded from the error of the labels that they were measured with.

Seen is z_phot - z_label; wanted is u = (z_phot - z) / (1 + z) against the true redshift z.  Given a galaxy's z_phot,
u and z are one thing, z = (z_phot - u) / (1 + u), so that the label's density is an integral over u alone:

    p(z_label | z_phot, m) = int q(u | z_phot, m) K(z_label | z(z_phot, u), m) du

with m the reference magnitude.  This assumes that z_label is independent of z_phot given z and m (the label's error
knows nothing of ours), and nothing about the redshift distribution.  q is a mixture of fixed Gaussians in u whose
weights are a softmax of smooth functions of m and z_phot, fitted by penalised maximum likelihood: deconvolution by an
exponential family, as in Efron 2016 (Biometrika 103, 1).  The Gaussians, and the dependence on m and z_phot, are ours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.polynomial.legendre import legvander
from scipy.special import softmax

from mixz.metrics.products import product

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from mixz.metrics.point import Floats
    from mixz.truths.likelihood import Labels

# Ours, chosen on simulated surveys with known redshifts: a ridge on how the weights depend on m and z_phot.  Their
# means stay free; pulled together, the many outlier components would draw weight from nowhere.
RIDGE = 2.0
ITERATIONS = 300
CORE_WIDTHS = (0.25, 0.5, 1.0, 2.0, 4.0)
CORE_SHIFTS = (-1.0, 0.0, 1.0)
OUTLIER_CENTRES = np.concatenate([np.arange(-0.8, -0.15, 0.1), np.geomspace(0.2, 4.0, 12)])

# Cells in v = ln(1 + u), which is ln(1 + z_phot) - ln(1 + z): finest at 0, where residuals crowd (0.001), and a few
# hundredths of |v| wide beyond 0.02.  They reach every redshift up to 6 from every z_phot up to 6.
CELL_SCALE, CELL_COUNT, FARTHEST = 0.02, 240, 1.95
HIGHEST_Z = 6.0
CHUNK = 10_000


def residual_cells() -> tuple[Floats, Floats]:
    """The cells in u that densities live on: their centres, shape (cell,), and edges, shape (cell + 1,)."""
    t = np.linspace(-1, 1, 2 * CELL_COUNT + 1) * np.arcsinh(FARTHEST / CELL_SCALE)
    u = np.expm1(CELL_SCALE * np.sinh(t))
    return u[1::2], u[::2]


def true_redshift(u: ArrayLike, *, z_phot: ArrayLike) -> Floats:
    """The redshift (z_phot - u) / (1 + u) at which the residual of `z_phot` is `u`.

    Examples
    --------
    >>> round(float(true_redshift(0.1, z_phot=1.2)), 6)
    1.0
    """
    u = np.asarray(u, float)
    return np.asarray((np.asarray(z_phot, float) - u) / (1 + u))


def leads_to_redshift(z_phot: Floats) -> NDArray[np.bool_]:
    """Which cells of u lead from each z_phot to a redshift between 0 and 6, shape (galaxy, cell)."""
    z = true_redshift(residual_cells()[0], z_phot=z_phot[:, None])
    return np.asarray((z >= 0) & (z <= HIGHEST_Z))


def residual_likelihood(labels: Labels, *, z_phot: Floats) -> Floats:
    """K(z_label | z(z_phot, u)) in every cell of u, scaled to a largest value of 1 per galaxy; shape (galaxy, cell).

    Zero where u leads to no redshift between 0 and 6.  A galaxy whose label is impossible at every redshift gets 1
    everywhere: such a label says nothing.
    """
    u, _ = residual_cells()
    likelihood = np.zeros((len(z_phot), len(u)), np.float32)
    for start in range(0, len(z_phot), CHUNK):
        part = slice(start, start + CHUNK)
        z, possible = true_redshift(u, z_phot=z_phot[part, None]), leads_to_redshift(z_phot[part])
        of_label = labels.rows(part).density(np.clip(z, 0, HIGHEST_Z)) * possible
        best = of_label.max(axis=1, keepdims=True)
        likelihood[part] = np.where(best > 0, of_label / np.where(best > 0, best, 1), possible)
    return likelihood


def gaussians(*, centre: float, scatter: float) -> Floats:
    """The probability of each cell under each Gaussian of the mixture, shape (cell, component).

    A ladder of widths about `centre`, from a quarter of `scatter` (what is seen, labels' error included) to four
    times it, each also shifted by its width either way for skewed cores; and broad ones all over the range for
    outliers.  A density with narrower parts breaks up into spikes when noise is unfolded from it.
    """
    u, edges = residual_cells()
    width = np.diff(edges)
    # Below the cells' own size a width means nothing (labels without error, estimates without any).
    widths = np.maximum(scatter * np.asarray(CORE_WIDTHS), width.min())
    core = [(centre + shift * s, s) for s in widths for shift in CORE_SHIFTS]
    outliers = [(c, max(0.06, 0.15 * abs(c))) for c in OUTLIER_CENTRES]
    middle, sigma = np.array(core + outliers).T
    p = np.exp(-0.5 * ((u[:, None] - middle) / sigma) ** 2) * width[:, None]
    return np.asarray(p / p.sum(axis=0))


def fit_weights(likelihood: Floats, *, z_phot: Floats, mag_ref: Floats) -> Floats:
    """Fit the weights of the mixture by penalised maximum likelihood.

    max  sum_g log sum_a softmax_a(x_g W) L_ga - RIDGE/2 |W|^2,  x = polynomials in the ranks of m and z_phot

    Parameters
    ----------
    likelihood
        L, each label's likelihood under each component, shape (galaxy, component).

    Returns
    -------
    Array of shape (galaxy, component), rows adding up to 1.
    """
    # scipy.optimize takes half a second to load; whoever corrects nothing should not wait for it.
    from scipy.optimize import minimize

    x = _features(z_phot, mag_ref)
    shape = (x.shape[1], likelihood.shape[1])
    ridge = np.full((shape[0], 1), RIDGE)
    ridge[0] = 0
    scaled = likelihood / likelihood.max(axis=1, keepdims=True)

    def loss(flat: Floats) -> tuple[float, Floats]:
        w = flat.reshape(shape)
        prior = softmax(product(x, w), axis=1)
        posterior = prior * scaled
        total = posterior.sum(axis=1, keepdims=True)
        gradient = product(x.T, prior - posterior / total) + ridge * w
        return float(-np.log(total).sum() + (ridge * w * w).sum() / 2), gradient.ravel()

    found = minimize(loss, np.zeros(shape).ravel(), jac=True, method="L-BFGS-B", options={"maxiter": ITERATIONS})
    return np.asarray(softmax(product(x, found.x.reshape(shape)), axis=1))


def draw_residuals(p: Floats, *, seed: int) -> Floats:
    """Draw one u per galaxy from unnormalised cell probabilities `p`, shape (galaxy, cell), evenly inside a cell.

    Examples
    --------
    >>> _, edges = residual_cells()
    >>> first_only = np.eye(len(edges) - 1)[:1]
    >>> bool(edges[0] <= draw_residuals(first_only, seed=1)[0] <= edges[1])
    True
    """
    _, edges = residual_cells()
    rng = np.random.default_rng(seed)
    upper = np.cumsum(p, axis=1)
    target = (1 - rng.random(len(p))) * upper[:, -1]
    cell = np.minimum((upper < target[:, None]).sum(axis=1), p.shape[1] - 1)
    return np.asarray(edges[cell] + rng.random(len(p)) * np.diff(edges)[cell])


def _features(z_phot: Floats, mag_ref: Floats) -> Floats:
    """1, two powers of m, three of z_phot and their product, in ranks on [-1, 1], shape (galaxy, feature)."""
    m, z = (legvander(_ranks(a), 3) for a in (mag_ref, z_phot))
    return np.column_stack([m[:, :3], z[:, 1:], m[:, 1] * z[:, 1]])


def _ranks(values: Floats) -> Floats:
    """Each value's rank between -1 and 1, equal ones the mean of theirs; NaN counts as the largest."""
    ordered = np.sort(values)
    both = np.searchsorted(ordered, values, "left") + np.searchsorted(ordered, values, "right")
    return np.asarray(both / len(values) - 1)
