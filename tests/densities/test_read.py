"""Densities read piece by piece say what they say at once, torch and numpy alike, and no galaxy spoils others."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from test_calibration import GRID, densities, galaxies

from mixz.densities.calibration import KNOTS, Calibration
from mixz.densities.estimates import ESTIMATES, estimates
from mixz.densities.intervals import Intervals
from mixz.densities.read import read_densities
from mixz.model.predict import read_rows

WIDER_WHEN_FAINT = Calibration([21.0, 24.0], KNOTS, (np.array(KNOTS) / np.array([[1.0], [1.5]]))[None])
INTERVALS = Intervals([23.0], [[0.7, 0.9, 0.95], [0.6, 0.9, 0.97]])


def test_pieces_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    centre, _, mag = galaxies(100, seed=1)
    mass = densities(centre, shift=0.0, width=0.05)
    mass[17] = np.nan
    honest = WIDER_WHEN_FAINT(mass, mag)
    points, intervals = estimates(honest, GRID), INTERVALS(honest, mag, GRID)
    monkeypatch.setattr("mixz.model.predict.PIECE", 7)
    given = torch.from_numpy(mass.copy()), torch.from_numpy(mag)
    found = read_rows(*given, GRID, calibration=WIDER_WHEN_FAINT, intervals=INTERVALS)
    others = np.arange(100) != 17
    np.testing.assert_allclose(found.pdf[others], GRID.density(honest)[others], rtol=1e-5, atol=1e-7)
    for name in ESTIMATES:
        np.testing.assert_allclose(found.points[name][others], points[name][others], atol=2e-5)
        assert found.points[name][17].isnan()
    for level, ends in intervals.items():
        np.testing.assert_allclose(found.intervals[level], ends, atol=1e-5)
        assert found.intervals[level][17].isnan().all()


def test_single_precision_reads_what_double_does() -> None:
    centre, _, mag = galaxies(200, seed=2)
    mass = densities(centre, shift=0.0, width=0.05)
    single = read_densities(mass, mag, GRID, calibration=WIDER_WHEN_FAINT, intervals=INTERVALS)
    double = read_densities(mass.astype(float), mag, GRID, calibration=WIDER_WHEN_FAINT, intervals=INTERVALS)
    assert single.pdf.dtype == np.float32
    np.testing.assert_allclose(single.pdf, double.pdf, rtol=1e-3, atol=1e-4)
    for name in ESTIMATES:
        np.testing.assert_allclose(single.points[name], double.points[name], atol=1e-4)


def test_no_density_is_negative_in_single_precision() -> None:
    rng = np.random.default_rng(6)
    mass = rng.dirichlet(np.full(len(GRID), 0.02), 5_000).astype(np.float32)
    steep = Calibration([22.0], KNOTS, np.cumsum([[-9.0, 0.3, 3.0, 0.2, 4.0, 0.1, 2.0]], axis=1)[None])
    mag = np.full(len(mass), 22.0, np.float32)
    for calibration in (Calibration.identity(), WIDER_WHEN_FAINT, steep):
        for one in (mass, torch.tensor(mass)):
            honest = np.asarray(calibration(one, mag if one is mass else torch.tensor(mag)))
            assert honest.min() >= 0
            np.testing.assert_allclose(honest.sum(axis=1), 1, atol=1e-5)
