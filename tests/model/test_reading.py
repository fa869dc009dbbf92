"""Densities read piece by piece say what they say at once, and single galaxies cannot spoil others."""

from __future__ import annotations

import pytest
import torch
from test_calibration import GRID, densities, galaxies

from mixz.model.calibration import KNOTS, Calibration
from mixz.model.conformal import Conformal
from mixz.model.grid import ESTIMATES
from mixz.model.reading import read_densities

MAG = torch.tensor([21.0, 24.0])
WIDER_WHEN_FAINT = Calibration(MAG, torch.tensor(KNOTS), torch.tensor(KNOTS) / torch.tensor([[1.0], [1.5]]))
INTERVALS = Conformal(torch.tensor([23.0]), torch.tensor([[0.7, 0.9, 0.95], [0.6, 0.9, 0.97]]))


def test_pieces_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    centre, _, mag = galaxies(100, seed=1)
    mass = densities(centre, shift=0.0, width=0.05)
    mass[17] = torch.nan
    honest = WIDER_WHEN_FAINT(mass, mag)
    points = GRID.estimates(honest)
    intervals = INTERVALS.intervals(honest, mag, GRID)
    monkeypatch.setattr("mixz.model.reading.PIECE", 7)
    found = read_densities(mass.clone(), mag, GRID, calibration=WIDER_WHEN_FAINT, conformal=INTERVALS)
    others = torch.arange(100) != 17
    torch.testing.assert_close(found.pdf[others], GRID.density(honest)[others])
    for name in ESTIMATES:
        torch.testing.assert_close(found.points[name][others], points[name][others])
        assert found.points[name][17].isnan()
    for level, ends in intervals.items():
        torch.testing.assert_close(found.intervals[level], ends, equal_nan=True)
        assert found.intervals[level][17].isnan().all()
