"""Formats that are read but not written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mixz.errors import MixzError

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    from mixz.data.table_writers import Append

WRITTEN = (".parquet", ".pq", ".csv", ".fits", ".fit", ".hdf5", ".h5", ".ecsv")
"""Endings of the formats that are written."""


def refusing(what: str) -> Callable[[Path], AbstractContextManager[Append]]:
    """A writer that refuses, and names the formats that are written."""

    def writer(path: Path) -> AbstractContextManager[Append]:
        raise MixzError(f"{path}: {what} is only read", f"endings: {', '.join(WRITTEN)}", "name another output")

    return writer
