"""The files that a data set is built from, named by their content."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

from mixz.digest import at_rest, digest_of_file, digest_of_settings, stamp
from mixz.errors import MixzError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from mixz.settings.config import Config


class Input(NamedTuple):
    """An input as it was when a data set was built.

    Parameters
    ----------
    name
        Of the file, or of the folder of a HATS catalogue; without the folder that it lies in.
    sha256
        The digest of its bytes; of a folder that of its files' names and digests.
    state
        What the file system said of it: while that stays, its bytes need not be read again.  ``""`` where that may stay
        though it is written to, since it was so a moment ago.
    """

    name: str
    sha256: str
    state: str


def input_files(config: Config) -> list[Path]:
    """Every file or folder that a config's tables and catalogues lie in, in its order."""
    tables = (*config.tables, *config.pair_tables().values())
    sources = [source for table in tables for source in (table, *table.match)]
    return [path for source in sources for path in source.files.values()]


def input_states(config: Config) -> list[str]:
    """What the file system says of every input; ``""`` where there is none."""
    return [_state(path) if path.exists() else "" for path in input_files(config)]


def inputs_as_read(config: Config, before: Sequence[str]) -> list[Input]:
    """Name the inputs of a build by their contents, once it has read them.

    Parameters
    ----------
    config
        The build's.
    before
        Their states (`input_states`) before it began.

    Raises
    ------
    MixzError
        One has changed while it was read.
    """
    found = []
    for path, state in zip(input_files(config), before, strict=True):
        digest = _digest(path)
        if _state(path) != state:
            raise MixzError(
                f"{path} was written to while it was read", "a table at rest", "build again when it is whole"
            )
        rests = all(at_rest(stamp(file)) for file in _files(path))
        found.append(Input(path.name, digest, state if rests else ""))
    return found


def require_inputs(config: Config, built_from: Sequence[Mapping[str, str]], seen: Mapping[str, str]) -> None:
    """Refuse galaxies whose inputs have changed since; inputs that are not on this machine are not asked for.

    Parameters
    ----------
    config
        The config whose inputs they are.
    built_from
        The name and the digest of each (`provenance`).
    seen
        In which state files with these digests were.

    Raises
    ------
    MixzError
        One has.
    """
    for path, was in zip(input_files(config), built_from, strict=False):
        if path.exists() and _state(path) != seen.get(was["sha256"]) and _digest(path) != was["sha256"]:
            raise MixzError(f"{path} has changed since galaxies were built from it", "", "run `mixz build` again")


def _files(path: Path) -> list[Path]:
    return sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]


def _state(path: Path) -> str:
    return digest_of_settings([[file.name, stamp(file)] for file in _files(path)])


def _digest(path: Path) -> str:
    if not path.is_dir():
        return digest_of_file(path)
    with ThreadPoolExecutor() as pool:
        lines = [
            f"{d}  {f.relative_to(path)}\n"
            for f, d in zip(_files(path), pool.map(digest_of_file, _files(path)), strict=True)
        ]
    return hashlib.sha256("".join(lines).encode()).hexdigest()
