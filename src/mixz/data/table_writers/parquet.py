"""Parquet written piece by piece, with notes where pyarrow's users and astropy look for them."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from astropy.table.meta import get_yaml_from_table

from mixz.data.table_writers.notes import MIXZ_KEY, TableNotes
from mixz.data.table_writers.plain_columns import is_text, plain, text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from mixz.data.table_writers.append import Append


@contextmanager
def parquet_writer(path: Path, notes: TableNotes | None = None) -> Iterator[Append]:
    """Append to a Parquet file, a row group for each piece; what is missing is null.

    Fields have their ``unit`` and ``description``, the file has the provenance as JSON under ``mixz``, and all of it
    stands once more as astropy has it.
    """
    with ParquetPieces(path, notes=notes) as pieces:
        yield lambda frame: pieces.append(arrow_table(frame))


class ParquetPieces:
    """A Parquet file that grows by Arrow tables of one schema, that of the first.

    Parameters
    ----------
    path
        The file.
    how
        What `pyarrow.parquet.ParquetWriter` takes besides, by the schema.
    notes
        What the file says of itself and its columns.
    """

    def __init__(
        self,
        path: Path,
        how: Callable[[pa.Schema], Mapping[str, Any]] = lambda _: {},
        *,
        notes: TableNotes | None = None,
    ) -> None:
        self.path, self.how, self.notes = path, how, notes
        self.writer: pq.ParquetWriter | None = None

    def append(self, table: pa.Table) -> None:
        """Write the rows of a table."""
        if self.notes is not None:
            table = noted(table, self.notes)
        if self.writer is None:
            self.writer = pq.ParquetWriter(self.path, table.schema, **self.how(table.schema))
        if len(table):
            self.writer.write_table(table)

    def __enter__(self) -> ParquetPieces:
        """Begin."""
        return self

    def __exit__(self, *_: object) -> None:
        """Write what says where everything lies."""
        if self.writer is not None:
            self.writer.close()


def arrow_table(frame: pd.DataFrame) -> pa.Table:
    """A table as Arrow has it: NaN as null, text as text even where there is none."""
    return pa.table({str(name): _arrow_column(values) for name, values in frame.items()})


def _arrow_column(values: pd.Series[Any]) -> pa.Array:
    if is_text(values):
        return pa.array(text(values), pa.large_string())
    if not isinstance(values.dtype, pd.CategoricalDtype) and values.dtype.kind not in "iufb":
        return pa.array(values)
    column = plain(values)
    return pa.array(column.data, pa.large_string() if column.is_text else None, mask=column.missing)


def noted(table: pa.Table, notes: TableNotes, *, lengths: Mapping[str, int] | None = None) -> pa.Table:
    """A table that says all its notes, besides what it says already: fields theirs, the schema the whole table's.

    Parameters
    ----------
    table, notes
        The table, and what is known of it.
    lengths
        Per column of text the most letters that one has, where that is known already: astropy warns where it is not.
    """
    about = {**(table.schema.metadata or {}), **_file_metadata(table.schema, notes, lengths or {})}
    return described(table, notes).replace_schema_metadata(about)


def described(table: pa.Table, notes: TableNotes) -> pa.Table:
    """A table whose fields say their units and meanings, besides what they say already."""
    fields = [field.with_metadata({**(field.metadata or {}), **_words(notes, field.name)}) for field in table.schema]
    return pa.Table.from_arrays(table.columns, schema=pa.schema(fields, metadata=table.schema.metadata))


def _words(notes: TableNotes, column: str) -> dict[bytes, bytes]:
    unit, meaning = notes.of(column)
    return {key: word.encode() for key, word in ((b"unit", unit), (b"description", meaning)) if word}


def _file_metadata(schema: pa.Schema, notes: TableNotes, lengths: Mapping[str, int]) -> dict[bytes, bytes]:
    """The provenance as JSON, and for `astropy.table.Table.read` all notes."""
    types = {field.name: np.dtype("U1") if _is_text(field.type) else _numpy_type(field.type) for field in schema}
    words = {"table_meta_yaml": "\n".join(get_yaml_from_table(notes.as_astropy(types)))}
    words |= {f"table::len::{name}": str(length) for name, length in lengths.items()}
    if notes.provenance:
        words[MIXZ_KEY] = notes.json
    return {key.encode(): word.encode() for key, word in words.items()}


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _numpy_type(kind: pa.DataType) -> np.dtype[Any]:
    """The type that astropy is told, which it looks at only to tell what it has."""
    try:
        found: np.dtype[Any] = np.dtype(kind.to_pandas_dtype())
        return found
    except (NotImplementedError, TypeError):
        return np.dtype(object)
