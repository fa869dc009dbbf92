"""The server of `mixz serve` around a model that does as a test says, and visitors whose every byte is the test's."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mixz.bridges.model_columns import Asked
from mixz.bridges.web.app import web_app
from mixz.bridges.web.limits import Limits
from mixz.progress import Bar


@dataclass
class Scripted:
    """A model whose work is to wait until it is let go.

    Parameters
    ----------
    hears
        Whether it tells of progress while it waits, so that it can be stopped.
    size
        Bytes of what it writes.
    """

    hears: bool = True
    size: int = 3
    let_go: threading.Event = field(default_factory=threading.Event)
    at_work: list[Path] = field(default_factory=list)
    most_at_work: int = 0

    about: Mapping[str, Any] = field(default_factory=lambda: {"bands": ["g"]})

    def write(self, table: Path, output: Path, _asked: Asked, _group: str | None, bar: Bar) -> list[str]:
        """Begin to write, wait, and write."""
        self.at_work.append(table)
        output.touch()
        self.most_at_work = max(self.most_at_work, len(self.at_work))
        try:
            while not self.let_go.wait(0.01):
                if self.hears:
                    bar(0, None)
            output.write_bytes(b"z" * self.size)
        finally:
            self.at_work.remove(table)
        return []

    def show(self, table: Path, _asked: Asked, _group: str | None, _bar: Bar) -> Mapping[str, Any]:
        """What has come."""
        return {"came": table.read_text(), "notes": []}


def scripted_app(served: Scripted, limits: Limits) -> Any:
    """The app around it."""
    return web_app(served, page="the page", scripts={}, hosts=["127.0.0.1", "localhost"], limits=limits)


@contextmanager
def running(served: Scripted, limits: Limits) -> Iterator[int]:
    """Run a server in a thread, and tell its port."""
    from mixz.bridges.web.server import app_server

    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(100)
        server = app_server(scripted_app(served, limits))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            served.let_go.set()
            server.should_exit = True
            thread.join()


@dataclass(frozen=True)
class Answer:
    """What a server has said."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body, as JSON."""
        return json.loads(self.body)


class Visitor:
    """A visitor whose every byte is the test's."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)

    def __enter__(self) -> Visitor:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        """Say something."""
        self.socket.sendall(data)

    def begin(self, request: str = "POST /api/photoz?name=a.csv", *headers: str, length: int | None = 10) -> None:
        """Say what is wanted, and that so many bytes are to come."""
        told = [f"{request} HTTP/1.1", "Host: localhost", *headers]
        told += [f"Content-Length: {length}"] if length is not None else []
        self.send("".join(f"{line}\r\n" for line in [*told, ""]).encode())

    def answer(self) -> Answer:
        """Hear one answer."""
        with self.socket.makefile("rb") as file:
            status = int(file.readline().split()[1])
            headers = {}
            while line := file.readline().strip().decode():
                name, _, value = line.partition(": ")
                headers[name.lower()] = value
            return Answer(status, headers, file.read(int(headers["content-length"])))

    def closed_after(self) -> float:
        """Wait until the server has closed the connection, and tell how long it took."""
        started = time.monotonic()
        try:
            while self.socket.recv(65_536):
                pass
        except ConnectionResetError:
            pass
        return time.monotonic() - started


def asked(port: int, request: str = "GET /", *headers: str) -> Answer:
    """Ask for something, and hear the answer."""
    with Visitor(port) as visitor:
        visitor.begin(request, *headers, length=None)
        return visitor.answer()


def until(so: Callable[[], bool], seconds: float = 5) -> None:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not so():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.005)
