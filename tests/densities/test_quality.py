"""Odds and risk of galaxies whose true losses are known."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mixz.densities.grid import Grid, even_grid
from mixz.densities.quality import Risk, expected_loss, odds, signs_of

GRID = even_grid(200, 4.0)


def test_odds_are_the_share_of_the_window() -> None:
    x = np.log1p(GRID.z)
    flat = np.ones((1, len(GRID.z))) / len(GRID.z)
    middle = np.array([np.expm1(x.mean())])
    assert odds(flat, middle, GRID)[0] == pytest.approx(0.12 / (x[-1] + (x[1] - x[0])), rel=1e-3)
    assert odds(flat, np.array([0.0]), GRID)[0] < 0.6 * odds(flat, middle, GRID)[0]


def test_expected_loss_by_hand() -> None:
    grid = Grid([0.0, 1.0, 2.0])
    mass = np.array([[0.5, 0.5, 0.0]])
    # At z = 1 the second node costs nothing, and the first 1 - 1 / (1 + (1 / .15)^2).
    assert expected_loss(mass, np.array([1.0]), grid)[0] == pytest.approx(0.5 * (1 - 1 / (1 + (1 / 0.15) ** 2)))


def test_torch_and_numpy_agree() -> None:
    mass = np.random.default_rng(1).dirichlet(np.ones(len(GRID.z)), 5).astype(np.float32)
    z = np.linspace(0.1, 2, 5).astype(np.float32)
    for what in (odds, expected_loss):
        np.testing.assert_allclose(what(mass, z, GRID), what(torch.tensor(mass), torch.tensor(z), GRID), rtol=1e-5)


def test_risk_is_the_loss_of_galaxies_with_its_signs() -> None:
    rng = np.random.default_rng(2)
    expected, lonely, far = rng.uniform(0.01, 0.3, 20_000), rng.uniform(0.01, 0.6, 20_000), rng.uniform(0.2, 3, 20_000)
    true = 1 / (1 + np.exp(-(0.3 + 0.7 * np.log(expected / (1 - expected)) + 0.5 * np.log(lonely / (1 - lonely)))))
    signs = signs_of(expected, lonely, far)
    risk = Risk.fit(signs[:10_000], (rng.uniform(size=20_000) < true)[:10_000])
    assert risk.weight == pytest.approx([0.3, 0.7, 0.5, 0.0], abs=0.12)
    found = risk(signs[10_000:])
    assert np.abs(found - true[10_000:]).max() < 0.08
    assert found.min() >= 0
    assert found.max() <= 1


def test_signs_raise_risk_or_leave_it() -> None:
    rng = np.random.default_rng(3)
    signs = rng.standard_normal((500, 3))
    risk = Risk.fit(signs, rng.uniform(size=500) < 1 / (1 + np.exp(signs[:, 2])))
    assert (risk.weight[1:] >= 0).all(), "farther galaxies that are better do not lower it"


def test_without_a_sign_there_is_no_risk() -> None:
    assert np.isnan(Risk([0.0, 1.0, 0.0, 0.0])(signs_of([0.1], [np.nan], [1.0]))).all()
