"""The mock of task set 3 is what it says: disjoint samples, RAIL's selections, the published label errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from mixz.bridges.rail_mock import MANY_BAND_FIELD, SURVEYS, TEST, simulated_task_set_3
from mixz.surveys.desc_challenge import BANDS, FAINTEST_TEST, MANY_BAND, SPEC

if TYPE_CHECKING:
    import pandas as pd

pytest.importorskip("rail.creation.degraders.grid_selection", reason="needs mixz[rail]")


@pytest.fixture(scope="module")
def tables() -> tuple[pd.DataFrame, pd.DataFrame]:
    return simulated_task_set_3(seed=3)


def test_training_and_test_galaxies_are_different(tables: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    training, test = tables
    assert not set(training["object_id"]) & set(test["object_id"])
    assert len(test) <= TEST
    assert test["mag_i_lsst"].max() < FAINTEST_TEST


def test_every_training_galaxy_has_a_label_and_says_why(tables: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    training, _ = tables
    spectra = [f"flag_{name}" for name in (*SURVEYS, "HSC")]
    assert (training[SPEC].notna() == training[spectra].any(axis=1)).all()
    assert (training[MANY_BAND].notna() == training["flag_COSMOS2020"]).all()
    assert training["flag_COSMOS2020"].sum() == MANY_BAND_FIELD
    assert (training[SPEC].notna() | training[MANY_BAND].notna()).all()
    for name, most in SURVEYS.items():
        assert 0 < training[f"flag_{name}"].sum() <= most


def test_spectra_are_of_bright_galaxies_and_many_band_labels_are_noisy(
    tables: tuple[pd.DataFrame, pd.DataFrame],
) -> None:
    training, test = tables
    assert training.loc[training[SPEC].notna(), "mag_i_lsst"].median() < test["mag_i_lsst"].median() - 1
    both = training.dropna(subset=[SPEC, MANY_BAND])
    dz = (both[MANY_BAND] - both[SPEC]) / (1 + both[SPEC])
    assert 0.005 < 1.4826 * np.median(np.abs(dz - np.median(dz))) < 0.03


def test_what_was_not_seen_is_nan(tables: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    for table in tables:
        magnitudes = table[[f"mag_{band}_lsst" for band in BANDS]]
        assert magnitudes["mag_u_lsst"].isna().any()
        assert np.nanmax(magnitudes.to_numpy()) < 90
