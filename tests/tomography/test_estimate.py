"""n(z) against the truth: labels repair wrong densities, spectra repair shifted labels, errors are as large as said."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tomography_toys import GRID, MANY_BAND, labelled, photometric

from mixz.tomography import BOTH, LABELS, SPECTRA, STACK, TRUTH, NofZ, estimate_nz, offset, sort_into_bins
from mixz.tomography.drawn import drawn_galaxies
from mixz.tomography.neighbours import Neighbours
from mixz.tomography.nz import GALAXIES, MEMBERS, PATCHES, SHIFT
from mixz.tomography.tilt import fit_tilt
from mixz.truths import Labels


def both_of(bias: float, shift: float, *, own: bool = True, patches: int = 0):  # type: ignore[no-untyped-def]
    sample = photometric(4_000, seed=1, bias=bias, patches=patches)
    other = sample if own else photometric(4_000, seed=2, bias=bias)
    labels = labelled(other, seed=3, shift=shift, **({"same": np.arange(4_000)} if own else {}))
    found = estimate_nz(sample, sort_into_bins(3, sample.z_phot), GRID, labelled=labels, resamples=30, seed=1)
    return found.each, found


def worst(each, method: str) -> float:  # type: ignore[no-untyped-def]
    return max(abs(offset(one.nz[method], one.nz[TRUTH], "mean")[0]) for one in each)


def test_labels_repair_biased_densities() -> None:
    each, _ = both_of(bias=0.03, shift=0.0)
    assert worst(each, STACK) > 0.02
    assert worst(each, BOTH) < 0.003
    assert worst(each, LABELS) < 0.006


def test_spectra_repair_shifted_labels() -> None:
    each, found = both_of(bias=0.0, shift=0.01)
    assert found.shift.pairs > 500
    assert worst(each, LABELS) > 0.006
    assert worst(each, BOTH) < 0.003


def test_other_galaxies_labels_serve_too() -> None:
    each, _ = both_of(bias=0.03, shift=0.0, own=False)
    assert worst(each, BOTH) < 0.008 < worst(each, STACK)


def test_spectra_chosen_by_redshift_are_a_trap() -> None:
    sample = photometric(4_000, seed=1)
    labels = labelled(sample, seed=3, same=np.arange(4_000))
    easy = np.where(np.asarray(sample.z_true) < np.median(sample.z_true), labels.labels["spec"].z, np.nan)
    trapped = replace(labels, labels=labels.labels | {"spec": replace(labels.labels["spec"], z=easy)})
    found = estimate_nz(sample, sort_into_bins(3, sample.z_phot), GRID, labelled=trapped, resamples=5)
    middle = found.each[1]
    assert abs(offset(middle.nz[SPECTRA], middle.nz[TRUTH], "mean")[0]) > 0.01
    assert abs(offset(middle.nz[BOTH], middle.nz[TRUTH], "mean")[0]) < 0.004


def test_errors_are_as_large_as_said() -> None:
    """The mean of a bin's true redshifts scatters as the bootstrap of one sample says; so do neighbours' weights."""
    means, told = [], []
    for seed in range(40):
        sample = photometric(600, seed=100 + seed)
        one = estimate_nz(sample, sort_into_bins((0.5, 0.8), sample.z_phot), GRID, resamples=40, seed=seed).each[0]
        means.append(one.nz[TRUTH].mean)
        told.append(one.nz[TRUTH].error[0])
    assert np.std(means) == pytest.approx(np.mean(told), rel=0.4)


def test_every_source_of_error_is_told_apart() -> None:
    each, _ = both_of(bias=0.0, shift=0.0, patches=20)
    for one in each:
        assert set(one.nz[STACK].errors) == {GALAXIES, PATCHES, MEMBERS}
        assert set(one.nz[BOTH].errors) == {GALAXIES, PATCHES, SHIFT, MEMBERS}
        assert all(np.isfinite(error).all() for nz in one.nz.values() for error in nz.errors.values())


def test_large_scale_structure_makes_patches_tell_more() -> None:
    sample = photometric(3_000, seed=1)
    z = np.asarray(sample.z_true)
    clustered = replace(sample, patch=np.digitize(z, np.quantile(z, np.linspace(0, 1, 16)[1:-1])))
    one = estimate_nz(clustered, sort_into_bins(1, z), GRID, resamples=60).each[0].nz[TRUTH]
    assert one.errors[PATCHES][0] > 3 * one.errors[GALAXIES][0]


def test_few_patches_are_not_drawn() -> None:
    sample = photometric(500, seed=1, patches=3)
    assert (
        PATCHES not in estimate_nz(sample, sort_into_bins(1, sample.z_phot), GRID, resamples=5).each[0].nz[STACK].errors
    )


def test_weights_count() -> None:
    sample = photometric(2_000, seed=1)
    weighted = replace(sample, weight=np.where(np.asarray(sample.z_true) > 0.8, 5.0, 1.0))
    for method in (STACK, TRUTH):
        plain, heavy = (
            estimate_nz(s, sort_into_bins((0.0, 2.0), s.z_phot), GRID, resamples=2).each[0].nz[method]
            for s in (sample, weighted)
        )
        assert heavy.mean > plain.mean + 0.05


def test_without_labels_and_with_too_few() -> None:
    sample = photometric(400, seed=1)
    bins = sort_into_bins(2, sample.z_phot)
    for one in estimate_nz(sample, bins, GRID, resamples=2).each:
        assert set(one.nz) == {STACK, TRUTH}
        assert set(one.why_not) == {SPECTRA, LABELS, BOTH}
    few = labelled(photometric(60, seed=2), seed=3)
    for one in estimate_nz(sample, bins, GRID, labelled=few, resamples=2).each:
        assert "50 are needed" in one.why_not[BOTH]


def test_labels_off_the_grid_are_not_enough() -> None:
    sample = photometric(400, seed=1)
    bins = sort_into_bins(1, sample.z_phot)
    for off in (5.0, -3.0):
        away = labelled(sample, seed=3, spectra=1.0, same=np.arange(400))
        moved = {
            name: replace(labels, z=np.where(np.arange(400) < 30, labels.z, off))
            for name, labels in away.labels.items()
        }
        found = estimate_nz(sample, bins, GRID, labelled=replace(away, labels=moved), resamples=2)
        assert set(found.each[0].nz) == {STACK, TRUTH}
        assert set(found.each[0].why_not.values()) == {
            "30 labels in this bin, 50 are needed (370 more lie off the grid of densities)"
        }


def test_the_same_seed_gives_the_same_and_no_array_changes() -> None:
    sample = photometric(800, seed=1)
    labels = labelled(sample, seed=2, same=np.arange(800))
    before = sample.mass.copy(), labels.labels["many_band"].z.copy()
    a, b = (estimate_nz(sample, sort_into_bins(2, sample.z_phot), GRID, labelled=labels, resamples=4) for _ in range(2))
    for one, two in zip(a.each, b.each, strict=True):
        np.testing.assert_array_equal(one.nz[BOTH].resampled, two.nz[BOTH].resampled)
    np.testing.assert_array_equal(before[0], sample.mass)
    np.testing.assert_array_equal(before[1], labels.labels["many_band"].z)


def test_every_nz_is_a_density() -> None:
    each, _ = both_of(bias=0.0, shift=0.0)
    for one in each:
        for nz in one.nz.values():
            for mass in (nz.mass, *nz.resampled):
                assert mass.min() >= 0
                assert np.trapezoid(GRID.density(mass), GRID.z) == pytest.approx(1)


def test_the_penalty_is_blind_to_mean_and_width() -> None:
    """However smooth, f gives exact labels' own mean and mean square (Silverman 1982)."""
    rng = np.random.default_rng(1)
    z = np.concatenate([rng.normal(0.5, 0.05, 300), rng.normal(1.2, 0.1, 300)])
    labels = Labels(replace(MANY_BAND, kernel=MANY_BAND.kernel.scaled(1e-4)), z, np.full(600, 22.0))
    even = np.ones((1, len(GRID))) / len(GRID)
    tilt = fit_tilt(labels.likelihood(GRID, face_value=True), even, GRID, weight=np.ones(600))
    found = NofZ(GRID, even[0] * tilt.factors()[:, 0])
    assert found.mean == pytest.approx(z.mean(), abs=2e-3)
    assert found.width == pytest.approx(z.std(), abs=3e-3)


