"""What an interrupted run over a HATS catalogue left: of which model, catalogue and settings; others are refused."""

from __future__ import annotations

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mixz.atomic import replacing
from mixz.digest import digest_of_file, digest_of_settings
from mixz.errors import MixzError
from mixz.settings.model_record import RECORD

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mixz.bridges.hats.parts import Part
    from mixz.data.hats_folder import HatsFolder

UNFINISHED = ".unfinished"
"""What the name of the folder ends with that an interrupted run leaves."""
LOCK = ".lock"
"""What `mixz.atomic.alone` keeps in it."""


def unfinished(output: Path) -> Path:
    """Where a run collects what it has done, until its output is whole.

    Examples
    --------
    >>> unfinished(Path("/data/photoz")).name
    'photoz.unfinished'
    """
    output = output.absolute()
    return output.with_name(output.name + UNFINISHED)


def same_run(draft: Path, model: Path, folder: HatsFolder, parts: Sequence[Part], settings: Mapping[str, Any]) -> bool:
    """Whether a draft was left by a run of the same model, catalogue and settings; False where there is none.

    Raises
    ------
    MixzError
        It was left by another.
    """
    told = _told(draft)
    if not told.is_file():
        return False
    try:
        before = dict(json.loads(told.read_text()))
    except (ValueError, TypeError):
        before = {}
    now = _of_run(model, folder, parts, settings)
    other = [name for name, value in now.items() if before.get(name) != value]
    if other:
        raise MixzError(
            f"{draft} was left by a run of other settings ({', '.join(other)} differ)",
            "the same model, catalogue and options",
            "run it as before, or remove the folder to begin anew",
        )
    return True


def begin(draft: Path, model: Path, folder: HatsFolder, parts: Sequence[Part], settings: Mapping[str, Any]) -> None:
    """Empty a draft, and note of which run it is going to be."""
    clear(draft)
    with replacing(_told(draft)) as file:
        file.write_text(json.dumps(_of_run(model, folder, parts, settings), indent=1) + "\n")


def name_of_run(draft: Path) -> str:
    """Name the model, catalogue and settings of a draft's run: a worker that outlives another run writes elsewhere."""
    return digest_of_settings(json.loads(_told(draft).read_text()))


def clear(draft: Path) -> None:
    """Empty a draft but for its lock; what tells of which run it is goes first, for nothing is believed without it."""
    _told(draft).unlink(missing_ok=True)
    for path in [*draft.iterdir()] if draft.is_dir() else []:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        elif path.name != LOCK:
            with suppress(OSError):
                path.unlink()


def _told(draft: Path) -> Path:
    return draft / "run.json"


def _of_run(model: Path, folder: HatsFolder, parts: Sequence[Part], settings: Mapping[str, Any]) -> dict[str, Any]:
    told = {
        "model": _model_digest(model),
        "source": str(folder.path),
        "source's files": _source_state(folder),
        "parts": digest_of_settings(repr(parts)),
        **settings,
    }
    return dict(json.loads(json.dumps(told)))  # as they will be read again


def _model_digest(path: Path) -> str:
    """Name the content of a model: a folder's ``model.json`` names all of it."""
    return digest_of_file(path if path.is_file() else path / RECORD)


def _source_state(folder: HatsFolder) -> str:
    """Name the state of a catalogue's files, places, sizes and times of change: to read all of them takes too long."""
    files = [file for pixel in folder.pixels for file in folder.files(pixel)]
    with ThreadPoolExecutor() as pool:
        states = pool.map(Path.stat, files)
        return digest_of_settings([(str(f), s.st_size, s.st_mtime_ns) for f, s in zip(files, states, strict=True)])
