"""Tables that come in: so many at a time, each on disk for as long as it is used, one at work."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from pathlib import Path, PurePath
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, TypeVar

from starlette.requests import ClientDisconnect

from mixz.bridges.web.answers import RefusedError
from mixz.bridges.web.arrival import receive
from mixz.bridges.web.work import in_thread
from mixz.errors import MixzError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator
    from contextlib import ExitStack

    from starlette.requests import Request

    from mixz.bridges.web.limits import Limits
    from mixz.progress import Bar

T = TypeVar("T")

RETRY_S = 10
"""When to come back, for who finds no place."""


class Uploads:
    """The queue of tables.

    Parameters
    ----------
    limits
        How many there may be at a time, how large and how slow.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits, self.stopping = limits, False
        self._taken = 0
        self._one_at_a_time = asyncio.Lock()
        self._under_way: set[asyncio.Task[Any]] = set()

    async def use(self, request: Request, name: str, work: Callable[[Path, Bar], T]) -> T:
        """What comes of a table, which stays with all that is written beside it until the request is answered.

        Parameters
        ----------
        request
            The request, whose body is the table.
        name
            What the visitor calls it; its ending says the format.
        work
            Called in a thread with the table's path and what is told of progress, which may raise to stop it.

        Raises
        ------
        RefusedError
            There is no place, the body comes too slowly, or the server stops.
        MixzError
            As `work`, or the body is too long or damaged.
        ClientDisconnect
            The visitor left before the work was done.
        """
        leaving: ExitStack = request.state.leaving
        leaving.enter_context(self._place())
        folder = leaving.enter_context(TemporaryDirectory(prefix="mixz-", ignore_cleanup_errors=True))
        table = Path(folder, f"upload{_ending(name)}")
        try:
            with self._ends_with_server():
                await receive(request, table, self.limits, packed=name.lower().endswith(".gz"))
                return await _while_there(request, self._alone(lambda bar: work(table, bar)))
        except MixzError as error:
            parts = (error.given, error.allowed, error.do)
            raise type(error)(*(called(part, table, name) for part in parts)) from error

    def stop(self) -> None:
        """Refuse what comes, and end what is under way; work that goes on is given up when this is called again."""
        self.stopping = True
        for task in self._under_way:
            task.cancel()

    @contextmanager
    def _place(self) -> Iterator[None]:
        """Take one of the places, if there is any; at once, before a byte of the body is read."""
        if self.stopping:
            raise _stopping()
        if self._taken >= self.limits.places:
            error = MixzError(
                f"{self._taken} tables are being received, waiting or at work",
                f"{self.limits.places} at a time",
                f"send it again in {RETRY_S} s",
            )
            raise RefusedError(503, error, {"Retry-After": str(RETRY_S)})
        self._taken += 1
        try:
            yield
        finally:
            self._taken -= 1

    @contextmanager
    def _ends_with_server(self) -> Iterator[None]:
        task = asyncio.current_task()
        assert task is not None, "requests are answered in tasks"
        self._under_way.add(task)
        try:
            yield
        except asyncio.CancelledError:
            if self.stopping:
                raise _stopping() from None
            raise
        finally:
            self._under_way.discard(task)

    async def _alone(self, work: Callable[[Bar], T]) -> T:
        async with self._one_at_a_time:
            return await in_thread(work)


def called(words: str, table: Path, name: str) -> str:
    """Words about a table, by the visitor's name for it and without its place on this machine."""
    return words.replace(f"{table.parent}/", "").replace(table.name, name)


def _stopping() -> RefusedError:
    error = MixzError("the server is being stopped", "", "send it again when it runs")
    return RefusedError(503, error, {"Retry-After": str(RETRY_S), "Connection": "close"})


async def _while_there(request: Request, doing: Coroutine[Any, Any, T]) -> T:
    """Wait for what is done for a visitor, but not when the visitor has left."""
    task = asyncio.ensure_future(doing)
    left = asyncio.ensure_future(_leaves(request))
    try:
        await asyncio.wait({task, left}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise ClientDisconnect
        return task.result()
    finally:
        task.cancel()
        left.cancel()
        await asyncio.gather(task, left, return_exceptions=True)


async def _leaves(request: Request) -> None:
    """Wait until a visitor whose body is complete has left."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _ending(name: str) -> str:
    """The ending of an unpacked file's name, plain letters only: it becomes part of a path here."""
    ending = PurePath(name.lower().removesuffix(".gz")).suffix
    return "".join(c for c in ending if c.isascii() and (c.isalnum() or c == "."))[:16]
