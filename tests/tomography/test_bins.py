"""Bins hold the galaxies they must, count those they do not hold, and refuse what is no bin in one line."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixz.errors import MixzError
from mixz.tomography import NO_BIN, Bins, Quality, sort_into_bins

Z = np.linspace(0.1, 2.0, 400)


@given(st.integers(1, 9), st.integers(0, 2**16))
def test_equal_counts_are_equal(number: int, seed: int) -> None:
    z = np.random.default_rng(seed).gamma(3, 0.3, 500)
    counts = sort_into_bins(number, z).counts()
    assert counts.sum() == 500
    assert np.ptp(counts) <= 1


def test_equal_counts_are_of_weights() -> None:
    weight = np.where(Z > 1.5, 10.0, 1.0)
    found = sort_into_bins(4, Z, weight=weight)
    sums = np.bincount(found.number, weights=weight)
    assert np.ptp(sums) <= 20
    assert np.ptp(found.counts()) > 100


def test_every_galaxy_is_in_a_bin_or_counted() -> None:
    z = np.concatenate([Z, [np.nan] * 3])
    support = np.concatenate([np.tile([0, 1, 2, 2], 100), [2] * 3])
    weight = np.where(np.arange(403) == 5, 0.0, 1.0)
    found = sort_into_bins((0.5, 1.0, 1.5), z, weight=weight, quality={Quality("support", low=1): support})
    assert found.counts().sum() + sum(found.left_out.values()) == 403
    assert set(found.left_out) == {"no redshift", "not support >= 1", "weight 0", "z_phot outside the bins"}
    assert (found.number[support == 0] == NO_BIN).all()


@pytest.mark.parametrize(
    ("name", "number", "sample"),
    [
        ("srd_source_y1", 5, "source"),
        ("srd_source_y10", 5, "source"),
        ("srd_lens_y1", 5, "lens"),
        ("srd_lens_y10", 10, "lens"),
    ],
)
def test_bins_of_the_srd(name: str, number: int, sample: str) -> None:
    bins = Bins.asked(name, Z)
    assert len(bins) == number
    assert bins.sample == sample
    if sample == "lens":
        assert bins.edges[0] == 0.2
        assert bins.edges[-1] == 1.2


@pytest.mark.parametrize(
    ("what", "more", "words"),
    [
        (0, {}, "0 bins"),
        (101, {}, "101 bins"),
        ((0.5,), {}, "edges of bins: 0.5"),
        ((), {}, "edges of bins: none"),
        ((0.5, 0.5), {}, "edges of bins: 0.5, 0.5"),
        ((1.0, 0.5, 2.0), {}, "edges of bins: 1, 0.5, 2"),
        ((0.1, np.nan), {}, "edges of bins"),
        ((0.1, np.inf), {}, "edges of bins"),
        ((0.2, 0.4, 5.0, 6.0), {}, "bins 5-6 hold no galaxy"),
        ("srd_source", {}, "srd_source_y1"),
        (500, {}, "500 bins"),
        (3, {"weight": -np.ones(400)}, "400 weights are negative"),
        (3, {"weight": np.where(Z > 1, np.nan, 1)}, "no numbers, e.g. nan"),
        (3, {"weight": np.zeros(400)}, "every weight is 0"),
        (3, {"weight": np.ones(3)}, "weights of shape"),
        (3, {"quality": {Quality("risk", high=0.1): np.ones(400)}}, "no galaxy is left"),
    ],
)
def test_what_is_no_bin_is_one_clear_message(what: Any, more: dict[str, Any], words: str) -> None:
    with pytest.raises(MixzError) as told:
        sort_into_bins(what, Z, **more)
    assert words in str(told.value)
    assert told.value.do


def test_too_few_or_equal_redshifts() -> None:
    with pytest.raises(MixzError, match="2 galaxies with a redshift for 3 bins"):
        sort_into_bins(3, np.array([0.5, 0.6, np.nan]))
    with pytest.raises(MixzError, match="share one redshift"):
        sort_into_bins(3, np.full(50, 0.5))
    with pytest.raises(MixzError, match="table is empty"):
        sort_into_bins(3, np.empty(0))


@pytest.mark.parametrize("text", ["risk", "risk<0.1", ">=1", "risk>=", "risk>=nan", "risk>=a", "risk>=1>=2"])
def test_a_cut_that_is_none(text: str) -> None:
    with pytest.raises(MixzError, match="cut"):
        Quality.read(text)
