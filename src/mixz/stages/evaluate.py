"""`mixz evaluate`: models and test galaxies -> photo-z and metrics."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from mixz.atomic import alone
from mixz.errors import MixzError
from mixz.metrics.bins import PDF_BINS, POINT_BINS
from mixz.metrics.differences import summarize_differences
from mixz.metrics.judged import Estimates, judge
from mixz.metrics.label_noise import FEWEST, true_redshifts
from mixz.metrics.pdf_summary import summarize_pdf
from mixz.metrics.places import Sample
from mixz.metrics.summary import Correction, summarize, summarize_estimates
from mixz.progress import progress_bar
from mixz.stages.store.results import Results, label_truths
from mixz.truths.likelihood import Labels

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray
    from rich.console import Console

    from mixz.galaxies import GalaxySet
    from mixz.metrics.judged import Judged
    from mixz.metrics.summary import Record
    from mixz.photoz import PhotoZ
    from mixz.settings.config import Config

RESAMPLES = 200
"""Bootstrap resamples: an error is known to 5 %, and p-values go down to 1 in 201 (ours)."""

TRIALS = 4
"""Surveys simulated for the error of label-noise-corrected metrics; they take most of the time (ours)."""

MOST_CORRECTED = 4_000
"""Of larger samples so many galaxies, drawn at random, tell what the labels' error does; their error says so (ours)."""


@dataclass(frozen=True, eq=False)
class _Labelled:
    """A sample, which rows of the test galaxies it is, what its labels say of them, and bands that are kept back."""

    sample: Sample
    rows: NDArray[np.intp]
    labels: Labels
    without: tuple[str, ...] = ()

    @property
    def noisy(self) -> bool:
        """Whether the labels are not the redshift itself."""
        return not self.labels.truth.exact


def evaluate(config: Config, console: Console, *, resamples: int = RESAMPLES) -> list[Record]:
    """Judge every trained recipe on every truth's test galaxies, and every two recipes against each other.

    Writes ``photoz/``, ``metrics.json``, ``differences.json`` and ``estimates.json``.  All recipes are judged on the
    same galaxies: those that every recipe gives a redshift; the others are counted in the records as ``left_out``.
    Where galaxies have own bands of a recipe, they are a second sample, ``test without u, y``: the same galaxies, asked
    as if they had none.

    Parameters
    ----------
    resamples
        Bootstrap resamples of the galaxies in every redshift range (a quarter as many in bins); 0 leaves errors and
        differences out.

    Returns
    -------
    list of dict
        The records of ``metrics.json``.

    Raises
    ------
    MixzError
        The galaxies or a model are missing, or were made with other settings.
    """
    with alone(config.folder):
        results = Results(config)
        test = results.read_galaxies().in_split("test")
        models = {name: results.read_model(name) for name in config.recipes}
        samples = [s for s in _samples(test, results) if len(s.rows)]
        if not samples:
            raise MixzError("no test galaxy has a label", "at least one", "give more galaxies or a larger test share")
        own = {band for model in models.values() for band in model.own_bands}
        samples += _asked_without(samples, test, tuple(band for band in test.bands if band in own))
        judging = _Judging(config.seed, resamples)
        noisy = sum(s.noisy for s in samples)
        with progress_bar("evaluate", console) as bar:
            done, total = 0.0, len(models) * (1 + len(samples) + noisy * TRIALS)

            def advance(words: str, by: float = 1) -> None:
                nonlocal done
                done += by
                bar(done, total, words)

            photoz, without = {}, {}
            for name, model in models.items():
                without[name] = photoz[name] = model.predict(test)
                results.write_photoz(name, photoz[name])
                if model.own_bands and any(labelled.without for labelled in samples):
                    without[name] = model.predict(test.without(model.own_bands))
                advance(name)
            for labelled in samples:
                judging.judge(labelled, without if labelled.without else photoz, advance)
        results.write_records(judging.records, judging.differences, judging.estimates)
        records = [results.metrics_path, results.differences_path, results.estimates_path]
        for name in models:
            results.digests.note(
                "evaluate", [results.photoz_path(name)], [results.galaxies_path, results.record_path(name)]
            )
        results.digests.note("evaluate", records, [results.galaxies_path, *map(results.photoz_path, models)])
        cards = [results.write_model_card(name, judging.records) for name in models]
        results.digests.note("evaluate", cards, [results.metrics_path])
        return judging.records


