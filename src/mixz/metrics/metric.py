"""Every metric in one table: what it is called, what it says, what is asked of it, where it is shown.

To add a metric is to add an entry to `METRICS`: records, tables in the terminal, in Markdown, on the page and in model
cards, plots, and explanations are made from the table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mixz.metrics import pdf, point

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from mixz.metrics.point import PointMetric
    from mixz.metrics.scores import PdfScores

    OfScores = Callable[[PdfScores], float]


@dataclass(frozen=True)
class Requirement:
    """An upper limit on the absolute value of a metric, and where it is written.

    Examples
    --------
    >>> r = METRICS["bias"].requirement
    >>> r.limit, r.passes(-0.002), round(r.margin(-0.002), 4)
    (0.003, True, 0.001)
    """

    limit: float
    source: str

    def margin(self, value: float) -> float:
        """How far |value| is below the limit: positive when met."""
        return self.limit - abs(value)

    def passes(self, value: float) -> bool | None:
        """Whether |value| is below the limit; None where there is no value."""
        return None if np.isnan(value) else self.margin(value) > 0


@dataclass(frozen=True)
class Metric:
    """A metric: its definition, what it is called and says, what LSST asks of it, and where it is shown.

    Parameters
    ----------
    name
        Its name in records and in Python.
    of
        What computes it: a `PointMetric`, or for metrics of densities a function of `PdfScores`.
    title
        Its name in a heading.
    sentence
        What it says.
    formula
        Its definition, dz being (z_phot - z_ref) / (1 + z_ref).
    best
        What it would be for perfect redshifts, or honest densities.
    requirement
        What LSST asks of it.
    in_tables, in_plots
        Whether it is a column of every table of metrics, and a plot of the report; every metric is in the records.
    of_square
        It averages squared residuals, which a density's estimate of the least expected dz^2 serves best.
    asks_honesty
        It asks only whether densities are honest, whatever their width: tables say what an honest one has.
    """

    name: str
    of: PointMetric | OfScores
    title: str
    sentence: str
    formula: str
    best: float = 0.0
    requirement: Requirement | None = None
    in_tables: bool = False
    in_plots: bool = False
    of_square: bool = False
    asks_honesty: bool = False


# `bias` and `rms` are LSST's own quantities; the 3-sigma outliers are its "catastrophic" ones; its sigma_z is
# read as sigma_mad and its outliers as |dz| > 0.15, which is our reading where the note gives no formula.
SRD = "LSST SRD (LPM-17 sec. 2.1, in DMTN-049): i < 25, 0.3 < z_phot < 3.0"
MINIMUM = "Rubin object-catalogue minimum (DMTN-049): i < 25, z_phot < 2"

LEVELS = (68, 90, 95)
"""The probabilities of intervals whose coverage is counted, in per cent."""


def _mean(values: NDArray[Any]) -> float:
    return float(values.mean()) if values.size else float("nan")


def _coverage(level: int) -> tuple[Metric, Metric]:
    """The coverage of central intervals and of highest-density regions of one probability, in per cent."""
    share = level / 100
    central = Metric(
        f"coverage_{level}",
        lambda s: pdf.coverage(s.pit, level=share),
        f"in {level} %",
        f"The share of galaxies inside their central {level} % interval.",
        f"mean(|PIT − ½| ≤ {share / 2:g})",
        best=share,
        in_tables=True,
        asks_honesty=True,
    )
    densest = Metric(
        f"coverage_hd_{level}",
        lambda s: _mean(s.credibility <= share),
        f"in densest {level} %",
        f"The share of galaxies inside their densest {level} %.",
        f"mean(credibility ≤ {share:.2f})",
        best=share,
        asks_honesty=True,
    )
    return central, densest


_CENTRAL, _DENSEST = zip(*map(_coverage, LEVELS), strict=True)

METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric(
            "bias",
            point.bias,
            "bias",
            "How much too high (or low) redshifts come out in the middle of the sample.",
            "median(dz)",
            requirement=Requirement(0.003, SRD),
            in_tables=True,
            in_plots=True,
        ),
        Metric(
            "bias_biweight",
            point.bias_biweight,
            "bias (biweight)",
            "The bias by Tukey's biweight, which uses more of the galaxies than the median.",
            "M + Σ(dz−M)(1−u²)² / Σ(1−u²)², u = (dz−M) / 6 MAD",
        ),
        Metric(
            "sigma_mad",
            point.sigma_mad,
            "σ_MAD",
            "The scatter of most galaxies, deaf to outliers.",
            "1.4826 · median|dz − median(dz)|",
            requirement=Requirement(0.05, MINIMUM),
            in_tables=True,
            in_plots=True,
        ),
        Metric(
            "sigma_iqr",
            point.sigma_iqr,
            "σ_IQR",
            "The scatter of the middle half of the galaxies.",
            "(q75(dz) − q25(dz)) / 1.349",
        ),
        Metric(
            "rms",
            point.rms,
            "RMS",
            "The scatter of all galaxies, outliers included.",
            "√mean(dz²)",
            requirement=Requirement(0.02, SRD),
            in_tables=True,
            in_plots=True,
            of_square=True,
        ),
        Metric(
            "outlier_fraction",
            point.outlier_fraction,
            "outliers",
            "The share of galaxies that are far off.",
            "mean(|dz| > 0.15)",
            requirement=Requirement(0.10, MINIMUM),
            in_tables=True,
            in_plots=True,
        ),
        Metric(
            "outlier_fraction_3sigma",
            point.outlier_fraction_3sigma,
            "outliers (3σ)",
            "The share of galaxies far off for this sample's own scatter.",
            "mean(|dz − median(dz)| > max(0.06, 3 σ_IQR))",
            requirement=Requirement(0.10, SRD),
        ),
        Metric(
            "catastrophic_fraction",
            point.catastrophic_fraction,
            "catastrophic",
            "The share of galaxies that are off by more than 1 in redshift.",
            "mean(|z_phot − z_ref| > 1)",
            in_tables=True,
        ),
        Metric(
            "hsc_loss",
            point.hsc_loss,
            "HSC loss",
            "0 where a redshift is right, a half at the outlier limit, 1 where it is lost.",
            "mean(1 − 1 / (1 + (dz / 0.15)²))",
            in_tables=True,
            in_plots=True,
        ),
        Metric(
            "pit_ks",
            lambda s: pdf.pit_ks(s.pit),
            "PIT KS",
            "How far the PIT of the densities is from uniform at its worst place.",
            "max|F_PIT(u) − u|",
            in_tables=True,
            asks_honesty=True,
        ),
        Metric(
            "pit_cvm",
            lambda s: pdf.pit_cvm(s.pit),
            "PIT CvM",
            "How far the PIT is from uniform, summed up.",
            "n ∫(F_PIT(u) − u)² du + O(1/n)",
            asks_honesty=True,
        ),
        Metric(
            "pit_ad",
            lambda s: pdf.pit_ad(s.pit),
            "PIT AD",
            "How far the PIT is from uniform, its ends counting most.",
            "n ∫(F_PIT(u) − u)² / (u (1−u)) du",
            asks_honesty=True,
        ),
        *_CENTRAL,
        *_DENSEST,
        Metric(
            "crps",
            lambda s: _mean(s.crps),
            "CRPS",
            "How far the whole density is from the label, in redshift.",
            "mean ∫(F(z) − [z ≥ z_ref])² dz",
            in_tables=True,
            in_plots=True,
        ),
        Metric(
            "cde_loss",
            lambda s: _mean(s.cde_loss),
            "CDE loss",
            "How well densities estimate the density of redshifts; more negative is better.",
            "mean(∫p(z)² dz − 2 p(z_ref))",
            best=float("-inf"),
            in_tables=True,
            in_plots=True,
        ),
        Metric(
            "log_score",
            lambda s: _mean(s.log_score),
            "log score",
            "How unlikely the density finds the label; lower is better.",
            "mean(−ln p(z_ref))",
            best=float("-inf"),
            in_tables=True,
        ),
    )
}
"""Every metric of point estimates, then of densities, by its name and in the order in which they are shown."""


def point_metrics() -> dict[str, PointMetric]:
    """The metrics of point estimates by name.

    Examples
    --------
    >>> round(point_metrics()["rms"](z_phot=[1.6, 1.8], z_ref=[1.0, 1.0]), 4)
    0.3536
    """
    return {name: m.of for name, m in METRICS.items() if isinstance(m.of, point.PointMetric)}


def pdf_metrics() -> dict[str, OfScores]:
    """The metrics of densities by name, as functions of `PdfScores`."""
    return {name: m.of for name, m in METRICS.items() if not isinstance(m.of, point.PointMetric)}


def columns(*, of_densities: bool = False) -> list[Metric]:
    """The columns of a table of metrics of point estimates, or of densities.

    Examples
    --------
    >>> [metric.title for metric in columns()]
    ['bias', 'σ_MAD', 'RMS', 'outliers', 'catastrophic', 'HSC loss']
    """
    return [METRICS[name] for name in (pdf_metrics() if of_densities else point_metrics()) if METRICS[name].in_tables]
