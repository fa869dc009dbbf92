"""The body of an upload: written to disk as it arrives and unpacked on the way, within limits of size and time."""

from __future__ import annotations

import asyncio
import re
import time
import zlib
from typing import IO, TYPE_CHECKING

from starlette.concurrency import run_in_threadpool

from mixz.bridges.web.answers import RefusedError
from mixz.errors import MixzError, TooLargeError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from starlette.requests import Request

    from mixz.bridges.web.limits import Limits

PIECE = 1 << 20
"""Bytes unpacked at a time."""

# gzip, bzip2, xz, zip and compress: some readers would unpack these by what they see, whatever the file is called.
PACKED = re.compile(rb"\x1f\x8b|BZh[1-9](1AY&SY|\x17rE8P\x90)|\xfd7zXZ\x00|PK\x03\x04|\x1f\x9d")


async def receive(request: Request, path: Path, limits: Limits, *, packed: bool) -> None:
    """Write the body of a request to a file; what is too long or too slow is refused as soon as that is known.

    Parameters
    ----------
    request, path
        The request, and the file to write.
    limits
        How long the body may be, and how slow.
    packed
        Whether it is packed with gzip; the file is not.

    Raises
    ------
    TooLargeError
        It is longer than allowed, as it is sent or unpacked.
    RefusedError
        It comes too slowly.
    MixzError
        It is packed in another way than its name says, or damaged.
    """
    told = request.headers.get("content-length", "0")
    if told.isdecimal() and (len(told) > 18 or int(told) > limits.most_bytes):
        raise _too_large(limits)
    started, received, chunks = time.monotonic(), 0, request.stream()
    with path.open("wb") as file:
        arriving = _Arriving(file, limits, packed=packed)
        while True:
            left = started + limits.silence_s + received / limits.bytes_per_s - time.monotonic()
            try:
                async with asyncio.timeout(min(limits.silence_s, max(left, 0.0))):
                    chunk = await anext(chunks, None)
            except TimeoutError:
                raise _too_slow(limits) from None
            if chunk is None:
                break
            received += len(chunk)
            if received > limits.most_bytes:
                raise _too_large(limits)
            await run_in_threadpool(arriving.add, chunk)  # neither a slow disk nor unpacking holds up other visitors
        await run_in_threadpool(arriving.finish)


def _too_large(limits: Limits) -> TooLargeError:
    allowed = f"at most {limits.max_mb:g} MB, as it is sent and unpacked"
    return TooLargeError(f"a table larger than {limits.max_mb:g} MB", allowed, "send it in parts, or fewer columns")


def _too_slow(limits: Limits) -> RefusedError:
    error = MixzError(
        "a table that comes too slowly",
        f"a byte every {limits.silence_s:g} s, and {limits.bytes_per_s / 1000:g} kB/s on the average",
        "send it again, or in parts",
    )
    return RefusedError(408, error, {"Connection": "close"})


class _Arriving:
    """A file that grows by what arrives, unpacked."""

    def __init__(self, file: IO[bytes], limits: Limits, *, packed: bool) -> None:
        self.file, self.limits = file, limits
        self.member = zlib.decompressobj(31) if packed else None  # 31: as gzip packs
        self.size, self.head, self.empty = 0, b"", True

    def add(self, data: bytes) -> None:
        """Take the next bytes of the body."""
        self.empty = self.empty and not data
        try:
            for piece in self._unpacked(data):
                self._write(piece)
        except zlib.error as error:
            raise _unreadable(self.file, str(error)) from error

    def finish(self) -> None:
        """Refuse a body that broke off, and one that is packed though its name does not say so."""
        if self.member is not None and not self.empty:
            self._write(self.member.flush())
            if not self.member.eof:
                raise _unreadable(self.file, "it is cut off")
        if PACKED.match(self.head):
            raise _unreadable(self.file, "it is packed, and not by gzip under a name that ends in .gz")

    def _unpacked(self, data: bytes) -> Iterator[bytes]:
        if self.member is None:
            yield data
            return
        while data:
            if self.member.eof:  # a gzip file may be several in a row, and zeros may follow
                data = data.lstrip(b"\0")
                if not data:
                    return
                self.member = zlib.decompressobj(31)
            yield self.member.decompress(data, PIECE)
            data = self.member.unconsumed_tail or self.member.unused_data

    def _write(self, piece: bytes) -> None:
        self.size += len(piece)
        if self.size > self.limits.most_bytes:
            raise _too_large(self.limits)
        self.head += piece[: max(0, 16 - len(self.head))]
        self.file.write(piece)


def _unreadable(file: IO[bytes], reason: str) -> MixzError:
    allowed = "a plain table, or one packed with gzip under a name that ends in .gz"
    return MixzError(f"{file.name} cannot be read: {reason}", allowed, "write or pack it again")
