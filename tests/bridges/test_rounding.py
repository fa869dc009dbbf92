"""Densities are rounded by no more than is said, and pack better."""

from __future__ import annotations

import zlib

import hypothesis.strategies as st
import numpy as np
from hypothesis import given
from hypothesis.extra.numpy import arrays

from mixz.bridges.hats.rounding import KEPT_BITS, WING, rounded

SMALLEST_NORMAL = float(np.finfo(np.float32).tiny)
DENSITIES = arrays(
    np.float32, (3, 20), elements=st.one_of(st.just(0.0), st.floats(SMALLEST_NORMAL, 1e4, width=32, allow_nan=False))
)


@given(DENSITIES)
def test_errors_are_as_small_as_said(pdf: np.ndarray) -> None:
    wings = pdf < WING * pdf.max(axis=1, keepdims=True)
    error = np.abs(rounded(pdf).astype(float) - pdf)
    assert (error[~wings] <= 2.0 ** -(KEPT_BITS + 1) * pdf[~wings].astype(float)).all()
    assert (error[wings] <= pdf[wings].astype(float) / 3 * (1 + 1e-6)).all()
    assert np.array_equal(rounded(pdf) == 0, pdf == 0), "a density that is possible stays possible"


def test_unknown_stays_unknown() -> None:
    pdf = np.array([[np.nan, np.nan], [1.0, 3.0]], dtype=np.float32)
    assert np.isnan(rounded(pdf)[0]).all()
    assert rounded(pdf)[1].tolist() == [1.0, 3.0]
    assert rounded(np.empty((0, 5), np.float32)).shape == (0, 5)


def test_they_pack_into_less_than_half() -> None:
    z = np.linspace(0, 4, 200)
    centre, width = np.random.default_rng(1).uniform([[0.3], [0.03]], [[2.0], [0.3]], (2, 200))
    pdf = np.exp(-0.5 * ((z - centre[:, None]) / width[:, None]) ** 2).astype(np.float32)
    assert 2 * len(zlib.compress(rounded(pdf).tobytes())) < len(zlib.compress(pdf.tobytes()))
