"""Intervals hold the redshift as often as they say, for every truth and in every magnitude bin."""

from __future__ import annotations

import numpy as np
import pytest
from test_calibration import GRID, densities, galaxies, noisily_labelled

from mixz.densities.intervals import FEWEST, LEVELS, Intervals, draws, scores


def share_inside(fitted: Intervals, mass: np.ndarray, z: np.ndarray, mag: np.ndarray) -> list[float]:
    """The coverage of the intervals of every level."""
    found = fitted(mass, mag, GRID).values()
    return [float(((z >= ends[:, 0]) & (z <= ends[:, 1])).mean()) for ends in found]


def test_coverage_holds_in_every_bin_though_the_densities_are_wrong() -> None:
    def seen(count: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        centre, z, mag = galaxies(count, seed=seed)
        wide, narrow = densities(centre, shift=0, width=0.08), densities(centre, shift=0.02, width=0.04)
        return np.where((mag < 23)[:, None], wide, narrow), z, mag

    mass, z, mag = seen(6000, 1)
    fitted = Intervals.fit({"spec": (scores(mass, z[:, None], GRID), mag)})
    mass, z, mag = seen(20_000, 2)
    for low in (21, 22, 23.5):
        some = (mag >= low) & (mag < low + 1)
        for level, share in zip(LEVELS, share_inside(fitted, mass[some], z[some], mag[some]), strict=True):
            assert share == pytest.approx(level, abs=0.03)


def test_the_truth_that_needs_more_room_gets_it() -> None:
    centre, z, mag = galaxies(8000, seed=3)
    mass = densities(centre, shift=0, width=0.05)
    hard = np.arange(len(z)) % 2 == 0
    z = np.where(hard, z + 0.12 * np.sign(z - np.expm1(centre)), z)
    halves = {"spec": hard[:4000], "many_band": ~hard[:4000]}
    held_out = {t: (scores(mass[:4000][its], z[:4000][its, None], GRID), mag[:4000][its]) for t, its in halves.items()}
    fitted = Intervals.fit(held_out)
    for its in (hard[4000:], ~hard[4000:]):
        inside = share_inside(fitted, mass[4000:][its], z[4000:][its], mag[4000:][its])
        assert all(share > level - 0.03 for share, level in zip(inside, LEVELS, strict=True))


def test_noisy_labels_give_intervals_of_the_redshift() -> None:
    centre, _, mag, label, likelihood = noisily_labelled()
    mass = densities(centre, shift=0, width=0.06)
    allowed = mass * likelihood
    fitted = Intervals.fit(
        {"many_band": (scores(mass, draws(allowed / allowed.sum(axis=1, keepdims=True), GRID, seed=0), GRID), mag)}
    )
    at_face_value = Intervals.fit({"many_band": (scores(mass, label[:, None], GRID), mag)})
    centre, z, mag = galaxies(20_000, seed=6)
    mass = densities(centre, shift=0, width=0.06)
    for level, share, naive in zip(
        LEVELS, share_inside(fitted, mass, z, mag), share_inside(at_face_value, mass, z, mag), strict=True
    ):
        assert share == pytest.approx(level, abs=0.02)
        assert naive > level + 0.015


def test_the_promise_is_exact() -> None:
    """Over many held-out sets the mean coverage of new galaxies lies between c and c + 1 / (n + 1)."""
    held, new, tries = 120, 400, 150
    centre, z, _ = galaxies(tries * (held + new), seed=11)
    mass = densities(centre, shift=0.03, width=0.03)
    score = scores(mass, z[:, None], GRID).reshape(tries, held + new)
    inside = np.zeros(len(LEVELS))
    for one in score:
        fitted = Intervals.fit({"spec": (one[:held, None], np.zeros(held))}, bins_by=np.zeros(held))
        inside += (one[held:, None] <= fitted.reach[0]).mean(axis=0) / tries
    for level, share in zip(LEVELS, inside, strict=True):
        by_counting = np.sqrt(level * (1 - level) / tries * (1 / held + 1 / new))
        assert level - 2.5 * by_counting <= share <= level + 1 / (held + 1) + 2.5 * by_counting


def test_edges_of_bins_may_be_laid_by_other_galaxies() -> None:
    centre, z, mag = galaxies(3000, seed=12)
    scored = {"spec": (scores(densities(centre, shift=0, width=0.06), z[:, None], GRID), mag)}
    by_others = np.linspace(20, 25, 1001)
    fitted = Intervals.fit(scored, bins_by=by_others)
    np.testing.assert_allclose(fitted.edges, np.quantile(by_others, np.arange(1, 6) / 6))
    assert not np.allclose(fitted.edges, Intervals.fit(scored).edges)


def test_small_samples_promise_what_they_can() -> None:
    centre, z, mag = galaxies(FEWEST // 2, seed=7)
    mass = densities(centre, shift=0, width=0.06)
    fitted = Intervals.fit({"spec": (scores(mass, z[:, None], GRID), mag)})
    assert fitted.reach.shape == (1, len(LEVELS))
    assert (np.diff(fitted.reach, axis=1) > 0).all()
    ends = fitted(mass, np.full_like(mag, np.nan), GRID)
    assert all((low_high[:, 0] < low_high[:, 1]).all() for low_high in ends.values())
