"""FITS tables: nulls as stored, every extension by name or number, nothing outside the file."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from mixz.data.tables import read_chunks, read_table, table_columns
from mixz.errors import MixzError


def one_row_null(path: Path, form: str, dtype: str, *, null: int, scale: float = 1, zero: float = 0) -> Path:
    """Write a column whose second value is null as it is stored."""
    hdu = fits.BinTableHDU.from_columns([fits.Column("x", form, array=np.array([1, null, 3], dtype))])
    hdu.header["TNULL1"] = null
    if scale != 1 or zero:
        hdu.header["TSCAL1"], hdu.header["TZERO1"] = scale, zero
    hdu.writeto(path)
    return path


@pytest.mark.parametrize(
    ("form", "dtype", "zero", "expected"),
    [
        ("I", "i2", 0, "Int16"),
        ("J", "i4", 0, "Int32"),
        ("K", "i8", 0, "Int64"),
        ("B", "u1", 0, "UInt8"),
        ("I", "i2", 2**15, "UInt16"),
        ("J", "i4", 2**31, "UInt32"),
        ("K", "i8", 2**63, "UInt64"),
        ("B", "u1", -128, "Int8"),
    ],
)
def test_whole_numbers_and_their_nulls(form: str, dtype: str, zero: int, expected: str, tmp_path: Path) -> None:
    column = read_table(one_row_null(tmp_path / "t.fits", form, dtype, null=99, zero=zero))["x"]
    assert str(column.dtype) == expected
    assert column.isna().tolist() == [False, True, False]
    assert [int(column[0]), int(column[2])] == [1 + zero, 3 + zero]


def test_scaled_numbers_and_their_nulls(tmp_path: Path) -> None:
    column = read_table(one_row_null(tmp_path / "t.fits", "I", "i2", null=-32768, scale=1e-3, zero=20))["x"]
    np.testing.assert_allclose(column, [20.001, np.nan, 20.003])


def test_truth_values_and_text(tmp_path: Path) -> None:
    path = tmp_path / "t.fits"
    columns = [
        fits.Column("ok", "L", array=np.array([True, False, True])),
        fits.Column("name", "8A", array=["g 1", "", "g3"], unit="none"),
        fits.Column("flux", "1E", array=np.array([1, np.nan, 3], "f4"), unit="nJy"),
        fits.Column("vector", "3E", array=np.zeros((3, 3))),
    ]
    fits.BinTableHDU.from_columns(columns).writeto(path)
    raw = path.read_bytes()
    place = raw.index(b"Tg 1")
    path.write_bytes(raw[:place] + b"\0" + raw[place + 1 :])
    frame = read_table(path)
    assert list(frame) == ["ok", "name", "flux"]
    assert frame["ok"].isna().tolist() == [True, False, False]
    assert str(frame["ok"].dtype) == "boolean"
    assert frame["name"].isna().tolist() == [False, True, False]
    assert frame["name"][0] == "g 1"
    assert frame["flux"].dtype == np.float32
    assert frame.attrs["units"] == {"name": "none", "flux": "nJy"}
    with pytest.raises(MixzError, match="column 'vector' holds 3 values per row"):
        read_table(path, ["vector"])


@pytest.fixture
def several(tmp_path: Path) -> Path:
    path = tmp_path / "t.fits"
    meta = fits.BinTableHDU.from_columns([fits.Column("ra", "D", array=[1.0])], name="META")
    phot = fits.BinTableHDU.from_columns([fits.Column("mag_g", "D", array=[21.0, 22.0])], name="PHOT")
    fits.HDUList([fits.PrimaryHDU(), meta, fits.ImageHDU(np.zeros((2, 2)), name="MAP"), phot]).writeto(path)
    return path


def test_extensions_by_name_and_number(several: Path) -> None:
    assert table_columns(several) == ["ra"]
    for group in ("PHOT", "phot", "3", 3):
        assert read_table(several, ["mag_g"], group)["mag_g"].tolist() == [21, 22]
    packed = several.with_suffix(".fits.gz")
    packed.write_bytes(gzip.compress(several.read_bytes()))
    assert read_table(packed, None, "PHOT")["mag_g"].tolist() == [21, 22]
    assert [len(chunk) for chunk in read_chunks(packed, None, 3, rows=1)] == [1, 1]


@pytest.mark.parametrize("group", ["MAP", "2", "STARS", 7])
def test_an_extension_that_is_no_table(group: str | int, several: Path) -> None:
    with pytest.raises(MixzError, match=r"no table(?s:.*)META \(1\), PHOT \(3\)"):
        read_table(several, None, group)


def test_a_lacking_column_tells_the_tables(several: Path) -> None:
    with pytest.raises(MixzError, match=r"tables: META \(1\), PHOT \(3\); name one with hdu"):
        read_table(several, ["mag_g"])


def test_ascii_tables(tmp_path: Path) -> None:
    columns = [
        fits.Column("id", "I6", array=np.array([1, -99, 3]), null="-99", ascii=True),
        fits.Column("m", "E12.4", array=np.array([1.5, 2.5, 3.5]), ascii=True),
        fits.Column("name", "A4", array=["a", "", "c"], ascii=True),
    ]
    fits.TableHDU.from_columns(columns).writeto(tmp_path / "t.fits")
    frame = read_table(tmp_path / "t.fits")
    assert frame["id"].isna().tolist() == [False, True, False]
    assert frame["m"].tolist() == [1.5, 2.5, 3.5]
    assert frame["name"].isna().tolist() == [False, True, False]


def test_catalogues_of_sextractor_end_like_text(several: Path) -> None:
    catalogue = several.rename(several.with_suffix(".cat"))
    assert read_table(catalogue, ["mag_g"], "PHOT")["mag_g"].tolist() == [21, 22]


def test_rows_that_are_not_there(tmp_path: Path) -> None:
    path = tmp_path / "t.fits"
    hdu = fits.BinTableHDU.from_columns([fits.Column("m", "D", array=[1.0])])
    hdu.header["NAXIS2"] = 10**11
    path.write_bytes((fits.PrimaryHDU().header.tostring() + hdu.header.tostring()).encode() + bytes(2880))
    with pytest.raises(MixzError, match="cannot be read"):
        read_table(path)
    (tmp_path / "u.fits").write_bytes(b"PK\3\4" + bytes(100))
    with pytest.raises(MixzError, match="does not begin as FITS"):
        read_table(tmp_path / "u.fits")


def test_names_that_are_there_twice(tmp_path: Path) -> None:
    path = tmp_path / "t.fits"
    hdu = fits.BinTableHDU.from_columns([fits.Column(n, "D", array=[1.0]) for n in "abc"])
    hdu.writeto(path)
    path.write_bytes(path.read_bytes().replace(b"TTYPE2  = 'b", b"TTYPE2  = 'a"))
    assert read_table(path, ["c"])["c"].tolist() == [1]
    with pytest.raises(MixzError, match="has 2 columns 'a'"):
        read_table(path, ["a"])
