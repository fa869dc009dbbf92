"""A sample of a table's rows in bounded memory: what is looked at instead of the whole."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from mixz.data.meaning.missing import Values
from mixz.data.meaning.units import in_degrees
from mixz.data.tables import read_chunks, row_count
from mixz.errors import MixzError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from mixz.arrays import Floats

SAMPLE_ROWS = 20_000
"""Rows that are looked at."""
MOST_READ = 2_000_000
"""Rows that are read to find them: of longer tables only the beginning is."""
CHUNK_CELLS = 10_000_000
"""Cells in memory at a time, whatever the number of columns."""
NO_MAGNITUDE = 90.0
"""Numbers from here on are marks in columns of magnitudes and of redshifts."""


@dataclass(frozen=True)
class RowSample:
    """Some rows of a table.

    Parameters
    ----------
    path, group
        The table.
    rows
        How many rows it has, or at least, where only reading it all would tell.
    known
        Whether that is the number of all.
    frame
        The rows that are looked at, from all over what was read.
    """

    path: Path
    group: str | None
    rows: int
    known: bool
    frame: pd.DataFrame
    _numbers: dict[str, Floats | None] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """The table's name."""
        return self.path.stem

    @property
    def units(self) -> Mapping[str, str]:
        """The units of its columns, as the file has them."""
        found: Mapping[str, str] = self.frame.attrs.get("units", {})
        return found

    @property
    def extent(self) -> str:
        """How many rows there are, and how many were looked at, in words."""
        there = f"{self.rows:,} rows" if self.known else f"{self.rows:,} rows or more"
        return there if len(self.frame) == self.rows else f"{there}, {len(self.frame):,} of them looked at"

    def numbers(self, column: str) -> Floats | None:
        """A column as numbers, NaN where empty; None where it holds something else."""
        if column not in self._numbers:
            try:
                self._numbers[column] = Values.of(self.frame, column, where=self.title).data
            except MixzError:
                self._numbers[column] = None
        return self._numbers[column]

    def degrees(self, column: str) -> Floats:
        """A column of positions [deg], by its unit where it has one."""
        values = Values.of(self.frame, column, where=self.title)
        return values.data * in_degrees(values.unit, column, where=self.title)


def sampled(path: Path, columns: Sequence[str], group: str | None = None, *, names: Sequence[str] = ()) -> RowSample:
    """Read some rows of a table: all of a short one, every so manyth of a long one.

    Parameters
    ----------
    path, columns, group, names
        As in `mixz.data.tables.read_chunks`.

    Raises
    ------
    MixzError
        The table cannot be read, or has no rows.
    """
    told = row_count(path, group)
    step = max(1, min(told or 0, MOST_READ) // SAMPLE_ROWS)
    piece = max(1000, CHUNK_CELLS // max(len(columns), 1))
    kept: list[pd.DataFrame] = []
    read, whole = 0, True
    for chunk in read_chunks(path, columns, group, rows=min(piece, MOST_READ), names=names):
        kept.append(chunk.iloc[-read % step :: step])
        read += len(chunk)
        if read >= MOST_READ:
            whole = told == read
            break
        if told is None and sum(map(len, kept)) > 2 * SAMPLE_ROWS:
            step, kept = 2 * step, [pd.concat(kept).iloc[::2]]
    if not read:
        raise MixzError(f"{path} has no rows", "a table with at least one row", "check how the file was made")
    frame = pd.concat(kept)
    frame.attrs = dict(kept[0].attrs)
    return RowSample(path, group, read if whole else told or read, whole or told is not None, frame)


def believed(values: Floats) -> Floats:
    """The values of a column that are no usual mark of none, shape (value,)."""
    finite = values[np.isfinite(values)]
    return finite[np.abs(finite) < NO_MAGNITUDE]
