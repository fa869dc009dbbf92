"""What stands above rows whose columns have fixed places: IPAC's bars, and the journals' byte-by-byte description."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import pyarrow as pa

from mixz.data.formats.format import require_few_columns, unpacked
from mixz.data.table_frames import MOST_CELL_BYTES, decoded

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

MOST_HEAD_BYTES = 1 << 22
"""Where the rows must have begun."""
IPAC_TYPES = {"i": pa.int64(), "l": pa.int64(), "f": pa.float64(), "d": pa.float64(), "r": pa.float64()}
"""IPAC's types by their first letters (`int`, `long`, `float`, `double`, `real`); the others are text."""
MRT_TYPES = {"I": pa.int64(), "F": pa.float64(), "E": pa.float64(), "D": pa.float64(), "A": pa.string()}
"""Those of Fortran's formats."""
MRT_TITLE, MRT_BYTES = "Title:", "Byte-by-byte Description of file"
MRT_RULES = ("------", "======")
MRT_COLUMN = re.compile(r"\s*(?:(\d+)\s*-\s*)?(\d+)\s+([AIFED])[\d.]*\s+(\S+)\s+(\S+)(?:\s+(.*))?")
MRT_NULL = re.compile(r"(?:\[[^\]]*\])?\s*\?=(\S+)")
"""How an explanation says what stands for none: after its limits, ``?=-99``."""


@dataclass(frozen=True)
class FixedColumn:
    """A column of fixed place.

    Parameters
    ----------
    name
        What it is called.
    start, stop
        Its letters in a row.
    kind
        What it holds.
    unit
        Its unit, if it has one.
    null
        What stands for none, besides blanks.
    """

    name: str
    start: int
    stop: int
    kind: pa.DataType
    unit: str = ""
    null: str = ""


@dataclass(frozen=True)
class FixedHead:
    """The head of a table whose columns have fixed places.

    Parameters
    ----------
    columns
        Its columns.
    start
        The byte at which the rows begin.
    """

    columns: Sequence[FixedColumn]
    start: int

    @property
    def width(self) -> int:
        """Letters of a row."""
        return max(column.stop for column in self.columns)

    def column(self, name: str) -> FixedColumn:
        """The column of a name."""
        return next(column for column in self.columns if column.name == name)


def read_fixed_head(path: Path) -> FixedHead:
    """Find the columns and where the rows begin.

    Raises
    ------
    ValueError
        They are not described as IPAC's or the journals' tables do, or places overlap.
    """
    with unpacked(path) as file:
        text = file.read(MOST_HEAD_BYTES)
    lines = text.splitlines(keepends=True)
    head = _machine_readable(lines) if text.startswith(MRT_TITLE.encode()) else _ipac(lines)
    require_few_columns(len(head.columns))
    for before, column in pairwise(sorted(head.columns, key=lambda column: column.start)):
        if column.start < before.stop:
            raise ValueError(f"the places of its columns {before.name!r} and {column.name!r} overlap")
    for column in head.columns:
        if not 0 <= column.start < column.stop or column.stop > MOST_CELL_BYTES:
            raise ValueError(f"its column {column.name!r} cannot have the bytes {column.start + 1} to {column.stop}")
    return head


def _ipac(lines: Sequence[bytes]) -> FixedHead:
    """The head of IPAC's: after lines with a backslash up to four lines with bars: names, types, units, nulls."""
    start, bars = 0, list[str]()
    for line in lines:
        if not line.startswith((b"\\", b"|")):
            break
        start += len(line)
        if line.startswith(b"|"):
            bars.append(decoded(line).rstrip())
    if not 1 <= len(bars) <= 4 or not all(bar.endswith("|") for bar in bars):
        raise ValueError("it has not one to four lines of column names between bars, as IPAC's tables do")
    at = [place for place, letter in enumerate(bars[0]) if letter == "|"]
    if any([place for place, letter in enumerate(bar) if letter == "|"] != at for bar in bars):
        raise ValueError("the bars of the lines above its rows stand in different places")
    words = [[bar[a + 1 : b].strip() for a, b in pairwise(at)] for bar in bars]
    words += [[""] * (len(at) - 1)] * (4 - len(bars))
    columns = [
        FixedColumn(name, a + 1, b, _ipac_type(kind, given=len(bars) > 1), "" if unit in ("-", "--") else unit, null)
        for (a, b), name, kind, unit, null in zip(pairwise(at), *words, strict=True)
    ]
    return FixedHead(columns, start)


def _ipac_type(word: str, *, given: bool) -> pa.DataType:
    return IPAC_TYPES.get(word[:1].lower(), pa.string()) if given else pa.string()


def _machine_readable(lines: Sequence[bytes]) -> FixedHead:
    """The head of the journals': a line per column says its bytes, its format, its unit, its name, and what it is."""
    texts = [decoded(line).rstrip() for line in lines]
    begins = [k for k, text in enumerate(texts) if text.startswith(MRT_BYTES)]
    if len(begins) != 1:
        raise ValueError(f"it describes {len(begins)} tables byte by byte, where one can be read")
    rules = [k for k, text in enumerate(texts) if k > begins[0] and text.startswith(MRT_RULES)]
    if len(rules) < 3:
        raise ValueError("its byte-by-byte description has no end")
    columns = list(_described(texts[rules[1] + 1 : rules[2]]))
    if not columns:
        raise ValueError("its byte-by-byte description names no column")
    return FixedHead(columns, sum(map(len, lines[: rules[-1] + 1])))


def _described(texts: Sequence[str]) -> Iterator[FixedColumn]:
    for text in texts:
        found = MRT_COLUMN.fullmatch(text)
        if found is None:  # an explanation goes on
            continue
        first, last, kind, unit, name, explained = found.groups()
        null = MRT_NULL.match(explained or "")
        unit = "" if set(unit) == {"-"} else unit
        yield FixedColumn(name, int(first or last) - 1, int(last), MRT_TYPES[kind], unit, null[1] if null else "")
