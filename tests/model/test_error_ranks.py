"""Ranks of errors: the same in every survey, whatever its depth; refused where there is nothing to rank among."""

from __future__ import annotations

import pytest
import torch

from mixz.errors import MixzError
from mixz.model.inputs.error_ranks import ErrorRanks

MAG = 20 + 4 * torch.rand(3000, 2, generator=torch.Generator().manual_seed(1))
LUCK = torch.randn(3000, 2, generator=torch.Generator().manual_seed(2))
SYSTEM = torch.arange(3000) % 2
ERR = torch.exp(0.9 * (MAG - 24) + 0.2 * LUCK) * torch.tensor([0.02, 0.1])[SYSTEM][:, None]


def test_a_rank_knows_neither_magnitude_nor_survey() -> None:
    scores = ErrorRanks.fit(MAG, ERR, SYSTEM, ["deep", "shallow"])(MAG, ERR, SYSTEM)
    assert (scores - LUCK.clamp(-2.5, 2.5)).abs().mean() < 0.12
    for its in (SYSTEM == 0, SYSTEM == 1, MAG[:, 0] > 23.5, MAG[:, 0] < 20.5):
        assert scores[its].mean(dim=0).abs().max() < 0.12
        assert (scores[its].std(dim=0) - 1).abs().max() < 0.1


def test_errors_that_follow_from_the_magnitude_have_no_rank() -> None:
    err = torch.exp(0.9 * (MAG - 24) + 0.02 * (MAG - 22) ** 2)
    scores = ErrorRanks.fit(MAG, err, SYSTEM, ["deep", "shallow"])(MAG, err, SYSTEM)
    assert scores.abs().quantile(0.95) < 0.3


def test_what_is_not_known_is_in_the_middle() -> None:
    ranks = ErrorRanks.fit(MAG, ERR, SYSTEM, ["deep", "shallow"])
    asked = torch.tensor([[torch.nan, 21.0], [21.0, 21.0]]), torch.tensor([[0.1, torch.nan], [0.0, 1e9]])
    found = ranks(*asked, torch.tensor([0, 1]))
    assert found.tolist() == [[0.0, 0.0], [-2.5, 2.5]]


def test_a_survey_without_errors_has_no_ranks() -> None:
    err = torch.where(SYSTEM[:, None] == 1, torch.nan, ERR)
    with pytest.raises(MixzError, match="photometric system 'shallow' has 0 training galaxies(?s:.*)50 or more"):
        ErrorRanks.fit(MAG, err, SYSTEM, ["deep", "shallow"])
