"""IPAC's and the journals' tables: what astropy reads of them, and what is in no column's place is no number."""

from __future__ import annotations

import gzip
import re
import tracemalloc
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from astropy.table import MaskedColumn, Table

from mixz.data.tables import read_chunks, read_table, row_count, table_columns
from mixz.errors import MixzError

# As https://irsa.ipac.caltech.edu/applications/DDGEN/Doc/ipac_tbl.html describes them.
IPAC = """\\catalog='by hand'
\\ a comment
|   id|      name|     mag_g|   ra|  e |
| long|      char|    double| real|  d |
|     |          |       mag|  deg|  --|
| null|      null|       -99| null|    |
     1    NGC 224     22.125  10.7  .1
     2                   -99  10.8
  null        x     1.25D+01  null 1e-1
"""
MRT = """Title: Redshifts of a few galaxies
Authors: Nobody A.
Table: The galaxies
================================================================================
Byte-by-byte Description of file: table1.txt
--------------------------------------------------------------------------------
   Bytes Format Units  Label   Explanations
--------------------------------------------------------------------------------
   1-  3 I3     ---    id      Number
   5- 11 A7     ---    name    ? What others call it,
                                and more of that
  13- 18 F6.3   mag    mag_g   [10/30]?=99.999 Magnitude (1)
      20 I1     ---    q       ? Quality
  22- 29 E8.2   Jy     flux    ? Flux
--------------------------------------------------------------------------------
Note (1): in AB
--------------------------------------------------------------------------------
  1 NGC 224 22.125 4 1.25D-03
  2         99.999
103 x       -1.500 0 -2.5E+01
"""


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_bytes(gzip.compress(text.encode()) if name.endswith("gz") else text.encode())
    return path


@pytest.mark.parametrize("name", ["t.tbl", "t.ipac", "t.tbl.gz"])
def test_an_ipac_table(name: str, tmp_path: Path) -> None:
    path = write(tmp_path, name, IPAC)
    found = read_table(path)
    assert found["id"].tolist() == [1, 2, pd.NA]
    assert found["id"].dtype == "Int64"
    assert found["name"].fillna("").tolist() == ["NGC 224", "", "x"]
    np.testing.assert_array_equal(found["mag_g"], [22.125, np.nan, 12.5])
    np.testing.assert_array_equal(found["ra"], [10.7, 10.8, np.nan])
    np.testing.assert_array_equal(found["e"], [0.1, np.nan, 0.1])
    assert found.attrs["units"] == {"mag_g": "mag", "ra": "deg"}
    assert table_columns(path) == ["id", "name", "mag_g", "ra", "e"]
    assert row_count(path) == (None if name.endswith("gz") else 3)


@pytest.mark.parametrize("name", ["t.mrt", "t.txt", "t.dat", "t.mrt.gz"])
def test_a_machine_readable_table(name: str, tmp_path: Path) -> None:
    found = read_table(write(tmp_path, name, MRT))
    assert found["id"].tolist() == [1, 2, 103]
    assert found["name"].fillna("").tolist() == ["NGC 224", "", "x"]
    np.testing.assert_array_equal(found["mag_g"], [22.125, np.nan, -1.5])
    assert found["q"].tolist() == [4, pd.NA, 0]
    np.testing.assert_array_equal(found["flux"], [0.00125, np.nan, -25])
    assert found.attrs["units"] == {"mag_g": "mag", "flux": "Jy"}


@pytest.mark.parametrize("kind", ["ipac", "mrt"])
@pytest.mark.parametrize("rows", [1, 7, 1_000])
def test_what_astropy_writes(kind: str, rows: int, tmp_path: Path) -> None:
    rng, count = np.random.default_rng(rows), 60
    table = Table({"id": rng.integers(1, 10**15, count), "name": [f"a {'b' * (k % 5)}x" for k in range(count)]})
    table["mag"] = MaskedColumn(np.round(rng.normal(22, 2, count), 5), mask=rng.random(count) < 0.2, unit="mag")
    table["z"] = np.round(rng.exponential(1e-3, count), 9)
    path = tmp_path / f"t.{'tbl' if kind == 'ipac' else kind}"
    table.write(path, format=f"ascii.{kind}")
    found = pd.concat(list(read_chunks(path, rows=rows)))
    assert found["id"].tolist() == table["id"].tolist()
    assert found["name"].tolist() == table["name"].tolist()
    np.testing.assert_allclose(found["mag"], np.ma.filled(table["mag"], np.nan), rtol=1e-12)
    with warnings.catch_warnings(action="ignore"):
        theirs: Any = Table.read(path, format=f"ascii.{kind}")
    np.testing.assert_allclose(found["z"], theirs["z"], rtol=1e-12)
    np.testing.assert_allclose(found["z"], table["z"], rtol=1e-3)


