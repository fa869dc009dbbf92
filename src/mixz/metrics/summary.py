"""From point estimates of all members to flat records: one per recipe, truth, redshift range or bin, and metric."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mixz.metrics.bootstrap import resample
from mixz.metrics.point import POINT_METRICS
from mixz.metrics.requirements import REQUIREMENTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mixz.metrics.bins import Bin
    from mixz.metrics.label_noise import TrueRedshifts
    from mixz.metrics.point import Floats

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


@dataclass(frozen=True)
class Place:
    """A redshift range or a bin: which galaxies of a sample are judged together, and its fields in a record."""

    z_range: str
    bin: Bin | None = None

    def holds(self, sample: Sample, z_phot: NDArray[np.floating[Any]]) -> NDArray[np.bool_]:
        """Say which galaxies are in it, given one member's estimates, shape (galaxy,)."""
        if self.bin is None:
            return sample.ranges(z_phot)[self.z_range]
        return self.bin.holds(mag_i=sample.mag_ref, z_ref=sample.z_ref, z_phot=z_phot)

    def fields(self) -> Record:
        """Give z_range (the bin's name in a bin), bin (what is binned), bin_low and bin_high (all None without)."""
        if self.bin is None:
            return {"z_range": self.z_range, "bin": None, "bin_low": None, "bin_high": None}
        return {"z_range": self.z_range, "bin": self.bin.by, "bin_low": self.bin.low, "bin_high": self.bin.high}


def places(bins: Sequence[Bin] = ()) -> list[Place]:
    """Give every redshift range of a sample, and these bins."""
    return [*(Place(r) for r in ("0.3-1.5", "all", "lsst")), *(Place(b.name, b) for b in bins)]


def summarize(
    recipe: str,
    sample: Sample,
    z_phot_members: NDArray[np.floating[Any]],
    *,
    bins: Sequence[Bin] = (),
    resamples: int = 0,
    seed: int = 0,
    true: TrueRedshifts | None = None,
) -> list[Record]:
    """Judge every member of a recipe on a sample.

    Parameters
    ----------
    recipe
        Name for the records.
    sample
        Galaxies with labels, shape (galaxy,).
    z_phot_members
        Point estimates, shape (member, galaxy), without NaN.
    bins
        Bins to judge apart, beside the redshift ranges.
    resamples, seed
        Bootstrap resamples of the galaxies for `bootstrap`, and their seed; 0 leaves it NaN.
    true
        The redshifts behind the labels, drawn for the members' mean estimate, for `corrected`.

    Returns
    -------
    list of dict
        Records {recipe, truth, sample, z_range, bin, bin_low, bin_high, metric, mean, std, n, members, requirement,
        passes, margin, requirement_source, ensemble, bootstrap, corrected, corrected_error}: mean and spread
        (ddof = 1) over members, the LSST requirement on |mean| where there is one, the metric of the mean estimate of
        all members, the standard error of `mean` from resampling galaxies, and `ensemble` against the true redshifts.

    Examples
    --------
    >>> sample = Sample("spec", "test", z_ref=np.array([0.5, 1.0]), mag_ref=np.array([21.0, 22.0]))
    >>> records = summarize("base", sample, np.array([[0.5, 1.0], [0.53, 1.04]]))
    >>> [(r["mean"], r["n"], r["passes"]) for r in records if r["metric"] == "bias" and r["z_range"] == "all"]
    [(0.01, 2, False)]
    """
    named = {"recipe": recipe, "truth": sample.truth, "sample": sample.sample}
    found = []
    for place in places(bins):
        errors = _errors(sample, z_phot_members, place, resamples, seed)
        for record in _judge(sample, z_phot_members, place):
            metric = record["metric"]
            found.append(
                named
                | place.fields()
                | record
                | {"bootstrap": errors[metric]}
                | _corrected(metric, sample, z_phot_members.mean(axis=0), place, true)
            )
    return found


def _judge(sample: Sample, z_phot_members: NDArray[np.floating[Any]], place: Place) -> list[Record]:
    members = [_metrics(sample, z_phot, place) for z_phot in z_phot_members]
    together = z_phot_members.mean(axis=0)
    ensemble = _metrics(sample, together, place)
    n = int(place.holds(sample, together).sum())
    records = []
    for metric in POINT_METRICS:
        values = np.array([of_member[metric] for of_member in members])
        records.append(
            {
                "metric": metric,
                "mean": float(values.mean()),
                "std": float(values.std(ddof=1)) if len(values) > 1 else float("nan"),
                "n": n,
                "members": len(values),
                **_judgement(metric, float(values.mean())),
                "ensemble": ensemble[metric],
            }
        )
    return records


def _metrics(sample: Sample, z_phot: NDArray[np.floating[Any]], place: Place) -> dict[str, float]:
    inside = place.holds(sample, z_phot)
    z_phot, z_ref = z_phot[inside], sample.z_ref[inside]
    return {name: metric(z_phot=z_phot, z_ref=z_ref) for name, metric in POINT_METRICS.items()}


def _errors(
    sample: Sample, z_phot_members: NDArray[np.floating[Any]], place: Place, resamples: int, seed: int
) -> dict[str, float]:
    """Give the standard error of every metric's mean over members."""
    inside = np.array([place.holds(sample, z_phot) for z_phot in z_phot_members])
    rows = np.flatnonzero(inside.any(axis=0))
    if resamples == 0 or rows.size == 0:
        return dict.fromkeys(POINT_METRICS, float("nan"))
    near = Sample(sample.truth, sample.sample, sample.z_ref[rows], sample.mag_ref[rows])

    def metrics(drawn: NDArray[np.intp]) -> Floats:
        again = replace(near, z_ref=near.z_ref[drawn], mag_ref=near.mag_ref[drawn])
        of_members = [_metrics(again, z_phot[rows][drawn], place) for z_phot in z_phot_members]
        return np.asarray(np.mean([list(values.values()) for values in of_members], axis=0))

    errors = resample(metrics, galaxies=rows.size, seed=seed, resamples=resamples).error
    return dict(zip(POINT_METRICS, errors.tolist(), strict=True))


def _corrected(
    metric: str, sample: Sample, z_phot: NDArray[np.floating[Any]], place: Place, true: TrueRedshifts | None
) -> Record:
    if true is None:
        return {"corrected": float("nan"), "corrected_error": float("nan")}

    def against(z_ref: Floats) -> float:
        inside = place.holds(replace(sample, z_ref=z_ref), z_phot)
        return POINT_METRICS[metric](z_phot=z_phot[inside], z_ref=z_ref[inside])

    found = true.correct(against)
    return {"corrected": found.value, "corrected_error": found.error}


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
