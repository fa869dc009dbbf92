"""One file over HTTP, for pooch: goes on where it broke off, waits, tries again, checks sizes."""

from __future__ import annotations

import re
import shutil
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import requests
from urllib3.exceptions import HTTPError
from urllib3.exceptions import TimeoutError as SilenceError

from mixz.errors import MixzError

if TYPE_CHECKING:
    from pathlib import Path

    from mixz.progress import Bar

CHUNK_BYTES = 1 << 18
MEGABYTE = 1e6
LONGEST_PAUSE_S = 60.0
TRY_AGAIN = (408, 425, 429, 500, 502, 503, 504)
"""Answers of a server that is busy or being mended; every other refusal is final."""


@dataclass(frozen=True)
class Patience:
    """How long to wait for a server.

    Parameters
    ----------
    timeout_s
        Seconds of silence after which a connection counts as broken.
    attempts
        How often to try without getting anything new; whatever arrives starts the count again.
    pause_s
        Seconds before the second attempt, doubled before each further one, at most a minute.
    """

    timeout_s: float = 60.0
    attempts: int = 5
    pause_s: float = 2.0


class _BrokenError(Exception):
    """The connection or the server failed in a way that may pass."""


@dataclass(frozen=True)
class ResumingDownload:
    """A downloader for pooch that keeps what has arrived in ``<name>.part`` and asks only for the rest.

    The rest is asked for on condition that the file on the server is still the same one (If-Range with its ETag or
    date, kept in ``<name>.part.tag``); of a server that gives neither, the whole file is asked for again.

    Parameters
    ----------
    target
        The final path; the part lies beside it.
    bar
        Told the megabytes so far.
    patience
        How long to wait for the server.
    expected_bytes
        The published size, where there is one.
    """

    target: Path
    bar: Bar
    patience: Patience = Patience()
    expected_bytes: int | None = None

    def __call__(self, url: str, output_file: Any, pooch: Any, *, check_only: bool | None = None) -> None:  # noqa: ARG002
        """Download `url` and move it to `output_file`, the temporary file that pooch then checks.

        Raises
        ------
        MixzError
            The server refuses, stays silent, or offers something else than the published file; or the disk is full.
        """
        failures, most = 0, self._have()
        while True:
            try:
                self._attempt(url)
                break
            except (_BrokenError, HTTPError, requests.RequestException) as error:
                failures = 1 if self._have() > most else failures + 1
                most = max(most, self._have())
                if failures >= self.patience.attempts:
                    raise self._gave_up(url, error) from error
                time.sleep(min(self.patience.pause_s * 2 ** (failures - 1), LONGEST_PAUSE_S))
            except OSError as error:
                reason = error.strerror or str(error)
                raise MixzError(
                    f"{self.part} cannot be written: {reason}", "a writable folder with room", "choose another --to"
                ) from error
        self.part.replace(output_file)
        self.tag.unlink(missing_ok=True)

    @property
    def part(self) -> Path:
        """What has arrived so far."""
        return self.target.with_name(self.target.name + ".part")

    @property
    def tag(self) -> Path:
        """Which version of the file on the server the part belongs to."""
        return self.target.with_name(self.target.name + ".part.tag")

    def _have(self) -> int:
        return self.part.stat().st_size if self.part.is_file() else 0

    def _attempt(self, url: str) -> None:
        tag = self.tag.read_text() if self.tag.is_file() else ""
        have = self._have() if tag else 0
        headers = {"Accept-Encoding": "identity"}  # else sizes are those of the packed file
        if have:
            headers |= {"Range": f"bytes={have}-", "If-Range": tag}
        with requests.get(url, headers=headers, stream=True, timeout=self.patience.timeout_s) as answer:
            start, total = _content_range(answer)
            if answer.status_code == 416 and total == have:
                return
            if answer.status_code == 416 or (answer.status_code == 206 and start != have):
                self.tag.unlink(missing_ok=True)
                raise _BrokenError("it could not go on where it broke off")
            self._check_answer(answer, url, total)
            if answer.status_code != 206:
                self.part.unlink(missing_ok=True)  # before the tag, so that no old part ever goes with a new tag
                self.tag.write_text(_version(answer))
            self._receive(answer, total)

    def _check_answer(self, answer: requests.Response, url: str, total: int | None) -> None:
        status = f"{answer.status_code} {answer.reason}"
        if answer.status_code in TRY_AGAIN:
            raise _BrokenError(f"it answered {status}")
        if answer.status_code not in (200, 206):
            raise MixzError(
                f"{url} answers {status}", "a file that is there", "see the data set's page, it may have moved"
            )
        if answer.headers.get("Content-Type", "").startswith("text/html"):
            raise MixzError(
                f"{url} answers with a web page", "the file itself", "open the address in a browser and see"
            )
        if total is not None and self.expected_bytes not in (None, total):
            raise MixzError(
                f"{url} offers {total:,} bytes",
                f"{self.expected_bytes:,} bytes, as published",
                "see the data set's page, it may have a new version",
            )
        room = shutil.disk_usage(self.target.parent).free
        if total is not None and total - self._have() > room:
            need, free = (total - self._have()) / MEGABYTE, room / MEGABYTE
            raise MixzError(
                f"{self.target.name} needs {need:,.0f} MB more",
                f"{free:,.0f} MB free",
                "choose another --to",
            )

    def _receive(self, answer: requests.Response, total: int | None) -> None:
        with self.part.open("ab") as part:
            # The bytes as sent: many servers call a .tgz file "gzip-encoded", which would be unpacked on the way.
            for chunk in answer.raw.stream(CHUNK_BYTES, decode_content=False):
                part.write(chunk)
                self.bar(part.tell() / MEGABYTE, max(total or 0, part.tell()) / MEGABYTE, "MB")
        if total is not None and self._have() != total:
            raise _BrokenError(f"it sent {self._have():,} of {total:,} bytes")

    def _gave_up(self, url: str, error: Exception) -> MixzError:
        if isinstance(error, _BrokenError):
            why = str(error)
        elif isinstance(error, requests.Timeout | SilenceError):
            why = f"it was silent for {self.patience.timeout_s:g} s"
        else:
            why = f"the connection broke ({self._have():,} bytes so far)"
        tries = f"{self.patience.attempts} attempts in a row"
        kept = "what arrived is kept: run the same command again to go on" if self._have() else "try again later"
        return MixzError(f"{url} could not be downloaded in {tries}: {why}", "a server that answers", kept)


def _content_range(answer: requests.Response) -> tuple[int, int | None]:
    """Tell where the content starts and how long the whole file is (None where the server does not say)."""
    match = re.fullmatch(r"bytes (?:(\d+)-\d+|\*)/(\d+|\*)", answer.headers.get("Content-Range", ""))
    if match:
        return int(match[1] or 0), None if match[2] == "*" else int(match[2])
    length = answer.headers.get("Content-Length")
    return 0, int(length) if length and length.isdigit() else None


def _version(answer: requests.Response) -> str:
    """Name the version of the file; a weak ETag does not promise equal bytes, so the date serves then."""
    etag = answer.headers.get("ETag", "")
    return answer.headers.get("Last-Modified", "") if not etag or etag.startswith("W/") else etag
