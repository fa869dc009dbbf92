"""The matcher: whoever stands in whichever row, at a pole or across the meridian, the same pairs come out."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from mixz.data.match import Pairs, false_matches, mutual_nearest
from mixz.data.sky import Box, footprint, guess_units, require_degrees
from mixz.errors import MixzError

RADIUS = 1.0
PLACES = {"equator": (150.0, 2.0), "meridian": (0.0, -5.0), "north pole": (33.0, 90.0), "south pole": (0.0, -89.9999)}

Sky = tuple[np.ndarray, np.ndarray]


def around(place: str, offsets_arcsec: np.ndarray) -> Sky:
    """Put objects at offsets east and north of a place, right where coordinates misbehave."""
    ra, dec = PLACES[place]
    centre = SkyCoord(ra, dec, unit="deg")
    east, north = offsets_arcsec.T / 3600
    moved = centre.spherical_offsets_by(east * centre.ra.unit, north * centre.dec.unit)
    return np.asarray(moved.ra.deg), np.asarray(moved.dec.deg)


def as_set(pairs: Pairs) -> set[tuple[int, int]]:
    return set(zip(pairs.first.tolist(), pairs.second.tolist(), strict=True))


places = st.sampled_from(list(PLACES))
offsets = hnp.arrays(np.float64, st.tuples(st.integers(1, 25), st.just(2)), elements=st.floats(-4, 4, width=32))


@settings(deadline=None, max_examples=25)
@given(place=places, first=offsets, second=offsets, seed=st.integers(0, 99))
def test_the_order_of_rows_plays_no_role(place: str, first: np.ndarray, second: np.ndarray, seed: int) -> None:
    a, b = around(place, first), around(place, second)
    rng = np.random.default_rng(seed)
    p, q = rng.permutation(len(first)), rng.permutation(len(second))
    shuffled = mutual_nearest((a[0][p], a[1][p]), (b[0][q], b[1][q]))
    there_and_back = {(int(p[i]), int(q[j])) for i, j in as_set(shuffled)}
    assert there_and_back == as_set(mutual_nearest(a, b))
    assert {(i, j) for j, i in as_set(mutual_nearest(b, a))} == there_and_back


@settings(deadline=None, max_examples=25)
@given(place=places, first=offsets, second=offsets)
def test_pairs_are_mutual_near_and_single(place: str, first: np.ndarray, second: np.ndarray) -> None:
    a, b = around(place, first), around(place, second)
    pairs = mutual_nearest(a, b, radius_arcsec=RADIUS)
    assert len(set(pairs.first.tolist())) == len(set(pairs.second.tolist())) == len(pairs)
    assert (pairs.separation_arcsec <= RADIUS * (1 + 1e-9)).all()
    apart = SkyCoord(*a, unit="deg")[:, None].separation(SkyCoord(*b, unit="deg")[None, :]).arcsec
    for i, j, separation in zip(pairs.first, pairs.second, pairs.separation_arcsec, strict=True):
        assert separation == pytest.approx(apart[i, j], abs=1e-6)
        assert separation <= min(apart[i].min(), apart[:, j].min()) + 1e-6


@settings(deadline=None, max_examples=20)
@given(place=places, objects=offsets)
def test_a_catalogue_matches_itself(place: str, objects: np.ndarray) -> None:
    sky = around(place, objects)
    pairs = mutual_nearest(sky, sky)
    apart = SkyCoord(*sky, unit="deg")[:, None].separation(SkyCoord(*sky, unit="deg")[None, :]).arcsec
    alone = ((apart < 1e-6).sum(axis=1)) == 1
    np.testing.assert_array_equal(pairs.first, pairs.second)
    assert set(np.flatnonzero(alone)) <= set(pairs.first.tolist()), "whoever stands alone is matched to itself"
    assert (pairs.separation_arcsec < 1e-6).all()


@pytest.mark.parametrize("place", PLACES)
def test_astropy_finds_the_same_nearest(place: str) -> None:
    rng = np.random.default_rng(1)
    a, b = (around(place, rng.uniform(-20, 20, (300, 2))) for _ in range(2))
    here, there = SkyCoord(*a, unit="deg"), SkyCoord(*b, unit="deg")
    forth, distance, _ = here.match_to_catalog_sky(there)
    back, _, _ = there.match_to_catalog_sky(here)
    expected = {(i, int(j)) for i, j in enumerate(forth) if back[j] == i and distance[i].arcsec <= RADIUS}
    assert len(expected) > 20
    assert as_set(mutual_nearest(a, b)) == expected


def test_many_to_one_leaves_the_nearest() -> None:
    hsc = around("meridian", np.array([[0.0, 0.0]]))
    cosmos = around("meridian", np.array([[0.5, 0.0], [-0.2, 0.0], [0.0, 0.6]]))
    assert as_set(mutual_nearest(hsc, cosmos)) == {(0, 1)}


def test_two_at_one_place_cannot_be_told_apart() -> None:
    one, two = (np.array([10.0]), np.array([0.0])), (np.array([10.0, 10.0]), np.array([0.0, 0.0]))
    assert len(mutual_nearest(one, two)) == 0


def test_without_a_position_nothing_matches() -> None:
    a = np.array([np.nan, 10.0]), np.array([0.0, np.nan])
    assert len(mutual_nearest(a, (np.array([10.0]), np.array([0.0])))) == 0
    assert len(mutual_nearest((np.empty(0), np.empty(0)), a)) == 0


def test_chance_pairs_among_true_ones_are_counted() -> None:
    """Half the labels have a counterpart 0.1 arcsec away, half have none: what the latter find is chance."""
    rng = np.random.default_rng(2)
    side, n = 360.0, 3000
    sky = rng.uniform(0, side, (2 * n, 2))
    table = around("equator", np.concatenate([sky[:n], rng.uniform(0, side, (2 * n, 2))]))
    labels = around("equator", sky + rng.normal(0, 0.1, sky.shape))
    pairs = mutual_nearest(table, labels)
    by_chance = int((pairs.second >= n).sum())
    estimate = false_matches(table, labels, pairs=len(pairs), shift_arcsec=10)
    assert by_chance > 100
    assert estimate == pytest.approx(by_chance, rel=0.15)


def test_footprints_over_the_meridian() -> None:
    assert footprint(np.array([350.0, 10.0]), np.array([-1.0, 1.0])) == "ra 350 to 10, dec -1 to 1 deg"
    assert footprint(np.array([np.nan]), np.array([1.0])) == "nowhere (no positions)"


@pytest.mark.parametrize(
    ("ra_factor", "dec_factor", "says"), [(1 / 15, 1, "hours"), (np.pi / 180, np.pi / 180, "radians"), (1, 1, "")]
)
def test_units_are_guessed(ra_factor: float, dec_factor: float, says: str) -> None:
    ra, dec = np.array([150.0, 150.3]), np.array([2.0, 2.3])
    box = Box.around(ra + (0 if says else 90), dec, margin_arcsec=1)
    assert says in guess_units(ra * ra_factor, dec * dec_factor, box)
    assert bool(guess_units(ra * ra_factor, dec * dec_factor, box)) == bool(says)


def test_impossible_degrees() -> None:
    with pytest.raises(MixzError, match=r"declination -91(?s:.*)degrees"):
        require_degrees(np.array([10.0, np.nan]), np.array([-91.0, np.nan]), where="t.fits")
