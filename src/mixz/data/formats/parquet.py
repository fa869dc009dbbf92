"""Parquet files: their columns with units and masks, and their rows as table frames."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from mixz.data.formats.astropy_header import header_of
from mixz.data.formats.format import Format, Layout, require_few_columns
from mixz.data.parquet.rows import fair_batches, rows_of
from mixz.data.table_frames import arrow_frames, why_no_column
from mixz.data.table_writers import parquet_writer

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from mixz.data.formats.format import TableSource


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
    return rows_of(source.path)


def _chunks(source: TableSource, columns: list[str], rows: int) -> Iterator[pd.DataFrame]:
    empty = True
    for batch in fair_batches(source.path, columns, rows, most_bytes=source.most_bytes):
        empty = False
        yield from arrow_frames(batch.select(columns))
    if empty:
        schema = pq.read_schema(source.path)
        yield from arrow_frames(pa.RecordBatch.from_pylist([], schema=schema).select(columns))


PARQUET = Format("Parquet", _layout, _rows, _chunks, parquet_writer)
