"""Arrays in, numbers out: how good are photometric redshifts?  Knows numpy, scipy, and what labels say.

One name, one definition, after Nishizawa et al. 2020 (arXiv:2003.01511) and LSST's documents.
"""

from mixz.metrics.bins import PDF_BINS, POINT_BINS, Bin, bins_between
from mixz.metrics.bootstrap import Bootstrap, Difference, paired_difference, resample
from mixz.metrics.differences import summarize_differences
from mixz.metrics.judged import Estimates, Judged, judge
from mixz.metrics.label_noise import Corrected, TrueRedshifts, true_redshifts
from mixz.metrics.metric import METRICS, Metric, Requirement, pdf_metrics, point_metrics
from mixz.metrics.pdf import (
    cde_loss,
    coverage,
    credibility,
    crps,
    density_at,
    log_score,
    pit,
    pit_ad,
    pit_cvm,
    pit_ks,
    quantiles,
)
from mixz.metrics.pdf_summary import summarize_pdf
from mixz.metrics.places import Sample
from mixz.metrics.point import (
    PointMetric,
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
from mixz.metrics.residuals import Residuals
from mixz.metrics.scores import PdfScores, score
from mixz.metrics.summary import Correction, ratios, summarize, summarize_estimates
from mixz.metrics.verdict import Check, Lead, Verdict, verdicts

__all__ = [
    "METRICS",
    "PDF_BINS",
    "POINT_BINS",
    "Bin",
    "Bootstrap",
    "Check",
    "Corrected",
    "Correction",
    "Difference",
    "Estimates",
    "Judged",
    "Lead",
    "Metric",
    "PdfScores",
    "PointMetric",
    "Requirement",
    "Residuals",
    "Sample",
    "TrueRedshifts",
    "Verdict",
    "bias",
    "bias_biweight",
    "bins_between",
    "catastrophic_fraction",
    "cde_loss",
    "coverage",
    "credibility",
    "crps",
    "density_at",
    "hsc_loss",
    "judge",
    "log_score",
    "outlier_fraction",
    "outlier_fraction_3sigma",
    "paired_difference",
    "pdf_metrics",
    "pit",
    "pit_ad",
    "pit_cvm",
    "pit_ks",
    "point_metrics",
    "quantiles",
    "ratios",
    "resample",
    "rms",
    "scaled_residual",
    "score",
    "sigma_iqr",
    "sigma_mad",
    "summarize",
    "summarize_differences",
    "summarize_estimates",
    "summarize_pdf",
    "true_redshifts",
    "verdicts",
]
