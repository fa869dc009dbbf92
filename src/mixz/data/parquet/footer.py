"""What the footer and the pages of a Parquet file say of its columns, read with nothing but what they are written in.

Arrow ends the whole process at some damaged footers that it is asked about, so it is not asked (Apache Parquet's
``parquet.thrift``, in Thrift's compact protocol).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import mmap
    from collections.abc import Collection, Iterator

    Content = bytes | mmap.mmap

DEEPEST = 12
"""Structures inside structures; a footer has six."""
ENCODINGS = {5: "DELTA_BINARY_PACKED", 6: "DELTA_LENGTH_BYTE_ARRAY", 7: "DELTA_BYTE_ARRAY"}
"""Ways of writing values in which one may be told by those before it."""


class Page(NamedTuple):
    """A page of a column by its own header: its bytes unpacked, and as they lie in the file."""

    unpacked: int
    packed: int


@dataclass(frozen=True)
class Chunk:
    """A column in a group of rows: its bytes unpacked and packed, where they begin, and how its values are written."""

    name: str
    unpacked: int
    packed: int
    start: int
    encodings: frozenset[str]


def footer(content: Content, columns: Collection[str]) -> tuple[list[int], list[Chunk]]:
    """The numbers of rows of a file's groups, and some of its columns in each of them.

    Raises
    ------
    ValueError
        The footer is damaged.
    """
    try:
        size = int.from_bytes(content[-8:-4], "little")
        groups = _struct(content, len(content) - 8 - size)[0].get(4, [])
        told = [one[3] for group in groups for one in group[1]]
        chunks = [_chunk(one) for one in told if len(one[3]) == 1 and one[3][0].decode() in columns]
        return [int(group[3]) for group in groups], chunks
    except (IndexError, KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError("its footer is damaged") from error


def _chunk(told: dict[int, Any]) -> Chunk:
    starts = [int(told[place]) for place in (9, 11) if told.get(place)]
    encodings = frozenset(ENCODINGS.get(code, "") for code in told[2])
    return Chunk(told[3][0].decode(), int(told[6]), int(told[7]), min(starts), encodings)


def pages(content: Content, start: int, stop: int) -> Iterator[Page]:
    """The pages of a column that lies between two bytes, by their headers, as far as there are any."""
    stop = min(stop, len(content))
    while 0 <= start < stop:
        try:
            told, body = _struct(content, start)
            page = Page(int(told[2]), int(told[3]))
        except (IndexError, KeyError, TypeError, ValueError):
            return  # who reads it will say that it is damaged
        if min(page) < 0:
            return
        yield page
        start = body + page.packed


def _struct(content: Content, at: int, depth: int = 0) -> tuple[dict[int, Any], int]:
    """The values of a structure by the numbers of its fields, and where it ends."""
    if depth > DEEPEST or at < 0:
        raise ValueError("too deep")
    told: dict[int, Any] = {}
    field = 0
    while head := content[at]:
        at += 1
        if head >> 4:
            field += head >> 4
        else:
            field, at = _signed(content, at)
        if head & 15 in (1, 2):
            told[field] = head & 15 == 1
        else:
            told[field], at = _value(content, at, head & 15, depth)
    return told, at + 1


def _value(content: Content, at: int, kind: int, depth: int) -> tuple[Any, int]:
    """A value, and where it ends."""
    match kind:
        case 1 | 2 | 3:
            return content[at], at + 1
        case 4 | 5 | 6:
            return _signed(content, at)
        case 7:
            return None, at + 8
        case 8:
            length, at = _unsigned(content, at)
            if length > len(content) - at:
                raise ValueError("longer than the file")
            return content[at : at + length], at + length
        case 9 | 10:
            return _list(content, at, depth + 1)
        case 12:
            return _struct(content, at, depth + 1)
    raise ValueError("nothing of Parquet's")


def _list(content: Content, at: int, depth: int) -> tuple[list[Any], int]:
    if depth > DEEPEST:
        raise ValueError("too deep")
    count, kind, at = content[at] >> 4, content[at] & 15, at + 1
    if count == 15:
        count, at = _unsigned(content, at)
    values = []
    for _ in range(count):
        value, at = _value(content, at, kind, depth)
        values.append(value)
    return values, at


def _unsigned(content: Content, at: int) -> tuple[int, int]:
    number = shift = 0
    while shift < 70:
        byte = content[at]
        at, number, shift = at + 1, number | (byte & 127) << shift, shift + 7
        if byte < 128:
            return number, at
    raise ValueError("a number without end")


def _signed(content: Content, at: int) -> tuple[int, int]:
    number, at = _unsigned(content, at)
    return number >> 1 ^ -(number & 1), at
