"""What is written keeps every value and says what it is, as the field's own readers read it."""

from __future__ import annotations

import json
import math
import tempfile
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import fitsio
import h5py
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from astropy.io import fits
from astropy.table import QTable, Table
from astropy.utils.exceptions import AstropyUserWarning
from hypothesis import given, settings
from hypothesis import strategies as st

from mixz.data.table_writers import Note, TableNotes
from mixz.data.tables import table_writer, write_table
from mixz.errors import MixzError

if TYPE_CHECKING:
    from collections.abc import Sequence

NOTES = TableNotes(
    {
        "ra": Note("deg", "right ascension"),
        "z": Note("", "redshift; NaN where there is none, and many further words that do not fit into one card"),
        "support": Note("", "covered by training: 2, 1 or 0"),
        "width": Note("Å", "of a line, 50 % of the flux"),
        "odd": Note("bananas", "in a unit that nobody knows"),
    },
    {"mixz": "0.1.0", "model": "fused", "trained_on_simulation": True, "input": "é.fits", "bands": ["g", "i"]},
    name="PHOTOZ",
)
WIDTHS = (8, 16, 32, 64)
TYPES = [f"{sign}Int{width}" for sign in ("", "U") for width in WIDTHS]
TYPES += [name.lower() for name in TYPES] + ["boolean", "bool", "float32", "float64", "text"]
ENDINGS = (".parquet", ".csv", ".csv.gz", ".ecsv", ".hdf5", ".fits", ".fits.gz")


def described() -> pd.DataFrame:
    """A table that has what `NOTES` tells of."""
    return pd.DataFrame(
        {
            "object_id": pd.array([2**62 + 1, 7, 8], dtype="Int64"),
            "name": ["a", "bb", "c"],
            "ra": [1.0, 2.0, 3.0],
            "z": [0.5, np.nan, 1.0],
            "support": np.array([0, 1, 2], np.int8),
            "width": [1.0, 2.0, 3.0],
            "odd": [1.0, 2.0, 3.0],
        }
    )


@pytest.mark.parametrize("kind", [Table, QTable])
@pytest.mark.parametrize("ending", [".parquet", ".ecsv", ".fits", ".fits.gz"])
def test_astropy_shows_units_meanings_and_provenance(ending: str, kind: type[Table], tmp_path: Path) -> None:
    write_table(described(), tmp_path / f"t{ending}", notes=NOTES)
    with nullcontext() if ending != ".parquet" else pytest.warns(AstropyUserWarning, match="No table::len::name found"):
        table = kind.read(tmp_path / f"t{ending}")
    assert str(table["ra"].unit) == "deg"
    for name in ("object_id", "z", "support", "odd"):
        assert table[name].unit is None
    for name in ("ra", "z", "support"):
        assert table[name].info.description == NOTES.of(name).meaning
    assert "50 % of the flux" in table["width"].info.description
    assert table["odd"].info.description.startswith("in a unit that nobody knows")
    assert (table["width"].unit, table["width"].unit.to_string("fits")) == ("Angstrom", "Angstrom")
    assert table["object_id"].tolist() == [2**62 + 1, 7, 8]
    assert table["support"].tolist() == [0, 1, 2]
    assert table["support"].dtype.kind == "i"
    told = json.loads(table.meta["MIXZ"]) if ".fits" in ending else table.meta
    assert told == dict(NOTES.provenance)


def test_every_reader_takes_support_for_numbers(tmp_path: Path) -> None:
    for frame in (described(), described().astype({"support": "Int8"}), described().astype({"support": "UInt8"})):
        write_table(frame, tmp_path / "t.fits", notes=NOTES)
        with fits.open(tmp_path / "t.fits") as hdus:
            hdus.verify("exception")
            assert hdus[1].name == "PHOTOZ"
            assert hdus[1].data["support"].tolist() == [0, 1, 2]
            assert hdus[1].data["support"].dtype.kind in "iu"
        found = fitsio.read(str(tmp_path / "t.fits"))
        assert found["support"].tolist() == [0, 1, 2]
        assert found["support"].dtype.kind in "iu"
        assert found["object_id"].tolist() == [2**62 + 1, 7, 8]


