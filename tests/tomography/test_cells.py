"""Cells of magnitude space: they weight as neighbours do, and say whom nobody stands for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from tomography_toys import GRID, labelled, photometric

from mixz.tomography import BOTH, LABELS, SPECTRA, TRUTH, estimate_nz, offset, sort_into_bins
from mixz.tomography.cells import MagnitudeCells


def test_weights_add_up_to_the_galaxies_that_somebody_stands_for() -> None:
    rng = np.random.default_rng(1)
    sample, known = rng.normal(22, 1, (500, 3)), rng.normal(22.5, 1, (100, 3))
    weight = rng.uniform(0.5, 2, (500, 2))
    found = MagnitudeCells.between(sample, known)
    np.testing.assert_allclose(found.weights(weight, np.ones((100, 2))).sum(axis=0), weight[~found.alone].sum(axis=0))


def test_a_skewed_sample_is_put_right() -> None:
    """Labels of bright galaxies mostly, re-weighted to all: the mean of what depends on magnitude is that of all."""
    rng = np.random.default_rng(2)
    mag = rng.uniform(20, 24, (4_000, 1))
    known = mag[rng.random(4_000) < (25 - mag[:, 0]) / 8]
    weight = MagnitudeCells.between(mag, known).weights(np.ones((4_000, 1)), np.ones((len(known), 1)))[:, 0]
    assert known.mean() < mag.mean() - 0.2
    assert abs(np.average(known[:, 0], weights=weight) - mag.mean()) < 0.03


def test_galaxies_without_anybody_alike_are_counted_and_said() -> None:
    sample = photometric(3_000, seed=1)
    bright = labelled(sample, seed=3, same=np.arange(3_000))
    few = bright.rows(np.flatnonzero(sample.mag[:, 0] < np.quantile(sample.mag[:, 0], 0.3)))
    none_same = replace(few, same=np.full(len(few), -1))
    bins = sort_into_bins((0.05, 1.9), sample.z_phot)
    found = estimate_nz(sample, bins, GRID, labelled=none_same, stand_ins="cells", resamples=3)
    [one] = found.each
    assert one.alone[LABELS] > 500
    assert any("lie in cells without a label" in note and LABELS in note for note in found.notes)
    assert not estimate_nz(sample, bins, GRID, labelled=none_same, resamples=3).each[0].alone


def test_cells_do_what_neighbours_do() -> None:
    sample = photometric(4_000, seed=1, bias=0.03)
    own = labelled(sample, seed=3, same=np.arange(4_000))
    bins = sort_into_bins(2, sample.z_phot)
    for one in estimate_nz(sample, bins, GRID, labelled=own, stand_ins="cells", resamples=5).each:
        assert abs(offset(one.nz[BOTH], one.nz[TRUTH], "mean")[0]) < 0.004
        assert abs(offset(one.nz[SPECTRA], one.nz[TRUTH], "mean")[0]) < 0.015
