"""HDF5 tables of h5py, astropy and pandas; nothing outside the file is read and nothing unpickled."""

from __future__ import annotations

import pickle
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
from astropy.table import MaskedColumn, Table

from mixz.data.formats.hdf5_pandas import pickled_names
from mixz.data.tables import read_table, table_columns
from mixz.errors import MixzError

FRAME = pd.DataFrame({"id": [2**60 + 1, 2, 3], "m": [1.5, np.nan, 3], "f": np.array([1, 2, 3], "f4")}).assign(
    ok=[True, False, True]
)


def test_compound_as_astropy_writes_it(tmp_path: Path) -> None:
    table = Table(
        {"id": MaskedColumn([1, 2], mask=[False, True], unit="mag"), "name": ["aé", ""], "v": np.ones((2, 3))}
    )
    table.write(tmp_path / "t.hdf5", path="data", serialize_meta=True)
    assert table_columns(tmp_path / "t.hdf5") == ["id", "name", "v"]
    frame = read_table(tmp_path / "t.hdf5")
    assert list(frame) == ["id", "name"]
    assert frame["id"].isna().tolist() == [False, True]
    assert str(frame["id"].dtype) == "Int64"
    assert frame["name"][0] == "aé"
    assert frame["name"].isna().tolist() == [False, True]
    assert frame.attrs["units"] == {"id": "mag"}
    with pytest.raises(MixzError, match="'v' holds 3 values per row"):
        read_table(tmp_path / "t.hdf5", ["v"])


@pytest.mark.parametrize("layout", ["fixed", "table"])
def test_pandas_layouts(layout: str, tmp_path: Path) -> None:
    pytest.importorskip("tables", reason="pandas writes HDF5 with it")
    FRAME.to_hdf(tmp_path / "t.h5", key="cat", format=layout)
    frame = read_table(tmp_path / "t.h5")
    assert sorted(frame) == sorted(FRAME)
    assert {name: str(kind) for name, kind in frame.dtypes.items()} == {
        "id": "Int64",
        "m": "float64",
        "f": "float32",
        "ok": "boolean",
    }
    for name in FRAME:
        np.testing.assert_array_equal(frame[name].to_numpy(float, na_value=np.nan), FRAME[name].astype(float))
    assert frame["id"].tolist() == FRAME["id"].tolist()


def test_text_of_pandas(tmp_path: Path) -> None:
    pytest.importorskip("tables", reason="pandas writes HDF5 with it")
    named = FRAME.assign(s=["a", None, "c"])
    named.to_hdf(tmp_path / "t.h5", key="cat", format="table", data_columns=["m"])
    assert read_table(tmp_path / "t.h5", ["s", "m"])["s"].isna().tolist() == [False, True, False]
    named.to_hdf(tmp_path / "u.h5", key="cat")
    assert read_table(tmp_path / "u.h5", ["id"])["id"].tolist() == FRAME["id"].tolist()
    with pytest.raises(MixzError, match="'s' holds pickled objects"):
        read_table(tmp_path / "u.h5", ["s"])


def test_pickles_are_looked_at_and_not_run() -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return print, ("run",)

    for protocol in range(5):
        assert pickled_names(pickle.dumps(["a", "b"], protocol)) == ["a", "b"]
    with pytest.raises(ValueError, match="not known"):
        pickled_names(pickle.dumps([Evil()]))


def test_several_tables_are_listed(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "t.h5", "w") as file:
        file["one/m"] = [1.0]
        file["deep/two/m"] = [2.0, 3.0]
        file["three"] = np.zeros(2, [("m", "f8"), ("w", "f8", (2,))])
    with pytest.raises(MixzError, match="has 3 tables(?s:.*)deep/two, one, three"):
        read_table(tmp_path / "t.h5")
    assert read_table(tmp_path / "t.h5", None, "deep/two")["m"].tolist() == [2, 3]
    assert list(read_table(tmp_path / "t.h5", None, "three")) == ["m"]


def test_nothing_outside_the_file_is_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret.bin"
    secret.write_bytes(np.arange(3.0).tobytes())
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["m"] = np.arange(3.0)
    with h5py.File(tmp_path / "t.h5", "w") as file:
        file["m"] = np.arange(3.0)
        file["soft"] = h5py.SoftLink("/m")
        file["link"] = h5py.ExternalLink("other.h5", "m")
        file["group"] = h5py.ExternalLink("other.h5", "/")
        file.create_dataset("raw", (3,), "f8", external=[(str(secret), 0, 24)])
        layout = h5py.VirtualLayout((3,), "f8")
        layout[:] = h5py.VirtualSource(str(tmp_path / "other.h5"), "m", (3,))
        file.create_virtual_dataset("virtual", layout)
        file.create_dataset("reference", (3,), h5py.ref_dtype)
        file.create_dataset("ragged", (3,), h5py.vlen_dtype("f8"))
        file.create_dataset("never", (10**12,), "f8", chunks=(1000,))
    assert list(read_table(tmp_path / "t.h5")) == ["m"]
    for name in ("soft", "link", "raw", "virtual", "reference", "ragged", "never"):
        with pytest.raises(MixzError, match=f"column '{name}' holds"):
            read_table(tmp_path / "t.h5", [name])
    for group in ("group", "link"):
        with pytest.raises(MixzError, match="no table"):
            read_table(tmp_path / "t.h5", None, group)


def test_a_huge_chunk_is_not_unpacked(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "t.h5", "w") as file:
        one = file.create_dataset("m", (10**9,), "u1", chunks=(10**9,), compression="gzip")
        one.id.write_direct_chunk((0,), b"never unpacked")
    with pytest.raises(MixzError, match="data in chunks of more than"):
        read_table(tmp_path / "t.h5", ["m"])


def test_units_and_columns_of_one(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "t.h5", "w") as file:
        file["m"] = np.arange(3, dtype=">i2")[:, None]
        file["m"].attrs["unit"] = "mag"
        file["name"] = ["a", "", "c"]
    frame = read_table(tmp_path / "t.h5")
    assert frame["m"].tolist() == [0, 1, 2]
    assert str(frame["m"].dtype) == "Int16"
    assert frame.attrs["units"] == {"m": "mag"}
    assert frame["name"].isna().tolist() == [False, True, False]
