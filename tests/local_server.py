"""A small web server on this machine whose files can be good, broken, slow or gone."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@dataclass
class Served:
    """How one path is answered.

    Parameters
    ----------
    body
        The whole file.
    status
        Status of the answer, when it is no success.
    breaks_at
        One entry per answer: how many bytes of it are sent before the connection breaks; after the last, all.
    silent_s
        One entry per answer: how long the server says nothing first.
    headers
        Further headers; an ``ETag`` lets a client resume.
    ranges
        Whether the server can send a part of the file.
    """

    body: bytes = b""
    status: int = 200
    breaks_at: list[int] = field(default_factory=list)
    silent_s: list[float] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=lambda: {"ETag": '"one"'})
    ranges: bool = True


class Server(ThreadingHTTPServer):
    """A server of `files`, which remembers what it was asked."""

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files: dict[str, Served] = {}
        self.asked: list[tuple[str, str, str]] = []
        self.stop = threading.Event()

    def serve(self, name: str, body: bytes = b"", **how: Any) -> None:
        """Answer `name` with `body`, in the way that `how` says (see `Served`)."""
        self.files[name] = Served(body, **how)

    def serve_record(self, number: int, files: Mapping[str, bytes], *, link: str = "self", **how: Any) -> None:
        """Answer like Zenodo: a record as JSON, and the content of its files, in the way that `how` says."""
        listed = []
        for name, body in files.items():
            path = f"api/records/{number}/files/{name}/content"
            self.serve(path, body, **how)
            md5 = hashlib.md5(body, usedforsecurity=False).hexdigest()
            listed.append({"key": name, "size": len(body), "checksum": f"md5:{md5}", "links": {link: self.url(path)}})
        answer = json.dumps({"id": number, "metadata": {"title": "t"}, "files": listed})
        self.serve(f"api/records/{number}", answer.encode(), headers={"Content-Type": "application/json"})

    def url(self, name: str) -> str:
        """The address of `name`."""
        return f"http://127.0.0.1:{self.server_port}/{name}"


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def _answer(self, *, with_body: bool) -> None:
        name = self.path.lstrip("/")
        self.server.asked.append((self.command, name, self.headers.get("Range", "")))
        file = self.server.files.get(name, Served(status=404))
        if file.silent_s and self.server.stop.wait(file.silent_s.pop(0)):
            return
        start = self._start(file)
        status = 416 if start >= len(file.body) and start else 206 if start else file.status
        content = b"" if status >= 400 else file.body[start:]
        self.send_response(status)
        for header, value in file.headers.items():
            self.send_header(header, value)
        if status in (206, 416):
            self.send_header("Content-Range", f"bytes {start}-{len(file.body) - 1}/{len(file.body)}")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if with_body:
            self.wfile.write(content[: file.breaks_at.pop(0)] if file.breaks_at else content)

    def _start(self, file: Served) -> int:
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        same = self.headers.get("If-Range") == file.headers.get("ETag")
        return int(asked[1]) if asked and same and file.ranges else 0

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield server
        server.stop.set()
        server.shutdown()
        thread.join()
