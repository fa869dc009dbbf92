"""Text tables whose columns have fixed places: IPAC's, as IRSA gives them, and the AAS journals' machine-readable ones.

What stands where no column is would be cut from a number or moved into another: it is refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from mixz.data.formats.fixed_width_head import read_fixed_head
from mixz.data.formats.format import Format, Layout, unpacked
from mixz.data.formats.read_only import refusing
from mixz.data.formats.text import BLOCK_BYTES, lines_below
from mixz.data.table_frames import decoded, pieces, typed_column

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from mixz.data.formats.fixed_width_head import FixedColumn, FixedHead
    from mixz.data.formats.format import TableSource

    Letters = NDArray[np.bytes_] | NDArray[np.str_]


def fixed_batches(source: TableSource, head: FixedHead, columns: Sequence[FixedColumn]) -> Iterator[pa.RecordBatch]:
    """Some columns of a table as text, null where blank or where the column's mark for none stands.

    Raises
    ------
    ValueError
        Something stands between columns or behind the last, there is a tab, or there is more than may be.
    """
    names = [str(k) for k in range(len(columns))]
    nowhere = np.ones(head.width, bool)
    for column in head.columns:
        nowhere[column.start : column.stop] = False
    row = 0
    for lines in _lines(source, head):
        letters = _letters(lines, head.width, row)
        if (astray := ~_are_blank(letters[:, nowhere[: letters.shape[1]]]).all(axis=1)).any():
            raise ValueError(f"row {row + int(astray.argmax()) + 1:,} has something between the places of its columns")
        words = [_words(letters, column) for column in columns] or [pa.nulls(len(lines), pa.string())]
        yield pa.RecordBatch.from_arrays(words, names or ["0"])
        row += len(lines)


def _lines(source: TableSource, head: FixedHead) -> Iterator[list[bytes]]:
    """Rows, as many at a time as fill a block when each is as long as it may be."""
    most, left = max(1, BLOCK_BYTES // head.width), source.most_bytes
    with unpacked(source.path) as file:
        file.seek(head.start)
        while block := file.read(BLOCK_BYTES):
            rest = file.readline(BLOCK_BYTES)
            left -= len(block) + len(rest)
            if left < 0:
                raise ValueError("it unpacks to more bytes than are allowed here")
            if len(rest) == BLOCK_BYTES:
                raise ValueError(f"a row is longer than {BLOCK_BYTES:,} bytes")
            if b"\t" in block or b"\t" in rest:
                raise ValueError("it has tabs, where the places of letters count")
            lines = [line for line in (block + rest).splitlines() if line.strip()]
            for at in range(0, len(lines), most):
                yield lines[at : at + most]


def _letters(lines: Sequence[bytes], width: int, before: int) -> Letters:
    """The letters of rows, shape (row, letter of the longest), empty behind the end of a row."""
    texts: Sequence[bytes] | Sequence[str] = lines
    if not (plain := all(line.isascii() for line in lines)):
        texts = [decoded(line) for line in lines]
    for number, text in enumerate[bytes | str](texts, before + 1):
        if len(text) > width and text[width:].strip():
            raise ValueError(f"row {number:,} has something behind its last column")
    kind, longest = "S" if plain else "U", min(width, max(map(len, texts)))
    return np.array(texts, f"{kind}{longest}").view(f"{kind}1").reshape(len(lines), longest)


def _are_blank(letters: Letters) -> NDArray[np.bool_]:
    return np.isin(letters, [b" ", b""] if letters.dtype.kind == "S" else [" ", ""])


def _words(letters: Letters, column: FixedColumn) -> pa.Array:
    place = np.ascontiguousarray(letters[:, column.start : column.stop])
    if not place.size:
        return pa.nulls(len(letters), pa.string())
    words = pc.ascii_trim_whitespace(
        pa.array(place.view(f"{place.dtype.kind}{place.shape[1]}")[:, 0]).cast(pa.string())
    )
    none = pc.is_in(words, pa.array(["", column.null]))
    if pa.types.is_floating(column.kind):
        words = pc.replace_substring_regex(words, "[Dd]", "E")  # as Fortran writes exponents
    return pc.if_else(none, pa.scalar(None, pa.string()), words)


def _layout(source: TableSource) -> Layout:
    columns = read_fixed_head(source.path).columns
    return Layout([one.name for one in columns], {one.name: one.unit for one in columns if one.unit})


def _rows(source: TableSource) -> int | None:
    return lines_below(source.path, read_fixed_head(source.path).start)


def _chunks(source: TableSource, columns: list[str], rows: int) -> Iterator[pd.DataFrame]:
    head = read_fixed_head(source.path)
    wanted = [head.column(name) for name in columns]
    empty = True
    for piece in pieces(fixed_batches(source, head, wanted), rows):
        empty = False
        series = {one.name: typed_column(piece[k], one.kind, one.name) for k, one in enumerate(wanted)}
        yield pd.DataFrame(series, index=pd.RangeIndex(len(piece)))
    if empty:
        nothing = pa.chunked_array([], pa.string())
        yield pd.DataFrame({one.name: typed_column(nothing, one.kind, one.name) for one in wanted})


FIXED_WIDTH = Format("fixed-width text", _layout, _rows, _chunks, refusing("text with columns of fixed places"))
