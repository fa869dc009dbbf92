"""Digests name the content of files and arrays; by its seal a file tells that none of its bytes has changed.

A seal is a SHA-256 inside the file itself, wherever its format keeps text: ``mixz-seal-sha256:`` and 64 hexadecimal
digits, taken of all the file's bytes with these digits as zeros.  It finds accidents, not forgers.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import stat
import time
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mixz.errors import MixzError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

MARK = "mixz-seal-sha256:"
DIGITS = 64
TICK = 2_000_000_000
"""No file system's clock is coarser [ns]."""
OPEN_SEAL = MARK + DIGITS * "0"
"""What a writer puts into a file that `seal` is to close."""


def digest_of_settings(tree: Any) -> str:
    """Name anything that JSON can hold, whatever the order of its keys, by 12 hexadecimal digits.

    Examples
    --------
    >>> digest_of_settings({"a": 1, "b": 2}) == digest_of_settings({"b": 2, "a": 1})
    True
    """
    text = json.dumps(tree, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def digest_of_arrays(arrays: Mapping[str, NDArray[Any]]) -> str:
    """Name the content of named arrays, whatever the byte order of numbers, the width of text and the kind of NaN.

    Examples
    --------
    >>> a = digest_of_arrays({"id": np.array(["x", "yz"]), "mag": np.array([20.5, np.nan])})
    >>> a == digest_of_arrays({"id": np.array(["x", "yz"], dtype="<U9"), "mag": np.array([20.5, -np.nan])})
    True
    >>> a == digest_of_arrays({"id": np.array(["xy", "z"]), "mag": np.array([20.5, np.nan])})
    False
    """
    found = hashlib.sha256()
    for name, values in arrays.items():
        text = values.dtype.kind not in "biuf"
        found.update(f"{name}\0{'text' if text else values.dtype.str[1:]}\0{values.shape}\0".encode())
        if text:
            words = [str(one).encode("utf-8", "surrogatepass") for one in values.ravel().tolist()]
            found.update(np.array([len(word) for word in words], dtype="<u8").tobytes())
            found.update(b"".join(words))
            continue
        plain = np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("<"))
        if plain.dtype.kind == "f":
            plain = np.where(np.isnan(plain), np.array(np.nan, plain.dtype), plain)
        found.update(plain.data if plain.size else b"")
    return found.hexdigest()


def digest_of_file(path: str | Path) -> str:
    """Name the bytes of a file, as ``sha256sum`` does; a file that nobody touched is read once in a process.

    Raises
    ------
    MixzError
        It cannot be read, or is no plain file.
    """
    at_hand = stamp(path)
    return (_digest if at_rest(at_hand) else _digest.__wrapped__)(Path(path), at_hand)


def stamp(path: str | Path) -> tuple[int, ...]:
    """What the file system says of a file, and changes when somebody writes to it: device, number, size and times [ns].

    Raises
    ------
    MixzError
        There is none, or it is a device, a pipe or a folder, of which no content can be told.
    """
    try:
        about = Path(path).stat()
    except (OSError, ValueError) as error:
        raise MixzError(f"{path} cannot be read: {_reason(error)}", "a file", "check its name and rights") from error
    if not stat.S_ISREG(about.st_mode):
        raise MixzError(f"{path} is no plain file", "a file with a content of its own", "put a file there")
    return about.st_dev, about.st_ino, about.st_size, about.st_mtime_ns, about.st_ctime_ns


def at_rest(stamp_of_file: tuple[int, ...]) -> bool:
    """Whether a file was written to so long ago that writing to it again changes its stamp: clocks of disks tick."""
    return time.time_ns() - max(stamp_of_file[3:]) > TICK


@lru_cache(maxsize=1024)
def _digest(path: Path, _stamp: tuple[int, ...]) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise MixzError(f"{path} cannot be read: {_reason(error)}", "a readable file", "check its rights") from error


def seal(path: str | Path) -> str:
    """Close the open seal in a file, and give its digits; `seal_of` finds them again while no byte changes.

    Raises
    ------
    ValueError
        The file holds no open seal.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as home:
    ...     file = Path(home, "a.txt")
    ...     _ = file.write_text(f"some words, {OPEN_SEAL}")
    ...     seal(file) == seal_of(file, do="write it again")
    True
    """
    with Path(path).open("r+b") as file, mmap.mmap(file.fileno(), 0) as content:
        at = content.rfind(OPEN_SEAL.encode())
        if at < 0:
            raise ValueError(f"{path} holds no open seal")
        digits = hashlib.sha256(content).hexdigest()
        content[at + len(MARK) : at + len(OPEN_SEAL)] = digits.encode()
    return digits


def seal_of(path: str | Path, *, do: str) -> str | None:
    """The digits of a file's seal, once they are found true; None where a file has no seal.

    Parameters
    ----------
    path
        The file.
    do
        What to advise where they are not.

    Raises
    ------
    MixzError
        A byte of the file has changed since it was sealed, or it cannot be read.
    """
    at_hand = stamp(path)
    told, true = (_seal if at_rest(at_hand) else _seal.__wrapped__)(Path(path), at_hand)
    if told != true:
        raise MixzError(
            f"{path} is damaged, or was changed after it was written: its bytes are not those of its seal",
            "the file as mixz wrote it",
            do,
        )
    return told


@lru_cache(maxsize=1024)
def _seal(path: Path, at_hand: tuple[int, ...]) -> tuple[str | None, str | None]:
    """The digits that a file tells and those that are true of it; None twice without a seal."""
    if not at_hand[2]:
        return None, None  # nothing can be mapped of an empty file
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            at = content.rfind(MARK.encode()) + len(MARK)
            if at < len(MARK):
                return None, None
            with memoryview(content) as whole:
                true = hashlib.sha256(whole[:at])
                true.update(b"0" * DIGITS)
                true.update(whole[at + DIGITS :])
                return bytes(whole[at : at + DIGITS]).decode("latin-1"), true.hexdigest()
    except (OSError, ValueError) as error:
        raise MixzError(f"{path} cannot be read: {_reason(error)}", "a readable file", "check its rights") from error


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