def test_a_resample_is_what_fitting_it_anew_gives() -> None:
    sample = photometric(600, seed=1, bias=0.02)
    likelihood = labelled(sample, seed=2).labels["many_band"].likelihood(GRID)
    even = np.ones((1, len(GRID))) / len(GRID)
    weight = drawn_galaxies(600, 8, seed=[3])
    tilt = fit_tilt(likelihood, even, GRID, weight=weight[:, 0])
    quick = [NofZ(GRID, t).mean for t in tilt.factors(weight).T[1:]]
    anew = [NofZ(GRID, fit_tilt(likelihood, even, GRID, weight=w).factors()[:, 0]).mean for w in weight.T[1:]]
    assert np.std(anew) > 0.005
    assert np.sqrt(np.mean(np.square(np.subtract(quick, anew)))) < 0.25 * np.std(anew)


def test_who_is_labelled_stands_for_itself() -> None:
    mag = np.random.default_rng(1).normal(22, 1, (50, 2))
    same = np.arange(50)[::2]
    found = Neighbours.between(mag, mag[::2], same=same, k=1).weights(np.ones((50, 1)), np.ones((25, 1)))[:, 0]
    assert found.sum() == pytest.approx(50)
    assert (found >= 1).all()


def test_a_label_where_a_density_is_nought_is_borne() -> None:
    sample = photometric(300, seed=1)
    narrow = np.zeros_like(sample.mass)
    narrow[np.arange(300), np.searchsorted(GRID.z, sample.z_phot)] = 1.0
    sure = replace(sample, mass=narrow)
    exact = labelled(sure, seed=3, spectra=1.0, same=np.arange(300))
    one = estimate_nz(sure, sort_into_bins(1, sure.z_phot), GRID, labelled=exact, resamples=3).each[0]
    assert np.isfinite(one.nz[BOTH].resampled).all()
    assert one.nz[BOTH].mean == pytest.approx(one.nz[TRUTH].mean, abs=0.02)


