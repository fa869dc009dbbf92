"""Files and folders appear whole or not at all: write beside, then rename."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import contextmanager
from errno import EACCES, ENOTDIR
from pathlib import Path
from typing import TYPE_CHECKING

from mixz.errors import MixzError

if TYPE_CHECKING:
    from collections.abc import Iterator


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
        workshop = Path(tempfile.mkdtemp(prefix=".mixz-", dir=path.parent))
    except OSError as error:
        raise _cannot_write(path, error) from error
    try:
        draft = workshop / path.name
        yield draft
        if draft.is_file():
            require_place(path)
        elif path.is_dir():
            path.replace(workshop / "old")
        draft.replace(path)
    except OSError as error:
        raise _cannot_write(path, error) from error
    finally:
        shutil.rmtree(workshop, ignore_errors=True)


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


def _cannot_write(path: Path, error: OSError) -> MixzError:
    reason = error.strerror or str(error)
    return MixzError(f"{path} cannot be written: {reason}", "a writable folder with room", "choose another place")
