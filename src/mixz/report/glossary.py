"""Every metric, estimate and interval in one sentence with its formula, for whoever hovers over its name."""

from __future__ import annotations

from dataclasses import dataclass

from mixz.densities.estimates import ESTIMATES
from mixz.metrics.metric import LEVELS, METRICS


@dataclass(frozen=True)
class Term:
    """What a metric (or an estimate) is called in a report, what it says, and its formula.

    Parameters
    ----------
    title
        Its name in a heading.
    sentence
        What it says.
    formula
        Its definition, dz being (z_phot - z_ref) / (1 + z_ref).
    """

    title: str
    sentence: str
    formula: str


INTERVALS = {
    f"interval_{level}": Term(
        f"{level} % interval",
        f"The share of galaxies whose redshift is inside the conformal interval that promises {level} %.",
        f"mean(z_low_{level} ≤ z ≤ z_high_{level})",
    )
    for level in LEVELS
}


def terms() -> dict[str, Term]:
    """Every metric, interval and estimate of densities by its name.

    Examples
    --------
    >>> terms()["rms"].formula
    '√mean(dz²)'
    """
    metrics = {name: Term(m.title, m.sentence, m.formula) for name, m in METRICS.items()}
    points = {name: Term(name, _sentence(one.about), one.formula) for name, one in ESTIMATES.items()}
    return metrics | INTERVALS | points


def _sentence(about: str) -> str:
    return f"The {about}."
