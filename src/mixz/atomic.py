"""Files and folders appear whole or not at all, and stay: written beside, flushed to the disk, then renamed.

Whoever is killed leaves a draft, ``.mixz-<machine>-...``.  The next one who writes beside it finishes what it was about
to do and takes it away: a lock that ends with its process tells drafts of the dead from those of the living.
"""

from __future__ import annotations

import fcntl
import os
import platform
import shutil
import tempfile
import time
import zlib
from contextlib import ExitStack, contextmanager, suppress
from errno import EACCES, EAGAIN, EINVAL, ENOTDIR, ENOTSUP, EPERM
from pathlib import Path
from typing import TYPE_CHECKING

from mixz.errors import MixzError

if TYPE_CHECKING:
    from collections.abc import Iterator

DRAFTS = ".mixz-"
"""How names of drafts begin."""
HERE = f"{DRAFTS}{zlib.crc32(platform.node().encode()):08x}-"
"""How they begin on this machine: locks of another are not always seen."""
LOCK, NEW, OLD = "lock", "new", "old"
A_DAY = 86_400.0
"""Drafts of other machines are taken away when nobody has touched them for so long [s]."""
PATIENCE = 2.0
"""How long to wait for a folder that another process is just putting in its place [s]."""


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """A draft path to write to; on success it becomes `path`, on failure `path` stays as it was.

    The draft keeps the ending of `path`, since many writers choose their format by it.  It may become a file or
    a folder; a file never takes the place of a folder.

    Raises
    ------
    MixzError
        The folder cannot be made or written to, the disk is full, or a file was written where a folder is.

    Examples
    --------
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     target = Path(folder, "a.txt")
    ...     with replacing(target) as draft:
    ...         _ = draft.write_text("whole")
    ...     target.read_text(), len(list(Path(folder).iterdir()))
    ('whole', 1)
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _workshop(path.parent) as workshop:
            draft = workshop / NEW / path.name
            yield draft
            _flush(draft)
            if draft.is_file():
                require_place(path)
            _put(draft, path, workshop / OLD / path.name)
            _flush_one(path.parent)
    except OSError as error:
        raise _cannot_write(path, error) from error


def remove(folder: Path) -> None:
    """Take a folder away at once: whoever is killed on the way leaves a draft, never a part of the folder.

    Examples
    --------
    >>> with tempfile.TemporaryDirectory() as home:
    ...     Path(home, "a").mkdir()
    ...     remove(Path(home, "a"))
    ...     list(Path(home).iterdir())
    []
    """
    if folder.is_dir():
        try:
            with _workshop(folder.parent) as workshop:
                folder.replace(workshop / "taken away")
        except OSError as error:
            raise _cannot_write(folder, error) from error


def settle(draft: Path, path: Path) -> None:
    """Give a finished file or folder its name, which nothing else has, once the disk holds all of it.

    Raises
    ------
    MixzError
        The disk is full or fails, or the name is taken.
    """
    try:
        _flush(draft)
        draft.replace(path)
        _flush_one(path.parent)
    except OSError as error:
        raise _cannot_write(path, error) from error


def recover(path: str | Path) -> None:
    """Finish what a killed process began: where a folder had been taken away for a new one, the new one comes.

    Readers call this before they say that something is not there.
    """
    path, end = Path(path), time.monotonic() + PATIENCE
    while not path.exists() and path.parent.is_dir():
        with suppress(OSError):  # a reader may have no right to write; then all stays as it is
            clear_drafts(path.parent)
        if time.monotonic() > end or not any((w / OLD / path.name).exists() for w in _drafts(path.parent)):
            return
        time.sleep(0.01)


def clear_drafts(folder: Path) -> None:
    """Take away what killed processes left in a folder, and finish what they had all but done."""
    for workshop in _drafts(folder):
        if not workshop.name.startswith(HERE) and not _untouched(workshop):
            continue
        with suppress(OSError), _locked(workshop / LOCK, without_locks=False) as lock:  # they may be somebody else's
            if lock is not None:
                _finish(workshop)
                shutil.rmtree(workshop, ignore_errors=True)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Keep other processes from writing results into a folder for as long as the block runs.

    Raises
    ------
    MixzError
        Another process does so already; its number is told.

    Examples
    --------
    >>> with tempfile.TemporaryDirectory() as home, alone(Path(home)), alone(Path(home)):
    ...     pass
    Traceback (most recent call last):
    mixz.errors.MixzError: ... is being written to by process ...
      allowed: one at a time
      do: wait until it ends, or give another place with --out
    """
    new = [one for one in (folder, *folder.parents) if not one.exists()]
    file = folder / ".lock"
    with ExitStack() as held:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lock = held.enter_context(_locked(file))
            other = file.read_text() if lock is None else ""
            if lock is not None:
                os.truncate(lock, 0)
                os.write(lock, f"{os.getpid()} on {platform.node()}".encode())
        except OSError as error:
            raise _cannot_write(folder, error) from error
        if lock is None:
            raise MixzError(
                f"{folder} is being written to by process {other or '(just starting)'}",
                "one at a time",
                "wait until it ends, or give another place with --out",
            )
        try:
            yield
        finally:
            with suppress(OSError):
                file.unlink()
                for one in new:  # what was made for nothing goes again
                    one.rmdir()