def test_fits_says_it_in_its_own_words(tmp_path: Path) -> None:
    write_table(described(), tmp_path / "t.fits", notes=NOTES)
    header = fits.getheader(tmp_path / "t.fits", 1)
    assert (header["TTYPE3"], header["TUNIT3"], header["TCOMM3"]) == ("ra", "deg", "right ascension")
    assert header["TCOMM4"] == NOTES.of("z").meaning
    assert "TUNIT4" not in header
    assert (header["TUNIT6"], header["TCOMM6"]) == ("Angstrom", "of a line, 50 % of the flux")
    assert header["TCOMM7"] == "in a unit that nobody knows [bananas]"
    assert (header["CREATOR"], header["MODEL"], header["SIMTRAIN"]) == ("mixz 0.1.0", "fused", True)
    assert (header["INPUT"], header["BANDS"]) == ("\\u00e9.fits", "g,i")
    assert not [card for card in header if card.startswith("TNULL")], "where nothing is missing"


def test_parquet_and_hdf5_say_it_in_their_own_words(tmp_path: Path) -> None:
    for ending in (".parquet", ".hdf5"):
        write_table(described(), tmp_path / f"t{ending}", notes=NOTES)
    schema = pq.read_schema(tmp_path / "t.parquet")
    assert schema.field("ra").metadata == {b"unit": b"deg", b"description": b"right ascension"}
    assert schema.field("width").metadata[b"unit"].decode() == "Å"
    assert schema.field("odd").metadata[b"unit"] == b"bananas"
    assert b"unit" not in schema.field("z").metadata
    assert schema.field("name").metadata is None
    assert json.loads(schema.metadata[b"mixz"]) == dict(NOTES.provenance)
    with h5py.File(tmp_path / "t.hdf5") as file:
        assert dict(file["ra"].attrs) == {"unit": "deg", "description": "right ascension"}
        assert dict(file["support"].attrs) == {"description": "covered by training: 2, 1 or 0"}
        assert dict(file["name"].attrs) == {}
        assert json.loads(file.attrs["mixz"]) == dict(NOTES.provenance)


