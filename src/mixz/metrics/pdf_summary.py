"""From densities to flat records, of the same fields as those of point estimates.

Every metric of densities asks about the redshift that they are densities of.  Noisy labels are not that redshift: an
honest p(z) judged on them looks too sharp.  So where labels are noisy each metric is there twice: of the densities as
they are, and `corrected`, of the label's own densities p(z_label | x) (`mixz.truths.likelihood.Labels.smeared`).  Both
are against the same labels; only the second compares like with like.  Its CDE loss, CRPS and log score are those of a
density as wide as the labels' errors at least, and so worse than exact labels would find the density's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mixz.densities.grid import Grid
from mixz.metrics.bootstrap import resample
from mixz.metrics.metric import pdf_metrics
from mixz.metrics.places import places
from mixz.metrics.scores import PdfScores, score

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mixz.metrics.bins import Bin
    from mixz.metrics.places import Sample
    from mixz.metrics.summary import Record
    from mixz.truths.likelihood import Labels

SMEARED = "smeared densities"
"""What `corrected` is of, in `corrected_by` of records of densities."""


def summarize_pdf(
    recipe: str,
    sample: Sample,
    pdf: NDArray[np.floating[Any]],
    *,
    z_grid: NDArray[np.floating[Any]],
    z_phot: NDArray[np.floating[Any]],
    labels: Labels | None = None,
    bins: Sequence[Bin] = (),
    resamples: int = 0,
    seed: int = 0,
) -> list[Record]:
    """Judge a recipe's densities (the ensemble's, so that mean = ensemble, members = 1) on a sample.

    Parameters
    ----------
    recipe, sample, bins, resamples, seed
        As in `mixz.metrics.judge`; bins of z_ref make honest pdfs look dishonest, use i or z_phot.
    pdf, z_grid
        Densities, shape (galaxy, z), on a grid of shape (z,), each integrating to 1.
    z_phot
        Point estimates of the same galaxies, for LSST's range and bins of z_phot; shape (galaxy,).
    labels
        The sample's labels with all that says how wrong they are; None for labels that are the redshift.

    Returns
    -------
    list of dict
        Records of the fields of `mixz.metrics.summarize`.  `ensemble` is the metric of the densities as they are,
        `corrected` of those smeared by the labels' errors, NaN where these are less than the grid resolves;
        `corrected_by` says so.

    Examples
    --------
    >>> from mixz.metrics import Sample
    >>> sample = Sample("spec", "test", z_ref=np.array([0.5, 1.0]), mag_ref=np.array([21.0, 22.0]))
    >>> records = summarize_pdf("fused", sample, np.full((2, 3), 0.5), z_grid=np.array([0.0, 1.0, 2.0]),
    ...                         z_phot=np.array([0.5, 1.0]))
    >>> [(r["mean"], r["n"]) for r in records if r["metric"] == "coverage_68" and r["z_range"] == "all"]
    [(1.0, 2)]
    """
    scores = score(pdf, z_grid=z_grid, z_ref=sample.z_ref)
    of_labels, grid = None, Grid(z_grid)
    if labels is not None and not labels.at_face_value(grid):
        smeared = grid.density(labels.smeared(grid.mass(pdf), grid))
        of_labels = score(smeared, z_grid=z_grid, z_ref=sample.z_ref)
    named = {"recipe": recipe, "truth": sample.truth, "sample": sample.sample}
    found = []
    for place in places(bins):
        rows, times = np.flatnonzero(place.holds(sample, z_phot)), place.resamples(resamples)
        records = _judge(scores, of_labels, rows, times, seed)
        found += [named | place.fields() | record | {"left_out": sample.left_out} for record in records]
    return found


def _judge(
    scores: PdfScores, of_labels: PdfScores | None, rows: NDArray[np.intp], resamples: int, seed: int
) -> list[Record]:
    found, errors = _metrics(scores.rows(rows), resamples, seed)
    corrected = corrected_errors = dict.fromkeys(found, float("nan"))
    if of_labels is not None:
        corrected, corrected_errors = _metrics(of_labels.rows(rows), resamples, seed)
    nothing = dict.fromkeys(("requirement", "passes", "margin", "requirement_source"))
    records = []
    for metric, value in found.items():
        records.append(
            {
                "metric": metric,
                "estimate": "pdf",
                "mean": value,
                "std": float("nan"),
                "n": len(rows),
                "members": 1,
                **nothing,
                "ensemble": value,
                "bootstrap": errors[metric],
                "corrected": corrected[metric],
                "corrected_error": corrected_errors[metric],
                "corrected_by": SMEARED if of_labels is not None else None,
            }
        )
    return records


def _metrics(scores: PdfScores, resamples: int, seed: int) -> tuple[dict[str, float], dict[str, float]]:
    """Every metric and its bootstrap error (NaN where none is asked for)."""
    every = pdf_metrics()
    values = [metric(scores) for metric in every.values()]
    errors, galaxies = [float("nan")] * len(values), len(scores.pit)
    if resamples and galaxies:
        # Sorted once, resamples of what is sorted need no sorting.
        order = np.argsort(scores.pit, kind="stable")
        ordered, every_row = scores.rows(order), np.arange(galaxies)

        def metrics(rows: NDArray[np.intp]) -> list[float]:
            drawn = ordered.rows(np.repeat(every_row, np.bincount(rows, minlength=galaxies)[order]))
            return [metric(drawn) for metric in every.values()]

        errors = resample(metrics, galaxies=galaxies, seed=seed, resamples=resamples).error.tolist()
    return dict(zip(every, values, strict=True)), dict(zip(every, errors, strict=True))
