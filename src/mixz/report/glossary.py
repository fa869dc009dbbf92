"""Every metric, estimate and interval in one sentence with its formula, for whoever hovers over its name."""

from __future__ import annotations

from dataclasses import dataclass


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
    best
        What a metric would be for perfect redshifts, or honest densities.
    """

    title: str
    sentence: str
    formula: str
    best: float = 0.0


TERMS: dict[str, Term] = {
    "bias": Term("bias", "How much too high (or low) redshifts come out in the middle of the sample.", "median(dz)"),
    "bias_biweight": Term(
        "bias (biweight)",
        "The bias by Tukey's biweight, which uses more of the galaxies than the median.",
        "M + Σ(dz−M)(1−u²)² / Σ(1−u²)², u = (dz−M) / 6 MAD",
    ),
    "sigma_mad": Term("σ_MAD", "The scatter of most galaxies, deaf to outliers.", "1.4826 · median|dz − median(dz)|"),
    "sigma_iqr": Term("σ_IQR", "The scatter of the middle half of the galaxies.", "(q75(dz) − q25(dz)) / 1.349"),
    "rms": Term("RMS", "The scatter of all galaxies, outliers included.", "√mean(dz²)"),
    "outlier_fraction": Term("outliers", "The share of galaxies that are far off.", "mean(|dz| > 0.15)"),
    "outlier_fraction_3sigma": Term(
        "outliers (3σ)",
        "The share of galaxies far off for this sample's own scatter.",
        "mean(|dz − median(dz)| > max(0.06, 3 σ_IQR))",
    ),
    "catastrophic_fraction": Term(
        "catastrophic", "The share of galaxies that are off by more than 1 in redshift.", "mean(|z_phot − z_ref| > 1)"
    ),
    "hsc_loss": Term(
        "HSC loss",
        "0 where a redshift is right, a half at the outlier limit, 1 where it is lost.",
        "mean(1 − 1 / (1 + (dz / 0.15)²))",
    ),
    "pit_ks": Term(
        "PIT KS", "How far the PIT of the densities is from uniform at its worst place.", "max|F_PIT(u) − u|"
    ),
    "pit_cvm": Term("PIT CvM", "How far the PIT is from uniform, summed up.", "n ∫(F_PIT(u) − u)² du + O(1/n)"),
    "pit_ad": Term(
        "PIT AD", "How far the PIT is from uniform, its ends counting most.", "n ∫(F_PIT(u) − u)² / (u (1−u)) du"
    ),
    "coverage_68": Term(
        "coverage 68 %", "The share of galaxies inside their central 68 % interval.", "mean(|PIT − ½| ≤ 0.34)", 0.68
    ),
    "coverage_90": Term(
        "coverage 90 %", "The share of galaxies inside their central 90 % interval.", "mean(|PIT − ½| ≤ 0.45)", 0.90
    ),
    "coverage_95": Term(
        "coverage 95 %", "The share of galaxies inside their central 95 % interval.", "mean(|PIT − ½| ≤ 0.475)", 0.95
    ),
    "coverage_hd_68": Term(
        "HD coverage 68 %", "The share of galaxies inside their densest 68 %.", "mean(credibility ≤ 0.68)", 0.68
    ),
    "coverage_hd_90": Term(
        "HD coverage 90 %", "The share of galaxies inside their densest 90 %.", "mean(credibility ≤ 0.90)", 0.90
    ),
    "coverage_hd_95": Term(
        "HD coverage 95 %", "The share of galaxies inside their densest 95 %.", "mean(credibility ≤ 0.95)", 0.95
    ),
    "crps": Term("CRPS", "How far the whole density is from the label, in redshift.", "mean ∫(F(z) − [z ≥ z_ref])² dz"),
    "cde_loss": Term(
        "CDE loss",
        "How well densities estimate the density of redshifts; more negative is better.",
        "mean(∫p(z)² dz − 2 p(z_ref))",
        float("-inf"),
    ),
    "log_score": Term(
        "log score", "How unlikely the density finds the label; lower is better.", "mean(−ln p(z_ref))", float("-inf")
    ),
    "interval_68": Term(
        "68 % interval",
        "The share of galaxies whose redshift is inside the conformal interval that promises 68 %.",
        "mean(z_low_68 ≤ z ≤ z_high_68)",
        0.68,
    ),
    "interval_90": Term(
        "90 % interval",
        "The share of galaxies whose redshift is inside the conformal interval that promises 90 %.",
        "mean(z_low_90 ≤ z ≤ z_high_90)",
        0.90,
    ),
    "interval_95": Term(
        "95 % interval",
        "The share of galaxies whose redshift is inside the conformal interval that promises 95 %.",
        "mean(z_low_95 ≤ z ≤ z_high_95)",
        0.95,
    ),
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
"""Every metric of `mixz.metrics`, every estimate of densities and every interval by its name."""


def term(metric: str) -> Term:
    """Look a metric up; one that is not here is called by its own name.

    Examples
    --------
    >>> term("rms").formula
    '√mean(dz²)'
    >>> term("new_metric").title
    'new metric'
    """
    return TERMS.get(metric) or Term(metric.replace("_", " "), "", "")
