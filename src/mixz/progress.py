"""Progress a person can follow: bars with time left on a terminal, plain lines elsewhere."""

from __future__ import annotations

import math
import time
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Protocol

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

PLAIN_SECONDS = 10.0
"""Off a terminal a task says something at most this often."""


class Bar(Protocol):
    """What a long task tells: how far it is, how far it will go, and a few words."""

    def __call__(self, done: float, total: float | None, words: str = "") -> None:
        """Report that `done` of `total` is done; None where nobody knows how much there is."""
        ...


@contextmanager
def progress_bar(title: str, console: Console) -> Iterator[Bar]:
    """Show a task's progress on `console` while the block runs.

    Parameters
    ----------
    title
        What is being done, e.g. ``"train tl, step 2 of 2"``.
    console
        Where to; off a terminal plain lines are printed instead of a bar.
    """
    if console.is_terminal or console.is_jupyter:
        with _rich_bar(title, console) as bar:
            yield bar
    else:
        started = time.monotonic()
        console.print(f"{title} ...", highlight=False)
        yield _plain_bar(title, console)
        console.print(f"{title}: done in {time.monotonic() - started:.0f} s", highlight=False)


def busy(title: str, console: Console) -> AbstractContextManager[object]:
    """Show that something is going on, where somebody is looking."""
    return console.status(title) if console.is_terminal or console.is_jupyter else nullcontext()


def duration(seconds: float) -> str:
    """A length of time in words, to two figures.

    Examples
    --------
    >>> [duration(seconds) for seconds in (4.2, 75, 3_000, 10_000, 300_000)]
    ['5 s', '75 s', '50 min', '2.8 h', '3.5 days']
    """
    if seconds < 100:
        return f"{math.ceil(seconds / 5) * 5} s"
    for length, unit in ((60, "min"), (3600, "h"), (86400, "days")):
        if seconds < 100 * length and (unit != "h" or seconds < 48 * length):
            break
    number = seconds / length
    return f"{number:.0f} {unit}" if number >= 10 else f"{number:.1f} {unit}"


@contextmanager
def _rich_bar(title: str, console: Console) -> Iterator[Bar]:
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[words]}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task(title, total=None, words="")
        yield lambda done, total, words="": progress.update(task, completed=done, total=total, words=words)


def _plain_bar(title: str, console: Console) -> Bar:
    started = last = time.monotonic()

    def say(done: float, total: float | None, words: str = "") -> None:
        nonlocal last
        now = time.monotonic()
        if now - last < PLAIN_SECONDS or not done:
            return
        last = now
        of, left = "", ""
        if total is not None:
            of, left = f" of {total:,.0f}", f"  about {duration((now - started) * (total - done) / done)} left"
        console.print(f"{title}: {done:,.0f}{of}  {words}{left}", highlight=False)

    return say
