"""The server of `mixz serve` among visitors that are many, slow, silent, gone, or from elsewhere."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

pytest.importorskip("fastapi", reason="needs mixz[serve]")
pytest.importorskip("uvicorn", reason="needs mixz[serve]")

from mixz.bridges.web.limits import Limits
from web_server import Scripted, Visitor, asked, running, until

QUICK = Limits(max_mb=2, silence_s=0.4, headers_s=0.4, stop_s=0.3, bytes_per_s=1000)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where uploads lie, and nothing else."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


@pytest.fixture(autouse=True)
def log(capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    """No visitor brings a traceback into the log."""
    yield
    assert "Traceback" not in capfd.readouterr().err


def test_many_slow_uploads_do_not_hold_up_the_page(folder: Path) -> None:
    with running(Scripted(), Limits()) as port, ExitStack() as open_until:
        slow = [open_until.enter_context(Visitor(port)) for _ in range(45)]
        for visitor in slow:
            visitor.begin("POST /api/photoz?name=a.csv", length=1_000_000)
            visitor.send(b"x")
        for request in ("GET /", "GET /api/model"):
            started = time.monotonic()
            assert asked(port, request).status == 200
            assert time.monotonic() - started < 1
        refused = [visitor.answer() for visitor in slow[8:]]
        assert {answer.status for answer in refused} == {503}
        assert int(refused[0].headers["retry-after"]) > 0
        assert "8 at a time" in refused[0].json()["allowed"]
        assert len(list(folder.iterdir())) == 8, "those refused take no room"


def test_one_table_is_at_work_and_the_page_answers_meanwhile() -> None:
    served = Scripted()
    with running(served, QUICK) as port, ExitStack() as open_until:
        waiting = [open_until.enter_context(Visitor(port)) for _ in range(8)]
        for visitor in waiting:
            visitor.begin(length=1)
            visitor.send(b"x")
        until(lambda: len(served.at_work) == 1)
        assert asked(port).body == b"the page"
        assert asked(port, "POST /api/photoz?name=a.csv", "Content-Length: 0").status == 503
        served.let_go.set()
        assert [visitor.answer().body for visitor in waiting] == [b"zzz"] * 8
        assert served.most_at_work == 1


def test_who_is_refused_may_finish_sending_and_ask_again() -> None:
    served = Scripted()
    with running(served, Limits(places=0, max_mb=2)) as port, Visitor(port) as visitor:
        visitor.begin(length=1_000_000)
        visitor.send(b"x" * 1_000_000)
        assert visitor.answer().status == 503
        visitor.begin("GET /", length=None)
        assert visitor.answer().status == 200


@pytest.mark.parametrize("when", ["sending", "waiting", "at work"])
def test_who_leaves_frees_the_place(when: str, folder: Path) -> None:
    served = Scripted()
    with running(served, Limits(places=2)) as port, Visitor(port) as first, Visitor(port) as leaving:
        if when == "waiting":
            first.begin(length=0)
            until(lambda: len(served.at_work) == 1)
        before = len(list(folder.iterdir()))
        leaving.begin(length=2)
        leaving.send(b"x" if when == "sending" else b"xx")
        until(lambda: len(list(folder.iterdir())) == before + 1)
        if when == "at work":
            until(lambda: len(served.at_work) == 1)
        leaving.socket.close()
        until(lambda: len(list(folder.iterdir())) == before)
        assert len(served.at_work) == (when == "waiting")
        served.let_go.set()
        assert asked(port, "POST /api/photoz?name=a.csv", "Content-Length: 0").status == 200
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("drip", [False, True])
def test_a_body_that_does_not_come_is_given_up(drip: bool, folder: Path) -> None:
    with running(Scripted(), QUICK) as port, Visitor(port) as visitor:
        visitor.begin(length=1000)
        started = time.monotonic()
        visitor.send(b"x")
        while drip and time.monotonic() < started + 0.35:
            visitor.send(b"x")
            time.sleep(0.05)
        answer = visitor.answer()
        assert answer.status == 408
        assert 0.3 < time.monotonic() - started < 1
        assert "too slowly" in answer.json()["given"]
        assert visitor.closed_after() < 1
        until(lambda: not list(folder.iterdir()))


@pytest.mark.parametrize("said", [b"", b"GET / HTTP/1.1\r\nHost: loc"])
def test_headers_that_do_not_come_are_given_up(said: bytes) -> None:
    with running(Scripted(), QUICK) as port, Visitor(port) as visitor:
        visitor.send(said)
        assert 0.2 < visitor.closed_after() < 2
        visitor.socket.close()
        assert asked(port).status == 200


def test_further_headers_on_the_same_line_are_given_up_too() -> None:
    with running(Scripted(), QUICK) as port, Visitor(port) as visitor:
        visitor.begin("GET /", length=None)
        assert visitor.answer().status == 200
        visitor.send(b"GET / HT")
        assert 0.2 < visitor.closed_after() < 2


def test_an_answer_that_nobody_takes_is_given_up(folder: Path) -> None:
    served = Scripted(size=30_000_000)
    served.let_go.set()
    with running(served, QUICK) as port, Visitor(port) as visitor:
        visitor.begin(length=0)
        until(lambda: len(list(folder.iterdir())) == 1)
        until(lambda: not list(folder.iterdir()))


def test_a_large_answer_is_whole(folder: Path) -> None:
    served = Scripted(size=5_000_000)
    served.let_go.set()
    with running(served, QUICK) as port:
        assert len(asked(port, "POST /api/photoz?name=a.csv", "Content-Length: 0").body) == 5_000_000
        until(lambda: not list(folder.iterdir()))


def test_enormous_headers_are_refused_and_the_page_answers() -> None:
    with running(Scripted(), QUICK) as port:
        with Visitor(port) as visitor:
            with suppress(ConnectionError):
                visitor.begin("GET /", "X: " + "x" * 3_000_000, length=None)
            assert visitor.closed_after() < 1
        assert asked(port).status == 200


STOPPED = """
import socket
from mixz.bridges.web.limits import Limits
from mixz.bridges.web.server import run_app
from web_server import Scripted, scripted_app
for hears in (True, False):
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        print(listening.getsockname()[1], flush=True)
        try:
            run_app(scripted_app(Scripted(hears=hears), Limits(stop_s=0.5)), listening)
        except KeyboardInterrupt:
            pass
