"""What a file format of tables is: what its files hold, how they are read some rows at a time, and written."""

from __future__ import annotations

import gzip
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, cast

from mixz.data.parquet.rows import SUSPECT_BYTES
from mixz.errors import MixzError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    import pandas as pd

    from mixz.data.sky import Box
    from mixz.data.table_writers import Append, TableNotes

    Writer = Callable[[Path, TableNotes | None], AbstractContextManager[Append]]

MOST_BYTES = 1 << 40
"""Bytes of a table as they are read: what a file of one's own may hold; for files of strangers it is set lower."""
WHOLE_BYTES = 1 << 31
"""Bytes of a file whose format must be read whole."""
GZIP_RATIO = 200
"""How many times its own bytes a table that is copied unpacked may have: tables with empty columns pack well."""
MOST_COLUMNS = 10_000
"""Columns of a table."""
GZIP = b"\x1f\x8b"
"""How a gzip file begins."""


@dataclass(frozen=True)
class TableSource:
    """A table to be read: a file or a HATS folder, and which table of it.

    Parameters
    ----------
    path
        The file or folder.
    group
        Which table, where the file has several: a path inside HDF5, the name or number of a FITS extension or VOTable.
    near
        The place on the sky of interest: catalogues in pieces of sky leave pieces far from it unread.
    most_bytes
        Refuse what unpacks to more bytes than these.
    names
        The names of a text table's columns in their order, in place of any that it has.
    """

    path: Path
    group: str | int | None = None
    near: Box | None = None
    most_bytes: int = MOST_BYTES
    names: tuple[str, ...] = ()

    @property
    def most_bytes_whole(self) -> int:
        """Bytes at most of a file that must be read whole."""
        return min(self.most_bytes, WHOLE_BYTES)


@dataclass(frozen=True)
class Layout:
    """What a table holds, by what its file says above the rows.

    Parameters
    ----------
    names
        Its columns in their order; a name that is there twice is here twice.
    units
        The units of columns, as the file has them.
    unread
        What columns hold that is no number, truth value or text per row, e.g. ``"3 values per row"``.
    parts
        All tables of the file, as a reader of an error may name them.
    masks
        Columns that tell where another has no value, by its name; they are none of the names.
    """

    names: Sequence[str]
    units: dict[str, str] = field(default_factory=dict)
    unread: dict[str, str] = field(default_factory=dict)
    parts: Sequence[str] = ()
    masks: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Format:
    """How one file format is read and written, some rows at a time.

    Parameters
    ----------
    name
        What people call it.
    layout
        What a table holds, without reading its rows.
    rows
        How many rows a file has, by what it says of itself; of text by counting its lines.  None: unknown.
    chunks
        Some columns, at most so many rows at a time, of the same types whatever that number is; at least one frame, if
        without rows.
    writer
        A context that gives a function to append rows with, see `mixz.data.table_writers`; None: it is only read.
    has_parts
        Whether a file may hold several tables.
    """

    name: str
    layout: Callable[[TableSource], Layout]
    rows: Callable[[TableSource], int | None]
    chunks: Callable[[TableSource, list[str], int], Iterator[pd.DataFrame]]
    writer: Writer
    has_parts: bool = False


def chosen_number(group: str | int | None) -> int | None:
    """The number of a table, where `group` is one.

    Examples
    --------
    >>> chosen_number("2"), chosen_number("PHOT")
    (2, None)
    """
    if isinstance(group, str):
        return int(group) if group.isascii() and group.isdigit() else None
    return group


def no_such_part(source: TableSource, parts: Sequence[str]) -> MixzError:
    """The error of a table that the file does not have."""
    return MixzError(
        f"{source.path} has no table {str(source.group)!r}", f"tables: {', '.join(parts) or 'none'}", "correct `group`"
    )


def require_few_columns(count: int) -> None:
    """Refuse tables of more columns than anybody's.

    Raises
    ------
    ValueError
        As said.
    """
    if count > MOST_COLUMNS:
        raise ValueError(f"it has {count:,} columns, where {MOST_COLUMNS:,} are the most")


def is_packed(path: Path) -> bool:
    """Whether a file is packed with gzip, whatever its name."""
    with path.open("rb") as file:
        return file.read(2) == GZIP


def require_packed_fairly(path: Path, size: int, ratio: int) -> None:
    """Refuse a file that unpacks to so many bytes, if that is so many times its own.

    Raises
    ------
    ValueError
        As said.
    """
    packed = path.stat().st_size
    if size > SUSPECT_BYTES and size > ratio * packed:
        raise ValueError(f"it unpacks from {packed:,} to {size:,} bytes or more")


def unpacked(path: Path) -> IO[bytes]:
    """Open a file to read what it holds, which gzip may have packed."""
    return cast("IO[bytes]", gzip.open(path, "rb")) if is_packed(path) else path.open("rb")
