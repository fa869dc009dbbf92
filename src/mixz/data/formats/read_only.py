"""Formats that are read but not written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mixz.errors import MixzError

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from mixz.data.formats.format import Writer
    from mixz.data.table_writers import Append, TableNotes

WRITTEN = (".parquet", ".pq", ".csv", ".fits", ".fit", ".hdf5", ".h5", ".ecsv")
"""Endings of the formats that are written."""


def refusing(what: str) -> Writer:
    """A writer that refuses, and names the formats that are written."""

    def writer(path: Path, _: TableNotes | None = None) -> AbstractContextManager[Append]:
        raise MixzError(f"{path}: {what} is only read", f"endings: {', '.join(WRITTEN)}", "name another output")

    return writer
