"""Download public files once, checked: by their published checksum, or by the one recorded at the first download."""

from __future__ import annotations

import json
import logging
import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import pooch
import requests

from mixz.atomic import replacing
from mixz.data.fetching.download import Patience, ResumingDownload
from mixz.errors import MixzError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mixz.data.fetching.registry import RemoteFile
    from mixz.progress import Bar

try:
    import fcntl
except ImportError:  # Windows has none: there, two fetches into one folder at once are not noticed
    fcntl = None  # type: ignore[assignment]

LOCK_NAME = "mixz-fetch.lock.json"
USUAL = Patience()


class Fetched(NamedTuple):
    """A file that is there now, and how it came to be trusted."""

    path: Path
    words: str


@dataclass(frozen=True)
class Lock:
    """The checksums of files as recorded at the first download, next to the data.

    They are kept to where publishers give none, or cannot be asked.

    Parameters
    ----------
    path
        The JSON file: file name -> ``{"sha256", "bytes", "url"}``.
    """

    path: Path

    def read(self) -> dict[str, Any]:
        """Read what is recorded; nothing where there is no file yet.

        Raises
        ------
        MixzError
            The file is damaged.
        """
        if not self.path.is_file():
            return {}
        try:
            entries: dict[str, Any] = json.loads(self.path.read_text(encoding="utf-8"))
            return {name: dict(entry) for name, entry in entries.items()}
        except (ValueError, AttributeError, TypeError) as error:
            raise MixzError(
                f"{self.path} is damaged: {error}",
                "the JSON that `mixz fetch` wrote",
                "restore it, or delete it to trust the files that are there now",
            ) from None

    def record(self, path: Path, url: str) -> None:
        """Add a file's SHA-256 and size."""
        entry = {"sha256": pooch.file_hash(str(path)), "bytes": path.stat().st_size, "url": url}
        content = self.read() | {path.name: entry}
        with replacing(self.path) as draft:
            draft.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def fetch_file(
    file: RemoteFile, folder: Path, bar: Bar, *, patience: Patience = USUAL, record: bool = False, why: str = ""
) -> Fetched:
    """Make sure that a file lies in `folder`, whole and unchanged; download it only if it does not.

    A file that is there and agrees with its checksum is left alone.  One that does not agree is replaced only by one
    that does.

    Parameters
    ----------
    file
        What to fetch.
    folder
        Where to; the lock file lies there too.
    bar
        Told the megabytes so far.
    patience
        How long to wait for the server.
    record
        Whether its SHA-256 is recorded even where a checksum is published, so that it can be trusted without network.
    why
        Why the file has no address, where it has none.

    Raises
    ------
    MixzError
        The file has no address and is not here as it was recorded; the server cannot be reached or refuses; what it
        sends is not the file that was published or recorded; the folder cannot be written to, or another `mixz fetch`
        is writing to it.
    """
    with _alone_in(folder):
        fetched = _fetch_file(file, file.url, folder / file.name, bar, patience) if file.url else None
        fetched = fetched or _as_recorded(file, folder / file.name, why)
        lock = Lock(folder / LOCK_NAME)
        if record and file.url and file.name not in lock.read():
            lock.record(fetched.path, file.url)
        return fetched


def _as_recorded(file: RemoteFile, path: Path, why: str) -> Fetched:
    """A file without an address, which must be here as it was recorded."""
    recorded = Lock(path.parent / LOCK_NAME).read().get(file.name, {}).get("sha256")
    if recorded and path.is_file() and _agrees(path, f"sha256:{recorded}"):
        return Fetched(path, f"was there, SHA256 as recorded in {LOCK_NAME}")
    raise MixzError(
        f"nobody can be asked where {file.name} is{': ' if why else ''}{why}",
        "a network, and a record that answers",
        "run the same command again later; what has arrived is kept",
    )


