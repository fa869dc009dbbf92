"""What stands above the rows of a text table: comments, the names of the columns; and what sets its fields apart."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mixz.data.formats.format import require_few_columns, unpacked
from mixz.data.table_frames import decoded

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

MOST_HEAD_BYTES = 1 << 22
"""Where the first rows must have begun."""
DELIMITERS = ",;\t|"
"""What may stand between two fields, besides runs of blanks."""
FIELD = re.compile(r'"(?:[^"]|"")*"|[^\s"]\S*', re.ASCII)
"""A field of a table with blanks between them: quoted, or without a blank."""
NUMBERED = re.compile(r"#\s*(\d+)\s+(\S+)")
"""A line of SExtractor's headers: the number of a column, its name, what it is."""


@dataclass(frozen=True)
class TextHead:
    """The head of a text table.

    Parameters
    ----------
    names
        The names of its columns.
    delimiter
        What stands between fields; None: runs of blanks.
    start
        The byte at which the rows begin.
    """

    names: Sequence[str]
    delimiter: str | None
    start: int


@dataclass(frozen=True)
class _Record:
    """A row of text, which has several lines where a quoted field has, and where it ends."""

    text: str
    end: int


def read_head(path: Path) -> TextHead:
    """Find the names of the columns.

    They are the first line that is no comment, or the last of the comments where numbers stand below it.

    Raises
    ------
    ValueError
        There are no names, or as many as the first row has not fields, or it is no text.
    """
    start, comments, records = _first_records(path)
    if not records and not comments:
        raise ValueError("it holds no line of text")
    if comments and (not records or any(_are_numbers(records[0].text))):
        head = _commented(comments, records[0].text if records else None, start)
        if head is not None:
            return head
    if not records:
        raise ValueError("it holds only comments")
    if all(_are_numbers(records[0].text)):
        if comments:
            raise ValueError(_mismatch(comments[-1], records[0].text))
        raise ValueError("it has no header: its first line holds only numbers")
    header, row = records[0].text, records[1].text if len(records) > 1 else None
    agreed, delimiter = delimiter_of(header, row)
    if not agreed:
        raise ValueError(_mismatch(header, row or ""))
    return TextHead(_names(header, delimiter), delimiter, records[0].end)


def first_row(path: Path) -> tuple[list[str], bool]:
    """The fields of the first line that is no comment, and whether they are names of columns rather than values.

    Names are they that hold far fewer numbers than the line below, or that count the columns: 0, 1, 2 ...

    Raises
    ------
    ValueError
        There is no such line, or it is no text.
    """
    _, _, records = _first_records(path)
    if not records:
        raise ValueError("it holds no line of text")
    below = records[1].text if len(records) > 1 else None
    _, delimiter = delimiter_of(records[0].text, below)
    found = fields(records[0].text, delimiter)
    here, there = (sum(map(_is_number, fields(text, delimiter))) for text in (records[0].text, below or ""))
    counted = found == [str(number) for number in range(len(found))]
    return found, counted or (2 * here < there if below else not here)


def head_by_position(path: Path, names: Sequence[str]) -> TextHead:
    """The head of a table whose columns are called by their positions, whatever names it has itself.

    Raises
    ------
    ValueError
        It has not as many columns as there are names, or as `first_row`.
    """
    start, _, records = _first_records(path)
    found, named = first_row(path)
    if len(found) != len(names):
        raise ValueError(f"it has {len(found)} columns, where {len(names)} go by position")
    _, delimiter = delimiter_of(records[0].text, records[1].text if len(records) > 1 else None)
    return TextHead(names, delimiter, records[0].end if named else start)


def _commented(comments: list[str], row: str | None, start: int) -> TextHead | None:
    """A head whose names are comments: the last of them, or SExtractor's one a line."""
    numbered = [NUMBERED.match(line) for line in comments]
    found = [match for match in numbered if match]
    if row is not None and [int(match[1]) for match in found] == list(range(1, len(fields(row, None)) + 1)):
        return TextHead([match[2] for match in found], None, start)
    header = comments[-1].lstrip("#").strip()
    agreed, delimiter = delimiter_of(header, row)
    return TextHead(_names(header, delimiter), delimiter, start) if agreed and header else None


