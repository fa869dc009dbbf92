"""Names of galaxies are names: exact in every format and type, the same galaxy however its name is kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy.io import fits

from mixz.errors import MixzError
from survey_files import TYPED, WRITERS, built, built_of, catalogue, taken, written

LONG = 2**62 + 1
TEXT_ENDINGS = ("csv", "tsv", "csv.gz", "txt")


def names_of(ids: Any, folder: Path, ending: str = "parquet", **table: Any) -> list[str]:
    return built(written(catalogue(4).assign(object_id=ids), folder, ending), **table)[0].object_id.tolist()


@pytest.mark.parametrize("ending", TYPED)
@pytest.mark.parametrize(("least", "dtype"), [(LONG, "Int64"), (2**63 + 1, "UInt64"), (-(2**62) - 7, "Int64")])
def test_long_names_beside_a_missing_one(least: int, dtype: str, ending: str, tmp_path: Path) -> None:
    if dtype == "UInt64" and ending in ("fits", "vot"):
        pytest.skip("astropy cannot write it")
    ids = pd.array([least, least + 1, None, least + 2], dtype=dtype)
    assert names_of(ids, tmp_path, ending) == [str(least), str(least + 1), "row-2", str(least + 2)]


@pytest.mark.parametrize("ending", [*TEXT_ENDINGS, "hdf5", "parquet", "ecsv", "fits", "vot"])
def test_text_of_digits_stays_as_it_is(ending: str, tmp_path: Path) -> None:
    ids = ["00000001", "101e1", "18446744073709551615", "1_000"]
    assert names_of(ids, tmp_path, ending) == ids


@pytest.mark.parametrize("ending", [*TEXT_ENDINGS, "hdf5", "parquet"])
def test_the_same_name_in_other_types(ending: str, tmp_path: Path) -> None:
    other = np.array([1000.0, 1001.0, 5.0, 2.0**40])
    assert names_of(other, tmp_path, ending) == ["1000", "1001", "5", "1099511627776"]
    if ending not in TEXT_ENDINGS:
        assert names_of([b"a", b"0001", b"1000", b"x y"], tmp_path, ending) == ["a", "0001", "1000", "x y"]


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        (pd.Categorical(["a", "001", "b", "c"]), ["a", "001", "b", "c"]),
        (pd.Categorical([5, LONG, 7, 8]), ["5", str(LONG), "7", "8"]),
        (np.array([1.5, np.nan, 3, 4], np.float32), ["1.5", "row-1", "3", "4"]),
        ([" a ", "", None, "nan"], ["a", "row-1", "row-2", "row-3"]),
    ],
)
def test_other_types(ids: Any, expected: list[str], tmp_path: Path) -> None:
    assert names_of(ids, tmp_path) == expected


def test_missing_names_are_counted(tmp_path: Path) -> None:
    frame = catalogue(5).assign(object_id=pd.array([1, None, 3, None, LONG], dtype="Int64"))
    _, ledger = built(written(frame, tmp_path, "parquet"))
    assert taken(ledger) == {("object_id", "no id: called by its row"): 2}


def test_decimal_names(tmp_path: Path) -> None:
    columns = dict(catalogue(3).items()) | {"object_id": pa.array([LONG, None, 3], pa.decimal128(20, 0))}
    pq.write_table(pa.table(columns), tmp_path / "t.parquet")
    assert built(tmp_path / "t.parquet")[0].object_id.tolist() == [str(LONG), "row-1", "3"]


@pytest.mark.parametrize("index", [["object_id"], ["field", "object_id"]])
@pytest.mark.parametrize("ending", ["parquet", "feather"])
def test_names_in_the_index(index: list[str], ending: str, tmp_path: Path) -> None:
    frame = catalogue(4).assign(object_id=[5, 9, 11, LONG], field=list("aabb")).set_index(index)
    found, ledger = built(written(frame, tmp_path, ending))
    assert found.object_id.tolist() == ["5", "9", "11", str(LONG)]
    assert not ledger.warnings


def test_rows_as_names_are_told_of(tmp_path: Path) -> None:
    path = written(catalogue(4).rename(columns={"object_id": "ID"}), tmp_path, "parquet")
    found, ledger = built(path)
    assert found.object_id.tolist() == ["0", "1", "2", "3"]
    assert ledger.warnings == [f"{path} has no column 'object_id': galaxies are called by the numbers of their rows"]
    assert not built(path, columns={"object_id": None})[1].warnings, "that is what was asked for"
    assert built(path, columns={"object_id": "ID"})[0].object_id.tolist() == ["1000", "1007", "1014", "1021"]


@pytest.mark.parametrize(("dtype", "least"), [("f4", 2**24), ("f8", 2**53)])
def test_names_rounded_before_they_came_are_told_of(dtype: str, least: int, tmp_path: Path) -> None:
    ids = np.array([1, 2, 3, 4 * least], dtype)
    _, ledger = built(written(catalogue(4).assign(object_id=ids), tmp_path, "fits"))
    assert "neighbours may have become one" in ledger.warnings[0]
    ids = np.array([4 * least, 4 * least + 1]).astype(dtype)
    with pytest.raises(MixzError, match=r"occur more than once(?s:.*)64-bit whole numbers") as error:
        built(written(catalogue(2).assign(object_id=ids), tmp_path, "fits"))
    assert "repeated: first" not in str(error.value), "it would delete galaxies"


def test_fits_null_and_unsigned_names(tmp_path: Path) -> None:
    rest = [fits.Column(n, "D", array=catalogue(3)[n].to_numpy()) for n in catalogue(3) if n != "object_id"]
    for column, expected in (
        (fits.Column("object_id", "K", array=np.array([LONG, -99, 3]), null=-99), [str(LONG), "row-1", "3"]),
        (
            fits.Column("object_id", "K", array=np.array([2**63 + 1, 2**63 + 3, 7], "u8"), bzero=2**63),
            [str(2**63 + 1), str(2**63 + 3), "7"],
        ),
        (fits.Column("object_id", "6A", array=np.array(["a", "", "0001"])), ["a", "row-1", "0001"]),
    ):
        fits.BinTableHDU.from_columns([column, *rest]).writeto(tmp_path / "t.fits", overwrite=True)
        assert built(tmp_path / "t.fits")[0].object_id.tolist() == expected


KEPT_AS: dict[str, Any] = {
    "int16": lambda ids: ids.astype("i2"),
    "uint64": lambda ids: ids.astype("u8"),
    "float32": lambda ids: ids.astype("f4"),
    "float64": lambda ids: ids.astype("f8"),
    "text": lambda ids: ids.astype(str),
    "text of floats": lambda ids: ids.astype(float).astype(str),
    "bytes": lambda ids: [str(i).encode() for i in ids],
    "category": pd.Categorical,
}


@pytest.mark.parametrize("kept_as", KEPT_AS)
def test_overlap_finds_each_galaxy_once(kept_as: str, tmp_path: Path) -> None:
    frame = catalogue(6)
    written(frame, tmp_path, "csv", name="a")
    again = frame.iloc[:5].assign(object_id=KEPT_AS[kept_as](frame["object_id"].to_numpy()[:5]))
    written(again, tmp_path, "parquet", name="b")
    tables = [
        {"path": "a.csv", "truths": {"many_band": "zs"}},
        {"path": "b.parquet", "truths": {"spec": "zs"}},
    ]
    both, ledger = built_of(tables, tmp_path, recipes=["combo"], overlap={"keep": "b", "radius_arcsec": None})
    assert sorted(both.object_id) == frame["object_id"].astype(str).tolist()
    assert next(e.details for e in ledger.entries if e.step == "not_in_b") == {
        "same_id": 5,
        "same_place": 0,
        "labels": "both",
    }
    assert both.has("many_band").all(), "the row that stays gets the label of the row that goes"


def test_every_ending_has_a_writer_here() -> None:
    from mixz.data.formats import FORMATS

    missing = {
        ".pq",
        ".arrow",
        ".tab",
        ".dat",
        ".cat",
        ".fit",
        ".h5",
        ".hdf",
        ".xml",
        ".votable",
        ".ipac",
    }  # other names
    assert {f".{ending}" for ending in WRITERS if not ending.endswith("gz")} | missing == set(FORMATS)
