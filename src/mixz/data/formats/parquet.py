"""Parquet files, read group of rows by group of rows; text that a file holds once is not written out too often."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from mixz.data.formats.astropy_header import header_of
from mixz.data.formats.format import Format, Layout, require_few_columns
from mixz.data.table_frames import PIECE_BYTES, arrow_frames, is_text, why_no_column
from mixz.data.table_writers import parquet_writer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd

    from mixz.data.formats.format import TableSource

SUSPECT_BYTES, SUSPECT_RATIO = 1 << 26, 50
"""A column of a group of rows that unpacks to more bytes than these, and so many times its own, is no catalogue's."""


def arrow_layout(schema: pa.Schema) -> Layout:
    """What a table of Arrow holds; what pandas says of it, such as which column was its index, does not matter."""
    require_few_columns(len(schema))
    units, masks = {}, {}
    if yaml := (schema.metadata or {}).get(b"table_meta_yaml"):
        header = header_of(yaml.decode().splitlines())
        units, masks = dict(header.units), {n: m for n, m in header.masks.items() if {n, m} <= set(schema.names)}
    for column in schema:
        said = column.metadata or {}
        if unit := said.get(b"unit") or said.get(b"units"):
            units[column.name] = unit.decode()
    odd = {column.name: why for column in schema if (why := why_no_column(column.type))}
    names = [name for name in schema.names if name not in masks.values()]
    return Layout(names, {n: u for n, u in units.items() if n in names}, odd, masks=masks)


def _layout(source: TableSource) -> Layout:
    return arrow_layout(pq.read_schema(source.path))


def _rows(source: TableSource) -> int:
    return int(pq.read_metadata(source.path).num_rows)


def _chunks(source: TableSource, columns: list[str], rows: int) -> Iterator[pd.DataFrame]:
    schema = pq.read_schema(source.path)
    rows = max(1, min(rows, PIECE_BYTES // (8 * max(len(columns), 1))))
    texts = [name for name in columns if is_text(schema.field(name).type)]
    with pq.ParquetFile(source.path) as file, pq.ParquetFile(source.path, read_dictionary=texts) as once:
        require_packed_fairly(file.metadata, columns)
        # One reader for all row groups would hold the bytes of every one that it has read.
        for groups in _row_groups(file, rows):
            # Text may be there once and stand in every row: then it stays so until it is cut into small pieces.
            longest = _longest_said_once(once, texts, groups) if texts else 0
            reader = file if longest * rows <= PIECE_BYTES else once
            for batch in reader.iter_batches(rows, row_groups=groups, columns=columns):
                yield from arrow_frames(batch.select(columns))
        if not file.metadata.num_rows:
            yield from arrow_frames(pa.RecordBatch.from_pylist([], schema=schema).select(columns))


def _longest_said_once(file: pq.ParquetFile, texts: Sequence[str], groups: Sequence[int]) -> int:
    """Bytes of the longest text in the dictionaries of some groups of rows, which come with their first row."""
    first = [next(file.iter_batches(1, row_groups=[k], columns=texts), None) for k in groups]
    columns = [column for batch in first if batch is not None for column in batch.columns]
    lengths = [pc.max(pc.binary_length(c.dictionary)).as_py() for c in columns if pa.types.is_dictionary(c.type)]
    return max((length or 0 for length in lengths), default=0)


def require_packed_fairly(metadata: pq.FileMetaData, columns: Sequence[str]) -> None:
    """Refuse columns that would unpack to far more than they are.

    Raises
    ------
    ValueError
        As said.
    """
    leaves = [k for k in range(metadata.num_columns) if metadata.schema.column(k).path in set(columns)]
    for number in range(metadata.num_row_groups):
        group = metadata.row_group(number)
        for leaf in leaves:
            one = group.column(leaf)
            size, packed = one.total_uncompressed_size, max(one.total_compressed_size, 1)
            if size > SUSPECT_BYTES and size > SUSPECT_RATIO * packed:
                raise ValueError(f"column {one.path_in_schema!r} unpacks from {packed:,} to {size:,} bytes")


def _row_groups(file: pq.ParquetFile, rows: int) -> Iterator[list[int]]:
    """Runs of row groups that have at least so many rows together, but for the last."""
    groups, there = [], 0
    for number in range(file.num_row_groups):
        groups.append(number)
        there += file.metadata.row_group(number).num_rows
        if there >= rows:
            yield groups
            groups, there = [], 0
    if groups:
        yield groups


PARQUET = Format("Parquet", _layout, _rows, _chunks, parquet_writer)