def test_some_columns_in_another_order_and_none_of_no_rows(tmp_path: Path) -> None:
    path = write(tmp_path, "t.tbl", IPAC)
    assert list(next(read_chunks(path, ["ra", "id"])).columns) == ["ra", "id"]
    assert [len(one) for one in read_chunks(path, [])] == [3]
    [empty] = read_chunks(write(tmp_path, "e.tbl", IPAC[: IPAC.index("     1")]))
    assert len(empty) == 0
    assert empty["id"].dtype == "Int64"
    assert empty["mag_g"].dtype == "float64"


def test_letters_that_are_not_of_ascii(tmp_path: Path) -> None:
    """Places count letters, whatever bytes these take."""
    latin = tmp_path / "l.tbl"
    latin.write_bytes(IPAC.replace("NGC 224", "Ångstr.").encode("latin-1"))
    for path in (write(tmp_path, "u.tbl", IPAC.replace("NGC 224", "Ångstr.")), latin):
        found = read_table(path)
        assert found["name"].tolist()[0] == "Ångstr."
        assert found["mag_g"].tolist()[0] == 22.125


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (IPAC.replace("     1    NGC", "     1 The NGC"), "row 1 has something between the places of its columns"),
        (IPAC.replace("10.7  .1", "10.7  .1 5"), "row 1 has something behind its last column"),
        (IPAC.replace("     2   ", "     2\t  "), "it has tabs"),
        (IPAC.replace("22.125", "22.1x5"), "column 'mag_g' should hold double"),
        (IPAC.replace("| long|", "|long| "), "stand in different places"),
        (IPAC + "|   id|\n", "row 4 has something between the places of its columns"),
        (IPAC.replace("\n|", "\n "), "it has not one to four lines of column names between bars"),
        (IPAC[IPAC.index("     1") :], "it has not one to four lines of column names between bars"),
        (IPAC.replace("|  e |", "|  ra|"), "has 2 columns 'ra'"),
        (MRT.replace("-1.500 0", "-1.5000 "), "row 3 has something between the places of its columns"),
        (MRT.replace("  5- 11", "  2- 11"), "the places of its columns 'id' and 'name' overlap"),
        (MRT.replace("  5- 11", " 11-  5"), "cannot have the bytes 11 to 5"),
        (MRT.replace("20 I1", "0 I1 "), "cannot have the bytes 0 to 0"),
        (MRT.replace("29 E8.2", "99999 E8.2"), "cannot have the bytes 22 to 99999"),
        (MRT.replace("F6.3 ", "6F.3 "), "row 1 has something between the places of its columns"),
        (MRT + MRT, "it describes 2 tables byte by byte"),
        (MRT[: MRT.index("--")], "its byte-by-byte description has no end"),
        (re.sub(r" [IAFE]\d", " X1", MRT), "its byte-by-byte description names no column"),
        ("Title:\n" + "x" * 5_000_000, "it describes 0 tables byte by byte"),
    ],
)
def test_what_is_refused(text: str, words: str, tmp_path: Path) -> None:
    path = write(tmp_path, "t.mrt" if text.startswith("Title") else "t.tbl", text)
    with pytest.raises(MixzError, match=words):
        read_table(path)


def test_long_lines_take_no_more_memory_than_short_ones(tmp_path: Path) -> None:
    """A wide table of many short rows: what is made of them is bounded by letters, not by rows."""
    wide = "|" + "|".join(f"c{k:<60}" for k in range(1_000)) + "|\n"
    path = write(tmp_path, "t.tbl", wide + " 1\n" * 100_000 + f" 2{' ' * 60_950}3\n")
    tracemalloc.start()
    found = [(len(one), int(one.iloc[:, 0].isna().sum())) for one in read_chunks(path, ["c983"], rows=50_000)]
    assert sum(rows for rows, _ in found) == 100_001
    assert sum(empty for _, empty in found) == 100_000
    assert tracemalloc.get_traced_memory()[1] < 200e6
    tracemalloc.stop()
