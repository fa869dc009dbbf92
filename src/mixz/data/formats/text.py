"""Text tables, whatever stands between their fields: every column as it is written, and no row of another length."""

from __future__ import annotations

import re
from typing import IO, TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from mixz.data.formats.format import Format, Layout, is_packed, unpacked
from mixz.data.formats.text_head import FIELD, head_by_position, read_head
from mixz.data.table_frames import decoded, pieces, text_column
from mixz.data.table_writers import csv_writer
from mixz.errors import MixzError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from mixz.data.formats.format import TableSource
    from mixz.data.formats.text_head import TextHead

BLOCK_BYTES = 1 << 22
"""Text read at a time; no row is longer."""


def whole_rows(file: IO[bytes], *, delimiter: str | None, most_bytes: int) -> Iterator[bytes]:
    """Blocks of a text table that end where a row does, with one mark between fields.

    Parameters
    ----------
    file
        The text, at its first row.
    delimiter
        What stands between fields; None: runs of blanks, which become tabs, and comments are left out.
    most_bytes
        Refuse more than these.

    Raises
    ------
    ValueError
        There is more than may be, a row is longer than a block, or a quote is never closed.
    """
    held = b""
    while block := file.read(BLOCK_BYTES):
        rest = file.readline(BLOCK_BYTES)
        most_bytes -= len(block) + len(rest)
        if most_bytes < 0:
            raise ValueError("it unpacks to more bytes than are allowed here")
        if len(rest) == BLOCK_BYTES:
            raise ValueError(f"a row is longer than {BLOCK_BYTES:,} bytes")
        block = held + _in_utf8(block + rest)
        if delimiter is None:
            lines = (line for line in block.splitlines() if not line.lstrip().startswith(b"#"))
            block = b"".join(_with_tabs(line) for line in lines)
        if not _is_quoting(block, delimiter or "\t"):
            held = b""
            yield block
        elif len(held := block) > 3 * BLOCK_BYTES:
            raise ValueError(f"a quoted field is longer than {BLOCK_BYTES:,} bytes, or its quote is never closed")
    if held:
        raise ValueError("it has a quote that is never closed")


def _is_quoting(block: bytes, delimiter: str) -> bool:
    """Whether a block ends within a quoted field; a quote inside of a plain field is a letter: 5" of arc."""
    mark = delimiter.encode()
    opened = block.count(mark + b'"') + block.count(b'\n"') + block.startswith(b'"')
    closed = block.count(b'"' + mark) + block.count(b'"\n') + block.count(b'"\r') + block.endswith(b'"')
    if opened == closed and opened + closed == block.count(b'"'):  # the usual case, told without a look at every field
        return False
    quoted = re.compile(rb"(?:^|(?<=[\r\n])|(?<=" + re.escape(mark) + rb'))"(?:[^"]++|"")*+("|$)')
    return any(not found[1] for found in quoted.finditer(block))


def _in_utf8(block: bytes) -> bytes:
    """Lines in UTF-8, those that are not taken as Latin-1."""
    if block.isascii():
        return block
    try:
        block.decode()
    except UnicodeDecodeError:
        return b"".join(decoded(line).encode() for line in block.splitlines(keepends=True))
    return block


def _with_tabs(line: bytes) -> bytes:
    if b'"' in line:
        return "\t".join(FIELD.findall(line.decode("latin-1"))).encode("latin-1") + b"\n"
    return b"\t".join(line.split()) + b"\n"


def text_batches(source: TableSource, head: TextHead, columns: Sequence[int]) -> Iterator[pa.RecordBatch]:
    """Some columns of a text table as bytes, null where empty; those of a table without rows not at all.

    Parameters
    ----------
    source, head
        The table, and what stands above its rows.
    columns
        The numbers of the columns.

    Raises
    ------
    MixzError
        A row has not as many fields as there are names.
    ValueError
        A line begins like a comment and like a row, or there is more than may be.
    """
    names = [str(number) for number in range(len(head.names))]
    wanted = [names[number] for number in columns]
    watched = _Rows(source.path, len(names))
    with unpacked(source.path) as file:
        file.seek(head.start)
        for block in whole_rows(file, delimiter=head.delimiter, most_bytes=source.most_bytes):
            # The first column is looked at for comments; the fields of a row are counted in any case.
            batches = _parsed(block, head.delimiter or "\t", names, list(dict.fromkeys([names[0], *wanted])), watched)
            for batch in batches:
                _refuse_comments(batch["0"], block)
                yield batch.select(wanted) if wanted else batch.select(["0"])


