"""`digests.json`: the digest of every file of a results folder, and of what each was made from.

A verb notes what it wrote when it is done.  Whoever reads a file asks here first whether it is whole, and whether what
it was made from is still what lies there.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, Field, ValidationError

from mixz.atomic import replacing
from mixz.digest import OPEN_SEAL, digest_of_file, seal, seal_of
from mixz.errors import MixzError
from mixz.strict import Strict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

DIGESTS = "digests.json"
LONGEST_NAME = 255
"""Bytes of a file's name that file systems hold."""


def _inside(place: str) -> str:
    """The place of a file inside the folder: nothing above it, nothing that no file can be called."""
    parts = PurePosixPath(place).parts
    if not parts or place.startswith("/") or ".." in parts or "\0" in place:
        raise ValueError(f"{place!r} is no place inside the folder")
    if max(len(part.encode()) for part in parts) > LONGEST_NAME:
        raise ValueError(f"a name of more than {LONGEST_NAME} bytes")
    return place


Place = Annotated[str, Field(max_length=1000), AfterValidator(_inside)]
"""Where a noted file lies, from the folder on."""


class Entry(Strict):
    """What is known of a file.

    Parameters
    ----------
    verb
        What wrote it.
    sha256
        The digest of its bytes.
    content
        The name that others know it by where that is not the digest of its bytes: of galaxies, what they are.
    made_from
        The files that it was made from, and their contents then.
    """

    verb: str
    sha256: str
    content: str | None = None
    made_from: dict[Place, str] = Field(default_factory=dict)

    @property
    def name(self) -> str:
        """The content that others were made from."""
        return self.content or self.sha256


class FilesRecord(Strict):
    """What the file holds: `files` by their places, and the states in which inputs were `seen`, by their digests."""

    files: dict[Place, Entry] = Field(default_factory=dict)
    seen: dict[str, str] = Field(default_factory=dict)
    seal: str = OPEN_SEAL


@contextmanager
def told_if_damaged(path: Path, verb: str) -> Iterator[None]:
    """Tell in one message whatever is wrong inside a file whose note is right: another program may have written both.

    Raises
    ------
    MixzError
        The block ended in an error.
    """
    try:
        yield
    except MixzError:
        raise
    except Exception as error:
        reason = str(error).partition("\n")[0][:200] or type(error).__name__
        again = f"run `mixz {verb}` again"
        raise MixzError(f"{path} cannot be read: {reason}", f"what `mixz {verb}` wrote", again) from error


@dataclass(frozen=True)
class Fault:
    """What is wrong with a file, and the verb that writes such files."""

    path: Path
    verb: str
    why: str

    def of(self, path: Path, folder: Path) -> str:
        """In words, of a file that may only have been made from it."""
        return (
            f"{path} {self.why}"
            if path == self.path
            else f"{path} is stale: {self.path.relative_to(folder)} {self.why}"
        )


@dataclass(frozen=True)
class Digests:
    """The record of a results folder."""

    folder: Path

    def read(self) -> dict[str, Entry]:
        """Every file that was noted, by its place in the folder; none where there is no record.

        Raises
        ------
        MixzError
            The record is damaged.
        """
        return self._read().files

    def _read(self) -> FilesRecord:
        path = self.folder / DIGESTS
        if not path.exists():
            return FilesRecord()
        again = "run `mixz run` again, or remove it and run the verbs one by one"
        if seal_of(path, do=again) is None:
            raise MixzError(f"{path} has no seal", "a record that mixz wrote", again)
        try:
            return FilesRecord.model_validate_json(path.read_bytes())
        except (OSError, ValidationError) as error:
            raise MixzError(f"{path} cannot be read", "a record that mixz wrote", again) from error

    def seen(self) -> dict[str, str]:
        """In which state inputs with these digests were when they were read."""
        return self._read().seen

    def note(
        self,
        verb: str,
        paths: Iterable[Path],
        made_from: Iterable[Path] = (),
        *,
        contents: Mapping[Path, str] | None = None,
        seen: Mapping[str, str] | None = None,
    ) -> None:
        """Note files that a verb has written, and from which noted ones.

        Parameters
        ----------
        verb
            Its name.
        paths
            The files; folders stand for all files in them.
        made_from
            The files that they were made from.
        contents
            The names of contents that are not the digests of bytes.
        seen
            The states of inputs that were read, by their digests.
        """
        before = self._known()
        known = dict(before.files)
        sources = {self._place(path): known[self._place(path)].name for path in made_from}
        for path in paths:
            for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
                if file.is_file():
                    content = (contents or {}).get(file)
                    known[self._place(file)] = Entry(
                        verb=verb, sha256=digest_of_file(file), content=content, made_from=sources
                    )
        there = {place: entry for place, entry in sorted(known.items()) if (self.folder / place).exists()}
        now = FilesRecord(files=there, seen=before.seen if seen is None else dict(seen))
        with replacing(self.folder / DIGESTS) as draft:
            draft.write_text(now.model_dump_json(indent=1, exclude_none=True) + "\n")
            seal(draft)

    def require(self, path: Path, verb: str) -> None:
        """Refuse a file that has changed since it was written, or was made from what is no longer there.

        Parameters
        ----------
        path
            The file.
        verb
            The verb that writes such files.

        Raises
        ------
        MixzError
            It has; the message says what is wrong and which verb to run.
        """
        known, place = self.read(), self._place(path)
        if place not in known:
            again = f"run `mixz {verb}` again"
            raise MixzError(f"{path} is not in {DIGESTS}: nobody knows what it was made from", "", again)
        if fault := self.fault(place, known):
            again = f"run `mixz {fault.verb}` again"
            raise MixzError(fault.of(self.folder / place, self.folder), "files made from what lies there", again)

    def fault(self, place: str, known: Mapping[str, Entry]) -> Fault | None:
        """The first thing wrong with a file, or with one that it was made from; None where nothing is."""
        entry, path = known[place], self.folder / place
        others = {name: other for name, other in known.items() if name != place}  # nothing is made from itself
        if not path.exists():
            return Fault(path, entry.verb, "is missing")
        if digest_of_file(path) != entry.sha256:
            return Fault(path, entry.verb, f"has changed since `mixz {entry.verb}` wrote it")
        for source, content in entry.made_from.items():
            if source not in others:
                return Fault(path, entry.verb, f"is stale: it was made from {source}, which is no longer there")
            if fault := self.fault(source, others):
                return fault
            if others[source].name != content:
                return Fault(path, entry.verb, f"is stale: it was made from another {source} than is there")
        return None

    def _known(self) -> FilesRecord:
        """What was noted before; a damaged record is begun anew."""
        try:
            return self._read()
        except MixzError:
            return FilesRecord()

    def _place(self, path: Path) -> str:
        return path.relative_to(self.folder).as_posix()
