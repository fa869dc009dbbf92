"""Read and write tables of any format astronomers use; what their values mean is said in `mixz.data.meaning`."""

from __future__ import annotations

import stat
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from mixz.atomic import replacing
from mixz.data.formats import MOST_BYTES, TableSource, format_of
from mixz.data.hats_folder import is_hats
from mixz.data.meaning.numbers import require_columns
from mixz.data.table_frames import hide
from mixz.errors import MixzError, TooLargeError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mixz.data.formats import Format, Layout
    from mixz.data.sky import Box
    from mixz.data.table_writers import Append, TableNotes

CHUNK_ROWS = 200_000
"""Rows of a table read at a time: some 100 MB of a catalogue with a hundred columns."""

MEMORY_OF_BYTES = 4
"""Bytes in memory that a byte of a table may take: short text, numbers as text above all, takes more there."""


def table_columns(path: str | Path, group: str | int | None = None, *, names: Sequence[str] = ()) -> list[str]:
    """List the columns of a table without reading it, those too that hold more than one value per row.

    Parameters
    ----------
    path, group, names
        As in `read_chunks`.

    Raises
    ------
    MixzError
        The file is missing, of an unknown format, or damaged, or has no such group.
    """
    return list(_layout(TableSource(Path(path), group, names=tuple(names))).names)


def table_parts(path: str | Path) -> list[str]:
    """List the tables of a file that may hold several, as `group` names them; empty for formats that hold one.

    Raises
    ------
    MixzError
        As `table_columns`.
    """
    return list(_layout(TableSource(Path(path))).parts)


def read_table(path: str | Path, columns: Sequence[str] | None = None, group: str | int | None = None) -> pd.DataFrame:
    """Read `columns` (all if None) of a table in any format of `mixz.data.formats`, or of a HATS folder.

    What is read is a table frame: whole numbers and truth values as pandas' nullable ones, floating-point numbers with
    NaN where missing, text with missing values; ``frame.attrs["units"]`` has the units of columns that have one.  Of
    text tables every column is text as it is written.

    Parameters
    ----------
    path
        The file; its ending says the format, ``.gz`` aside.
    columns
        Names of the columns wanted; None: all that hold one number, truth value or text per row.
    group
        Which table of a file that may hold several: a path inside HDF5; the name or number of an extension of FITS, or
        of a table of a VOTable.  By default the only one, or the first.

    Raises
    ------
    MixzError
        The file is missing, empty, damaged or of an unknown format, or lacks a column.
    """
    frames = list(read_chunks(path, columns, group))
    if not any(map(len, frames)):
        raise MixzError(f"{path} has no rows", "a table with at least one row", "check how the file was made")
    whole = pd.concat(frames)
    whole.attrs = dict(frames[0].attrs)
    return whole


def row_count(path: str | Path, group: str | int | None = None) -> int | None:
    """How many rows a table has by what it says of itself, without reading it; text has its lines counted.

    None where only reading would tell: packed text.  A little more than there are, where text has lines inside a cell.

    Raises
    ------
    MixzError
        The file is missing, of an unknown format, or damaged.
    """
    source = TableSource(Path(path), group)
    with _guarded(source.path):
        return _format(source).rows(source)


def read_chunks(
    path: str | Path,
    columns: Sequence[str] | None = None,
    group: str | int | None = None,
    *,
    rows: int = CHUNK_ROWS,
    near: Box | None = None,
    most_bytes: int = MOST_BYTES,
    names: Sequence[str] = (),
) -> Iterator[pd.DataFrame]:
    """Read a table some rows at a time, so that memory holds little more than what is kept of them.

    However many rows that is, together they are the same table: rows are numbered through, and a column has the same
    type in each.  A table without rows comes as one piece without rows.

    Parameters
    ----------
    path, columns, group
        As in `read_table`.
    rows
        Rows at a time, at most (VOTables are read whole).
    near
        Of a HATS folder, read only the pieces of sky that reach into this box.
    most_bytes
        Refuse a table that unpacks to more bytes than these.
    names
        The names of a text table's columns in their order, in place of any that it has.

    Raises
    ------
    MixzError
        The file is missing, damaged or of an unknown format, or lacks a column or has it twice.
    """
    source = TableSource(Path(path), group, near, most_bytes, tuple(names))
    layout = _layout(source)
    wanted = _wanted(columns, layout, source)
    masks = {name: layout.masks[name] for name in wanted if name in layout.masks}
    needed = list(dict.fromkeys([*wanted, *masks.values()]))
    units = {name: layout.units[name] for name in wanted if name in layout.units}
    first = taken = 0
    with _guarded(source.path):
        for chunk in _format(source).chunks(source, needed, rows):
            for start in range(0, max(len(chunk), 1), rows):
                frame = chunk.iloc[start : start + rows]
                frame = frame.assign(**{name: hide(frame[name], frame[mask]) for name, mask in masks.items()})[wanted]
                taken += int(frame.memory_usage(index=False).sum())
                if taken > MEMORY_OF_BYTES * most_bytes:
                    raise TooLargeError(
                        f"{path} unpacks to more than {most_bytes:,} bytes", f"{most_bytes:,} bytes", "send it in parts"
                    )
                frame.attrs = {"units": units} if units else {}
                yield frame.set_axis(pd.RangeIndex(first, first + len(frame)))
                first += len(frame)


