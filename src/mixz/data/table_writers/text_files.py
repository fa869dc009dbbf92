"""CSV and ECSV written piece by piece."""

from __future__ import annotations

import gzip
import io
import re
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any, cast

from astropy.table import Column, MaskedColumn, Table

from mixz.data.table_writers.notes import TableNotes
from mixz.data.table_writers.plain_columns import is_text, plain, text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pandas as pd

    from mixz.data.table_writers.append import Append


@contextmanager
def csv_writer(path: Path, notes: TableNotes | None = None) -> Iterator[Append]:  # noqa: ARG001
    """Append to a CSV file, packed where its name ends in ``.gz``; what is missing is empty.

    CSV has no place for notes: plain readers take the first line for the names of the columns.
    """
    first = iter([True])
    with opened(path) as packed, io.TextIOWrapper(packed, encoding="utf-8", newline="") as file:

        def append(frame: pd.DataFrame) -> None:
            texts = {str(name): text(values) for name, values in frame.items() if is_text(values)}
            rows = frame.assign(**texts).to_csv(index=False, header=next(first, False), lineterminator="\n")
            file.write(_no_comments(rows, ",", len(frame)))

        yield append


@contextmanager
def ecsv_writer(path: Path, notes: TableNotes | None = None) -> Iterator[Append]:
    """Append to an ECSV file: what stands above the rows, notes among it, does not depend on them."""
    written = list[str]()
    with opened(path) as packed, io.TextIOWrapper(packed, encoding="utf-8", newline="\n") as file:

        def append(frame: pd.DataFrame) -> None:
            above, rows = _ecsv(frame, notes or TableNotes())
            if written and above != written[0]:
                raise TypeError("its columns change their types from row to row")
            file.write(rows if written else above + rows)
            written[:] = [above]

        yield append


def _ecsv(frame: pd.DataFrame, notes: TableNotes) -> tuple[str, str]:
    """What stands above the rows of an ECSV file, and the rows."""
    whole, empty = io.StringIO(), io.StringIO()
    columns = {str(name): _ecsv_column(values) for name, values in frame.items()}
    table = notes.as_astropy({name: column.dtype for name, column in columns.items()})
    table[:0].write(empty, format="ascii.ecsv")
    described = {name: (table[name].unit, table[name].description) for name in columns}
    full = Table(columns, meta=table.meta)
    for name, (unit, description) in described.items():
        full[name].unit, full[name].description = unit, description
    full.write(whole, format="ascii.ecsv")
    above = empty.getvalue()
    return above, _no_comments(whole.getvalue().removeprefix(above), " ", len(frame))


def _no_comments(rows: str, delimiter: str, count: int) -> str:
    """Rows whose first field is in quotes where it begins as a comment does; neither pandas nor astropy see to that."""
    if not rows.startswith("#") and "\n#" not in rows:
        return rows
    if rows.count("\n") > count + 1:  # a line inside of a field is none
        raise ValueError("a field that begins with # beside one of several lines")
    return re.sub(rf"^#[^{delimiter}\n]*", r'"\g<0>"', rows, flags=re.MULTILINE)


def _ecsv_column(values: pd.Series[Any]) -> Column:
    column = plain(values)
    array = column.data.astype(str) if column.is_text else column.data
    if column.data.dtype.kind == "f" or not column.missing.any():
        return Column(array)
    return MaskedColumn(array, mask=column.missing)


def opened(path: Path) -> IO[bytes]:
    """Open a file to write bytes to, packed where its name ends in ``.gz``; the same bytes whenever that is."""
    if not path.name.endswith(".gz"):
        return path.open("wb")
    return cast("IO[bytes]", _Packed(path))


class _Packed(gzip.GzipFile):
    """A packed file that tells neither its name nor when it was packed."""

    def __init__(self, path: Path) -> None:
        self.below = path.open("wb")
        super().__init__(filename="", mode="wb", fileobj=self.below, mtime=0)

    def close(self) -> None:
        super().close()
        self.below.close()
