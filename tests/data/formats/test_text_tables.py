"""Text tables are read by what they hold: every column as written, no row of another length."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path

import pandas as pd
import pytest
from astropy.table import Table

from mixz.data.formats import text as text_format
from mixz.data.tables import read_chunks, read_table, row_count, table_columns, write_table
from mixz.errors import MixzError

ROWS = [["43000000000000001", "21.50", "gal"], ["00000002", "1e1", "star"]]


def written(path: Path, text: str | bytes) -> Path:
    data = text.encode() if isinstance(text, str) else text
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def cells(path: Path) -> list[list[object]]:
    frame = read_table(path)
    return frame.astype(object).where(frame.notna(), None).to_numpy().tolist()


@pytest.mark.parametrize("ending", [".csv", ".txt", ".tsv", ".dat", ".cat", ".tab", ".csv.gz", ".dat.gz"])
@pytest.mark.parametrize("mark", [",", ";", "\t", "|", " ", "   "])
def test_any_delimiter_under_any_ending(mark: str, ending: str, tmp_path: Path) -> None:
    text = "\n".join(mark.join(row) for row in [["id", "mag_g", "cls"], *ROWS])
    path = written(tmp_path / f"t{ending}", text)
    assert table_columns(path) == ["id", "mag_g", "cls"]
    assert cells(path) == ROWS
    assert row_count(path) == (None if ending.endswith(".gz") else 2)


@pytest.mark.parametrize(
    "head",
    [
        "id,mag_g,cls",
        "# id,mag_g,cls",
        "#id,mag_g,cls",
        "#Table1\nid,mag_g,cls",
        "# query 12\n# made, by hand\nid,mag_g,cls",
        "# query 12\n\n# id,mag_g,cls",
        "\ufeffid,mag_g,cls",
        "\ufeff# id, mag_g, cls",
        '"id","mag_g","cls"',
    ],
)
def test_headers(head: str, tmp_path: Path) -> None:
    text = "\r\n".join([*head.split("\n"), *(",".join(row) for row in ROWS), ""])
    path = written(tmp_path / "t.csv", text)
    assert table_columns(path) == ["id", "mag_g", "cls"]
    assert cells(path) == ROWS


def test_a_numbered_header(tmp_path: Path) -> None:
    text = "#   1 NUMBER  Running number\n#   2 MAG_AUTO  Kron magnitude [mag]\n  1  21.5\n  2  22.5\n"
    path = written(tmp_path / "t.cat", text)
    assert table_columns(path) == ["NUMBER", "MAG_AUTO"]
    assert cells(path) == [["1", "21.5"], ["2", "22.5"]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("zs,u,g\n1,2,3,4\n", "the header has 3 names, row 1 has 4 fields"),
        ("# zs u g\n1 2 3 4\n", "the header has 3 names, row 1 has 4 fields"),
        ("zs,u,g\n1,2\n", "the header has 3 names, row 1 has 2 fields"),
        ("a,b\n1,2\n3,4,5\n", "row 2 has 3 fields"),
        ("a,b\n1,2\n3\n", "row 2 has 1 fields"),
        ("a b\n1 2\n3\n", "row 2 has 1 fields"),
        ("a,b\n1,2\n# c\n5\n", "row 2 has 1 fields"),
        ("1,2\n3,4\n", "no header"),
        ("# made by hand\n", "has no rows"),
        ("a,a\n1,2\n", "has 2 columns 'a'"),
        ("a,b\n1,2\n#3,4\n", "begins as a comment does"),
        ('a,b\n1,2\n3,"4\n', "never closed"),
        ("a,b\n1," + "x" * 70_000, "a cell holds 70,000 bytes"),
        ("a,b\n1," + "x" * 9_000_000 + "\n3,4\n", "longer than"),
        (b"a,b\n1,2\n\xe9\n3,4\n", "row 2 has 1 fields"),
        (b"\xff\xfea\x00,\x00b\x00", "no text"),
    ],
)
def test_refusals(text: str | bytes, message: str, tmp_path: Path) -> None:
    with pytest.raises(MixzError, match=message):
        read_table(written(tmp_path / "t.csv", text))


def test_unwanted_names_may_be_there_twice(tmp_path: Path) -> None:
    path = written(tmp_path / "t.csv", "a,b,a\n1,2,3\n")
    assert read_table(path, ["b"])["b"].tolist() == ["2"]


def test_what_cells_hold(tmp_path: Path) -> None:
    text = 'a,b,c\n 1 ,"x,\ny",\n# a comment, here\n\n"","say ""z""",NaN\n'
    assert cells(written(tmp_path / "t.csv", text)) == [["1", "x,\ny", None], [None, 'say "z"', "NaN"]]
    path = written(tmp_path / "u.csv", "name,b\n# é\né,1\n".encode("latin-1"))
    assert cells(path) == [["é", "1"]], "Latin-1, where it is no UTF-8"
    assert cells(written(tmp_path / "v.csv", "name,b\né,1\n")) == [["é", "1"]]


