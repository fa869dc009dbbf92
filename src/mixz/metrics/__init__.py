"""Arrays in, numbers out: how good are photometric redshifts?  Knows numpy and scipy only.

One name, one definition, after Nishizawa et al. 2020 (arXiv:2003.01511) and LSST's documents.
"""

from mixz.metrics.point import (
    POINT_METRICS,
    bias,
    bias_biweight,
    catastrophic_fraction,
    hsc_loss,
    outlier_fraction,
    outlier_fraction_3sigma,
    rms,
    scaled_residual,
    sigma_iqr,
    sigma_mad,
)
from mixz.metrics.requirements import REQUIREMENTS, Requirement
from mixz.metrics.summary import Sample, ratios, summarize

__all__ = [
    "POINT_METRICS",
    "REQUIREMENTS",
    "Requirement",
    "Sample",
    "bias",
    "bias_biweight",
    "catastrophic_fraction",
    "hsc_loss",
    "outlier_fraction",
    "outlier_fraction_3sigma",
    "ratios",
    "rms",
    "scaled_residual",
    "sigma_iqr",
    "sigma_mad",
    "summarize",
]