"""


def test_it_stops_within_seconds_with_uploads_of_every_state(folder: Path) -> None:
    places = os.pathsep.join([str(Path(__file__).parents[1]), str(Path(__file__).parents[2] / "src")])
    environment = os.environ | {"TMPDIR": str(folder), "PYTHONPATH": places}
    command, pipe = [sys.executable, "-c", STOPPED], subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=environment) as process:
        try:
            for number in (signal.SIGINT, signal.SIGTERM):  # the first server's work hears that it shall stop
                assert process.stdout is not None
                port = int(process.stdout.readline())
                with Visitor(port) as working, Visitor(port) as waiting, Visitor(port) as sending, Visitor(port):
                    for visitor, sent in ((working, b"xx"), (waiting, b"xx"), (sending, b"x")):
                        visitor.begin(length=2)
                        visitor.send(sent)
                    until(lambda: len(list(folder.glob("mixz-*/upload.csv"))) == 3)
                    until(lambda: len(list(folder.glob("mixz-*/photoz.csv"))) == 1)
                    process.send_signal(number)
                    started = time.monotonic()
                    assert {visitor.answer().status for visitor in (working, waiting, sending)} == {503}
                    assert time.monotonic() - started < 3
                    until(lambda: not list(folder.glob("mixz-*")))
            _, told = process.communicate(timeout=10)
            assert (process.returncode, told) == (-signal.SIGTERM, "")
        finally:
            process.kill()
