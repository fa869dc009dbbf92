"""How far labels are really off, by galaxies that also have an exact label: one scale, or corrections by magnitude."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mixz.errors import MixzError
from mixz.truths.by_magnitude import MAG_BORDERS, corrected_kernel, fit_pairs
from mixz.truths.likelihood import Labels

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike

    from mixz.arrays import Floats
    from mixz.galaxies import GalaxySet
    from mixz.truths.truth import Truths

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


def fit_scale(labels: Labels, *, z: ArrayLike) -> KernelScale:
    """The scale s that makes labels most likely: argmax sum ln K_s(z_label | z), K_s = `kernel.scaled(s)`.

    Parameters
    ----------
    labels
        Labels of galaxies whose redshift is known; their truth's kernel is that of scale 1.
    z
        The redshifts, shape (galaxy,).

    Raises
    ------
    MixzError
        There are too few galaxies, or no scale within reach is the most likely.

    Examples
    --------
    >>> from mixz.truths import GaussianKernel, Truth
    >>> z, mag_ref = np.full(2000, 1.0), np.full(2000, 22.0)
    >>> labels = Labels(Truth("many_band", GaussianKernel(0.03)), z, mag_ref).draw(z, seed=1)
    >>> found = fit_scale(Labels(Truth("many_band", GaussianKernel(0.01)), labels.z, mag_ref), z=z)
    >>> bool(abs(found.scale - 3) < 3 * found.error), round(found.error, 2)
    (True, 0.05)
    """
    from scipy.optimize import minimize_scalar

    if len(labels) < LEAST_PAIRS:
        raise MixzError(
            f"only {len(labels):,} galaxies to learn from have this label and an exact one",
            f"{LEAST_PAIRS} or more",
            "set learn_scale: false, and give `scale` if it is known",
        )
    redshift = np.asarray(z, dtype=np.float64)[:, None]

    def surprise(ln_scale: float) -> float:
        scaled = replace(labels, truth=labels.truth.scaled(float(np.exp(ln_scale))))
        return -float(np.log(np.maximum(scaled.density(redshift), LEAST_DENSITY)).sum())

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
    return KernelScale(scale, scale / math.sqrt(bend) if bend > 0 else math.inf, len(labels))


def learned_scales(truths: Truths, pairs: Mapping[str, GalaxySet], *, ref_band: str) -> dict[str, dict[str, Any]]:
    """The scales of some truths' kernels, learned from galaxies that have an exact label too.

    Parameters
    ----------
    truths
        What is known of the labels; a simulation's own truth teaches nothing.
    pairs
        By the name of each truth whose scale is to be learned, the galaxies to learn it from.
    ref_band
        The band whose magnitude says how wrong labels are.

    Returns
    -------
    dict
        Per truth the fields of its `KernelScale`.

    Raises
    ------
    MixzError
        A truth's scale cannot be learned.
    """
    scales = {}
    for name, galaxies in pairs.items():
        labels, z = _with_both(truths, name, galaxies, ref_band)
        try:
            found = fit_scale(labels, z=z)
        except MixzError as error:
            raise MixzError(f"truths.{name}, learn_scale: {error.given}", error.allowed, error.do) from None
        scales[name] = {field: round(value, 4) for field, value in asdict(found).items()}
    return scales


def learned_corrections(truths: Truths, pairs: Mapping[str, GalaxySet], *, ref_band: str) -> dict[str, dict[str, Any]]:
    """The corrections of some truths' kernels per bin of magnitude, learned from galaxies that have an exact label too.

    Parameters
    ----------
    truths, pairs, ref_band
        As of `learned_scales`.

    Returns
    -------
    dict
        Per truth the `borders` of its bins, and per bin the fields of its `BinCorrection`.

    Raises
    ------
    MixzError
        No galaxy has both labels, or a truth's labels are more often wrong than right.
    """
    corrections = {}
    for name, galaxies in pairs.items():
        labels, z = _with_both(truths, name, galaxies, ref_band)
        if not len(labels):
            raise MixzError(
                f"truths.{name}, learn_kernel: no galaxy has this label and an exact one",
                "galaxies with both",
                "set learn_kernel: false, or name a table that has both as learn_from",
            )
        try:
            found = fit_pairs(labels, z=z)
        except MixzError as error:
            raise MixzError(f"truths.{name}, learn_kernel: {error.given}", error.allowed, error.do) from None
        corrections[name] = {"borders": [*MAG_BORDERS], "bins": [correction.as_record() for correction in found]}
    return corrections


def as_learned(truths: Truths, scales: Mapping[str, Any], corrections: Mapping[str, Any]) -> Truths:
    """The truths with what `learned_scales` and `learned_corrections` found of their kernels."""
    kernels = {
        name: corrected_kernel(truths[name].kernel, found["bins"], found["borders"])
        for name, found in corrections.items()
    }
    return truths.scaled({name: found["scale"] for name, found in scales.items()}).with_kernels(kernels)


def _with_both(truths: Truths, name: str, galaxies: GalaxySet, ref_band: str) -> tuple[Labels, Floats]:
    """The labels of galaxies that also have an exact one, which is not a simulation's own truth, and that one."""
    z, _ = galaxies.reference([t for t in truths.exact if t in galaxies.truths and not truths[t].simulated])
    both = np.isfinite(z) & galaxies.has(name)
    return Labels.of(galaxies.rows(both), truths[name], ref_band=ref_band), np.asarray(z[both])
