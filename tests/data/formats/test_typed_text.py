"""ECSV and VOTables: their types, units and masks; VOTables follow no link."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from astropy.table import MaskedColumn, Table

from mixz.data.tables import read_chunks, read_table, row_count, table_columns
from mixz.errors import MixzError

TABLE = Table(
    {
        "id": MaskedColumn([2**60 + 1, 2, 3], mask=[False, True, False]),
        "u": np.array([1, 2, 3], "u1"),
        "m": MaskedColumn(np.array([1.5, 2.5, 3.5], "f4"), mask=[False, False, True], unit="mag"),
        "name": ["a b", "c", "d"],
        "ok": [True, False, True],
        "v": np.ones((3, 2)),
    }
)


@pytest.mark.parametrize("how", ["ecsv", "mask", "comma", "gz", "vot", "binary2"])
def test_types_units_and_masks(how: str, tmp_path: Path) -> None:
    path = tmp_path / ("t.vot" if how in ("vot", "binary2") else "t.ecsv")
    if how in ("vot", "binary2"):
        form = "tabledata" if how == "vot" else "binary2"
        TABLE.write(path, format="votable", tabledata_format=form)
    else:
        told = {"mask": {"serialize_method": "data_mask"}, "comma": {"delimiter": ","}}.get(how, {})
        TABLE.write(path, format="ascii.ecsv", **told)
    if how == "gz":
        path.with_suffix(".ecsv.gz").write_bytes(gzip.compress(path.read_bytes()))
        path = path.with_suffix(".ecsv.gz")
    assert table_columns(path) == ["id", "u", "m", "name", "ok", "v"]
    assert row_count(path) == (None if how in ("gz", "binary2") else 3)
    frame = read_table(path)
    assert list(frame) == ["id", "u", "m", "name", "ok"]
    assert [str(kind) for kind in frame.dtypes][:3] == ["Int64", "UInt8", "float32"]
    assert str(frame["ok"].dtype) == "boolean"
    assert frame["id"].isna().tolist() == [False, True, False]
    assert frame["id"][0] == 2**60 + 1
    assert frame["m"].isna().tolist() == [False, False, True]
    assert frame["name"].tolist() == ["a b", "c", "d"]
    assert frame["ok"].tolist() == [True, False, True]
    assert frame.attrs["units"] == {"m": "mag"}
    assert [len(chunk) for chunk in read_chunks(path, ["m"], rows=2)] == [2, 1]
    with pytest.raises(MixzError, match="column 'v' holds"):
        read_table(path, ["v"])


def votable(inside: str, before: str = "", said: str = "") -> str:
    field = '<FIELD name="m" datatype="int"><VALUES null="-99"/></FIELD>'
    table = f'<TABLE ID="one" {said}>{field}<DATA>{inside}</DATA></TABLE>'
    rows = "<DATA><TABLEDATA><TR><TD>0.5</TD></TR></TABLEDATA></DATA>"
    other = f'<TABLE ID="two"><FIELD name="z" datatype="float"/>{rows}</TABLE>'
    return f'<?xml version="1.0"?>{before}<VOTABLE version="1.4"><RESOURCE>{table}{other}</RESOURCE></VOTABLE>'


ROWS = "<TABLEDATA><TR><TD>1</TD></TR><TR><TD>-99</TD></TR></TABLEDATA>"


def test_tables_of_a_votable_by_number_or_name(tmp_path: Path) -> None:
    path = tmp_path / "t.xml"
    path.write_text(votable(ROWS))
    assert read_table(path)["m"].isna().tolist() == [False, True]
    for group in (1, "1", "two"):
        assert read_table(path, None, group)["z"].tolist() == [0.5]
    with pytest.raises(MixzError, match=r"no table 'x'(?s:.*)one \(0\), two \(1\)"):
        read_table(path, None, "x")
    with pytest.raises(MixzError, match=r"no column 'z'(?s:.*)two \(1\)"):
        read_table(path, ["z"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (votable('<BINARY><STREAM href="file:///etc/hostname"/></BINARY>'), "not followed"),
        (votable('<FITS><STREAM href="http://localhost/"/></FITS>'), "not followed"),
        (votable('<BINARY><STREAM encoding="gzip">AAAA</STREAM></BINARY>'), "packed as gzip"),
        (votable(ROWS, '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]>'), "declares entities"),
        (votable(ROWS, said='nrows="10000000000"'), "it says that it has"),
        (votable(ROWS)[:200], "cannot be read"),
    ],
)
def test_votables_that_are_refused(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "t.vot"
    path.write_text(text)
    with pytest.raises(MixzError, match=message):
        read_table(path)


def test_ecsv_makes_no_objects_of_python(tmp_path: Path) -> None:
    path, mark = tmp_path / "t.ecsv", tmp_path / "mark"
    yaml = f"# meta: !!python/object/apply:os.mkdir ['{mark}']"
    path.write_text(f"# %ECSV 1.0\n# ---\n# datatype:\n# - {{name: a, datatype: int64}}\n{yaml}\na\n1\n")
    with pytest.raises(MixzError, match="cannot be read"):
        read_table(path)
    assert not mark.exists()


def test_ecsv_whose_types_are_wrong(tmp_path: Path) -> None:
    path = tmp_path / "t.ecsv"
    path.write_text("# %ECSV 1.0\n# ---\n# datatype:\n# - {name: a, datatype: int64}\na\nx\n")
    with pytest.raises(MixzError, match="column 'a' should hold int64"):
        read_table(path)
