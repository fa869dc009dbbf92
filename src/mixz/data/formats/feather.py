"""Feather files, Arrow's own format on disk, and streams of it."""

from __future__ import annotations

import struct
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from mixz.data.formats.format import Format
from mixz.data.formats.parquet import arrow_layout
from mixz.data.formats.read_only import refusing
from mixz.data.parquet.rows import SUSPECT_BYTES, SUSPECT_RATIO
from mixz.data.table_frames import arrow_frames

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd

    from mixz.data.formats.format import Layout, TableSource

MAGIC = b"ARROW1"
"""How a file begins that is no stream."""
HEADER_TYPE, HEADER = 1, 2
"""Numbers of the fields of a message."""
DICTIONARY_BATCH, RECORD_BATCH = 2, 3
"""What a header may be."""
DICTIONARY_DATA, BUFFERS, COMPRESSION = 1, 2, 3
"""Numbers of the fields of a dictionary and of rows."""


@contextmanager
def _opened(source: TableSource, columns: Sequence[str] | None = None) -> Iterator[Any]:
    """Read a file as the stream of messages that it is, whatever its footer says of their places."""
    with pa.memory_map(str(source.path)) as mapped:
        start = 8 if mapped.read(len(MAGIC)) == MAGIC else 0
        mapped.seek(start)
        if columns is None:
            yield pa.ipc.open_stream(mapped)
            return
        for message in _messages(mapped):
            _require_packed_fairly(message, source.most_bytes)
        mapped.seek(start)
        schema = pa.ipc.open_stream(mapped).schema
        mapped.seek(start)
        places = [schema.get_field_index(name) for name in columns]
        yield pa.ipc.open_stream(mapped, options=pa.ipc.IpcReadOptions(included_fields=places))


def _messages(mapped: pa.MemoryMappedFile) -> Iterator[pa.Message]:
    try:
        yield from pa.ipc.MessageReader.open_stream(mapped)
    except StopIteration:
        return


def _require_packed_fairly(message: pa.Message, most_bytes: int) -> None:
    """Refuse rows that would unpack to far more than they are: a packed buffer begins with its length unpacked."""
    if message.body is None or not message.body.size:
        return
    body = memoryview(message.body)
    starts = _packed_buffers(memoryview(message.metadata))
    lengths = [struct.unpack_from("<q", body, start)[0] for start in starts if 0 <= start <= len(body) - 8]
    size = sum(length for length in lengths if length > 0)
    if size > most_bytes or (size > SUSPECT_BYTES and size > SUSPECT_RATIO * len(body)):
        raise ValueError(f"its rows unpack from {len(body):,} to {size:,} bytes")


def _packed_buffers(metadata: memoryview) -> list[int]:
    """Where in the body of a message of Arrow packed buffers begin (Message.fbs and RecordBatch of Arrow's format)."""
    message = _Fields(metadata, struct.unpack_from("<I", metadata, 0)[0])
    if (header := message.below(HEADER)) is None:
        return []
    kind = message.place(HEADER_TYPE)
    if kind is not None and metadata[kind] == DICTIONARY_BATCH:
        header = header.below(DICTIONARY_DATA)
    elif kind is None or metadata[kind] != RECORD_BATCH:
        return []
    if header is None or header.below(COMPRESSION) is None or (buffers := header.target(BUFFERS)) is None:
        return []
    count = struct.unpack_from("<I", metadata, buffers)[0]
    pairs = struct.iter_unpack("<qq", metadata[buffers + 4 : buffers + 4 + 16 * count])
    return [start for start, length in pairs if length >= 8]


@dataclass(frozen=True)
class _Fields:
    """A table of FlatBuffers: its fields lie where a list of distances before it says."""

    data: memoryview
    start: int

    def place(self, number: int) -> int | None:
        """Where a field lies; None where it has its default."""
        distances = self.start - struct.unpack_from("<i", self.data, self.start)[0]
        if 4 + 2 * number >= struct.unpack_from("<H", self.data, distances)[0]:
            return None
        distance = struct.unpack_from("<H", self.data, distances + 4 + 2 * number)[0]
        return self.start + distance if distance else None

    def target(self, number: int) -> int | None:
        """Where lies what a field points to."""
        place = self.place(number)
        return None if place is None else int(place + struct.unpack_from("<I", self.data, place)[0])

    def below(self, number: int) -> _Fields | None:
        """The table that a field is."""
        target = self.target(number)
        return None if target is None else _Fields(self.data, target)


def _layout(source: TableSource) -> Layout:
    with _opened(source) as stream:
        return arrow_layout(stream.schema)


def _rows(_: TableSource) -> int | None:
    return None


def _chunks(source: TableSource, columns: list[str], rows: int) -> Iterator[pd.DataFrame]:
    empty = True
    with _opened(source) as stream:
        schema = stream.schema
    with _opened(source, columns) as stream:
        for batch in stream:
            wanted = batch.select(columns)
            wanted.validate(full=True)  # offsets of strangers may point outside the file
            for start in range(0, len(wanted), rows):
                empty = False
                yield from arrow_frames(wanted.slice(start, rows))
        if empty:
            yield from arrow_frames(pa.RecordBatch.from_pylist([], schema=schema).select(columns))


FEATHER = Format("Feather", _layout, _rows, _chunks, refusing("a Feather file"))
