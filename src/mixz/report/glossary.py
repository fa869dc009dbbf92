"""Every metric, estimate and interval in one sentence with its formula, for whoever hovers over its name."""

from __future__ import annotations

from dataclasses import dataclass

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


ESTIMATES = {
    "zmode": Term("zmode", "The redshift where the density is highest.", "argmax p(z)"),
    "zmean": Term("zmean", "The mean of the density, of the least expected (z_phot − z)².", "∫z p(z) dz"),
    "zmedian": Term("zmedian", "The redshift that half of the density lies below.", "F(z) = ½"),
    "zbest": Term(
        "zbest",
        "The redshift of the least expected HSC loss: z_phot wherever a recipe gives densities.",
        "argmin ∫L(z_phot, z) p(z) dz",
    ),
    "zrms": Term("zrms", "The redshift of the least expected dz².", "∫z p(z) / (1+z)² dz / ∫p(z) / (1+z)² dz"),
}

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
    return metrics | INTERVALS | ESTIMATES
