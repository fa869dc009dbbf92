"""A model as one file: its folder in an uncompressed ZIP archive; data, never code, and whole or not at all."""

from __future__ import annotations

import tempfile
import zipfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from mixz.atomic import replacing
from mixz.digest import OPEN_SEAL, seal, seal_of, stamp
from mixz.errors import MixzError
from mixz.settings.model_record import CARD, HISTORY, RECORD, WEIGHTS, require_inside

if TYPE_CHECKING:
    from collections.abc import Iterator

SUFFIX = "mixz"
"""The ending of model files, where nothing else asks for another."""

BEGINNING_OF_TIME = (1980, 1, 1, 0, 0, 0)
"""Every member's date, so that equal models are equal files."""

MEMBERS = (RECORD, WEIGHTS, HISTORY, CARD, "model.onnx")
"""What a model's folder may hold, and its file."""

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
    if not (folder / RECORD).is_file():
        raise MixzError(f"no model in {folder}", "a folder that `mixz train` wrote", "run `mixz train` first")
    require_inside(folder)
    with replacing(file) as draft:
        with zipfile.ZipFile(draft, "w", zipfile.ZIP_STORED) as archive:
            archive.comment = OPEN_SEAL.encode()
            for path in (folder / name for name in sorted(MEMBERS)):
                if path.is_file():
                    archive.writestr(zipfile.ZipInfo(path.name, BEGINNING_OF_TIME), path.read_bytes())
        seal(draft)


@contextmanager
def unpacked_model(file: str | Path) -> Iterator[Path]:
    """A model file as a folder for as long as the block runs.

    Raises
    ------
    MixzError
        It is no model file, or damaged.
    """
    with tempfile.TemporaryDirectory(prefix="mixz-") as home:
        size = stamp(file)[2]
        try:
            with zipfile.ZipFile(file) as archive:
                _check_members(archive, Path(file), size)
                if seal_of(file, do="write it again") is None:
                    raise ValueError("it has no seal")
                archive.extractall(home)
        except (OSError, ValueError, zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
            raise MixzError(f"{file} is no model file: {error}", "a whole .mixz file", "write it again") from error
        yield Path(home)


def _check_members(archive: zipfile.ZipFile, file: Path, size: int) -> None:
    """Refuse what no model file holds: other names, a name twice, packed or hidden bytes, more than a model has."""
    members = archive.infolist()
    names = [one.filename for one in members]
    strange = [name for name in names if name not in MEMBERS or names.count(name) > 1][:3]
    strange += [m.filename for m in members if m.compress_type != zipfile.ZIP_STORED or m.flag_bits & 1][:3]
    if strange or RECORD not in names or sum(one.file_size for one in members) > min(LARGEST_BYTES, size):
        found = ", ".join(strange or names[:3]) or "nothing"
        raise MixzError(f"{file} is no model file: it holds {found[:200]}", "a file that mixz wrote", "write it again")
