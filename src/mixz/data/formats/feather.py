"""Feather files, Arrow's own format on disk, and streams of it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from mixz.data.formats.format import Format
from mixz.data.formats.parquet import arrow_layout
from mixz.data.formats.read_only import refusing
from mixz.data.table_frames import arrow_frames

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd

    from mixz.data.formats.format import Layout, TableSource

MAGIC = b"ARROW1"
"""How a file begins that is no stream."""


@contextmanager
def _opened(source: TableSource, columns: Sequence[str] | None = None) -> Iterator[tuple[pa.Schema, Any]]:
    """The schema of a file, and its batches."""
    with source.path.open("rb") as file:
        is_file = file.read(len(MAGIC)) == MAGIC
    with pa.memory_map(str(source.path)) as mapped:
        opened = pa.ipc.open_file(mapped) if is_file else pa.ipc.open_stream(mapped)
        if columns is not None and is_file:
            places = [opened.schema.get_field_index(name) for name in columns]
            opened = pa.ipc.open_file(mapped, options=pa.ipc.IpcReadOptions(included_fields=places))
        batches = (opened.get_batch(k) for k in range(opened.num_record_batches)) if is_file else opened
        yield opened.schema, batches


def _layout(source: TableSource) -> Layout:
    with _opened(source) as (schema, _):
        return arrow_layout(schema)


def _rows(_: TableSource) -> int | None:
    return None


def _chunks(source: TableSource, columns: list[str], rows: int) -> Iterator[pd.DataFrame]:
    empty = True
    with _opened(source, columns) as (schema, batches):
        for batch in batches:
            wanted = batch.select(columns)
            wanted.validate(full=True)  # offsets of strangers may point outside the file
            for start in range(0, len(wanted), rows):
                empty = False
                yield from arrow_frames(wanted.slice(start, rows))
        if empty:
            yield from arrow_frames(pa.RecordBatch.from_pylist([], schema=schema).select(columns))


FEATHER = Format("Feather", _layout, _rows, _chunks, refusing("a Feather file"))