class _Judging:
    """Gathers the records of one sample after the other."""

    def __init__(self, seed: int, resamples: int) -> None:
        self.seed, self.resamples = seed, resamples
        self.records: list[Record] = []
        self.differences: list[Record] = []
        self.estimates: list[Record] = []

    def judge(self, labelled: _Labelled, photoz: Mapping[str, PhotoZ], advance: Callable[..., None]) -> None:
        """Judge every recipe on a sample, then every two."""
        found = {name: _estimates(p).rows(labelled.rows) for name, p in photoz.items()}
        shared = np.all([e.given for e in found.values() if e.given.any()], axis=0) & np.ones(len(labelled.rows), bool)
        sample = replace(labelled.sample.rows(shared), left_out=int((~shared).sum()))
        labels = labelled.labels.rows(shared)
        judged = {}
        for name, estimates in found.items():
            # A recipe that gives no redshift at all has records without numbers, and spoils nobody else's.
            mine = shared & estimates.given
            of_recipe = judge(
                sample if mine.any() else sample.rows(np.zeros(len(sample.z_ref), bool)),
                estimates.rows(mine),
                bins=POINT_BINS,
                resamples=self.resamples,
                seed=self.seed,
            )
            advance(f"{name} on {sample.truth}")
            correction = self._correct(of_recipe, labels) if labelled.noisy and mine.any() else None
            self.records += summarize(name, of_recipe, correction=correction, seed=self.seed)
            if labelled.noisy:
                advance(f"{name} on {sample.truth}, its labels' error", TRIALS)
            if mine.any():
                judged[name] = of_recipe
                self._judge_densities(name, photoz[name], labelled.rows[shared], sample, labels)
        if self.resamples >= 2:
            for a, b in combinations(judged, 2):
                self.differences += summarize_differences((a, b), judged[a], judged[b], seed=self.seed)

    def _correct(self, judged: Judged, labels: Labels) -> Correction | None:
        """Draw the redshifts behind noisy labels, for each estimate that a metric is of."""
        galaxies = len(labels)
        if galaxies < FEWEST:
            return None
        rows = np.arange(galaxies)
        if galaxies > MOST_CORRECTED:
            rows = np.sort(np.random.default_rng(self.seed).choice(galaxies, MOST_CORRECTED, replace=False))
        estimates, noisy = judged.estimates.rows(rows), labels.rows(rows)
        true = {
            name: true_redshifts(noisy, z_phot=estimates.ensemble_of(name), seed=self.seed, trials=TRIALS)
            for name in estimates.names
        }
        return Correction(rows, true)

    def _judge_densities(
        self, name: str, photoz: PhotoZ, rows: NDArray[np.intp], sample: Sample, labels: Labels
    ) -> None:
        """Judge a recipe's densities, and every point estimate of them."""
        if photoz.pdf is None or photoz.z_grid is None:
            return
        self.records += summarize_pdf(
            name,
            sample,
            photoz.pdf[rows],
            z_grid=photoz.z_grid,
            z_phot=photoz.z_phot[rows],
            labels=labels,
            bins=PDF_BINS,
            resamples=self.resamples // 2,  # a dozen metrics that do not share their sorting
            seed=self.seed,
        )
        points = {point: z[rows] for point, z in photoz.points.items()}
        self.estimates += summarize_estimates(name, sample, points, resamples=self.resamples, seed=self.seed)


def _estimates(photoz: PhotoZ) -> Estimates:
    """The point estimates to be judged: of densities zcore, and zrms where the squared error counts."""
    if photoz.z_rms_members is None or "zrms" not in photoz.points:
        return Estimates(photoz.z_phot_members, photoz.z_phot)
    return Estimates(photoz.z_phot_members, photoz.z_phot, photoz.z_rms_members, photoz.points["zrms"])


def _asked_without(samples: list[_Labelled], test: GalaxySet, own: tuple[str, ...]) -> list[_Labelled]:
    """The samples in which galaxies have some own bands of the models, to be asked without these."""
    if not own:
        return []
    measured = np.asarray(np.isfinite(test.in_bands(own)[0]).any(axis=1))
    return [
        replace(s, sample=replace(s.sample, sample=f"{s.sample.sample} without {', '.join(own)}"), without=own)
        for s in samples
        if measured[s.rows].any()
    ]


def _samples(test: GalaxySet, results: Results) -> list[_Labelled]:
    """The samples to judge on: each truth's test galaxies, and again with the simulated truth where known."""
    truths = results.truths()
    own = label_truths(test, truths)
    pairs = [(truth, truth, "test") for truth in own]
    simulated = [name for name in test.truths if truths[name].simulated]
    pairs += [(truth, members, f"test {members}") for truth in simulated for members in own]
    samples = []
    for truth, members, name in pairs:
        rows = np.flatnonzero(test.has(truth) & test.has(members))
        labels = Labels.of(test.rows(rows), truths[truth], ref_band=results.config.ref_band)
        samples.append(_Labelled(Sample(truth, name, labels.z, labels.mag_ref), rows, labels))
    return samples
