"""A word while libraries load: torch, astropy and pandas take seconds before a verb can say anything itself."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from mixz.cli.loudness import is_quiet

if TYPE_CHECKING:
    from collections.abc import Iterator

WORDS = "mixz: loading ..."
CLEAR_LINE = "\r\033[2K"
IN_NOTEBOOK = "JPY_PARENT_PID"
"""Jupyter tells its kernels by this variable, and they what they start, which they give a terminal."""


@contextmanager
def loading() -> Iterator[None]:
    """Say on a terminal that something loads while the block runs, and take the line back afterwards.

    It goes to standard error, since standard output is for results; off a terminal nothing is said, nor in a notebook,
    whose cells show by themselves that they run and would keep the line.
    """
    watched = sys.stderr.isatty() and not is_quiet() and IN_NOTEBOOK not in os.environ
    if watched:
        sys.stderr.write(WORDS)
        sys.stderr.flush()
    try:
        yield
    finally:
        if watched:
            sys.stderr.write(CLEAR_LINE)
            sys.stderr.flush()
