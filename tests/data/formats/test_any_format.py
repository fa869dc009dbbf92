"""What the field's own tools write comes back by the contract of table frames, in pieces of any size."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest
from astropy.table import MaskedColumn, Table
from hypothesis import given, settings
from hypothesis import strategies as st

from mixz.data.tables import read_chunks, read_table

TYPES = ["i2", "i4", "i8", "u1", "u2", "u4", "u8", "f4", "f8", "?", "U"]
NULL = {"i2": -(2**15), "i4": -(2**31), "i8": -(2**63), "u1": 255, "u2": 2**16 - 1, "u4": 2**32 - 1}


def values_of(kind: str) -> st.SearchStrategy[Any]:
    if kind == "U":
        return st.text("abcXYZ019._-", min_size=1, max_size=8)
    if kind == "?":
        return st.booleans()
    if kind.startswith("f"):
        return st.floats(width=32, allow_nan=False, allow_infinity=False)
    info = np.iinfo(kind)
    return st.integers(int(info.min) + 1, int(info.max) - 1)


@st.composite
def columns(draw: st.DrawFn) -> dict[str, tuple[str, list[Any]]]:
    rows = draw(st.integers(1, 12))
    kinds = draw(st.lists(st.sampled_from(TYPES), min_size=1, max_size=4))
    return {
        f"{kind}_{k}".replace("?", "b"): (
            kind,
            draw(st.lists(st.none() | values_of(kind), min_size=rows, max_size=rows)),
        )
        for k, kind in enumerate(kinds)
    }


def masked(kind: str, values: list[Any]) -> MaskedColumn:
    fill = {"U": "", "?": False}.get(kind, 0)
    mask = [value is None for value in values]
    column = MaskedColumn(
        [fill if value is None else value for value in values], mask=mask, dtype=None if kind == "U" else kind
    )
    if kind in NULL:
        column.fill_value = NULL[kind]
    return column


def write(made: dict[str, tuple[str, list[Any]]], path: Path) -> None:
    if path.suffix in (".parquet", ".feather"):
        arrays = {
            name: pa.array(v, pa.string() if k == "U" else pa.from_numpy_dtype(k)) for name, (k, v) in made.items()
        }
        (pq.write_table if path.suffix == ".parquet" else feather.write_feather)(pa.table(arrays), path)
        return
    table = Table({name: masked(*one) for name, one in made.items()})
    if path.suffix == ".ecsv":
        table.write(path, format="ascii.ecsv")
    elif path.suffix == ".hdf5":
        table.write(path, path="data", serialize_meta=True)
    else:
        table.write(path)


@pytest.mark.parametrize("ending", [".parquet", ".feather", ".ecsv", ".hdf5", ".fits"])
@settings(max_examples=25, deadline=None)
@given(made=columns(), rows=st.integers(1, 13))
def test_what_is_written_comes_back(ending: str, made: dict[str, tuple[str, list[Any]]], rows: int) -> None:
    if ending == ".fits":  # its unsigned 64 bits and truth values have no null that astropy writes
        made = {n: (k, [0 if v is None else v for v in vs] if k in ("u8", "?") else vs) for n, (k, vs) in made.items()}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"t{ending}"
        write(made, path)
        whole = read_table(path)
        for name, (kind, values) in made.items():
            column = whole[name]
            assert column.isna().tolist() == [value is None for value in values]
            assert column.dropna().tolist() == [value for value in values if value is not None]
            if kind not in ("U", "?"):
                assert str(column.dtype).lower() == {"i": "int", "u": "uint", "f": "float"}[kind[0]] + str(
                    8 * int(kind[1])
                )
        chunks = list(read_chunks(path, rows=rows))
        assert all(len(chunk) <= rows and (chunk.dtypes == whole.dtypes).all() for chunk in chunks)
        pd.testing.assert_frame_equal(pd.concat(chunks), whole)


@pytest.mark.parametrize("mark", [",", ";", "\t", " "])
@settings(max_examples=25, deadline=None)
@given(made=columns(), rows=st.integers(1, 13))
def test_text_comes_back_as_written(mark: str, made: dict[str, tuple[str, list[Any]]], rows: int) -> None:
    empty = "." if mark == " " else ""
    written = {"first": [f"g{k}" for k in range(len(next(iter(made.values()))[1]))]}
    written |= {name: [empty if v is None else str(v) for v in vs] for name, (_, vs) in made.items()}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.txt"
        pd.DataFrame(written).to_csv(path, sep=mark, index=False)
        whole = read_table(path)
        for name, words in written.items():
            assert whole[name].isna().tolist() == [word == "" for word in words]
            assert whole[name].dropna().tolist() == [word for word in words if word]
        pd.testing.assert_frame_equal(pd.concat(list(read_chunks(path, rows=rows))), whole)