def test_galaxies_without_density_or_band_spoil_nothing() -> None:
    sample = photometric(800, seed=1)
    mass, mag = sample.mass.copy(), sample.mag.copy()
    mass[::40], mag[::30, 0] = np.nan, np.nan
    holed = replace(sample, mass=mass, mag=mag)
    labels = labelled(holed, seed=3, same=np.arange(800))
    one = estimate_nz(holed, sort_into_bins(1, holed.z_phot), GRID, labelled=labels, resamples=3).each[0]
    for nz in one.nz.values():
        assert np.isfinite(nz.mass).all()
        assert nz.mean == pytest.approx(one.nz[TRUTH].mean, abs=0.02)


def test_what_members_share_in_labelled_galaxies_does_not_count() -> None:
    """Members that are off as a whole are off in the stack, and calibrated away where labels are."""
    each, _ = both_of(bias=0.0, shift=0.0)
    for one in each:
        assert one.nz[BOTH].errors[MEMBERS][0] < 0.3 * one.nz[STACK].errors[MEMBERS][0]


def test_members_that_only_differ_beyond_the_labels_count() -> None:
    sample, other = photometric(3_000, seed=1), photometric(3_000, seed=2)
    rng = np.random.default_rng(3)
    sample = replace(sample, z_members=sample.z_phot + rng.normal(0, 0.02, (6, 1)))
    other = replace(other, z_members=np.tile(other.z_phot, (6, 1)))
    bins = sort_into_bins(1, sample.z_phot)
    [one] = estimate_nz(sample, bins, GRID, labelled=labelled(other, seed=4), resamples=40).each
    assert one.nz[BOTH].errors[MEMBERS][0] == pytest.approx(one.nz[STACK].errors[MEMBERS][0], rel=0.4)
