"""Parquet and Feather: every type of Arrow as a column of a table frame, and no file that unpacks without end."""

from __future__ import annotations

import datetime
import os
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest
from astropy.table import MaskedColumn, Table

from mixz.data.tables import read_chunks, read_table, table_columns
from mixz.errors import MixzError


def write(table: pa.Table, path: Path) -> Path:
    (pq.write_table if path.suffix == ".parquet" else feather.write_feather)(table, path)
    return path


@pytest.mark.parametrize("ending", [".parquet", ".feather"])
@pytest.mark.parametrize(
    ("array", "kind"),
    [
        (pa.array([2**60 + 1, None], pa.int64()), "Int64"),
        (pa.array([1, 2], pa.uint8()), "UInt8"),
        (pa.array([True, None]), "boolean"),
        (pa.array([1.5, None], pa.float32()), "float32"),
        (pa.array(np.array([1.5, 2], np.float16)), "float32"),
        (pa.array([Decimal("1.50"), None], pa.decimal128(9, 2)), "float64"),
        (pa.array([Decimal(2**60 + 1), None], pa.decimal128(38, 0)), "Int64"),
        (pa.array([None, None], pa.null()), "float64"),
        (pa.array([3, None], pa.int16()).dictionary_encode(), "Int16"),
        (pa.array([[3], [4]], pa.list_(pa.int16(), 1)), "Int16"),
    ],
)
def test_types(array: pa.Array, kind: str, ending: str, tmp_path: Path) -> None:
    column = read_table(write(pa.table({"x": array}), tmp_path / f"t{ending}"))["x"]
    assert str(column.dtype) == kind
    assert column.isna().tolist() == [value is None for value in array.to_pylist()]
    present = [value for value in array.to_pylist() if value is not None]
    expected = [value[0] if isinstance(value, list) else value for value in present]
    assert column.dropna().tolist() == [
        float(v) if isinstance(v, Decimal) and kind == "float64" else v for v in expected
    ]


@pytest.mark.parametrize("ending", [".parquet", ".feather"])
@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.binary(), pa.large_binary(), "dictionary"])
def test_text(kind: pa.DataType | str, ending: str, tmp_path: Path) -> None:
    words = ["aé ", None, "", "aé "]
    array = pa.array(words).dictionary_encode() if kind == "dictionary" else pa.array(words).cast(kind)
    column = read_table(write(pa.table({"x": array}), tmp_path / f"t{ending}"))["x"]
    assert column.astype(object).where(column.notna(), None).tolist() == words


def test_lists_are_refused_when_wanted(tmp_path: Path) -> None:
    path = write(pa.table({"m": [1.0], "pdf": [[1.0, 2.0]], "s": [{"a": 1}]}), tmp_path / "t.parquet")
    assert list(read_table(path)) == ["m"]
    for name in ("pdf", "s"):
        with pytest.raises(MixzError, match=f"column '{name}' holds a "):
            read_table(path, [name])


def test_an_index_of_pandas_is_a_column(tmp_path: Path) -> None:
    frame = pd.DataFrame({"m": [1.0, 2.0]}, index=pd.Index([7, 8], name="object_id"))
    frame.to_parquet(tmp_path / "t.parquet")
    assert table_columns(tmp_path / "t.parquet") == ["m", "object_id"]
    assert read_table(tmp_path / "t.parquet", ["object_id"])["object_id"].tolist() == [7, 8]


def test_units_and_masks(tmp_path: Path) -> None:
    field = pa.field("m", pa.float64(), metadata={"unit": "mag"})
    path = write(pa.table({"m": [1.0]}, schema=pa.schema([field])), tmp_path / "t.parquet")
    assert read_table(path).attrs["units"] == {"m": "mag"}
    Table({"q": MaskedColumn([1, 2], mask=[True, False], unit="Jy")}).write(tmp_path / "u.parquet")
    frame = read_table(tmp_path / "u.parquet")
    assert frame.attrs["units"] == {"q": "Jy"}
    assert list(frame) == ["q"]
    assert frame["q"].isna().tolist() == [True, False]


def test_names_that_are_there_twice(tmp_path: Path) -> None:
    table = pa.Table.from_arrays([pa.array([1]), pa.array([2]), pa.array([3])], names=["a", "b", "a"])
    for ending in (".parquet", ".feather"):
        path = tmp_path / f"t{ending}"
        pq.write_table(table, path) if ending == ".parquet" else pa.ipc.new_file(path, table.schema).close()
        with pytest.raises(MixzError, match="has 2 columns 'a'"):
            read_table(path, ["a"])
        assert [list(chunk) for chunk in read_chunks(path, ["b"])] == [["b"]]


def test_text_that_a_file_holds_once(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    once = pa.DictionaryArray.from_arrays(pa.array(np.zeros(10_000, "i4")), pa.array(["x" * 60_000]))
    pq.write_table(pa.table({"x": once}), path)
    assert path.stat().st_size < 500_000
    first = next(read_chunks(path, ["x"]))
    assert len(first) < 5_000, "no more of its 600 MB at a time than fill a piece"
    with pytest.raises(MixzError, match="unpacks to more"):
        list(read_chunks(path, ["x"], most_bytes=100_000_000))


def test_long_cells_and_columns_that_unpack(tmp_path: Path) -> None:
    path = write(pa.table({"x": ["x" * 70_000]}), tmp_path / "t.parquet")
    with pytest.raises(MixzError, match="a cell holds 70,000 bytes"):
        read_table(path)
    zeros = pa.table({"x": np.zeros(10_000_000)})
    pq.write_table(zeros, path, compression="zstd", use_dictionary=False, row_group_size=10_000_000)
    with pytest.raises(MixzError, match="unpacks from"):
        read_table(path)


@pytest.mark.parametrize("how", ["zstd", "lz4"])
def test_feather_that_unpacks(how: str, tmp_path: Path) -> None:
    path = tmp_path / "t.feather"
    feather.write_feather(pa.table({"x": np.zeros(10_000_000)}), path, compression=how, chunksize=10_000_000)
    with pytest.raises(MixzError, match="unpack from"):
        read_table(path)
    words = pa.table({"x": pa.array(["a", "b", None] * 5).dictionary_encode(), "y": np.arange(15)})
    feather.write_feather(words, path, compression=how, chunksize=4)
    assert read_table(path, ["x"])["x"].isna().sum() == 5
    assert read_table(path, ["y"])["y"].tolist() == list(range(15))


def test_groups_are_for_files_of_several_tables(tmp_path: Path) -> None:
    path = write(pa.table({"x": [1]}), tmp_path / "t.parquet")
    (tmp_path / "t.csv").write_text("x\n1\n")
    for one in (path, tmp_path / "t.csv"):
        with pytest.raises(MixzError, match="holds one table"):
            read_table(one, None, "photometry")


def test_pipes_and_devices_are_no_tables(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "t.csv")
    (tmp_path / "u.csv").symlink_to("/dev/zero")
    for name in ("t.csv", "u.csv"):
        with pytest.raises(MixzError, match="a pipe or a device"):
            read_table(tmp_path / name)


def test_dates_stay_dates(tmp_path: Path) -> None:
    path = write(pa.table({"t": [datetime.datetime(2026, 1, 1)]}), tmp_path / "t.parquet")
    assert read_table(path)["t"].dtype.kind == "M"
