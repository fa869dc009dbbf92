"""How a verb ends early: by a mistake, a machine that fails, a signal, or nobody who listens."""

from __future__ import annotations

import io
import os
import signal
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType, TracebackType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""What asks a program to stop: Ctrl-C, `kill` and batch systems, a terminal that closes."""


class Stopped(BaseException):  # no error, and no `KeyboardInterrupt`: others end that without a word
    """Somebody asked the program to stop."""


class Stops:
    """Turns the first signal that asks to stop into `Stopped`, wherever the program is; the second one kills.

    Signals that were ignored before (``nohup``) stay so.
    """

    def __init__(self) -> None:
        self.heard: signal.Signals | None = None
        self._before: dict[signal.Signals, object] = {}

    def __enter__(self) -> Stops:
        """Begin to listen; only the main thread of a program can."""
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                if signal.getsignal(number) is not signal.SIG_IGN:
                    self._before[number] = signal.signal(number, self._hear)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Leave signals to whom they were before."""
        for number, handler in self._before.items():
            if signal.getsignal(number) in (self._hear, signal.SIG_DFL):
                signal.signal(number, handler)  # type: ignore[arg-type]

    def _hear(self, number: int, _frame: FrameType | None) -> None:
        self.heard = signal.Signals(number)
        for other in self._before:
            signal.signal(other, signal.SIG_DFL)
        raise Stopped


def steady_streams() -> None:
    """Make the program's own streams fit for anything: closed ones lead nowhere, letters they lack become ``?``.

    Where a stream is closed the next file that is opened would take its place, and libraries would print into it.
    """
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number, which is this
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def told(error: BaseException, stops: Stops) -> int | None:
    """Tell the user of an error that is none of the program's, and give the exit code; None for all others."""
    from mixz.errors import MixzError

    done = isinstance(error, SystemExit) and not error.code
    if stops.heard is not None and not done:  # whatever came of it on its way through libraries
        _say(f"stopped ({stops.heard.name}); every file written so far is whole")
        return 128 + stops.heard
    if isinstance(error, OSError | MemoryError):
        error = _of_the_machine(error)
    if isinstance(error, MixzError):
        _say(str(error))
        return 2
    return None


def _of_the_machine(error: OSError | MemoryError) -> Exception:
    """A message for what the machine refused where nobody expected it."""
    from mixz.errors import MixzError

    if isinstance(error, MemoryError):
        return MixzError("there is not enough memory", "", "end other programs, or take smaller tables")
    where = ", ".join(str(name) for name in (error.filename, error.filename2) if name is not None)
    reason = error.strerror or str(error) or type(error).__name__
    return MixzError(
        f"{where}: {reason}" if where else reason,
        "files and folders that can be read and written, on a disk with room",
        "see to that, then give the same command again (--debug shows where it happened)",
    )


def _say(text: str) -> None:
    with suppress(OSError, ValueError):  # nobody may be there to hear it
        print(f"mixz: {text}", file=sys.stderr, flush=True)
