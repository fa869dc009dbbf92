"""Mean and width of every bin against the DESC SRD: met, missed, or not to be tested with these labels.

What is judged is how far a method's mean (or width) lies from the reference's, d, against the limit l (1 + z):

    met        |d| + 2 e <= l (1 + z)
    missed     |d| - 2 e >  l (1 + z)
    untested   all else

with e the standard error of d: over resamples that draw the same galaxies for both, so that what both have in common
does not count.  The reference is the true n(z) of simulated galaxies; of observed ones `both`, which stands on labels,
so that an error that these share with it is not seen.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from mixz.tomography.answers import BOTH, METHODS, TRUTH
from mixz.tomography.nz import moments
from mixz.tomography.requirements import MEAN, requirements

if TYPE_CHECKING:
    from mixz.tomography.answers import BinEstimates, Tomography
    from mixz.tomography.nz import NofZ
    from mixz.tomography.requirements import SrdRequirement

Outcome = Literal["met", "missed", "cannot be tested"]
UNTESTED: Outcome = "cannot be tested"
SURE = 2.0
"""Standard errors that a verdict must stand off the limit: 95 % (ours)."""


@dataclass(frozen=True)
class BinVerdict:
    """One requirement on one method's answer for one bin.

    Parameters
    ----------
    bin, method
        Whose answer.
    requirement
        What is asked.
    value, error
        How far it is from the reference, and the standard error of that, in units of (1 + z).
    outcome
        ``met``, ``missed`` or ``cannot be tested``.
    why
        Why it cannot be tested; or what the reference was.
    needed
        Labels needed for a test, by their scatter and number today; NaN where that says nothing.
    """

    bin: str
    method: str
    requirement: SrdRequirement
    value: float
    error: float
    outcome: Outcome
    why: str
    needed: float = math.nan


def bin_verdicts(tomography: Tomography) -> list[BinVerdict]:
    """Every requirement on every method's answer for every bin, in this order of bins."""
    asked = requirements(tomography.bins.sample)
    return [
        _judged(one, method, requirement)
        for one in tomography.each
        for method in METHODS
        for requirement in asked
        if method in one.nz or method in one.why_not
    ]


def compared_with(found: BinEstimates) -> str:
    """The method that the others are compared with: the truth where known, else `both`; empty without either."""
    return next((method for method in (TRUTH, BOTH) if method in found.nz), "")


def offset(nz: NofZ, reference: NofZ, quantity: str) -> tuple[float, float]:
    """How far a mean (or width) is from the reference's, and its error, in units of (1 + z).

    Examples
    --------
    >>> from mixz.densities.grid import Grid
    >>> from mixz.tomography.nz import NofZ
    >>> grid = Grid(np.linspace(0, 2, 5))
    >>> low, high = NofZ(grid, [0, 1, 0, 0, 0]), NofZ(grid, [0, 0, 1, 0, 0])
    >>> offset(high, low, "mean")[0].__round__(3)
    0.333
    """
    of = 0 if quantity == MEAN else 1
    unit = 1 + reference.mean
    values = (nz.mean - reference.mean, nz.width - reference.width)
    apart = math.nan
    if len(nz.resampled) > 1 and len(nz.resampled) == len(reference.resampled):
        many = moments(nz.resampled, nz.grid)[:, of] - moments(reference.resampled, reference.grid)[:, of]
        apart = float(np.std(many, ddof=1))
    return values[of] / unit, apart / unit


def _judged(found: BinEstimates, method: str, requirement: SrdRequirement) -> BinVerdict:
    def untested(why: str, error: float = math.nan) -> BinVerdict:
        return BinVerdict(found.name, method, requirement, math.nan, error, UNTESTED, why)

    if method not in found.nz:
        return untested(found.why_not[method])
    compared = compared_with(found)
    if not compared:
        return untested(f"there is no reference: {found.why_not.get(BOTH, 'no labels')}")
    nz, reference = found.nz[method], found.nz[compared]
    of = 0 if requirement.quantity == MEAN else 1
    if method == compared:
        error = float(reference.error[of]) / (1 + reference.mean)
        return untested("it is the reference: nothing here tells its own error but its scatter", error)
    value, error = offset(nz, reference, requirement.quantity)
    if math.isnan(error):
        return untested("its error is not known: ask for 2 resamples or more")
    outcome: Outcome = UNTESTED
    if abs(value) + SURE * error <= requirement.limit:
        outcome = "met"
    elif abs(value) - SURE * error > requirement.limit:
        outcome = "missed"
    why, needed = f"against {compared}", math.nan
    if outcome == UNTESTED:
        # To settle it, the error must shrink to the way that is left to the limit, as 1 / sqrt(labels).
        labels = found.labels.get(compared, found.labels.get(method, float(found.galaxies)))
        room = max(abs(requirement.limit - abs(value)), requirement.limit / 10) / SURE
        needed = labels * (error / room) ** 2
        why = f"{why} known to {error:.4f} (1 + z) only: {labels:,.0f} labels where about {needed:,.0f} are needed"
    return BinVerdict(found.name, method, requirement, value, error, outcome, why, needed)


def label_floor(nz: NofZ, labels: float) -> float:
    """How well so many labels can tell the mean at best, in units of (1 + z): width / sqrt(labels).

    Examples
    --------
    >>> from mixz.densities.grid import Grid
    >>> from mixz.tomography.nz import NofZ
    >>> round(label_floor(NofZ(Grid([0.0, 0.5, 1.0, 1.5, 2.0]), [0, 0.25, 0.5, 0.25, 0]), 2500), 4)
    0.0035
    """
    return nz.width / math.sqrt(labels) / (1 + nz.mean) if labels > 0 else math.inf
