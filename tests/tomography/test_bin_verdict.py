"""Verdicts: met, missed, or not to be tested; what nobody could read in the SRD says so."""

from __future__ import annotations

import numpy as np
import pytest
from tomography_toys import GRID

from mixz.tomography import (
    BOTH,
    REQUIREMENTS,
    SPECTRA,
    STACK,
    TRUTH,
    BinEstimates,
    Bins,
    NofZ,
    Tomography,
    bin_verdicts,
    label_floor,
    requirements,
)


def nz(mean: float, error: float, *, width: float = 0.1) -> NofZ:
    def mass(at: float) -> np.ndarray:
        return np.exp(-((GRID.z - at) ** 2) / (2 * width**2))

    # Realisations whose means scatter by the error; a pattern, so that two with errors do not cancel.
    return NofZ(GRID, mass(mean), [mass(mean + error * sign) for sign in (-1, 1, -1, 1)] if error else [mass(mean)] * 4)


def tomography(**nz_of: NofZ) -> Tomography:
    found = BinEstimates("0.5-1.5", 4_000, nz_of, {SPECTRA: "12 labels in this bin, 50 are needed"}, {BOTH: 4_000.0})
    return Tomography(Bins((0.5, 1.5), "source"), (found,), {})


def of(found: Tomography, method: str, name: str):  # type: ignore[no-untyped-def]
    (one,) = [v for v in bin_verdicts(found) if v.method == method and v.requirement.name.startswith(name)]
    return one


@pytest.mark.parametrize(
    ("away", "error", "outcome"),
    [
        (0.0, 0.0008, "met"),
        (0.02, 0.0008, "missed"),
        (0.0, 0.02, "cannot be tested"),
        (0.006, 0.004, "cannot be tested"),
        (0.03, 0.008, "missed"),
    ],
)
def test_outcomes(away: float, error: float, outcome: str) -> None:
    found = tomography(stack=nz(1.0 + away, error), truth=nz(1.0, 0.0))
    verdict = of(found, STACK, "source Y1 mean")
    assert verdict.outcome == outcome
    assert verdict.value == pytest.approx(away / 2, abs=1e-3)
    assert "truth" in verdict.why
    assert np.isfinite(verdict.needed) == (outcome == "cannot be tested")


def test_more_labels_are_needed_the_less_is_known() -> None:
    few, many = (of(tomography(stack=nz(1, e), both=nz(1, 0.0)), STACK, "source Y1 mean").needed for e in (0.1, 0.02))
    assert few > many > 4_000


def test_the_truth_is_asked_before_labels_and_no_method_is_its_own_judge() -> None:
    with_both = tomography(stack=nz(1.01, 0.001), both=nz(1.0, 0.001))
    assert of(with_both, STACK, "source Y1 mean").why.startswith("against both")
    own = of(with_both, BOTH, "source Y1 mean")
    assert own.outcome == "cannot be tested"
    assert "it is the reference" in own.why
    assert of(tomography(both=nz(1, 0.001), truth=nz(1, 0.0)), BOTH, "source Y1 mean").outcome == "met"


def test_what_cannot_be_said_says_why() -> None:
    found = tomography(stack=nz(1, 0.001))
    assert "no reference" in of(found, STACK, "source Y1 mean").why
    assert of(found, SPECTRA, "source Y1 mean").why == "12 labels in this bin, 50 are needed"


def test_only_what_was_read_is_not_marked() -> None:
    assert [r.name for r in REQUIREMENTS if r.read] == ["lens Y10 mean"]
    assert all("from memory" in r.name for r in REQUIREMENTS if not r.read)
    assert {r.sample for r in requirements("source")} == {"source"}
    assert len(requirements()) == len(REQUIREMENTS) == 8


def test_the_floor_of_so_many_labels() -> None:
    """facts: a scatter of .1 (1 + z) needs 2,500 labels for .002 (1 + z)."""
    assert label_floor(nz(1.0, 0.0, width=0.2), 2_500) == pytest.approx(0.002, rel=0.02)
    assert label_floor(nz(1.0, 0.0), 0) == np.inf
    assert TRUTH == "truth"
