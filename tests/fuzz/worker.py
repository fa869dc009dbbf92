"""A process that reads damaged files one after another and tells what came of each, and what memory it took."""

from __future__ import annotations

import contextlib
import faulthandler
import gc
import hashlib
import os
import re
import resource
import shutil
import sys
import tempfile
import traceback
import warnings
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from fuzz.files import Files, write
from fuzz.readers import READERS, Reader
from mixz.errors import MixzError

ADDRESSES = 6 << 30
"""Bytes of addresses beyond those of the start that a reader may ask for: what is more fails at once."""
SECONDS = 10.0
"""How long a reader may take, on a core of its own."""
IN_MEMORY = Path("/dev/shm")
"""Where files are quick to make and to remove, if it is there."""


@dataclass(frozen=True)
class Outcome:
    """What came of an input.

    Parameters
    ----------
    kind
        ``value``, ``refused``, or what it must not be: ``error``, ``unheard``, ``warning``; and by who
        watches over the process ``hang``, ``memory`` or ``crash``.
    place
        Where in the code it was refused, or went wrong: the same for the same fault.
    words
        The message, or the whole trace.
    megabytes
        The most memory that the process had.
    """

    kind: str
    place: str = ""
    words: str = ""
    megabytes: float = 0.0

    @property
    def is_finding(self) -> bool:
        """Whether it breaks the promise."""
        return self.kind not in ("value", "refused")

    @property
    def signature(self) -> str:
        """A short name of the kind and the place."""
        return hashlib.sha256(f"{self.kind} {self.place}".encode()).hexdigest()[:10]


def outcome_of(reader: Reader, files: Files, home: Path) -> Outcome:
    """Read an input in a folder that is empty before and afterwards; errors that Python only prints are heard too."""
    unheard: list[BaseException] = []
    before = sys.unraisablehook
    sys.unraisablehook = lambda told: unheard.append(told.exc_value or told.exc_type())
    try:
        outcome = _read(reader, files, home)
    finally:
        sys.unraisablehook = before
    return Outcome("unheard", _place(unheard[0]), str(unheard[0])) if unheard else outcome


def _read(reader: Reader, files: Files, home: Path) -> Outcome:
    folder = home / "in"
    folder.mkdir()
    here = Path.cwd()
    try:
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            warnings.filterwarnings("ignore", category=ResourceWarning)
            reader.read(write(files, folder))
        if told:
            first = told[0]
            return Outcome(
                "warning", f"{first.category.__name__} {_short(first.filename)}:{first.lineno}", str(first.message)
            )
        return Outcome("value")
    except MixzError as error:
        return Outcome("refused", _place(error), str(error)[:2_000])
    except BaseException as error:  # a panic of Rust is no Exception
        if isinstance(error, KeyboardInterrupt):
            raise
        return Outcome("error", _place(error), "".join(traceback.format_exception(error))[-4_000:])
    finally:
        os.chdir(here)
        shutil.rmtree(folder, ignore_errors=True)


def _place(error: BaseException) -> str:
    """The lines where an error and those before it began."""
    parts = []
    while error is not None and len(parts) < 4:
        frames = traceback.extract_tb(error.__traceback__)
        where = f"{_short(frames[-1].filename)}:{frames[-1].lineno}" if frames else ""
        said = re.sub(r"'.*'|\".*\"|\S*/\S*|[\d,.]+|0x[0-9a-f]+|[^ -~]+", "", str(error).partition("\n")[0])[:80]
        parts.append(f"{type(error).__name__} {where} {said.strip()}")
        error = error.__cause__  # type: ignore[assignment]
    return " < ".join(parts)


def _short(name: str) -> str:
    return "/".join(Path(name).parts[-3:])


def _peak_megabytes(*, begin: bool) -> float:
    """The most memory the process has had since the last beginning (Linux)."""
    if begin:
        with contextlib.suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5")
        return 0.0
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1000
    return 0.0


def work(connection: Connection, trace: Path) -> None:
    """Serve inputs until there are no more; where a reader hangs or crashes, its trace is left in a file."""
    os.environ["OMP_NUM_THREADS"] = "1"
    with contextlib.suppress(EOFError, ConnectionError):  # nobody asks any more
        _serve(connection, trace)


def _serve(connection: Connection, trace: Path) -> None:
    file = trace.open("w")
    faulthandler.enable(file)
    by_name = {reader.name: reader for reader in READERS}
    pages = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (pages + ADDRESSES, pages + ADDRESSES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with tempfile.TemporaryDirectory(prefix="mixz-fuzz-", dir=IN_MEMORY if IN_MEMORY.is_dir() else None) as home:
        tempfile.tempdir = home
        os.chdir(home)
        number = 0
        while (sent := connection.recv()) is not None:
            name, files = sent
            _peak_megabytes(begin=True)
            faulthandler.dump_traceback_later(SECONDS * 0.9, repeat=True, file=file)
            outcome = outcome_of(by_name[name], files, Path(home))
            faulthandler.cancel_dump_traceback_later()
            connection.send(Outcome(outcome.kind, outcome.place, outcome.words, _peak_megabytes(begin=False)))
            number += 1
            if number % 200 == 0:
                gc.collect()
