"""RAIL's tables become galaxies: both ways to say "nothing seen", both spellings of errors, labels in several forms."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mixz.bridges.rail_tables import RailColumns, by_truth
from mixz.errors import MixzError
from mixz.galaxies import WEIGHT

BANDS = ("g", "r", "i")
COLUMNS = RailColumns(
    mag=tuple(f"mag_{b}_lsst" for b in BANDS),
    mag_err=tuple(f"mag_err_{b}_lsst" for b in BANDS),
    labels={"spec": "redshift", "many_band": "redshift_manyband"},
)


def table(spelling: str = "mag_err_{}_lsst") -> dict[str, Any]:
    mag = {f"mag_{b}_lsst": np.array([22.0, 23.0, 24.0, 25.0]) for b in BANDS}
    err = {spelling.format(b): np.full(4, 0.1) for b in BANDS}
    return {"object_id": np.arange(4) + 7, "redshift": np.array([0.5, np.nan, 0.7, np.nan])} | mag | err


@pytest.mark.parametrize("unseen", [np.nan, 99.0, np.float32(99.0)])
def test_nan_and_99_are_non_detections(unseen: float) -> None:
    given = table()
    given["mag_g_lsst"] = np.array([unseen, 23, 24, -99.0])
    galaxies = COLUMNS.galaxies(given)
    assert np.isnan(galaxies.mag[0, 0])
    assert np.isinf(galaxies.mag_err[0, 0])
    assert np.isnan(galaxies.mag_err[3, 0]), "-99 is no observation at all"
    assert np.isfinite(galaxies.mag_err[1:3]).all()
    assert given["mag_g_lsst"][3] == -99.0, "the caller's own array"


@pytest.mark.parametrize("spelling", ["mag_err_{}_lsst", "mag_{}_lsst_err"])
def test_both_spellings_of_errors(spelling: str) -> None:
    galaxies = COLUMNS.galaxies(table(spelling))
    assert (galaxies.mag_err == np.float32(0.1)).all()


def test_labels_that_are_there_are_taken() -> None:
    galaxies = COLUMNS.galaxies(table())
    assert galaxies.truths == ("spec",)
    assert galaxies.has("spec").tolist() == [True, False, True, False]
    both = COLUMNS.galaxies(table() | {"redshift_manyband": np.array([np.nan, 0.6, -99.0, 99.0])})
    assert both.has("many_band").tolist() == [False, True, False, False]


def test_a_column_says_whose_label_it_is() -> None:
    given = table() | {"redshift": np.array([0.1, 0.2, 0.3, 0.4]), "by": np.array(["spec", "many_band", "spec", ""])}
    galaxies = (lambda columns, parted: columns.galaxies(parted))(*by_truth(COLUMNS, given, "redshift", "by"))
    np.testing.assert_array_equal(galaxies.z["many_band"], [np.nan, 0.2, np.nan, np.nan])
    np.testing.assert_array_equal(galaxies.z["spec"], [0.1, np.nan, 0.3, np.nan])


def test_names_that_are_not_all_different_give_way_to_row_numbers() -> None:
    assert COLUMNS.galaxies(table()).object_id.tolist() == [7, 8, 9, 10]
    assert COLUMNS.galaxies(table() | {"object_id": np.zeros(4)}).object_id.tolist() == [0, 1, 2, 3]


def test_weights_are_carried() -> None:
    from dataclasses import replace

    galaxies = replace(COLUMNS, weight="w").galaxies(table() | {"w": np.arange(4.0)})
    assert galaxies.carried[WEIGHT].tolist() == [0, 1, 2, 3]


def test_missing_columns_are_named() -> None:
    lacking = table()
    del lacking["mag_g_lsst"]
    with pytest.raises(MixzError, match="mag_g_lsst"):
        COLUMNS.galaxies(lacking)
    unlabelled = table()
    del unlabelled["redshift"]
    with pytest.raises(MixzError, match="redshift"):
        COLUMNS.galaxies(unlabelled)
    without_errors = {name: values for name, values in table().items() if "err" not in name}
    with pytest.raises(MixzError, match="mag_err_g_lsst"):
        COLUMNS.galaxies(without_errors)
    with pytest.raises(MixzError, match="bright"):
        COLUMNS.galaxies(table() | {"mag_r_lsst": np.array(["bright"] * 4)})
