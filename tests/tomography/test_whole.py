"""Sums of a catalogue: however it is cut they are the same, and n(z) of all is that of holding everything."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tomography_toys import GRID, labelled, photometric

from mixz.errors import MixzError
from mixz.tomography import BOTH, STACK, TRUTH, Sorted, estimate_nz, offset, sort_into_bins
from mixz.tomography.bins import Bins
from mixz.tomography.nz import GALAXIES, MEMBERS, PATCHES
from mixz.tomography.samples import PhotometricSample
from mixz.tomography.sums import GROUPS, DensitySums, SumLayout, fine_edges
from mixz.tomography.whole import of_whole


def summed(sample: PhotometricSample, pieces: int, *, edges: tuple[float, ...] | None = None) -> DensitySums:
    cells = fine_edges(GRID) if edges is None else np.array(edges)
    layout = SumLayout(cells, GRID, patches=12, members=4, truth=True)
    group = np.random.default_rng(5).integers(0, GROUPS, len(sample))
    sums = DensitySums(layout)
    for rows in np.array_split(np.arange(len(sample)), pieces):
        sums.add(layout.sums(sample.rows(rows), group[rows]))
    return sums


@pytest.fixture(scope="module")
def sample() -> PhotometricSample:
    made = photometric(6_000, seed=1, bias=0.02, patches=12)
    return replace(made, weight=np.random.default_rng(2).uniform(0.5, 1.5, 6_000))


def test_the_pieces_do_not_matter(sample: PhotometricSample) -> None:
    np.testing.assert_allclose(summed(sample, 1).summed, summed(sample, 13).summed, rtol=1e-10, atol=1e-12)


def test_stacks_are_those_of_everything_held(sample: PhotometricSample) -> None:
    sums = summed(sample, 3)
    bins = sums.bins(4)
    held = estimate_nz(sample, Sorted(bins, bins.of(sample.z_phot)), GRID, resamples=60, seed=3)
    found = of_whole(held, sums, resamples=60, seed=3)
    for mine, theirs in zip(found.each, held.each, strict=True):
        assert mine.galaxies == theirs.galaxies
        for method in (STACK, TRUTH):
            assert mine.nz[method].mean == pytest.approx(theirs.nz[method].mean, abs=1e-5)
            assert mine.nz[method].width == pytest.approx(theirs.nz[method].width, abs=1e-5)
            # Errors of groups scatter themselves.
            for kind in (GALAXIES, PATCHES):
                ratio = mine.nz[method].errors[kind] / theirs.nz[method].errors[kind]
                assert 0.55 < ratio[0] < 1.8, (method, kind)
        assert mine.nz[STACK].errors[MEMBERS] == pytest.approx(theirs.nz[STACK].errors[MEMBERS], rel=1e-6)


def test_counts_are_equal_to_half_a_cell(sample: PhotometricSample) -> None:
    even = replace(sample, weight=None)
    sums = summed(even, 2)
    bins = sums.bins(5)
    counts = sums.galaxies(bins)
    assert counts.sum() == 6_000
    assert abs(counts / 1_200 - 1).max() < 0.05
    exact = Bins.equal_counts(even.z_phot, 5)
    half = np.diff(np.log1p(fine_edges(GRID))).max() / 2
    # Where many galaxies are, the nearest edge of a cell is no farther than half of one.
    np.testing.assert_allclose(np.log1p(bins.edges[1:-1]), np.log1p(exact.edges[1:-1]), atol=half + 1e-3)


def test_given_edges_are_kept(sample: PhotometricSample) -> None:
    edges = (0.2, 0.61234, 1.1)
    sums = summed(sample, 2, edges=edges)
    bins = Bins(edges)
    np.testing.assert_array_equal(sums.galaxies(bins), sort_into_bins(edges, sample.z_phot).counts())


def test_labels_of_a_sample_calibrate_all(sample: PhotometricSample) -> None:
    """The luck of the sample is not that of `both`: less of it is left than in the sample's own."""
    sums = summed(sample, 3)
    bins = sums.bins(2)
    some = np.flatnonzero(np.random.default_rng(7).random(6_000) < 0.2)
    few = sample.rows(some)
    labels = labelled(few, seed=3, same=np.arange(len(few)))
    held = estimate_nz(few, Sorted(bins, bins.of(few.z_phot)), GRID, labelled=labels, resamples=10, seed=3)
    found = of_whole(held, sums, resamples=10, seed=3)
    worst = {
        method: max(abs(offset(one.nz[method], one.nz[TRUTH], "mean")[0]) for one in found.each)
        for method in (STACK, BOTH)
    }
    assert worst[BOTH] < 0.005 < 0.01 < worst[STACK]
    for one, of_sample in zip(found.each, held.each, strict=True):
        assert one.nz[BOTH].mean != of_sample.nz[BOTH].mean
        assert len(one.nz[BOTH].resampled) == 10
    assert any("sample of 1," in note for note in found.notes)


def test_galaxies_in_no_patch_count_in_groups_alone(sample: PhotometricSample) -> None:
    lost = replace(sample, patch=np.full(6_000, -1))
    sums = summed(lost, 2)
    patches, groups = sums.masses(sums.whole, 0)
    assert len(patches) == 0
    assert groups.sum() == pytest.approx(np.asarray(sample.weight).sum(), rel=1e-6)


def test_one_redshift_for_all_is_refused() -> None:
    same = photometric(200, seed=1)
    same = replace(same, z_phot=np.full(200, 0.5), patch=None)
    with pytest.raises(MixzError, match="share one redshift"):
        summed(same, 1).bins(3)
