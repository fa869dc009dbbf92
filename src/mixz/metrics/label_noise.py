"""Point metrics against the true redshift, judged from noisy labels whose error kernel is known.

A photo-z judged on many-band labels looks worse than it is, since the label's own error is counted as its.  Here the
true redshifts are drawn, several times over, from what the label, the estimate and the kernel together say of them:

    p(z | z_label, z_phot, m)  proportional to  K(z_label | z, m) p(z | z_phot, m)

with m the reference magnitude.  Any metric, over any bin or range of redshift, is then taken against the drawn
redshifts.  To draw from K(z_label | z, m) n(z) alone would be wrong: z_phot knows about z too, and leaving it out adds
the label's error a second time.  p(z | z_phot, m) is what `residual_model` unfolds from all galaxies together.

The whole procedure is then tried on surveys simulated from its own result (a parametric bootstrap): how far it lands
from the redshifts that were simulated is its error, together with how far the result moves when the residuals are
taken to be smoother.  All this is ours.  It is right where

- the label's error is independent of the photo-z's, given z and m.  Labels whose many bands include the photo-z's own
  share some of their noise, which is then taken for a good photo-z;
- the kernel is right: where it overstates the labels' error the photo-z comes out too good;
- the sample is not cut in the label.  Cut in z afterwards, through the draws.

Where the label's error is twice the photo-z's or more, sigma_mad hangs on the assumed smoothness of the residuals.  On
12 simulated surveys of 3000 galaxies with COSMOS2020's kernel, with label errors from three times to a third of the
photo-z's, `error` was right for bias, sigma_mad, outlier_fraction and hsc_loss (pulls of rms 0.9 to 1.1), and half of
what it should be for rms and catastrophic_fraction, which hang on a few galaxies' places in the label's far tail.
`mixz.metrics.summarize` adds the error from resampling the galaxies together with their draws.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from mixz.metrics.point import bias, sigma_mad
from mixz.metrics.products import cores, product
from mixz.metrics.residual_model import (
    HIGHEST_Z,
    draw_residuals,
    fit_weights,
    gaussians,
    leads_to_redshift,
    residual_likelihood,
    true_redshift,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike

    from mixz.metrics.point import Floats
    from mixz.truths.likelihood import Labels

SMOOTHER = 2**0.5
FEWEST = 300
"""Fewer galaxies do not tell the shape of a residual distribution (ours)."""


@dataclass(frozen=True, eq=False)
class Corrected:
    """A metric against the labels (`raw`), and against the true redshifts with its standard error, of its shape."""

    raw: Floats
    value: Floats
    error: Floats


@dataclass(frozen=True, eq=False)
class TrueRedshifts:
    """Draws of the redshifts behind noisy labels, and the same from surveys simulated to test the drawing.

    Parameters
    ----------
    z_label
        The labels, shape (galaxy,).
    z_draws
        Draws of the true redshifts, shape (draw, galaxy).
    smoother
        Such draws where the parts of the residuals' distribution may only be sqrt(2) times as wide.
    trials
        Per simulated survey its true redshifts, shape (galaxy,), and their draws, shape (draw, galaxy).
    """

    z_label: Floats
    z_draws: Floats
    smoother: Floats
    trials: tuple[tuple[Floats, Floats], ...]

    def correct(self, metric: Callable[[Floats], ArrayLike]) -> Corrected:
        """Estimate a metric against the true redshifts.

        With < > the mean over draws,

            value = <metric(z_draws)>,  error^2 = mean over trials (<metric(z_draws)> - metric(z))^2
                                                  + (<metric(smoother)> - value)^2

        so that the error holds the scatter and the bias of the procedure, and what it owes to its assumptions.

        Parameters
        ----------
        metric
            Takes redshifts of all galaxies, shape (galaxy,), and gives a number or several; may cut on them.
        """
        value = _mean(metric, self.z_draws)
        off = [_mean(metric, draws) - np.asarray(metric(z)) for z, draws in self.trials]
        error = np.full(value.shape, np.nan)
        if off:
            error = np.hypot(np.sqrt(np.mean(np.square(off), axis=0)), _mean(metric, self.smoother) - value)
        return Corrected(np.asarray(metric(self.z_label), float), value, np.asarray(error))


def _mean(metric: Callable[[Floats], ArrayLike], z_draws: Floats) -> Floats:
    return np.asarray(np.mean([np.asarray(metric(z), float) for z in z_draws], axis=0))


def true_redshifts(labels: Labels, *, z_phot: ArrayLike, seed: int, draws: int = 8, trials: int = 10) -> TrueRedshifts:
    """Draw the true redshifts behind noisy labels, given how wrong they are and the estimates to be judged.

    Parameters
    ----------
    labels
        The labels, finite.
    z_phot
        Point estimates of the same galaxies, shape (galaxy,), finite.
    draws
        Draws per galaxy.
    trials
        Surveys to simulate for the error; 0 for none.  They take nearly all the time: a second each for 2000 galaxies.

    Raises
    ------
    ValueError
        Shapes differ, values are not finite, or galaxies are too few (300).

    Examples
    --------
    A photo-z with an error of 0.03 (1 + z) on labels with an error of 0.04 (1 + z):

    >>> from mixz.truths import GaussianKernel, Labels, Truth
    >>> rng = np.random.default_rng(1)
    >>> z = rng.uniform(0.2, 1.5, 1000)
    >>> z_phot = z + 0.03 * (1 + z) * rng.standard_normal(1000)
    >>> labels = Labels(Truth("many_band", GaussianKernel(0.04)), z, np.full(1000, 22.0)).draw(z, seed=2)
    >>> drawn = true_redshifts(labels, z_phot=z_phot, seed=3, trials=2)
    >>> found = drawn.correct(lambda z_ref: sigma_mad(z_phot=z_phot, z_ref=z_ref))
    >>> found.raw.round(2), found.value.round(2), bool(found.error < 0.01)
    (np.float64(0.05), np.float64(0.03), True)
    """
    seen = _Seen(np.asarray(z_phot, float), labels, draws)
    own, *others = np.random.SeedSequence(seed).spawn(trials + 1)
    prior, z_draws = seen.unfold(own)

    def smoother() -> Floats:
        return seen.unfold(own, smoothing=SMOOTHER)[1]

    def trial(its: np.random.SeedSequence) -> tuple[Floats, Floats]:
        z, simulated = seen.simulate(prior, its)
        return z, simulated.unfold(its)[1]

    with ThreadPoolExecutor(cores()) as pool:
        smooth, tried = pool.submit(smoother), pool.map(trial, others)
        return TrueRedshifts(labels.z, z_draws, smooth.result(), tuple(tried))


@dataclass(frozen=True, eq=False)
class _Seen:
    """What is known of the galaxies, their estimates of shape (galaxy,), and how many redshifts to draw of each."""

    z_phot: Floats
    labels: Labels
    draws: int

    def __post_init__(self) -> None:
        if self.z_phot.shape != self.labels.z.shape:
            shapes = self.z_phot.shape, self.labels.z.shape
            raise ValueError(f"z_phot and labels have shapes {shapes}; they must be the same galaxies")
        if not np.isfinite([self.z_phot, self.labels.z]).all():
            raise ValueError("z_phot and labels must be finite; leave other galaxies out first")
        if len(self.z_phot) < FEWEST:
            raise ValueError(f"{len(self.z_phot)} galaxies; at least {FEWEST} are needed to unfold the labels' error")

    @cached_property
    def likelihood(self) -> Floats:
        """K(z_label | z) wherever a residual leads, shape (galaxy, cell)."""
        return residual_likelihood(self.labels, z_phot=self.z_phot)

    def unfold(self, seed: np.random.SeedSequence, *, smoothing: float = 1.0) -> tuple[Floats, Floats]:
        """q(u | z_phot, m) wherever u is possible, shape (galaxy, cell), and draws of z, shape (draw, galaxy)."""
        residual = {"z_phot": self.z_phot, "z_ref": self.labels.z}
        cells = gaussians(centre=bias(**residual), scatter=sigma_mad(**residual) * smoothing)
        prior = product(
            fit_weights(product(self.likelihood, cells), z_phot=self.z_phot, mag_ref=self.labels.mag_ref), cells.T
        )
        prior *= leads_to_redshift(self.z_phot)
        drawn = [draw_residuals(prior * self.likelihood, seed=s) for s in seed.generate_state(self.draws + 2)[2:]]
        return prior, true_redshift(np.stack(drawn), z_phot=self.z_phot)

    def simulate(self, prior: Floats, seed: np.random.SeedSequence) -> tuple[Floats, _Seen]:
        """Draw true redshifts from q, and labels of them."""
        first, second = (int(s) for s in seed.generate_state(2))
        z = true_redshift(draw_residuals(prior, seed=first), z_phot=self.z_phot)
        z = np.clip(z, 0, HIGHEST_Z)  # a cell may straddle the edge
        return z, replace(self, labels=self.labels.draw(z, seed=second))