def require_place(path: str | Path) -> None:
    """Refuse a place where no file can be put, before the work whose result it is to hold.

    Raises
    ------
    MixzError
        A folder is there, whose content would be lost, or the file's own folder cannot be made or written to.

    Examples
    --------
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     require_place(f"{folder}/new/a.txt")
    ...     require_place(folder)
    Traceback (most recent call last):
    mixz.errors.MixzError: ... is a folder
      allowed: the name of a file, new or to be replaced
      do: name a file in it
    """
    path = Path(path)
    if path.is_dir():
        raise MixzError(f"{path} is a folder", "the name of a file, new or to be replaced", "name a file in it")
    there = next(parent for parent in path.absolute().parents if parent.exists())
    if not there.is_dir():
        raise _cannot_write(path, NotADirectoryError(ENOTDIR, f"{there} is a file"))
    if not os.access(there, os.W_OK):
        raise _cannot_write(path, PermissionError(EACCES, f"{there} is read-only"))


@contextmanager
def _workshop(folder: Path) -> Iterator[Path]:
    """A folder for one draft, locked while this process lives; it stays only if the draft's place is empty for it.

    What killed processes left beside it goes.
    """
    clear_drafts(folder)
    with ExitStack() as held:
        workshop = None
        while workshop is None:
            made = Path(tempfile.mkdtemp(prefix=HERE, dir=folder))
            with suppress(FileNotFoundError):  # somebody who clears drafts came first, and took it away
                workshop = made if held.enter_context(_locked(made / LOCK)) is not None else None
        try:
            (workshop / NEW).mkdir()
            yield workshop
        finally:
            _finish(workshop)
            if not any((workshop / OLD / new.name).exists() for new in _in(workshop / NEW)):
                shutil.rmtree(workshop, ignore_errors=True)


def _put(draft: Path, path: Path, aside: Path) -> None:
    """Rename a draft to its place; a folder that is there steps aside, and comes back if that fails."""
    if draft.is_file() or not path.is_dir():
        draft.replace(path)
        return
    aside.parent.mkdir()
    path.replace(aside)
    try:
        draft.replace(path)
    except OSError:
        aside.replace(path)
        raise


def _finish(workshop: Path) -> None:
    """Put a whole new folder in its place where the old one has stepped aside already."""
    for aside in _in(workshop / OLD):
        new, path = workshop / NEW / aside.name, workshop.parent / aside.name
        if new.exists() and not path.exists():
            with suppress(OSError):
                new.replace(path)


@contextmanager
def _locked(file: Path, *, without_locks: bool = True) -> Iterator[int | None]:
    """An open file that no other process can lock, made if need be; None where another has locked it.

    The lock ends with its process, whatever ends that.  `without_locks` says what to believe of file systems that know
    no locks: that the file is ours, or that it is not.
    """
    number = os.open(file, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
            mine = os.path.samestat(os.fstat(number), file.stat())  # else its last owner has just removed it
        except FileNotFoundError:
            mine = False
        except OSError as error:
            mine = without_locks and error.errno not in (EAGAIN, EACCES)
        yield number if mine else None
    finally:
        os.close(number)


def _drafts(folder: Path) -> list[Path]:
    with os.scandir(folder) as entries:
        return [Path(e.path) for e in entries if e.name.startswith(DRAFTS) and e.is_dir(follow_symlinks=False)]


def _in(folder: Path) -> list[Path]:
    return list(folder.iterdir()) if folder.is_dir() else []


def _untouched(folder: Path) -> bool:
    """Whether nobody has written to a folder for a day."""
    try:
        return time.time() - max(path.lstat().st_mtime for path in (folder, *folder.rglob("*"))) > A_DAY
    except OSError:
        return False


def _flush(draft: Path) -> None:
    """Have the disk hold a file, or all of a folder, before it gets its name."""
    if draft.is_dir():
        for path in draft.rglob("*"):
            if path.is_dir() or path.is_file():
                _flush_one(path)
    _flush_one(draft)


def _flush_one(path: Path) -> None:
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    except OSError as error:
        if error.errno not in (EINVAL, ENOTSUP, EPERM, EACCES):  # some file systems cannot, for folders above all
            raise
    finally:
        os.close(number)


def _cannot_write(path: Path, error: OSError) -> MixzError:
    reason = error.strerror or str(error)
    return MixzError(f"{path} cannot be written: {reason}", "a writable folder with room", "choose another place")