def _format(source: TableSource) -> Format:
    """The format of a table; one whose files hold one table has nothing to choose."""
    known = format_of(source.path)
    if source.group is not None and not known.has_parts:
        raise MixzError(
            f"{source.path} with group {str(source.group)!r}",
            f"no group: a {known.name} file holds one table",
            "leave `group` out",
        )
    return known


def _layout(source: TableSource) -> Layout:
    with _guarded(source.path):
        return _format(source).layout(source)


def _wanted(columns: Sequence[str] | None, layout: Layout, source: TableSource) -> list[str]:
    """The columns to read, each once, which the table must have once."""
    readable = [name for name in layout.names if name not in layout.unread]
    wanted = list(dict.fromkeys(readable if columns is None else columns))
    for name in wanted:
        if (alike := list(layout.names).count(name)) > 1:
            raise MixzError(f"{source.path} has {alike} columns {name!r}", "one of each name", "rename the others")
        if name in layout.unread:
            raise MixzError(
                f"{source.path} column {name!r} holds {layout.unread[name]}",
                "a number, truth value or text per row",
                "map another column, or write these values as columns of their own",
            )
    several = source.group is None and len(layout.parts) > 1
    parts = f"; tables: {', '.join(layout.parts)}; name one with hdu" if several else ""
    require_columns(wanted, layout.names, where=str(source.path), besides=parts)
    return wanted


@contextmanager
def table_writer(path: str | Path, *, notes: TableNotes | None = None) -> Iterator[Append]:
    """Write a table piece by piece in the format its ending says, in the memory of one piece.

    The block is given a function that appends the rows of a frame; all must have the same columns, of the same types.
    The old file stays until the block ends, and where it ends in an error.

    Parameters
    ----------
    path
        The file; its ending says the format, as for `read_table`.
    notes
        Units and meanings of columns, and where the table comes from.  CSV has no place for them.

    Raises
    ------
    MixzError
        The ending is unknown, its format cannot hold the table, or the folder cannot be written to.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with table_writer(f"{folder}/t.fits") as append:
    ...         append(pd.DataFrame({"name": ["a"], "z": [0.5]}))
    ...         append(pd.DataFrame({"name": ["longer"], "z": [0.7]}))
    ...     read_table(f"{folder}/t.fits")
         name    z
    0       a  0.5
    1  longer  0.7
    """
    path, columns = Path(path), list[str]()
    with replacing(path) as draft, format_of(path).writer(draft, notes) as append:

        def checked(frame: pd.DataFrame) -> None:
            try:
                columns[:] = columns or _different(frame)
                if list(map(str, frame.columns)) != columns:
                    raise ValueError(f"its columns are {', '.join(columns)} first and then others")
                append(frame)
            except (ValueError, TypeError, OverflowError, NotImplementedError) as error:
                raise MixzError(
                    f"{path} cannot hold this table: {error}",
                    "what its format knows: FITS, say, only ASCII",
                    "write .parquet",
                ) from error

        yield checked


def _different(frame: pd.DataFrame) -> list[str]:
    """The names of columns, no two alike."""
    names = [str(name) for name in frame.columns]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"two columns are called {twice[0]!r}")
    return names


def write_table(frame: pd.DataFrame, path: str | Path, *, notes: TableNotes | None = None) -> None:
    """Write a table in the format its ending says; the old file stays until the new one is whole.

    Raises
    ------
    MixzError
        As `table_writer`.
    """
    with table_writer(path, notes=notes) as append:
        append(frame)


def require_table(path: Path) -> None:
    """Refuse a path where no table can be: nothing is there, a folder of other things, a device, or an empty file.

    Raises
    ------
    MixzError
        As said.
    """
    if path.is_dir() and not is_hats(path):
        raise MixzError(f"{path} is a folder", "a table in one file, or a whole HATS folder", "name a file in it")
    if not path.exists():
        raise MixzError(f"no file {path}", "an existing table", "check the path; paths in a config start at its folder")
    if not path.is_dir() and not stat.S_ISREG(path.stat().st_mode):
        raise MixzError(f"{path} is a pipe or a device", "a table in a file", "write it to a file first")
    if path.is_file() and path.stat().st_size == 0:
        raise MixzError(f"{path} is empty", "a table with at least one row", "check how the file was made")


@contextmanager
def _guarded(path: Path) -> Iterator[None]:
    """Turn whatever a reader stumbles over into one clear message: bytes that were damaged bring any error at all."""
    require_table(path)
    try:
        yield
    except MixzError:
        raise
    except Exception as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise MixzError(
            f"{path} cannot be read: {reason}", f"a whole {path.suffix} file", "fetch or write it again"
        ) from error
