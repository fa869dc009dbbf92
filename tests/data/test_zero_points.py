"""Zero points of bands that two surveys have, from galaxies of like magnitudes; what nobody can tell is not told."""

from __future__ import annotations

import numpy as np
import pytest

from mixz.data.zero_points import FEWEST, zero_points
from mixz.galaxies import GalaxySet


def three_surveys(*, u_shift: float, few: int = 400) -> GalaxySet:
    """A wide survey in griz, and two fields in ugriz, one of which is off in u and goes a magnitude less deep."""
    rng = np.random.default_rng(3)
    counts = {"wide": 700, "egs": 600, "other": few}
    system = np.repeat(list(counts), list(counts.values()))
    i, kind, red = rng.uniform(19, 23, len(system)), rng.uniform(0, 1, len(system)), rng.uniform(0, 1, len(system))
    i[system == "other"] -= 1
    colours = np.column_stack([3 * kind - red, 1.5 * kind, red, 0 * red, -0.4 * kind])
    mag = i[:, None] + colours + rng.normal(0, 0.03, (len(system), 5))
    mag[system == "other", 0] += u_shift
    mag[system == "wide", 0] = np.nan
    return GalaxySet(
        np.arange(len(system)), ("u", "g", "r", "i", "z"), mag, np.full(mag.shape, 0.03), system=system
    )  # fmt: skip


@pytest.mark.parametrize("shift", [-0.2, 0.0, 0.1])
def test_a_shift_is_found_where_two_systems_have_the_band(shift: float) -> None:
    found = {(z.band, z.system): z for z in zero_points(three_surveys(u_shift=shift))}
    assert ("u", "wide") not in found
    u = found["u", "other"]
    assert u.against == "egs"
    assert u.offset == pytest.approx(shift, abs=max(0.02, 4 * u.error))
    assert u.error < 0.01
    for band in "griz":
        assert abs(found[band, "egs"].offset) < 0.02 + 4 * found[band, "egs"].error
        assert found[band, "egs"].against == "wide"


def test_few_galaxies_and_one_system_tell_nothing() -> None:
    few = three_surveys(u_shift=0.1, few=FEWEST - 1)
    assert {z.system for z in zero_points(few)} == {"egs"}
    assert not [z for z in zero_points(few) if z.band == "u"]
    assert zero_points(few.rows(few.system == "egs")) == []
