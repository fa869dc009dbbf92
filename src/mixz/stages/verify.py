"""`mixz verify`: is a results folder, a model or a file still what mixz wrote, and made from what lies there?"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mixz.atomic import DRAFTS, alone, clear_drafts, recover
from mixz.bridges.models import EXPORTED
from mixz.data.data_set.galaxies_file import read_galaxies
from mixz.digest import seal_of
from mixz.errors import MixzError
from mixz.settings.model_record import CARD, HISTORY, RECORD, WEIGHTS, read_record
from mixz.stages.store.digests import DIGESTS, Digests

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SEALED = ".onnx"
"""The ending of exported models, which tell of themselves whether they are whole."""


@dataclass
class Verified:
    """What was found.

    Parameters
    ----------
    whole
        The files that are as they were written, and made from what lies there.
    wrong
        What is wrong with others, a line each.
    unknown
        Files that nobody noted, and that are no matter of mixz's.
    """

    whole: list[Path] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    unknown: list[Path] = field(default_factory=list)

    def check(self, path: Path, look: Callable[[], object]) -> None:
        """Note a file as whole if looking at it raises nothing."""
        try:
            look()
            self.whole.append(path)
        except MixzError as error:
            self.wrong.append(error.given)


def verify(path: Path) -> Verified:
    """Check a results folder, a model folder, a ``.mixz``, ONNX or galaxies file against its own records.

    Raises
    ------
    MixzError
        There is nothing, or nothing that mixz wrote.
    """
    recover(path)
    if path.is_dir() and (path / DIGESTS).exists():
        return _run(path)
    found = Verified()
    if path.is_dir() and (path / RECORD).exists():
        _model(path, found)
    elif path.is_file() and path.suffix == ".parquet":
        found.check(path, lambda: read_galaxies(path))
    elif path.is_file():
        _file(path, found)
    else:
        raise MixzError(
            f"{path} is nothing that can be verified",
            f"a results folder (with {DIGESTS}), a model folder (with {RECORD}), a .mixz, .onnx or galaxies file",
            "name one; of older versions run `mixz run` again",
        )
    return found


def _run(folder: Path) -> Verified:
    """A results folder: every file that was noted, every model that was not, and what else lies there."""
    found = Verified()
    with alone(folder):
        for draft in sorted(folder.rglob(f"{DRAFTS}*")):
            clear_drafts(draft.parent)
        digests = Digests(folder)
        known = digests.read()
        for place in known:
            if fault := digests.fault(place, known):
                found.wrong.append(f"{fault.of(folder / place, folder)} (run `mixz {fault.verb}`)")
            else:
                found.whole.append(folder / place)
        noted = {folder / place for place in (*known, DIGESTS, ".lock")}
        strangers = [path for path in sorted(folder.rglob("*")) if path not in noted and not path.is_dir()]
        for path in strangers:
            if path.name == RECORD:
                _model(path.parent, found)
            elif path.suffix == SEALED:
                _file(path, found)
        of_models = {path.parent for path in strangers if path.name == RECORD}
        others = (path for path in strangers if path.parent not in of_models and path not in found.whole)
        found.unknown += [path for path in others if path.relative_to(folder).parts[0] != "checkpoints"]
    return found


def _model(folder: Path, found: Verified) -> None:
    """A model folder by its own record and seals."""
    found.check(folder / RECORD, lambda: read_record(folder))
    names = [WEIGHTS, HISTORY] if folder / RECORD in found.whole else []
    found.whole += [folder / name for name in names]
    for path in sorted(folder.iterdir()):
        if path.name in (CARD, EXPORTED):
            _file(path, found)
        elif path.name not in (RECORD, WEIGHTS, HISTORY):
            found.unknown.append(path)


def _file(path: Path, found: Verified) -> None:
    """A file with a seal."""
    if path.suffix == SEALED or path.name == CARD:
        found.check(path, lambda: _require_seal(path))
    else:
        found.check(path, lambda: _unpacked(path))


def _unpacked(path: Path) -> None:
    """Look into a model file."""
    from mixz.model.file import unpacked_model

    with unpacked_model(path) as inside:
        read_record(inside)


def _require_seal(path: Path) -> None:
    if seal_of(path, do="") is None:
        raise MixzError(f"{path} has no seal: another version of mixz wrote it, or another program")