def _parsed(block: bytes, delimiter: str, names: list[str], wanted: list[str], watched: _Rows) -> list[pa.RecordBatch]:
    # Arrow has threads that read ahead, which abort Python if it ends meanwhile: they are given no object of Python's.
    copied = pa.BufferOutputStream()
    copied.write(block)
    try:
        table = pa_csv.read_csv(
            pa.BufferReader(copied.getvalue()),
            # One thread: it counts rows, needs little memory, and the next step needs the other cores.
            read_options=pa_csv.ReadOptions(use_threads=False, block_size=len(block) + 1, column_names=names),
            parse_options=pa_csv.ParseOptions(
                delimiter=delimiter, newlines_in_values=True, invalid_row_handler=watched.judge
            ),
            convert_options=pa_csv.ConvertOptions(
                check_utf8=False,
                include_columns=wanted,
                column_types=dict.fromkeys(wanted, pa.binary()),
                null_values=[""],
                strings_can_be_null=True,
            ),
        )
    except pa.ArrowInvalid as error:
        if watched.wrong is not None:
            raise watched.wrong from error
        if "Empty CSV file" in str(error):
            return []
        raise ValueError(str(error)) from error
    watched.count(len(table))
    return list(table.to_batches())


class _Rows:
    """Rows that have not as many fields as there are names: comments and blank lines, or wrong ones."""

    def __init__(self, path: Path, names: int) -> None:
        self.path, self.names = path, names
        self.before = self.comments = 0
        self.wrong: MixzError | None = None

    def count(self, rows: int) -> None:
        """Go on behind the rows of a block."""
        self.before, self.comments = self.before + rows, 0

    def judge(self, row: Any) -> str:
        text = row.text.strip()
        if not text or text.startswith("#"):
            self.comments += 1
            return "skip"
        number = "a row" if row.number is None else f"row {self.before + row.number - self.comments:,}"
        self.wrong = MixzError(
            f"{self.path} cannot be read: {number} has {row.actual_columns} fields: {text[:60]}",
            f"{self.names} fields, one for each name of the header",
            "mend the row (a field with a delimiter in it needs quotes), or write the file again",
        )
        return "error"


def _refuse_comments(first: pa.Array, block: bytes) -> None:
    """Refuse a row that may be a comment; in quotes it is none."""
    if pc.any(pc.starts_with(first, "#")).as_py() and (block.startswith(b"#") or b"\n#" in block):
        cell = first.filter(pc.starts_with(first, "#"))[0].as_py()
        raise ValueError(f"the row {decoded(cell)[:40]!r} begins as a comment does, with as many fields as a row")


def lines_below(path: Path, start: int) -> int | None:
    """Count the lines of a text file from a byte on; None for a packed one."""
    if is_packed(path):
        return None
    lines, last = 0, b"\n"
    with path.open("rb") as file:
        file.seek(start)
        while block := file.read(1 << 20):
            lines, last = lines + block.count(b"\n"), block
    return lines + (not last.endswith(b"\n"))


def _head(source: TableSource) -> TextHead:
    return head_by_position(source.path, source.names) if source.names else read_head(source.path)


def _layout(source: TableSource) -> Layout:
    return Layout(_head(source).names)


def _rows(source: TableSource) -> int | None:
    return lines_below(source.path, _head(source).start)


def _chunks(source: TableSource, columns: list[str], rows: int) -> Iterator[pd.DataFrame]:
    head = _head(source)
    numbers = [head.names.index(name) for name in columns]
    empty = True
    for piece in pieces(text_batches(source, head, numbers), rows):
        empty = False
        series = {name: text_column(piece[k], stripped=True) for k, name in enumerate(columns)}
        yield pd.DataFrame(series, index=pd.RangeIndex(len(piece)))
    if empty:
        yield pd.DataFrame({name: text_column(pa.array([], pa.string())) for name in columns})


TEXT = Format("text", _layout, _rows, _chunks, csv_writer)
