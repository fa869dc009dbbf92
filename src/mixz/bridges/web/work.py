"""Work in a thread that can be asked to stop, and given up if it does not."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from mixz.progress import Bar

T = TypeVar("T")


class StoppedError(Exception):
    """Nobody waits for what is being done."""


async def in_thread(work: Callable[[Bar], T]) -> T:
    """What comes of work in a thread of its own.

    A first cancellation asks the work to stop, the next time it tells how far it is, and waits until it has; a second
    one gives it up.  The thread does not keep the program from ending.

    Parameters
    ----------
    work
        Given what to tell of its progress.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[tuple[T | None, Exception | None]] = loop.create_future()
    stop = threading.Event()

    def tell(done: float, total: float | None, words: str = "") -> None:  # noqa: ARG001 (a Bar)
        if stop.is_set():
            raise StoppedError

    def run() -> None:
        try:
            outcome: tuple[T | None, Exception | None] = work(tell), None
        except BaseException as error:  # an exit is no way out for a server
            outcome = None, error if isinstance(error, Exception) else RuntimeError(type(error).__name__)
        with suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(done.set_result, outcome)

    threading.Thread(target=run, name="mixz-prediction", daemon=True).start()
    try:
        result, error = await asyncio.shield(done)
    except asyncio.CancelledError:
        stop.set()
        await asyncio.wait({done})
        raise
    if error is not None:
        raise error
    return result  # type: ignore[return-value]  # without an error there is one
