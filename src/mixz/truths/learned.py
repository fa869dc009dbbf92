"""How far labels are really off: the scale of an error kernel, from galaxies that also have an exact label."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mixz.errors import MixzError
from mixz.truths.known import exact_truths

if TYPE_CHECKING:
    from mixz.arrays import Floats
    from mixz.galaxies import GalaxySet
    from mixz.settings.config import Config
    from mixz.truths.kernel import Kernel

LEAST_PAIRS = 50
"""Galaxies with both labels from which on a scale is learned: its error is then some 10 % (ours)."""
LEAST_DENSITY = 1e-3
"""What every label counts as likely at least, per unit redshift, so that a few outliers do not widen a kernel that has
no room for them (ours)."""
REACH = 10.0
"""Scales between 1 / this and this are believed."""


@dataclass(frozen=True)
class KernelScale:
    """A kernel's scale: labels are `scale` times as far off as it says.

    Parameters
    ----------
    scale, error
        The most likely scale, and the width of its likelihood.
    pairs
        How many galaxies it was learned from.
    """

    scale: float
    error: float
    pairs: int


def fit_scale(kernel: Kernel, *, z_label: Floats, z: Floats, mag_i: Floats, z_err: Floats | None = None) -> KernelScale:
    """Find the scale s that makes labels most likely: argmax sum ln K_s(z_label | z), K_s = `kernel.scaled(s)`.

    Parameters
    ----------
    kernel
        The kernel at scale 1.
    z_label, z, mag_i
        Labels, redshifts and i magnitudes of galaxies whose redshift is known, shape (galaxy,).
    z_err
        How far each label's own 68 % interval reaches below and above it, shape (galaxy, 2).

    Raises
    ------
    MixzError
        There are too few galaxies, or no scale within reach is the most likely.

    Examples
    --------
    >>> from mixz.truths.gaussian import GaussianKernel
    >>> z = np.full(2000, 1.0)
    >>> label = GaussianKernel(0.03).draw(z, mag_i=22, seed=1)
    >>> found = fit_scale(GaussianKernel(0.01), z_label=label, z=z, mag_i=np.full(2000, 22.0))
    >>> bool(abs(found.scale - 3) < 3 * found.error), round(found.error, 2)
    (True, 0.05)
    """
    from scipy.optimize import minimize_scalar

    if len(z) < LEAST_PAIRS:
        raise MixzError(
            f"only {len(z):,} training galaxies have this label and an exact one",
            f"{LEAST_PAIRS} or more",
            "set learn_scale: false, and give `scale` if it is known",
        )

    def surprise(ln_scale: float) -> float:
        p = kernel.scaled(float(np.exp(ln_scale))).density(z_label=z_label, z=z, mag_i=mag_i, z_err=z_err)
        return -float(np.log(np.maximum(p, LEAST_DENSITY)).sum())

    # A coarse look first: far from the truth, outliers make likelihoods with several valleys.
    tried = np.linspace(-np.log(REACH), np.log(REACH), 25)
    best = int(np.argmin([surprise(ln_scale) for ln_scale in tried]))
    if best in (0, len(tried) - 1):
        raise MixzError(
            f"the labels are {np.exp(tried[best]):.2g} times as far off as their kernel says, or still more",
            f"a factor between {1 / REACH:g} and {REACH:g}",
            "name another kernel, or look for labels of other galaxies",
        )
    found = minimize_scalar(surprise, bounds=(tried[best - 1], tried[best + 1]), method="bounded")
    step = 0.05
    bend = (surprise(found.x - step) - 2 * found.fun + surprise(found.x + step)) / step**2
    scale = float(np.exp(found.x))
    return KernelScale(scale, scale / math.sqrt(bend) if bend > 0 else math.inf, len(z))


def learned_scales(config: Config, galaxies: GalaxySet) -> dict[str, dict[str, Any]]:
    """Learn the scale of every kernel that is to be learned, from the training galaxies.

    Raises
    ------
    MixzError
        A truth's scale cannot be learned.
    """
    settings, kernels = config.truth_settings(), config.kernels()
    exact = [t for t in exact_truths(kernels) if t in galaxies.truths and not settings[t].simulated]
    mag_i = galaxies.mag[:, galaxies.bands.index(config.ref_band)].astype(float)
    scales = {}
    for truth in (t for t in galaxies.truths if settings[t].learn_scale):
        z, _ = galaxies.reference(exact)
        both = np.isfinite(z) & galaxies.has(truth) & (galaxies.split == "train")
        z_err = galaxies.z_err[truth][both] if truth in galaxies.z_err else None
        try:
            found = fit_scale(
                kernels[truth], z_label=galaxies.z[truth][both], z=z[both], mag_i=mag_i[both], z_err=z_err
            )
        except MixzError as error:
            raise MixzError(f"truths.{truth}, learn_scale: {error.given}", error.allowed, error.do) from None
        scales[truth] = {name: round(value, 4) for name, value in asdict(found).items()}
    return scales
