"""Any table astronomers use can be read and written; what is wrong with one is said clearly."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
from astropy.io import fits

from mixz.data.meaning.numbers import numbers
from mixz.data.tables import read_table, table_columns, write_table
from mixz.errors import MixzError

# Of the formats that are written.
ENDINGS = [".parquet", ".pq", ".csv", ".csv.gz", ".fits", ".hdf5", ".h5", ".ecsv"]


@pytest.mark.parametrize("ending", ENDINGS)
def test_written_tables_read_back_equal(ending: str, tmp_path: Path, toy: pd.DataFrame) -> None:
    path = tmp_path / f"toy{ending}"
    named = toy.assign(name=[f"g{k}" for k in range(len(toy))])
    write_table(named, path)
    assert sorted(table_columns(path)) == sorted(named.columns)
    back = read_table(path, ["name", "mag_i", "object_id"])
    assert list(back.columns) == ["name", "mag_i", "object_id"]
    np.testing.assert_allclose(numbers(back, "mag_i", where="t"), toy["mag_i"])
    assert back["name"].astype(str).tolist() == named["name"].tolist()


def test_fits_comes_in_the_machines_byte_order(tmp_path: Path) -> None:
    columns = [fits.Column("mag_g", "E", array=np.array([21.5, 99.0], ">f4")), fits.Column("id", "K", array=[1, 2])]
    fits.BinTableHDU.from_columns(columns).writeto(tmp_path / "t.fits")
    frame = read_table(tmp_path / "t.fits")
    assert frame["mag_g"].dtype.isnative
    assert numbers(frame, "mag_g", where="t")[0] == 21.5


def test_hdf5_group_and_images(tmp_path: Path) -> None:
    path = tmp_path / "t.hdf5"
    with h5py.File(path, "w") as file:
        file["photometry/mag_g"] = np.arange(3.0)
        file["photometry/image"] = np.zeros((3, 5, 8, 8))
    assert table_columns(path) == ["mag_g"], "the only group is found, and images are no columns"
    assert len(read_table(path, ["mag_g"], group="photometry")) == 3
    with pytest.raises(MixzError, match="no table 'stars'(?s:.*)tables: photometry"):
        read_table(path, group="stars")


@pytest.mark.parametrize("value", [np.nan, "", "nan", "NULL", "--", b" ", None])
def test_every_way_of_saying_missing(value: object) -> None:
    frame = pd.DataFrame({"m": [21.5, value]}, dtype=object)
    assert np.isnan(numbers(frame, "m", where="t")).tolist() == [False, True]


def test_numbers_do_not_touch_the_table() -> None:
    frame = pd.DataFrame({"m": [21.5, 99.0]})
    numbers(frame, "m", where="t")
    assert frame["m"].tolist() == [21.5, 99.0]


def test_letters_in_a_number_column() -> None:
    with pytest.raises(MixzError, match="t.csv column 'm' row 2 holds 'abc'"):
        numbers(pd.DataFrame({"m": ["21", "abc"]}), "m", where="t.csv")


def test_missing_columns_are_all_listed_with_near_names(tmp_path: Path, toy: pd.DataFrame) -> None:
    write_table(toy, tmp_path / "t.csv")
    with pytest.raises(MixzError, match="'mag_gg'.*nearest.*'mag_g'.*'zspec'"):
        read_table(tmp_path / "t.csv", ["mag_gg", "zspec", "mag_i"])


@pytest.mark.parametrize("ending", ENDINGS)
def test_damaged_files(ending: str, tmp_path: Path, toy: pd.DataFrame) -> None:
    path = tmp_path / f"toy{ending}"
    with pytest.raises(MixzError, match="no file"):
        read_table(path)
    path.touch()
    with pytest.raises(MixzError, match="is empty"):
        read_table(path)
    if ending in (".csv", ".ecsv"):
        return  # half a text table may be a whole smaller one
    write_table(toy, path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 3])
    with pytest.raises(MixzError, match="cannot be read"):
        read_table(path)


def test_a_table_without_rows(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("mag_g,mag_r\n")
    with pytest.raises(MixzError, match="has no rows"):
        read_table(tmp_path / "t.csv")


def test_unknown_ending(tmp_path: Path) -> None:
    (tmp_path / "t.xls").write_text("x")
    with pytest.raises(MixzError, match="unknown format(?s:.*).parquet"):
        read_table(tmp_path / "t.xls")
