"""Tables in FITS files: astropy finds them, their bytes are read as the standard says, with nulls as stored."""

from __future__ import annotations

import gzip
import tempfile
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd
from astropy.io import fits

from mixz.data.formats.fits_columns import FitsColumn, ascii_columns, binary_columns
from mixz.data.formats.format import (
    GZIP_RATIO,
    Format,
    Layout,
    chosen_number,
    is_packed,
    no_such_part,
    require_few_columns,
    require_packed_fairly,
)
from mixz.data.table_frames import PIECE_BYTES
from mixz.data.table_writers import fits_writer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mixz.data.formats.format import TableSource

MOST_HEADER_BYTES = 1 << 26
"""Bytes of all headers of a packed file together."""
TABLES = ("BINTABLE", "TABLE", "A3DTABLE")


@dataclass(frozen=True)
class _Table:
    """A table of a FITS file: its number among the extensions, its header, and the byte where its rows begin."""

    number: int
    header: fits.Header
    start: int

    @property
    def name(self) -> str:
        return str(self.header.get("EXTNAME", "")).strip()

    @property
    def title(self) -> str:
        return f"{self.name or 'without name'} ({self.number})"

    @property
    def rows(self) -> int:
        return int(self.header["NAXIS2"])

    @property
    def width(self) -> int:
        return int(self.header["NAXIS1"])

    def columns(self) -> list[FitsColumn]:
        require_few_columns(int(self.header["TFIELDS"]))
        made = (ascii_columns if self.header["XTENSION"].strip() == "TABLE" else binary_columns)(self.header)
        for one in made:
            if one.offset + one.width > self.width:
                raise ValueError(f"its rows have {self.width} bytes, too few for column {one.name!r}")
        return made


class _Counted:
    """A packed file whose headers are read; what lies between them is passed over without being kept."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file, self.left, self.mode = file, MOST_HEADER_BYTES, "rb"

    def read(self, size: int = -1) -> bytes:
        size = self.left if size < 0 else size
        self.left -= size
        if self.left < 0:
            raise ValueError("its headers do not end")
        return self.file.read(size)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.file, name)


def _tables(file: Any) -> list[_Table]:
    """All tables of a FITS file, from its headers; that rows are cut off shows when they are read."""
    found = []
    with (
        warnings.catch_warnings(action="ignore"),
        fits.open(file, mode="readonly", memmap=False, disable_image_compression=True) as hdus,
    ):
        for number, hdu in enumerate(hdus):
            header = hdu.header
            if str(header.get("XTENSION", "")).strip() in TABLES and not header.get("ZIMAGE", False):
                found.append(_Table(number, header, int(hdu.fileinfo()["datLoc"])))
    return found


def _chosen(source: TableSource) -> tuple[_Table, list[str]]:
    """The table that was asked for, else the first one; and what all are called."""
    with source.path.open("rb") as plain:
        begin = plain.read(9)
        plain.seek(0)
        if is_packed(source.path):
            with gzip.open(source.path, "rb") as packed:
                tables = _tables(_Counted(cast("IO[bytes]", packed)))
        elif begin.startswith(b"SIMPLE"):
            tables = _tables(plain)
        else:
            raise ValueError("it does not begin as FITS files do")
    titles = [table.title for table in tables]
    if not tables and source.group is None:
        raise ValueError("it holds no table, only images")
    number = chosen_number(source.group)
    for table in tables:
        by_name = str(source.group).strip().upper() == table.name.upper() and number is None
        if source.group is None or table.number == number or by_name:
            return table, titles
    raise no_such_part(source, titles)


def _layout(source: TableSource) -> Layout:
    table, titles = _chosen(source)
    columns = table.columns()
    return Layout(
        [column.name for column in columns],
        {column.name: column.unit for column in columns if column.unit},
        {column.name: column.odd for column in columns if column.odd},
        titles,
    )


def _rows(source: TableSource) -> int:
    return _chosen(source)[0].rows


def _chunks(source: TableSource, columns: list[str], rows: int) -> Iterator[pd.DataFrame]:
    table, _ = _chosen(source)
    by_name = {column.name: column for column in table.columns()}
    wanted = [by_name[name] for name in columns]
    rows = max(1, min(rows, PIECE_BYTES // (sum(max(column.width, 8) for column in wanted) or 1)))
    with _rows_file(source, table) as file:
        for start in range(0, max(table.rows, 1), rows):
            count = min(rows, table.rows - start)
            # Mapped anew for each piece, since all pages read so far stay in memory as long as they are mapped.
            place = table.start + start * table.width
            block = np.memmap(file, np.uint8, "r", place, (count * table.width,)) if count else np.empty(0, np.uint8)
            frame = {column.name: column.read(block, count, table.width) for column in wanted}
            yield pd.DataFrame(frame, index=pd.RangeIndex(count))


@contextmanager
def _rows_file(source: TableSource, table: _Table) -> Iterator[IO[bytes]]:
    """A FITS file, unpacked beside if it is packed, that is long enough for its table."""
    with source.path.open("rb") as plain, tempfile.TemporaryFile() as beside:
        file: IO[bytes] = plain
        needed = table.start + table.rows * table.width
        if is_packed(source.path):
            if needed > source.most_bytes:
                raise ValueError(f"it unpacks to more than {source.most_bytes:,} bytes")
            require_packed_fairly(source.path, needed, GZIP_RATIO)
            with gzip.open(plain, "rb") as packed:
                _copy(cast("IO[bytes]", packed), beside, needed)
            file = beside
        file.seek(0, 2)
        if file.tell() < needed:
            raise ValueError(f"it is cut off: it has {file.tell():,} bytes, its table ends at {needed:,}")
        yield file


def _copy(packed: IO[bytes], to: IO[bytes], size: int) -> None:
    while size > 0 and (block := packed.read(min(size, 1 << 22))):
        to.write(block)
        size -= len(block)
    to.flush()


FITS = Format("FITS", _layout, _rows, _chunks, fits_writer, has_parts=True)
