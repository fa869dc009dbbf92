"""HATS folders as one format among others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mixz.data.formats.format import Format
from mixz.data.formats.parquet import arrow_layout
from mixz.data.hats_folder import HatsFolder
from mixz.errors import MixzError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    import pandas as pd

    from mixz.data.formats.format import Layout, TableSource
    from mixz.data.table_writers import Append, TableNotes


def _layout(source: TableSource) -> Layout:
    return arrow_layout(HatsFolder.open(source.path).schema())


def _rows(source: TableSource) -> int | None:
    told = HatsFolder.open(source.path).rows
    return told if told >= 0 else None


def _chunks(source: TableSource, columns: list[str], rows: int) -> Iterator[pd.DataFrame]:
    yield from HatsFolder.open(source.path).chunks(columns, rows, source.near)


def _writer(path: Path, _: TableNotes | None = None) -> AbstractContextManager[Append]:
    raise MixzError(
        f"{path} is a HATS folder", "a HATS folder only of a HATS folder", "name a file, e.g. photoz.parquet"
    )


HATS = Format("HATS", _layout, _rows, _chunks, _writer)
