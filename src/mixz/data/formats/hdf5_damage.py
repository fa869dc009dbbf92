"""Damage in HDF5 files that libhdf5 does not see, told before it believes what they say (HDF5's file format).

In a damaged file it walks a heap of texts for ever whose free space is said to have no bytes, and takes gigabytes
because a row says that its text is so long, or the file's head that something else is.
"""

from __future__ import annotations

import mmap
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

SIGNATURE = b"\x89HDF\r\n\x1a\n"
FIRST_ADDRESS = {0: 24, 1: 28, 2: 12, 3: 12}
"""Where a file's head has its first address, by the head's version: the file's own, then one, and then its end."""
NOWHERE = 2**64 - 1
"""The address of what a file has not."""
MAGIC, OBJECT_HEAD = b"GCOL\x01\0\0\0", 16
"""How a heap begins, and the bytes before each text in it: its number, how often it is used, four empty ones, its
length."""
MOST_TEXTS = 1 << 16
"""Numbers that a heap has for its texts."""
LEAST_HEAP = 4_096
"""Bytes; libhdf5 makes no smaller heap."""
POINTER = np.dtype([("length", "<u4"), ("address", "<u8"), ("number", "<u4")])
"""What a row holds of a text, in files whose addresses have eight bytes."""
AT_A_TIME = 1 << 20
"""Rows that are looked at together."""


def require_sound(path: Path) -> None:
    """Refuse a file that says it ends elsewhere than it does, or has a heap that libhdf5 would walk for ever.

    Raises
    ------
    ValueError
        It is such a file.
    """
    said = path.stat()
    _require_sound(path, said.st_size, said.st_mtime_ns)


@lru_cache(maxsize=64)  # a table is opened several times, and this looks at all of its bytes (1.5 GB per second)
def _require_sound(path: Path, _size: int, _changed: int) -> None:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        head = _head(content)
        if head is None:
            return  # libhdf5 says what it is
        _require_head(content, head)
        for at, length in _heaps(content):
            # What was deleted may lie there half written over; then nothing points to it.
            if not _ends(content, at + OBJECT_HEAD, at + length) and _is_used(content, at - head):
                raise ValueError("a heap of its texts is damaged")


def _head(content: mmap.mmap) -> int | None:
    """Where a file's head begins, which may have other things before it."""
    at = 0
    while content[at : at + len(SIGNATURE)] != SIGNATURE:
        at = max(512, 2 * at)
        if at >= len(content):
            return None
    return at


def _require_head(content: mmap.mmap, at: int) -> None:
    """Refuse a file that says it ends elsewhere than it does, or is of parts in several files."""
    version = content[at + 8]
    if version not in FIRST_ADDRESS or content[at + (13 if version < 2 else 9)] != 8:
        return
    place = at + FIRST_ADDRESS[version]
    own, _, end, driver = (int.from_bytes(content[place + k : place + k + 8], "little") for k in range(0, 32, 8))
    if not 0 < at + end - own <= len(content) or (version < 2 and driver != NOWHERE):
        raise ValueError("its head is damaged, or the file is cut short")


def _ends(content: mmap.mmap, place: int, end: int) -> bool:
    """Whether a heap has no object that nothing comes after."""
    while place + OBJECT_HEAD <= end:
        number = int.from_bytes(content[place : place + 2], "little")
        length = int.from_bytes(content[place + 8 : place + 16], "little")
        step = length if number == 0 else OBJECT_HEAD + -(-length // 8) * 8
        if step == 0:
            return False
        place += step
    return True


def _is_used(content: mmap.mmap, address: int) -> bool:
    """Whether anything in a file may point to a text in a heap at an address."""
    wanted = address.to_bytes(8, "little")
    at = content.find(wanted, 4)
    while 0 <= at <= len(content) - 12:
        (pointer,) = np.frombuffer(content[at - 4 : at + 12], POINTER)
        if pointer["length"] and 0 < pointer["number"] < MOST_TEXTS:
            return True
        at = content.find(wanted, at + 1)
    return False


def longest_text(path: Path) -> int:
    """Bytes of the largest heap of a file: no text is longer, but any number of rows may point to one."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return max((size for _, size in _heaps(content)), default=LEAST_HEAP)


def _heaps(content: mmap.mmap) -> Iterator[tuple[int, int]]:
    """Where each heap of a file begins, and its bytes, as far as there are any."""
    at = content.find(MAGIC)
    while at >= 0:
        said = int.from_bytes(content[at + 8 : at + 16], "little")
        yield at, max(min(said, len(content) - at), LEAST_HEAP)
        at = content.find(MAGIC, at + len(MAGIC))


def require_short_texts(dataset: Any, longest: int, path: Path) -> None:
    """Refuse rows whose texts are said to be longer than any heap is; what filters packed has checks of its own.

    Raises
    ------
    ValueError
        There is such a row.
    """
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        for pointers in _pointers(dataset, content):
            if (pointers["length"] > longest).any():
                raise ValueError(f"a row of {dataset.name} says it holds {pointers['length'].max():,} bytes of text")


def _pointers(dataset: Any, content: mmap.mmap) -> Iterator[NDArray[Any]]:
    """What the rows of a data set hold of texts, as they lie in its file."""
    kind, plan = dataset.id.get_type(), dataset.id.get_create_plist()
    if plan.get_nfilters():
        return
    row, places = _row(kind)
    for start, size in _stretches(dataset):
        for begin in range(start, start + size, AT_A_TIME * row):
            there = content[begin : min(begin + AT_A_TIME * row, start + size, len(content))]
            rows = np.frombuffer(there, np.uint8)[: len(there) // row * row].reshape(-1, row)
            for place in places:
                yield rows[:, place : place + POINTER.itemsize].copy().view(POINTER)


def _row(kind: Any) -> tuple[int, list[int]]:
    """The bytes of a row in its file, and where in it pointers to texts stand."""
    if not isinstance(kind, h5py.h5t.TypeCompoundID):
        return (POINTER.itemsize, [0]) if _is_text(kind) else (kind.get_size(), [])
    # libhdf5 tells sizes as in memory, where a pointer is shorter than in a file.
    size, places = 0, []
    for number in range(kind.get_nmembers()):
        member = kind.get_member_type(number)
        if _is_text(member):
            places.append(size)
        size += POINTER.itemsize if _is_text(member) else member.get_size()
    return size, places


def _is_text(kind: Any) -> bool:
    return isinstance(kind, h5py.h5t.TypeStringID) and bool(kind.is_variable_str())


def _stretches(dataset: Any) -> Iterator[tuple[int, int]]:
    """Where the rows of a data set lie in its file, and how many bytes in a row."""
    if dataset.chunks:
        for number in range(dataset.id.get_num_chunks()):
            chunk = dataset.id.get_chunk_info(number)
            yield chunk.byte_offset, chunk.size
    elif (start := dataset.id.get_offset()) is not None:
        yield start, dataset.id.get_storage_size()
