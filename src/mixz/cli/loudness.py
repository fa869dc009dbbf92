"""How much a verb says: `-q` only what was asked for and errors, `-v` also what libraries say, time and memory."""

from __future__ import annotations

import logging
import sys
import time
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Literal

from mixz.progress import duration

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Loudness = Literal["quiet", "usual", "verbose"]
FLAGS: dict[str, Loudness] = {"-q": "quiet", "--quiet": "quiet", "-v": "verbose", "--verbose": "verbose"}
"""They may stand anywhere on the command line."""

_now: ContextVar[Loudness] = ContextVar("loudness", default="usual")


def told_in(arguments: Sequence[str]) -> tuple[Loudness, list[str]]:
    """How loud a command line asks to be, and the rest of it.

    Examples
    --------
    >>> told_in(["build", "-q", "a.yaml"])
    ('quiet', ['build', 'a.yaml'])
    """
    asked = [FLAGS[argument] for argument in arguments if argument in FLAGS]
    return (asked[-1] if asked else "usual"), [argument for argument in arguments if argument not in FLAGS]


def is_quiet() -> bool:
    """Whether only errors, and what was asked for, are to be said."""
    return _now.get() == "quiet"


@contextmanager
def speaking(loudness: Loudness) -> Iterator[None]:
    """Be so loud while the block runs; verbose, say at its end how long it took and what memory it held."""
    before = _now.set(loudness)
    began = time.monotonic()
    if loudness == "verbose":
        logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(name)s: %(message)s")
    try:
        yield
    finally:
        _now.reset(before)
        if loudness == "verbose":
            print(f"mixz: took {duration(time.monotonic() - began)}{_memory()}", file=sys.stderr)


def _memory() -> str:
    """The most memory that this process held, in words; nothing where the system does not tell."""
    try:
        import resource
    except ImportError:  # Windows
        return ""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e9 if sys.platform == "darwin" else 1e6)
    return f", and {most:.1f} GB of memory at most"
