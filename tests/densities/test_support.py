"""The support flag on clouds of galaxies whose places are known."""

from __future__ import annotations

import numpy as np

from mixz.densities.support import MOST, Support


def cloud(count: int, *, centre: float, seed: int) -> np.ndarray:
    return (np.random.default_rng(seed).standard_normal((count, 3)) + centre).astype(np.float32)


def test_each_cloud_has_its_flag() -> None:
    exact = np.arange(4000) < 2000
    x = np.concatenate([cloud(2000, centre=0, seed=1), cloud(2000, centre=12, seed=2)])
    support = Support.fit(x, np.zeros(len(x)), exact=exact, seed=0)
    for centre, flag in ((0, 2), (12, 1), (40, 0)):
        found = support(cloud(1000, centre=centre, seed=3))
        assert (found == flag).mean() > 0.97


def test_about_one_in_a_hundred_training_galaxies_lies_alone() -> None:
    x = cloud(3000, centre=0, seed=1)
    support = Support.fit(x, np.zeros(len(x)), exact=np.ones(len(x), bool), seed=0)
    outside = (support(cloud(20_000, centre=0, seed=2)) == 0).mean()
    assert 0.002 < outside < 0.03


def test_units_do_not_matter() -> None:
    x, scale = cloud(2000, centre=0, seed=1), np.array([1.0, 1e-3, 50.0], np.float32)
    exact, new = np.arange(2000) % 3 == 0, cloud(500, centre=1.5, seed=2)
    flags = [Support.fit(x * s, np.zeros(len(x)), exact=exact, seed=0)(new * s) for s in (1, scale)]
    assert (flags[0] == flags[1]).mean() > 0.99


def test_one_kind_alone_and_no_galaxies() -> None:
    x = cloud(500, centre=0, seed=1)
    for exact, flag in ((np.ones(500, bool), 2), (np.zeros(500, bool), 1)):
        support = Support.fit(x, np.zeros(len(x)), exact=exact, seed=0)
        assert support(np.zeros((1, 3))).tolist() == [flag]
        assert support(np.full((1, 3), np.nan)).tolist() == [0]
        assert support(np.zeros((0, 3))).shape == (0,)


def test_the_model_stays_small() -> None:
    x = cloud(3 * MOST, centre=0, seed=1)
    support = Support.fit(x, np.zeros(len(x)), exact=np.arange(len(x)) % 2 == 0, seed=0)
    assert (len(support.by_spectra), len(support.by_others)) == (MOST, MOST)
    again = Support.fit(x, np.zeros(len(x)), exact=np.arange(len(x)) % 2 == 0, seed=0)
    np.testing.assert_array_equal(support(x), again(x))


def test_neighbours_are_the_nearest_with_their_labels() -> None:
    x = cloud(300, centre=0, seed=1)
    support = Support.fit(x, x[:, 0], exact=np.arange(300) % 2 == 0, seed=0)
    labels, distance = support.neighbours(support.place(np.array([[0.0, 0, 0], [9, 9, 9], [np.nan, 0, 0]], np.float32)))
    nearest = np.argsort(np.square(support.place(x) - support.place(np.zeros((1, 3), np.float32))).sum(axis=1))[:10]
    np.testing.assert_array_equal(np.sort(labels[0]), np.sort(x[nearest, 0]))
    assert distance[0] < 2 < distance[1]
    assert np.isnan(distance[2])
    assert np.isnan(labels[2]).all()
