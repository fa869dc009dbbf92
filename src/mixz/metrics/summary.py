"""From point estimates of all members to flat records: one per recipe, truth, redshift range or bin, and metric."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mixz.metrics.judged import metrics_along, resampled
from mixz.metrics.metric import METRICS, point_metrics
from mixz.metrics.residuals import Residuals

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from mixz.metrics.judged import Judged, JudgedPlace
    from mixz.metrics.label_noise import TrueRedshifts
    from mixz.metrics.places import Sample
    from mixz.metrics.point import Floats

Record = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Correction:
    """The redshifts behind a sample's noisy labels, as drawn for a recipe's estimates.

    Parameters
    ----------
    rows
        Which of the sample's galaxies they are of: indices, shape (galaxy,); all, or some where there are very many.
    true
        Per estimate's name (`Estimates.names`) the draws for the ensemble's.
    """

    rows: NDArray[np.intp]
    true: Mapping[str, TrueRedshifts]


def summarize(recipe: str, judged: Judged, *, correction: Correction | None = None, seed: int = 0) -> list[Record]:
    """Write down what `judge` found, in every redshift range and bin.

    Parameters
    ----------
    recipe
        Name for the records.
    judged
        What `mixz.metrics.judge` found.
    correction
        The redshifts behind the labels, for `corrected`.
    seed
        Of resampling galaxies for the error of `corrected`.

    Returns
    -------
    list of dict
        Records {recipe, truth, sample, z_range, bin, bin_low, bin_high, metric, estimate, mean, std, n, left_out,
        members, requirement, passes, margin, requirement_source, ensemble, bootstrap, corrected, corrected_error,
        corrected_by}: the estimate judged (`Estimates.name_of`), mean and spread (ddof = 1) over members, the LSST
        requirement on |mean| where there is one, the metric of the ensemble's own estimate, the standard error of
        `mean` from resampling galaxies, and `ensemble` against the true redshifts (``unfolded redshifts``) with an
        error that holds the procedure's (`TrueRedshifts.correct`) and that of resampling galaxies.

    Examples
    --------
    >>> from mixz.metrics import Estimates, Sample, judge
    >>> sample = Sample("spec", "test", z_ref=np.array([0.5, 1.0]), mag_ref=np.array([21.0, 22.0]))
    >>> records = summarize("base", judge(sample, Estimates(np.array([[0.5, 1.0], [0.53, 1.04]]))))
    >>> [(r["mean"], r["n"], r["passes"]) for r in records if r["metric"] == "bias" and r["z_range"] == "all"]
    [(0.01, 2, False)]
    """
    named = {"recipe": recipe, "truth": judged.sample.truth, "sample": judged.sample.sample}
    found = []
    for k, at in enumerate(judged.places):
        corrected, corrected_error = _corrected(judged, at, correction, [seed, k, 3])
        for m, metric in enumerate(point_metrics()):
            values = at.members[:, m]
            mean = float(values.mean())
            record = {
                "metric": metric,
                "estimate": judged.estimates.name_of(metric),
                "mean": mean,
                "std": float(values.std(ddof=1)) if len(values) > 1 else float("nan"),
                "n": at.n,
                "left_out": judged.sample.left_out,
                "members": len(values),
                **_judgement(metric, mean),
                "ensemble": float(at.ensemble[m]),
                "bootstrap": float(at.error[m]),
                "corrected": float(corrected[m]),
                "corrected_error": float(corrected_error[m]),
                "corrected_by": "unfolded redshifts" if correction is not None else None,
            }
            found.append(named | at.place.fields() | record)
    return found


def summarize_estimates(
    recipe: str, sample: Sample, estimates: Mapping[str, Floats], *, resamples: int = 0, seed: int = 0
) -> list[Record]:
    """Judge several point estimates of the same densities on all galaxies of a sample.

    Parameters
    ----------
    estimates
        Per name (``zmode``, ``zmean``, ``zmedian``, ...) the ensemble's estimates, shape (galaxy,).

    Returns
    -------
    list of dict
        Records {recipe, truth, sample, z_range, metric, estimate, value, bootstrap, n, left_out}.

    Examples
    --------
    >>> from mixz.metrics import Sample
    >>> sample = Sample("spec", "test", z_ref=np.array([1.0, 1.0]), mag_ref=np.array([21.0, 22.0]))
    >>> records = summarize_estimates("fused", sample, {"zmode": np.array([1.0, 1.2]), "zmean": np.array([1.1, 1.1])})
    >>> [(r["estimate"], round(r["value"], 3)) for r in records if r["metric"] == "rms"]
    [('zmode', 0.071), ('zmean', 0.05)]
    """
    named = {"recipe": recipe, "truth": sample.truth, "sample": sample.sample, "z_range": "all"}
    z_phot = np.array([np.asarray(z, float) for z in estimates.values()]).reshape(len(estimates), len(sample.z_ref))
    if not np.isfinite(z_phot).all():
        raise ValueError(
            f"{int((~np.isfinite(z_phot)).any(axis=0).sum())} galaxies have no estimate; leave them out first"
        )
    residuals = Residuals.of(z_phot, sample.z_ref)
    # The same resamples as those of all redshifts in `judge`.
    drawn = resampled(residuals, resamples if len(sample.z_ref) else 0, np.random.default_rng([seed, 1]))
    errors = drawn.std(axis=0, ddof=1) if len(drawn) > 1 else np.full(drawn.shape[1:], np.nan)
    found = []
    for name, values, error in zip(estimates, metrics_along(residuals).tolist(), errors.tolist(), strict=True):
        for metric, value, its_error in zip(point_metrics(), values, error, strict=True):
            record = {"metric": metric, "estimate": name, "value": value, "bootstrap": its_error}
            found.append(named | record | {"n": len(sample.z_ref), "left_out": sample.left_out})
    return found


def _corrected(
    judged: Judged, at: JudgedPlace, correction: Correction | None, seed: list[int]
) -> tuple[Floats, Floats]:
    """The ensemble's metrics against the true redshifts, and their errors, shape (metric,) each."""
    names = list(point_metrics())
    value, error = np.full((2, len(names)), np.nan)
    if correction is None:
        return value, error
    sample, estimates = judged.sample.rows(correction.rows), judged.estimates.rows(correction.rows)
    place, chosen_by = at.place, estimates.of_ensemble
    for name, true in correction.true.items():
        z_phot = estimates.ensemble_of(name)

        def residuals(z_ref: Floats, z_phot: Floats = z_phot) -> Residuals:
            inside = [place.holds(replace(sample, z_ref=z), chosen_by) for z in z_ref]
            return Residuals.of(z_phot, z_ref, np.array(inside))

        found = true.correct(lambda z_ref, r=residuals: metrics_along(r(z_ref[None]))[0])  # type: ignore[misc]
        drawn = resampled(residuals(true.z_draws), len(at.resampled), np.random.default_rng(seed)).mean(axis=1)
        sampling = drawn.std(axis=0, ddof=1) if len(drawn) > 1 else np.zeros(len(names))
        mine = np.array([estimates.name_of(metric) == name for metric in names])
        value[mine], error[mine] = found.value[mine], np.hypot(found.error, sampling)[mine]
    return value, error


def _judgement(metric: str, value: float) -> Record:
    requirement = METRICS[metric].requirement
    if requirement is None:
        return {"requirement": None, "passes": None, "margin": None, "requirement_source": None}
    return {
        "requirement": requirement.limit,
        "passes": requirement.passes(value),
        "margin": None if np.isnan(value) else requirement.margin(value),
        "requirement_source": requirement.source,
    }


def ratios(
    records: Sequence[Record], *, over: str, under: str, truth: str, z_range: str = "0.3-1.5"
) -> dict[str, float]:
    """|over| / |under| of every metric on the test galaxies of a truth: how many times smaller `under` is.

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
