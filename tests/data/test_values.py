"""What is missing is missing in every format, marks belong to a column and not to a number, and all is counted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from astropy.io import fits
from astropy.table import MaskedColumn, Table

from mixz.errors import MixzError
from survey_files import FLUXES, TYPED, built, catalogue, fluxes, taken, written


def with_values(column: str, values: Any, dtype: Any = float) -> pd.DataFrame:
    """A catalogue whose first rows hold other values in a column."""
    frame = catalogue()
    changed = frame[column].to_numpy().astype(dtype)
    changed[: len(values)] = np.array(values, dtype)
    return frame.assign(**{column: changed})


@pytest.mark.parametrize("ending", TYPED)
def test_masks_of_whole_numbers(ending: str, tmp_path: Path) -> None:
    quality = pd.array([3, None, 4, 2] * 7 + [None, 4], dtype="Int16")
    frame = catalogue().assign(q=quality, n=pd.array([None, 99] * 15, dtype="Int32"))
    cuts = [{"name": "good", "column": "q", "min": 3}, {"name": "sure", "column": "n", "equals": 99}]
    path = written(frame, tmp_path, ending)
    assert len(built(path, cuts=cuts[:1])[0]) == 15
    assert len(built(path, cuts=[cuts[0] | {"missing": "keep"}])[0]) == 23
    assert len(built(path, cuts=cuts)[0]) == 1
    carried, ledger = built(path, carry={"quality": "q"})
    assert int(np.isnan(carried.carried["quality"]).sum()) == taken(ledger)["q", "empty"] == 8


@pytest.mark.parametrize("ending", ["fits", "ecsv", "vot", "tbl", "mrt", "parquet", "feather", "hdf5", "csv", "txt"])
def test_missing_magnitudes_errors_and_labels(ending: str, tmp_path: Path) -> None:
    frame = catalogue()
    frame.loc[:2, "mag_g"], frame.loc[1:3, "mag_err_r"], frame.loc[4:5, "zs"] = np.nan, np.nan, np.nan
    galaxies, ledger = built(written(frame, tmp_path, ending))
    assert len(galaxies) == 28
    assert np.isnan(galaxies.mag[:, 0]).tolist() == [True] * 3 + [False] * 25
    assert np.isnan(galaxies.mag_err[:, 1]).tolist() == [False] + [True] * 3 + [False] * 24
    assert taken(ledger) == {("mag_g", "empty"): 3, ("mag_err_r", "empty"): 3, ("zs", "empty"): 2}


@pytest.mark.parametrize(("form", "scale", "zero"), [("I", 1e-3, 0.0), ("J", 1e-6, 20.0), ("B", 0.1, 0.0)])
def test_fits_nulls_are_of_what_is_stored(form: str, scale: float, zero: float, tmp_path: Path) -> None:
    frame = catalogue()
    dtype, null = {"I": ("i2", -32768), "J": ("i4", 999999999), "B": ("u1", 0)}[form]
    raw = np.rint((frame["mag_g"].to_numpy() - zero) / scale).astype(dtype)
    raw[:2] = null
    columns = [fits.Column("mag_g", form, array=raw)]
    columns += [fits.Column(n, "D", array=frame[n].to_numpy()) for n in frame if n != "mag_g"]
    table = fits.BinTableHDU.from_columns(columns)
    table.header.update({"TSCAL1": scale, "TZERO1": zero, "TNULL1": null})
    table.writeto(tmp_path / "t.fits")
    galaxies, ledger = built(tmp_path / "t.fits")
    np.testing.assert_allclose(galaxies.mag[2:, 0], raw[2:] * scale + zero, rtol=1e-6)
    assert np.isnan(galaxies.mag[:2, 0]).all()
    assert taken(ledger) == {("mag_g", "empty"): 2}


def test_masks_hide_numbers_that_look_good(tmp_path: Path) -> None:
    frame = catalogue()
    table = Table.from_pandas(frame)
    for name in ("mag_g", "mag_err_g", "zs"):
        table[name] = MaskedColumn(frame[name], mask=np.arange(30) < 3)
    table.write(tmp_path / "t.h5", path="t", serialize_meta=True)
    table.write(tmp_path / "t.vot", format="votable")
    table.write(tmp_path / "t.ecsv")
    for ending in ("h5", "vot", "ecsv"):
        galaxies, _ = built(tmp_path / f"t.{ending}")
        assert len(galaxies) == 27, ending
        assert np.isfinite(galaxies.mag).all()


MARKS = [99, 99.9, 99.99, 999, 999.9, 999.99, 9999, -99, -99.9, -999, -9999]


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("column", ["mag_g", "mag_err_g", "zs"])
def test_usual_marks_in_either_precision(column: str, dtype: str, tmp_path: Path) -> None:
    galaxies, ledger = built(written(with_values(column, MARKS, dtype), tmp_path, "parquet"))
    assert taken(ledger) == {(column, f"is {mark:g}"): 1 for mark in MARKS}
    if column == "zs":
        assert len(galaxies) == 30 - len(MARKS)
    else:
        kind = galaxies.mag if column == "mag_g" else galaxies.mag_err
        assert np.isnan(kind[:, 0]).sum() == len(MARKS)
        assert column == "mag_g" or np.isfinite(galaxies.mag).all(), "a galaxy stays measured without its error"


@pytest.mark.parametrize("ending", ["csv", "txt", "parquet", "fits"])
def test_marks_that_were_in_single_precision_before(ending: str, tmp_path: Path) -> None:
    frame = catalogue()
    frame.loc[:1, "mag_g"] = [float(np.float32(99.9)), float(np.float32(-999.9))]
    if ending in ("csv", "txt"):
        frame["mag_g"] = [f"{value:.6f}" for value in frame["mag_g"]]
        assert frame["mag_g"][0] == "99.900002"
    _, ledger = built(written(frame, tmp_path, ending))
    assert taken(ledger) == {("mag_g", "is 99.9"): 1, ("mag_g", "is -999.9"): 1}


@pytest.mark.parametrize("value", [np.inf, -np.inf, 1e20, 1e30, -1e10, 12345.0])
def test_what_is_no_magnitude_at_all(value: float, tmp_path: Path) -> None:
    galaxies, ledger = built(written(with_values("mag_r", [value] * 3), tmp_path, "parquet"))
    assert np.isnan(galaxies.mag[:, 1]).sum() == 3
    assert sum(taken(ledger).values()) == 3


@pytest.mark.parametrize("ending", ["parquet", "csv", "fits"])
def test_a_number_is_a_mark_only_where_it_is_one(ending: str, tmp_path: Path) -> None:
    frame = catalogue().assign(ra=np.linspace(98.0, 100.0, 30), dec=1.5, conf=np.tile([95.0, 99.0, 99.9], 10), n=99)
    frame.loc[:3, "ra"] = 99.0
    path = written(frame, tmp_path, ending)
    cuts = [{"name": "sure", "column": "conf", "above": 98}, {"name": "n", "column": "n", "equals": 99}]
    galaxies, ledger = built(path, columns={"ra": "ra", "dec": "dec"}, cuts=cuts, carry={"c": "conf"})
    assert len(galaxies) == 20
    assert np.isfinite(galaxies.ra_deg).all()
    assert set(galaxies.carried["c"]) == {99.0, 99.9}
    assert not taken(ledger)
    assert any("'conf': 10 values are exactly 99.9" in text for text in ledger.warnings), "but a person is told"


def test_marks_that_a_config_names(tmp_path: Path) -> None:
    frame = with_values("mag_g", [30, 30, 99, 0], "f4").assign(conf=[-1.0] * 4 + [50.0] * 26)
    path = written(frame, tmp_path, "fits")
    galaxies, ledger = built(path, columns={"missing": {"mag": [30, 0], "conf": [-1]}}, carry={"conf": "conf"})
    assert taken(ledger) == {
        ("mag_g", "is 30"): 2,
        ("mag_g", "is 0"): 1,
        ("mag_g", "beyond 60 mag"): 1,
        ("conf", "is -1"): 4,
    }
    assert np.isnan(galaxies.carried["conf"]).sum() == 4
    by_name, _ = built(path, columns={"missing": {"mag_g": [30]}})
    assert np.isnan(by_name.mag[:, 0]).tolist() == [True, True, True] + [False] * 27
    cut = [{"name": "sure", "column": "conf", "max": 60}]
    assert len(built(path, columns={"missing": {"other": [-1]}}, cuts=cut)[0]) == 26
    assert len(built(path, cuts=cut)[0]) == 30


@pytest.mark.parametrize(("column", "value"), [("mag_g", 37.5), ("mag_i", 30.0), ("zs", 0.0), ("zs", 0.5)])
def test_values_that_repeat_are_named(column: str, value: float, tmp_path: Path) -> None:
    path = written(with_values(column, [value] * 6, "f4"), tmp_path, "parquet")
    _, ledger = built(path)
    assert len(ledger.warnings) == 1
    assert f"column {column!r}: 6 values are exactly {value:g}" in ledger.warnings[0]
    assert not built(path, columns={"missing": {column: [value]}})[1].warnings, "what it says to do helps"


ERRORS = {
    -1.0: "negative error", -99.0: "is -99", 0.0: "error of zero", 99.0: "is 99", 1e3: "error beyond 60 mag",
    np.inf: "infinite", np.nan: "empty",
}  # fmt: skip


@pytest.mark.parametrize("value", ERRORS)
def test_errors_of_magnitudes_that_are_none(value: float, tmp_path: Path) -> None:
    galaxies, ledger = built(written(with_values("mag_err_g", [value] * 2), tmp_path, "parquet"))
    assert np.isnan(galaxies.mag_err[:, 0]).tolist() == [True] * 2 + [False] * 28
    assert np.isfinite(galaxies.mag).all()
    assert taken(ledger) == {("mag_err_g", ERRORS[value]): 2}


@pytest.mark.parametrize("value", [-1.0, 0.0, np.nan, np.inf])
def test_errors_of_fluxes_that_are_none(value: float, tmp_path: Path) -> None:
    frame = fluxes(catalogue(), 23.9)
    frame.loc[:1, "e_g"] = value
    galaxies, ledger = built(written(frame, tmp_path, "parquet"), columns=FLUXES)
    assert np.isnan(galaxies.mag_err[:, 0]).tolist() == [True] * 2 + [False] * 28
    assert np.isfinite(galaxies.mag).all()
    assert sum(taken(ledger).values()) == 2


def test_upper_limits_by_a_negative_error(tmp_path: Path) -> None:
    path = written(with_values("mag_err_g", [-1.0, -1.0, 0.0]), tmp_path, "csv")
    galaxies, ledger = built(path, columns={"undetected": {"mag_err": [-1]}})
    assert np.isposinf(galaxies.mag_err[:, 0]).tolist() == [True] * 2 + [False] * 28
    assert taken(ledger) == {("mag_g", "observed, nothing seen"): 2, ("mag_err_g", "error of zero"): 1}


@pytest.mark.parametrize("undetected", [[], ["nan"], [-5]])
def test_fluxes_that_were_not_observed(undetected: list[Any], tmp_path: Path) -> None:
    frame = fluxes(catalogue(), 23.9).astype({"f_g": "f4"})
    for row, (flux, error) in enumerate([(-99.9, -99.9), (-9999, 0), (-90, np.nan), (-99, -1), (-0.5, 0.3), (0, 0.3)]):
        frame.loc[row, ["f_g", "e_g"]] = flux, error
    galaxies, ledger = built(written(frame, tmp_path, "fits"), columns=FLUXES | {"undetected": undetected})
    assert np.isnan(galaxies.mag[:, 0]).sum() == 6
    assert np.isposinf(galaxies.mag_err[:, 0]).tolist() == [False] * 4 + [bool(undetected)] * 2 + [False] * 24
    assert taken(ledger)["f_g", "a flux of -90 or less without an error: not observed"] == 4


def test_bright_negative_fluxes_with_an_error_were_observed(tmp_path: Path) -> None:
    frame = fluxes(catalogue(), 31.4)
    frame.loc[0, ["f_g", "e_g"]] = -150.0, 90.0
    columns = FLUXES | {"undetected": ["nan"], "flux_zero_point": 31.4}
    assert np.isposinf(built(written(frame, tmp_path, "parquet"), columns=columns)[0].mag_err[0, 0])


def test_words_for_nothing_in_text(tmp_path: Path) -> None:
    words = ["", "nan", "NaN", "NULL", "None", "N/A", "--"]
    frame = catalogue().astype({"mag_g": str, "zs": str})
    frame.loc[: len(words) - 1, "mag_g"] = words
    galaxies, ledger = built(written(frame, tmp_path, "csv"))
    assert np.isnan(galaxies.mag[:, 0]).sum() == len(words) == taken(ledger)["mag_g", "empty"]
    frame.loc[0, "mag_g"] = ">25.1"
    with pytest.raises(MixzError, match="'mag_g' row 1 holds '>25.1'"):
        built(written(frame, tmp_path, "csv"))