def test_blanks_set_fields_apart_but_no_other_letters_do(tmp_path: Path) -> None:
    """`à` ends in a byte that is a blank in Latin-1, and U+00A0 is a blank to Unicode: neither is one here."""
    path = tmp_path / "t.txt"
    path.write_text('id name field\n1 "à la" voilà\n2 voilà\u00a0là x\n3 "# à" à\u00a0b\n')
    frame = next(read_chunks(path, ["id", "name", "field"]))
    assert frame["name"].tolist() == ["à la", "voilà\u00a0là", "# à"]
    assert frame["field"].tolist() == ["voilà", "x", "à\u00a0b"]


def test_a_table_without_rows_has_columns(tmp_path: Path) -> None:
    for text in ("a,b\n", "a,b", "# a b\n"):
        (frame,) = read_chunks(written(tmp_path / "t.csv", text))
        assert list(frame) == ["a", "b"]
        assert not len(frame)


def test_pieces_number_rows_through(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    write_table(pd.DataFrame({"a": range(100)}), path)
    chunks = list(read_chunks(path, rows=7))
    assert [len(chunk) for chunk in chunks] == [7] * 14 + [2]
    assert pd.concat(chunks).index.tolist() == list(range(100))


def test_packed_text_is_no_bomb(tmp_path: Path) -> None:
    path = written(tmp_path / "t.csv.gz", b"a,b\n" + b"1,2\n" * 500_000)
    with pytest.raises(MixzError, match="unpacks to more"):
        list(read_chunks(path, ["a"], most_bytes=1_000_000))


@pytest.mark.parametrize("ending", [".tsv", ".vot", ".feather"])
def test_formats_that_are_only_read(ending: str, tmp_path: Path) -> None:
    with pytest.raises(MixzError, match="only read(?s:.*).parquet"):
        write_table(pd.DataFrame({"a": [1]}), tmp_path / f"t{ending}")
    assert not list(tmp_path.iterdir())


def test_quotes_at_the_ends_of_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_format, "BLOCK_BYTES", 64)
    rows = ['1,"a field of two\nlines, ""quoted"""', '2,5" of arc', '3,"plain"', "4,", '5,"\n\n"'] * 50
    written = tmp_path / "t.csv"
    written.write_text("id,name\n" + "\n".join(rows) + "\n")
    with written.open(newline="") as file:
        expected = [row[1] for row in list(csv.reader(file))[1:]]
    found = read_table(written)["name"]
    assert found.fillna("").str.strip().tolist() == [name.strip() for name in expected]


def test_a_wrong_row_is_named_by_its_number_in_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_format, "BLOCK_BYTES", 64)
    written = tmp_path / "t.csv"
    written.write_text("id,name\n" + "".join(f"{k},n{k}\n" for k in range(1, 101)) + "# a word\n101,a,b\n")
    with pytest.raises(MixzError, match="row 101 has 3 fields"):
        read_table(written)


@pytest.mark.parametrize("ending", [".csv", ".ecsv", ".csv.gz"])
def test_names_that_begin_as_comments_do_come_back(ending: str, tmp_path: Path) -> None:
    """astropy, which writes ECSV's rows, puts no quotes there, and takes such rows for comments afterwards."""
    for frame in (
        pd.DataFrame({"x": ["#", "#5", "a #b"]}),
        pd.DataFrame({"#id": ["#1", "b", "# c"], "z": [0.5, 1, 2]}),
    ):
        write_table(frame, tmp_path / f"t{ending}")
        found = read_table(tmp_path / f"t{ending}")
        assert found.iloc[:, 0].tolist() == frame.iloc[:, 0].tolist()
        if ending == ".ecsv":
            assert Table.read(tmp_path / "t.ecsv").columns[0].tolist() == frame.iloc[:, 0].tolist()
