"""A model as one file: its folder in an uncompressed ZIP archive; data, never code, and whole or not at all."""

from __future__ import annotations

import tempfile
import zipfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from mixz.atomic import replacing
from mixz.errors import MixzError

if TYPE_CHECKING:
    from collections.abc import Iterator

SUFFIX = "mixz"
"""The ending of model files, where nothing else asks for another."""

BEGINNING_OF_TIME = (1980, 1, 1, 0, 0, 0)
"""Every member's date, so that equal models are equal files."""

LARGEST_BYTES = 4 * 2**30
"""No model is larger unpacked: a file that says so is damaged or meant to fill a disk."""


def pack_model(folder: str | Path, file: str | Path) -> None:
    """Write a model folder as one file, for programs that keep a model as a file (RAIL, the DESC challenge).

    Raises
    ------
    MixzError
        There is no model in the folder, or the file cannot be written.

    Examples
    --------
    >>> with tempfile.TemporaryDirectory() as home:
    ...     folder = Path(home, "tl")
    ...     folder.mkdir()
    ...     _ = (folder / "model.json").write_text("{}")
    ...     pack_model(folder, f"{home}/tl.mixz")
    ...     with unpacked_model(f"{home}/tl.mixz") as inside:
    ...         (inside / "model.json").read_text()
    '{}'
    """
    folder = Path(folder)
    if not (folder / "model.json").is_file():
        raise MixzError(f"no model in {folder}", "a folder that `mixz train` wrote", "run `mixz train` first")
    with replacing(file) as draft, zipfile.ZipFile(draft, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(folder.iterdir()):
            archive.writestr(zipfile.ZipInfo(path.name, BEGINNING_OF_TIME), path.read_bytes())


@contextmanager
def unpacked_model(file: str | Path) -> Iterator[Path]:
    """A model file as a folder for as long as the block runs.

    Raises
    ------
    MixzError
        It is no model file, or damaged.
    """
    with tempfile.TemporaryDirectory(prefix="mixz-") as home:
        try:
            with zipfile.ZipFile(file) as archive:
                _check_members(archive, Path(file))
                archive.extractall(home)
        except (OSError, ValueError, zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
            raise MixzError(f"{file} is no model file: {error}", "a whole .mixz file", "write it again") from error
        yield Path(home)


def _check_members(archive: zipfile.ZipFile, file: Path) -> None:
    """Refuse what no model file holds: folders, paths, more bytes than a model has."""
    members = archive.infolist()
    strange = [m.filename for m in members if Path(m.filename).name != m.filename or m.is_dir()]
    if strange or "model.json" not in archive.namelist() or sum(m.file_size for m in members) > LARGEST_BYTES:
        found = ", ".join(strange[:3] or archive.namelist()[:3]) or "nothing"
        raise MixzError(f"{file} is no model file: it holds {found}", "a file that mixz wrote", "write it again")
