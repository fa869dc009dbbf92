"""Files and folders appear whole or not at all: write beside, then rename."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from mixz.errors import MixzError

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Give a draft path to write to; on success it becomes `path`, on failure `path` stays as it was.

    The draft keeps the ending of `path`, since many writers choose their format by it.  It may become a file or
    a folder.

    Raises
    ------
    MixzError
        The folder cannot be made or written to, or the disk is full.

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
        if path.is_dir():
            path.replace(workshop / "old")
        draft.replace(path)
    except OSError as error:
        raise _cannot_write(path, error) from error
    finally:
        shutil.rmtree(workshop, ignore_errors=True)


def _cannot_write(path: Path, error: OSError) -> MixzError:
    reason = error.strerror or str(error)
    return MixzError(f"{path} cannot be written: {reason}", "a writable folder with room", "choose another place")