def _fetch_file(file: RemoteFile, url: str, path: Path, bar: Bar, patience: Patience) -> Fetched:
    lock = Lock(path.parent / LOCK_NAME)
    recorded = lock.read().get(file.name, {}).get("sha256")
    checksum = file.checksum or (f"sha256:{recorded}" if recorded else None)
    whose = "as published" if file.checksum else f"as recorded in {LOCK_NAME}"
    was_there = path.is_file()
    if was_there and checksum is None:
        _check_size(path, url, file.bytes, patience)
        lock.record(path, url)
        return Fetched(path, f"was there; its SHA-256 is now recorded in {LOCK_NAME}")
    if was_there and checksum and _agrees(path, checksum):
        return Fetched(path, f"was there, {_kind(checksum)} {whose}")
    _download(file.name, url, path, checksum, whose, ResumingDownload(path, bar, patience, file.bytes))
    if checksum is None:
        lock.record(path, url)
        return Fetched(path, f"downloaded; its SHA-256 is now recorded in {LOCK_NAME}")
    replaced = "downloaded again, the old one had changed" if was_there else "downloaded"
    return Fetched(path, f"{replaced}; {_kind(checksum)} {whose}")


def write_query(query: Path, folder: Path) -> Fetched:
    """Put a copy of a query where the data will go; a copy that is there, perhaps edited, stays as it is.

    Parameters
    ----------
    query
        The SQL file that comes with mixz.
    folder
        Where to.
    """
    path = folder / query.name
    if path.is_file():
        return Fetched(path, "the query to run; was there and is left as it is")
    with replacing(path) as draft:
        draft.write_bytes(query.read_bytes())
    return Fetched(path, "the query to run")


def _download(name: str, url: str, path: Path, checksum: str | None, whose: str, download: ResumingDownload) -> None:
    try:
        with replacing(path) as draft, _quiet_pooch():
            # A part that was begun against an older file can spoil the whole: pooch then starts once more from nothing.
            store = pooch.create(
                path=draft.parent,
                base_url="",
                registry={name: checksum},
                urls={name: url},
                retry_if_failed=1,
            )
            store.fetch(name, downloader=download)
    except ValueError as error:
        kept = f"; {path} stays as it was" if path.is_file() else ""
        raise MixzError(
            f"{url} is not the file it should be: another {_kind(checksum or '')} than {whose}{kept}",
            str(checksum),
            f"fetch again later; if its publisher has changed it, delete it and its entry in {LOCK_NAME}",
        ) from error


def _agrees(path: Path, checksum: str) -> bool:
    kind, _, digest = checksum.partition(":")
    return bool(pooch.file_hash(str(path), alg=kind) == digest)


def _kind(checksum: str) -> str:
    """Name the kind of a checksum as people write it: MD5, SHA256."""
    return checksum.partition(":")[0].upper()


def _check_size(path: Path, url: str, published: int | None, patience: Patience) -> None:
    """Before an unknown file is trusted, compare its size with what was published or what the server offers."""
    size = published or _offered_bytes(url, patience)
    if size is not None and size != path.stat().st_size:
        raise MixzError(
            f"{path} has {path.stat().st_size:,} bytes",
            f"{size:,} bytes, as {url} has",
            "move it away, then fetch again",
        )


def _offered_bytes(url: str, patience: Patience) -> int | None:
    headers = {"Accept-Encoding": "identity"}
    try:
        answer = requests.head(url, headers=headers, timeout=patience.timeout_s, allow_redirects=True)
    except requests.RequestException:
        return None
    length = answer.headers.get("Content-Length", "")
    return int(length) if answer.ok and length.isdigit() else None


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Make a folder and keep other fetches out of it: two that write one part, or one lock file, would spoil it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder, os.O_RDONLY)
        try:
            if fcntl is not None:
                _hold(handle, folder)
            yield
        finally:
            os.close(handle)
    except OSError as error:
        reason = error.strerror or str(error)
        raise MixzError(f"{folder} cannot be written: {reason}", "a writable folder", "choose another --to") from error


def _hold(handle: int, folder: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise MixzError(
            f"another `mixz fetch` is writing to {folder}", "one at a time", "wait for it, or choose another --to"
        ) from None
    except OSError:  # some network file systems lock no folders
        return


@contextmanager
def _quiet_pooch() -> Iterator[None]:
    """Keep pooch from printing under the progress bar; its errors still come as exceptions."""
    logger = pooch.get_logger()
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
