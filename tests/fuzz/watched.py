"""A worker that is watched: what hangs, crashes or eats memory is ended, told, and replaced."""

from __future__ import annotations

import multiprocessing
import os
import tempfile
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Any

from fuzz.files import Files
from fuzz.worker import SECONDS, Outcome, work

MOST_MEGABYTES = 1_000.0
"""Memory that a process may have in all, Python and libraries included."""
WAITING = 6.0
"""A reader that does nothing so many times as long as one may take hangs: a machine may be busy with other things."""
INPUTS = 3_000
"""After so many a worker is replaced, before what libraries keep adds up."""


class Watched:
    """A process that reads."""

    def __init__(self) -> None:
        self._context = multiprocessing.get_context("spawn")
        self._trace = Path(tempfile.mkstemp(prefix="mixz-fuzz-", suffix=".trace")[1])
        self._process: Any = None
        self._connection: Any = None
        self._done = 0
        self.warm: set[str] = set()

    def __enter__(self) -> Watched:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._end()
        self._trace.unlink(missing_ok=True)

    def read(self, reader: str, files: Files) -> Outcome:
        """What comes of an input."""
        if self._process is None or self._done >= INPUTS:
            self._begin()
        self._done += 1
        self._connection.send((reader, files))
        # The first time libraries are imported, which is no fault of the input.
        allowed = SECONDS if reader in self.warm else 60
        self.warm.add(reader)
        began, ends = self._cpu_seconds(), monotonic() + WAITING * allowed
        while not self._connection.poll(0.2 if self._done else 0):
            if not self._process.is_alive():
                return self._lost("crash")
            if self._megabytes() > 2 * MOST_MEGABYTES:
                return self._lost("memory")
            if self._cpu_seconds() - began > allowed or monotonic() > ends:
                return self._lost("hang")
        try:
            outcome: Outcome = self._connection.recv()
        except (EOFError, OSError):
            return self._lost("crash")
        if outcome.megabytes > MOST_MEGABYTES and not outcome.is_finding:
            self._end()  # what it still holds would count against the next one
            return Outcome("memory", outcome.place, outcome.words, outcome.megabytes)
        return outcome

    def _begin(self) -> None:
        self._end()
        self._connection, theirs = self._context.Pipe()
        self._process = self._context.Process(target=work, args=(theirs, self._trace), daemon=True)
        self._process.start()
        theirs.close()
        self._done = 0

    def _lost(self, kind: str) -> Outcome:
        megabytes = self._megabytes()
        code = self._process.exitcode
        self._end()
        trace = self._trace.read_text(errors="replace")
        inner = [line.strip() for line in trace.splitlines() if "/mixz/" in line]
        return Outcome(
            kind, f"{code if kind == 'crash' else ''} {inner[0] if inner else ''}", trace[-4_000:], megabytes
        )

    def _megabytes(self) -> float:
        try:
            pages = int(Path(f"/proc/{self._process.pid}/statm").read_text().split()[1])
        except (OSError, IndexError):
            return 0.0
        return pages * 4096 / 1e6

    def _cpu_seconds(self) -> float:
        try:
            told = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        except (OSError, IndexError):
            return 0.0
        return (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._connection.close()
        self._process, self.warm = None, set()