def _first_records(path: Path) -> tuple[int, list[str], list[_Record]]:
    """Where the comments end, these, and the first two rows below."""
    with unpacked(path) as file:
        head = file.read(MOST_HEAD_BYTES)
        whole = len(head) < MOST_HEAD_BYTES or not file.read(1)
    if head.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in head:
        raise ValueError("it is no text in UTF-8 or Latin-1")
    lines = head.splitlines(keepends=True)
    if not whole:
        lines = lines[:-1]
        if not lines:
            raise ValueError(f"its first line is longer than {MOST_HEAD_BYTES:,} bytes")
    comments: list[str] = []
    records: list[_Record] = []
    start = end = 0
    for text, size in _records(lines):
        end += size
        if not text.strip():
            continue
        if text.startswith("#"):
            if not records:
                comments.append(text)
                start = end
            continue
        records.append(_Record(text, end))
        if len(records) == 2:
            break
    return start, comments, records


def _records(lines: Sequence[bytes]) -> Iterator[tuple[str, int]]:
    """Rows and how many bytes each has; a line break in quotes ends none."""
    held: list[bytes] = []
    quotes, mark = 0, b"\xef\xbb\xbf"
    for line in lines:
        held.append(line)
        quotes += line.count(b'"')
        # In a comment a quote means nothing.
        if quotes % 2 and not held[0].lstrip().startswith(b"#"):
            continue
        yield _record(held, mark)
        held, quotes, mark = [], 0, b""
    if held:
        yield _record(held, mark)


def _record(held: Sequence[bytes], mark: bytes) -> tuple[str, int]:
    """The lines of a row as text, without what may stand before the first of all, and how many bytes they have."""
    whole = b"".join(held)
    return decoded(whole.removeprefix(mark)).strip(" \r\n"), len(whole)


def fields(row: str, delimiter: str | None) -> list[str]:
    """The fields of a row.

    Examples
    --------
    >>> fields('1  "a b"', None), fields("1;2,5", ";")
    (['1', 'a b'], ['1', '2,5'])
    """
    if delimiter is None:
        return [f[1:-1].replace('""', '"') if f.startswith('"') and len(f) > 1 else f for f in FIELD.findall(row)]
    return next(csv.reader(io.StringIO(row, newline=""), delimiter=delimiter), [])


def delimiter_of(header: str, row: str | None) -> tuple[bool, str | None]:
    """What sets fields apart, and whether it does so alike in the header and the first row.

    Examples
    --------
    >>> delimiter_of("ra; dec", "10,5; 2,5"), delimiter_of("a b", "1 2")
    ((True, ';'), (True, None))
    >>> delimiter_of("a,b", "1,2,3")
    (False, ',')
    """
    names = {mark: len(fields(header, mark)) for mark in (*DELIMITERS, None)}
    found = names if row is None else {mark: len(fields(row, mark)) for mark in names}
    marks = sorted(DELIMITERS, key=lambda mark: -found[mark])
    for mark in marks:
        if names[mark] == found[mark] > 1:
            return True, mark
    if names[None] == found[None] > 1:
        return True, None
    most = marks[0]
    if found[most] == 1 == max(names[mark] for mark in DELIMITERS):
        return (True, ",") if names[None] == 1 else (False, None)
    return False, most if found[most] > 1 else max(DELIMITERS, key=lambda mark: names[mark])


def _mismatch(header: str, row: str) -> str:
    header = header.lstrip("#").strip()
    _, mark = delimiter_of(header, row)
    return f"the header has {len(fields(header, mark))} names, row 1 has {len(fields(row, mark))} fields"


def _names(header: str, delimiter: str | None) -> list[str]:
    names = [name.strip() for name in fields(header, delimiter)]
    require_few_columns(len(names))
    return names


def _are_numbers(row: str) -> list[bool]:
    """Which words of a row are numbers, whatever stands between them; one that is not, if there is no word."""
    return [_is_number(word) for word in re.split(r'[",;|\s]+', row) if word] or [False]


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return "_" not in word
