"""Networks must not be able to tell which truth a label came from: what they see is shown to a classifier."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def test_only_plain_errors_give_the_truth_away(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("sklearn", reason="scikit-learn is not installed")
    monkeypatch.setattr(sys, "path", [str(BENCHMARKS), *sys.path])
    from leak import leaks

    found = leaks(20_000)
    assert abs(found["auc_i_magnitude"] - 0.5) < 0.04
    assert abs(found["auc_errors_robust"] - 0.5) < 0.04
    # Ranks hide depth: what they add to magnitudes tells next to nothing here.
    assert found["auc_errors_relative"] < found["auc_errors_none"] + 0.05
    # Without errors the deeper survey's tighter colours still tell a little; errors as they are tell all.
    assert 0.55 < found["auc_errors_none"] < 0.75
    assert found["auc_errors_plain"] > 0.95