@pytest.mark.parametrize("ending", ENDINGS)
def test_the_same_table_gives_the_same_bytes(ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_table(described(), tmp_path / f"one{ending}", notes=NOTES)
    monkeypatch.setattr("time.time", lambda: 1e9)
    write_table(described(), tmp_path / f"two{ending}", notes=NOTES)
    assert (tmp_path / f"one{ending}").read_bytes() == (tmp_path / f"two{ending}").read_bytes()


def test_csv_begins_with_its_columns(tmp_path: Path) -> None:
    write_table(described(), tmp_path / "t.csv", notes=NOTES)
    assert (tmp_path / "t.csv").read_text().splitlines()[0] == ",".join(described().columns)


@st.composite
def columns(draw: st.DrawFn, letters: str) -> tuple[str, list[Any], list[int]]:
    """A type, values of it with None where one is missing, and where to cut them."""
    kind = draw(st.sampled_from(TYPES))
    values: st.SearchStrategy[Any]
    if "int" in kind.lower():
        info = np.iinfo(kind.lower())
        edge = st.sampled_from([info.min + 1, info.max - 1, 0, 1])
        values = edge | st.integers(int(info.min) + 1, int(info.max) - 1)
    elif kind in ("bool", "boolean"):
        values = st.booleans()
    elif kind == "text":
        values = st.text(letters, min_size=1, max_size=9)
    else:
        values = st.floats(width=32 if kind == "float32" else 64, allow_nan=False, allow_infinity=False)
    may_lack = kind in ("float32", "float64", "text", "boolean") or kind[0] in "IU"
    found = draw(st.lists(values | st.none() if may_lack else values, min_size=1, max_size=8))
    cuts = draw(st.lists(st.integers(0, len(found)), max_size=3).map(sorted))
    return kind, found, cuts


def series(kind: str, values: list[Any]) -> pd.Series[Any]:
    if kind == "text":
        return pd.Series(values, dtype=object)
    if kind.startswith("float"):
        return pd.Series([np.nan if v is None else v for v in values], dtype=kind)
    types: Any = pd.array
    nullable = types(values, dtype="boolean" if "bool" in kind else kind.replace("i", "I").replace("u", "U"))
    return pd.Series(nullable if kind[0] in "IU" or kind == "boolean" else nullable.to_numpy(kind))


def written(folder: str, ending: str, kind: str, values: list[Any], cuts: list[int]) -> Path:
    """Write a table in pieces, and once whole; both must be of the same content where bytes can tell."""
    frame = pd.DataFrame({"x": series(kind, values), "row": np.arange(len(values))})
    path, whole = Path(folder, f"t{ending}"), Path(folder, f"whole{ending}")
    write_pieces(path, [frame[a:b] for a, b in zip([0, *cuts], [*cuts, len(values)], strict=True)])
    write_table(frame, whole)
    if ending not in (".parquet", ".hdf5"):
        assert path.read_bytes() == whole.read_bytes()
    return path


def write_pieces(path: Path, frames: Sequence[pd.DataFrame]) -> None:
    with table_writer(path) as append:
        for frame in frames:
            append(frame)


ASCII = "".join(map(chr, range(33, 127)))
TRIES = settings(max_examples=50, deadline=None)


@TRIES
@given(columns(ASCII + "é星"))
def test_parquet_keeps_every_value(column: tuple[str, list[Any], list[int]]) -> None:
    kind, values, cuts = column
    with tempfile.TemporaryDirectory() as folder:
        table = pq.read_table(written(folder, ".parquet", kind, values, cuts))
    assert table["x"].to_pylist() == values
    names = {"boolean": "bool", "text": "large_string", "float32": "float", "float64": "double"}
    assert str(table.schema.field("x").type) == names.get(kind, kind.lower())


@TRIES
@given(columns(ASCII + "é星 "))
def test_csv_keeps_every_value(column: tuple[str, list[Any], list[int]]) -> None:
    kind, values, cuts = column
    with tempfile.TemporaryDirectory() as folder:
        path = written(folder, ".csv", kind, values, cuts)
        found = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8")["x"].tolist()
    assert [word == "" for word in found] == [v is None for v in values]
    told = [(word, v) for word, v in zip(found, values, strict=True) if v is not None]
    for word, value in told:
        assert word == str(value) if not kind.startswith("float") else np.dtype(kind).type(word) == value


@TRIES
@given(columns(ASCII + "é星"))
def test_ecsv_keeps_every_value(column: tuple[str, list[Any], list[int]]) -> None:
    kind, values, cuts = column
    with tempfile.TemporaryDirectory() as folder:
        found = Table.read(written(folder, ".ecsv", kind, values, cuts))["x"]
    assert [None if v != v else v for v in found.tolist()] == values
    assert found.dtype.kind == "U" if kind == "text" else found.dtype == kind.lower().replace("boolean", "bool")


@TRIES
@given(columns(ASCII + "é星"))
def test_hdf5_keeps_every_value(column: tuple[str, list[Any], list[int]]) -> None:
    kind, values, cuts = column
    with tempfile.TemporaryDirectory() as folder, h5py.File(written(folder, ".hdf5", kind, values, cuts)) as file:
        found, missing = file["x"], file["x"].attrs.get("missing")
        read = found.asstr()[:].tolist() if kind == "text" else found[:].tolist()
        dtype = found.dtype
    if kind not in ("text", "float32", "float64"):
        assert (missing is not None) == (None in values)
    assert [None if v in (missing, "") or v != v else v for v in read] == values
    if kind not in ("text", "boolean"):
        assert dtype == kind.lower()


@settings(max_examples=30, deadline=None)
@given(columns(ASCII))
def test_fits_keeps_every_value(column: tuple[str, list[Any], list[int]]) -> None:
    kind, values, cuts = column
    with tempfile.TemporaryDirectory() as folder:
        if kind == "UInt64" and None in values:
            with pytest.raises(MixzError, match="'x' lacks numbers, for which FITS has no sign"):
                written(folder, ".fits", kind, values, cuts)
            return
        path = written(folder, ".fits", kind, values, cuts)
        with fits.open(path, character_as_bytes=False, logical_as_bytes=True) as hdus:
            hdus.verify("exception")
            null = hdus[1].columns["x"].null
            stored = np.array(hdus[1].data["x"]).tolist()
        if kind in ("bool", "boolean"):
            assert stored == [{None: b"", True: b"T", False: b"F"}[v] for v in values]
            return
        found = Table.read(path)["x"]
    read = found.tolist()
    if kind == "text":
        read = [(v.decode() if isinstance(v, bytes) else v) or None for v in read]
    assert [None if v is None or v != v else v for v in read] == values
    if "int" in kind.lower():
        assert (null is not None) == (None in values)
        width = np.dtype(kind.lower()).itemsize
        assert found.dtype.itemsize == (width if None not in values and kind.lower() != "int8" else max(width, 2)) or (
            kind.startswith("U") and found.dtype.kind == "i"
        )
        assert [null if v is None else v for v in values] == stored


@settings(max_examples=15, deadline=None)
@given(columns(ASCII))
def test_fitsio_reads_the_same(column: tuple[str, list[Any], list[int]]) -> None:
    kind, values, cuts = column
    if kind == "UInt64" and None in values:
        return
    with tempfile.TemporaryDirectory() as folder:
        path = str(written(folder, ".fits", kind, values, cuts))
        found, null = fitsio.read(path)["x"].tolist(), fitsio.read_header(path, 1).get("TNULL1")
    if kind == "text":
        assert [v or None for v in found] == values
    elif kind not in ("bool", "boolean"):
        assert [None if v == null or math.isnan(v) else v for v in found] == values


@pytest.mark.parametrize("ending", [".hdf5", ".fits"])
def test_a_number_that_would_be_taken_for_missing_is_refused(ending: str, tmp_path: Path) -> None:
    least = pd.DataFrame({"n": pd.array([-(2**63), 1], dtype="Int64")})
    write_table(least, tmp_path / f"t{ending}")
    for pieces in ([[-(2**63), 1], [None, 1]], [[None], [-(2**63)]], [[-(2**63), None]]):
        frames = [pd.DataFrame({"n": pd.Series(piece, dtype="Int64")}) for piece in pieces]
        with pytest.raises(MixzError, match="column 'n' lacks numbers, and has -9223372036854775808"):
            write_pieces(tmp_path / f"u{ending}", frames)
    assert [path.name for path in tmp_path.iterdir()] == [f"t{ending}"]


@pytest.mark.parametrize("word", ["gálaxy", "a\tb", "a\0"])
def test_letters_that_fits_cannot_hold_are_refused(word: str, tmp_path: Path) -> None:
    with pytest.raises(MixzError, match="name '.*' has a letter that FITS cannot hold"):
        write_table(pd.DataFrame({"name": ["a", word]}), tmp_path / "t.fits")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize(
    ("second", "words"),
    [
        (pd.DataFrame({"b": [1]}), "its columns are a first"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "its columns are a first"),
    ],
)
def test_pieces_of_other_columns_are_refused(second: pd.DataFrame, words: str, ending: str, tmp_path: Path) -> None:
    with pytest.raises(MixzError, match=words):
        write_pieces(tmp_path / f"t{ending}", [pd.DataFrame({"a": [1]}), second])
    with pytest.raises(MixzError, match="two columns are called 'a'"):
        write_table(pd.DataFrame([[1, 2]], columns=["a", "a"]), tmp_path / f"t{ending}")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("ending", [".ecsv", ".hdf5", ".fits"])
def test_what_a_format_has_no_type_for_is_refused(ending: str, tmp_path: Path) -> None:
    with pytest.raises(MixzError, match="column 'when' is of type datetime64"):
        write_table(pd.DataFrame({"when": pd.to_datetime(["2020-01-01"])}), tmp_path / f"t{ending}")


@pytest.mark.parametrize("ending", [".parquet", ".ecsv", ".hdf5", ".fits"])
def test_a_column_that_changes_its_type_is_refused(ending: str, tmp_path: Path) -> None:
    with pytest.raises(MixzError, match="cannot hold this table: .*(later|types|schema)"):
        write_pieces(tmp_path / f"t{ending}", [pd.DataFrame({"n": [1]}), pd.DataFrame({"n": [1.5]})])


@pytest.mark.parametrize("ending", ENDINGS)
def test_types_of_pandas_own_are_written_as_what_they_hold(ending: str, tmp_path: Path) -> None:
    own = pd.DataFrame(
        {
            "text": pd.Categorical(["a", None, "b"]),
            "whole": pd.Categorical([5, None, 7]),
            "arrow": pd.array([5, None, 7], dtype="int64[pyarrow]"),
            "half": np.array([0.5, np.nan, 2], np.float16),
            "big": np.array([0.5, np.nan, 2], ">f4"),
        }
    )
    expected = pd.DataFrame(
        {
            "text": ["a", None, "b"],
            "whole": pd.array([5, None, 7], dtype="Int64"),
            "arrow": pd.array([5, None, 7], dtype="Int64"),
            "half": np.array([0.5, np.nan, 2], np.float32),
            "big": np.array([0.5, np.nan, 2], np.float32),
        }
    )
    write_table(own, tmp_path / f"own{ending}")
    write_table(expected, tmp_path / f"expected{ending}")
    if ending == ".parquet":
        assert (
            pq.read_table(tmp_path / "own.parquet").to_pylist()
            == pq.read_table(tmp_path / "expected.parquet").to_pylist()
        )
    else:
        assert (tmp_path / f"own{ending}").read_bytes() == (tmp_path / f"expected{ending}").read_bytes()
