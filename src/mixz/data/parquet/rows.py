"""Rows of Parquet files in bounded memory: what a file says of its pages is compared with its bytes before any is
unpacked, and text that it holds once is not written out too often."""

from __future__ import annotations

import mmap
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from mixz.data.parquet.footer import footer, pages
from mixz.data.table_frames import PIECE_BYTES, is_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from mixz.data.parquet.footer import Chunk

SUSPECT_BYTES, SUSPECT_RATIO = 1 << 26, 50
"""What unpacks to more bytes than these, and so many times its own, is no catalogue's."""
MOST_ROWS = 10**10
"""Rows of a file; a piece of the sky has millions."""
PREFIXED = "DELTA_BYTE_ARRAY"
"""The encoding of text in which a value may repeat all of the one before it without a byte."""


def fair_batches(
    path: Path,
    columns: Sequence[str],
    rows: int,
    *,
    start: int = 0,
    stop: int | None = None,
    most_bytes: int | None = None,
) -> Iterator[pa.RecordBatch]:
    """Read some columns of a file, at most so many rows at a time; text in dictionaries may come as these.

    Parameters
    ----------
    path, columns, rows
        The file, the columns, and how many rows at a time.
    start, stop
        The rows wanted, all of them if not given; groups of rows without any of them stay unread.
    most_bytes
        Refuse what unpacks to more bytes than these.

    Raises
    ------
    ValueError
        The columns unpack to far more than they are.
    OSError, pa.ArrowException
        The file is damaged.
    """
    schema = pq.read_schema(path)
    rows = max(1, min(rows, PIECE_BYTES // (8 * max(len(columns), 1))))
    with _mapped(path) as content:
        counts, chunks = footer(content, set(columns))
        for count in (*counts, sum(counts)):
            _require_rows(count)
        largest = _largest_page(content, chunks, most_bytes)
    encodings = {one.name: one.encodings for one in chunks if is_text(schema.field(one.name).type)}
    if any(PREFIXED in found for found in encodings.values()):
        rows = max(1, min(rows, PIECE_BYTES // max(largest, 1)))
    # Arrow makes no dictionaries of text in such encodings, nor is there any in the file.
    texts = [name for name, found in encodings.items() if not any(found)]
    with pq.ParquetFile(path) as file, pq.ParquetFile(path, read_dictionary=texts) as once:
        # One reader for all row groups would hold the bytes of every one that it has read.
        for at, groups in _row_groups(counts, rows, start, stop):
            # Text may be there once and stand in every row: then it stays so until it is cut into small pieces.
            longest = _longest_said_once(once, texts, groups) if texts else 0
            reader = file if longest * rows <= PIECE_BYTES else once
            yield from _between(reader.iter_batches(rows, row_groups=groups, columns=list(columns)), at, start, stop)


def _between(batches: Iterator[pa.RecordBatch], at: int, start: int, stop: int | None) -> Iterator[pa.RecordBatch]:
    """The part of some rows, the first of which has the number `at`, that is wanted."""
    for batch in batches:
        low = max(start - at, 0)
        high = len(batch) if stop is None else min(stop - at, len(batch))
        at += len(batch)
        if high > low:
            yield batch.slice(low, high - low)
        if stop is not None and at >= stop:
            return


def rows_of(path: Path) -> int:
    """How many rows a file says that it has.

    Raises
    ------
    ValueError
        No file has so many.
    OSError, pa.ArrowException
        The file is damaged.
    """
    return _require_rows(int(pq.read_metadata(path).num_rows))


def _require_rows(rows: int) -> int:
    if not 0 <= rows <= MOST_ROWS:
        raise ValueError(f"it says that it has {rows:,} rows")
    return rows


def _row_groups(counts: Sequence[int], rows: int, start: int, stop: int | None) -> Iterator[tuple[int, list[int]]]:
    """Runs of row groups that have at least so many rows together, but for the last, and the first row of each."""
    groups, there, end = list[int](), 0, 0
    for number, count in enumerate(counts):
        end += count
        if end <= start or (stop is not None and end - count >= stop):
            continue
        groups.append(number)
        there += count
        if there >= rows:
            yield end - there, groups
            groups, there = [], 0
    if groups:
        yield sum(counts[: groups[-1] + 1]) - there, groups


def _longest_said_once(file: pq.ParquetFile, texts: Sequence[str], groups: Sequence[int]) -> int:
    """Bytes of the longest text in the dictionaries of some groups of rows, which come with their first row."""
    first = [next(file.iter_batches(1, row_groups=[k], columns=texts), None) for k in groups]
    columns = [column for batch in first if batch is not None for column in batch.columns]
    lengths = [pc.max(pc.binary_length(c.dictionary)).as_py() for c in columns if pa.types.is_dictionary(c.type)]
    return max((length or 0 for length in lengths), default=0)


def _largest_page(content: mmap.mmap, chunks: Sequence[Chunk], most_bytes: int | None) -> int:
    """The bytes of the largest page of some columns; far more than they are in the file are refused."""
    largest = whole = 0
    for one in chunks:
        _require_fair(one.name, one.unpacked, one.packed)
        for page in pages(content, one.start, one.start + one.packed):
            _require_fair(one.name, page.unpacked, page.packed)
            largest, whole = max(largest, page.unpacked), whole + page.unpacked
            if most_bytes is not None and whole > most_bytes:
                raise ValueError(f"it unpacks to more than {most_bytes:,} bytes")
    return largest


def _require_fair(column: str, unpacked: int, packed: int) -> None:
    if unpacked > SUSPECT_BYTES and unpacked > SUSPECT_RATIO * max(packed, 1):
        raise ValueError(f"column {column!r} unpacks from {packed:,} to {unpacked:,} bytes")


@contextmanager
def _mapped(path: Path) -> Iterator[mmap.mmap]:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        yield content
