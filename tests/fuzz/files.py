"""What a reader is given: the files of a folder by their names, which one archive can keep."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

Files = dict[str, bytes]
"""The contents of files by their paths in a folder."""

BEGINNING_OF_TIME = (1980, 1, 1, 0, 0, 0)


def write(files: Files, folder: Path) -> Path:
    """Lay files out in a folder; what is read is the only one, or the folder."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    only = [*files]
    return folder / only[0] if len(only) == 1 else folder


def read(folder: Path) -> Files:
    """The files of a folder."""
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def packed(files: Files) -> bytes:
    """Files as an archive, the same bytes for the same files."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, BEGINNING_OF_TIME), content, zipfile.ZIP_DEFLATED)
    return made.getvalue()


def unpacked(content: bytes) -> Files:
    """The files of an archive.

    Examples
    --------
    >>> unpacked(packed({"a/b.txt": b"1"}))
    {'a/b.txt': b'1'}
    """
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}
