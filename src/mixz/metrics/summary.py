"""From point estimates of all members to flat records: one per recipe, truth, redshift range and metric."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mixz.metrics.point import POINT_METRICS
from mixz.metrics.requirements import REQUIREMENTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

Record = dict[str, Any]

PAPER_RANGE = (0.3, 1.5)
"""Range of the label over which arXiv:2411.18054 judges."""

LSST_RANGE = (0.3, 3.0)
"""Range of z_phot over which LSST's requirements hold (LPM-17), for i < 25."""

LSST_LIMIT_I = 25.0

PAPER_CLAIMS = {"bias": 5.0, "rms": 1.5, "catastrophic_fraction": 1.3}
"""How many times smaller arXiv:2411.18054 found these for NN-TL and NN-Combo than for NN-Base, on GalaxiesML."""


@dataclass(frozen=True, eq=False)
class Sample:
    """Galaxies to judge on: whose label it is, which galaxies these are, the labels, and their i magnitudes.

    Parameters
    ----------
    truth, sample
        Name of the label's truth, and of the galaxies (``"test"``).
    z_ref, mag_ref
        Labels and reference-band magnitudes, shape (galaxy,).
    """

    truth: str
    sample: str
    z_ref: NDArray[np.floating[Any]]
    mag_ref: NDArray[np.floating[Any]]

    def ranges(self, z_phot: NDArray[np.floating[Any]]) -> dict[str, NDArray[np.bool_]]:
        """Say per redshift range which galaxies are in it, given one member's estimates.

        The paper cuts in the label, LSST in the estimate and in i magnitude; both are here, and everything.
        """
        low, high = LSST_RANGE
        return {
            "0.3-1.5": (self.z_ref >= PAPER_RANGE[0]) & (self.z_ref <= PAPER_RANGE[1]),
            "all": np.ones(len(self.z_ref), dtype=bool),
            "lsst": (z_phot > low) & (z_phot < high) & (self.mag_ref < LSST_LIMIT_I),
        }


def summarize(recipe: str, sample: Sample, z_phot_members: NDArray[np.floating[Any]]) -> list[Record]:
    """Judge every member of a recipe on a sample.

    Parameters
    ----------
    recipe
        Name for the records.
    sample
        Galaxies with labels, shape (galaxy,).
    z_phot_members
        Point estimates, shape (member, galaxy), without NaN.

    Returns
    -------
    list of dict
        Records {recipe, truth, sample, z_range, metric, mean, std, n, members, requirement, passes, margin,
        requirement_source, ensemble}: mean and spread (ddof = 1) over members, the metric of the mean estimate
        of all members, and the LSST requirement on |mean| where there is one.

    Examples
    --------
    >>> sample = Sample("spec", "test", z_ref=np.array([0.5, 1.0]), mag_ref=np.array([21.0, 22.0]))
    >>> records = summarize("base", sample, np.array([[0.5, 1.0], [0.53, 1.04]]))
    >>> [(r["mean"], r["n"], r["passes"]) for r in records if r["metric"] == "bias" and r["z_range"] == "all"]
    [(0.01, 2, False)]
    """
    together = z_phot_members.mean(axis=0)
    records = []
    for z_range in sample.ranges(together):
        members = [_metrics(sample, z_phot, z_range) for z_phot in z_phot_members]
        ensemble, n = _metrics(sample, together, z_range)
        for name in POINT_METRICS:
            values = np.array([metrics[name] for metrics, _ in members])
            records.append(
                {
                    "recipe": recipe,
                    "truth": sample.truth,
                    "sample": sample.sample,
                    "z_range": z_range,
                    "metric": name,
                    "mean": float(values.mean()),
                    "std": float(values.std(ddof=1)) if len(values) > 1 else float("nan"),
                    "n": n,
                    "members": len(values),
                    **_judgement(name, float(values.mean())),
                    "ensemble": ensemble[name],
                }
            )
    return records


def _metrics(sample: Sample, z_phot: NDArray[np.floating[Any]], z_range: str) -> tuple[dict[str, float], int]:
    inside = sample.ranges(z_phot)[z_range]
    values = {n: metric(z_phot=z_phot[inside], z_ref=sample.z_ref[inside]) for n, metric in POINT_METRICS.items()}
    return values, int(inside.sum())


def _judgement(metric: str, value: float) -> Record:
    requirement = REQUIREMENTS.get(metric)
    if requirement is None:
        return {"requirement": None, "passes": None, "margin": None, "requirement_source": None}
    return {
        "requirement": requirement.limit,
        "passes": requirement.passes(value),
        "margin": requirement.margin(value),
        "requirement_source": requirement.source,
    }


def ratios(
    records: Sequence[Record], *, over: str, under: str, truth: str, z_range: str = "0.3-1.5"
) -> dict[str, float]:
    """Give |over| / |under| of every metric on the test galaxies of a truth: how many times smaller `under` is.

    Examples
    --------
    >>> common = {"truth": "spec", "sample": "test", "z_range": "0.3-1.5", "metric": "rms"}
    >>> ratios([common | {"recipe": "base", "mean": 0.12}, common | {"recipe": "tl", "mean": 0.08}],
    ...        over="base", under="tl", truth="spec")
    {'rms': 1.5}
    """
    place = {"truth": truth, "sample": "test", "z_range": z_range}
    means: dict[str, dict[str, float]] = {over: {}, under: {}}
    for record in records:
        if record["recipe"] in means and place.items() <= record.items() and record["mean"] is not None:
            means[record["recipe"]][record["metric"]] = abs(record["mean"])
    return {
        metric: value / means[under][metric] if means[under][metric] else float("inf")
        for metric, value in means[over].items()
        if metric in means[under]
    }
