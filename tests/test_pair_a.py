"""The observed galaxies of pair A, where they are present beside the project."""

from __future__ import annotations

from pathlib import Path

import pytest

from mixz.data.build import build_galaxies
from mixz.settings.file import load_config

CONFIG = Path(__file__).parents[1] / "configs" / "pair_a.yaml"
OWN_BANDS = CONFIG.with_name("pair_a_own_bands.yaml")


def test_pair_a_builds_as_described() -> None:
    config = load_config(CONFIG)
    if not config.tables[0].path.exists():
        pytest.skip(f"no observed galaxies at {config.tables[0].path.parent}")
    galaxies, ledger = build_galaxies(config)
    assert [(e.step, e.rows_in, e.rows_out) for e in ledger.entries] == [
        ("has_a_label", 7952, 7952),
        ("all_bands_measured", 7952, 7952),
        ("has_a_label", 11902, 10628),
        ("all_bands_measured", 10628, 10514),
        ("split", 18466, 18466),
    ]
    assert galaxies.bands == ("g", "r", "i", "z")
    assert set(galaxies.system[galaxies.has("many_band")]) == {"des"}
    assert not (galaxies.has("many_band") & galaxies.has("spec")).any()
    assert galaxies.z["spec"][galaxies.has("spec")].max() < 2


def test_pair_a_with_own_bands_has_the_same_galaxies() -> None:
    config = load_config(OWN_BANDS)
    if not config.tables[0].path.exists():
        pytest.skip(f"no observed galaxies at {config.tables[0].path.parent}")
    galaxies, _ = build_galaxies(config)
    assert len(galaxies) == 18466, "own bands may be missing"
    assert galaxies.own_bands() == ("u", "i2", "y")
