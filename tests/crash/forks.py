"""A warm process that runs mixz in forked children, so that a kill does not cost the seconds that imports take.

It reads a JSON line per command, answers with the child's number, and with its exit code and time when it has ended.
A child may count every change that Python makes to files below a folder, and fail, or die, at the one it is told.
"""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time
import traceback
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from select import select
from typing import IO, Any

WARM = (
    "mixz.cli.verbs",
    "mixz.stages",
    "mixz.stages.challenge",
    "mixz.model.fit",
    "mixz.model.distillation",
    "mixz.model.training.step",
    "mixz.bridges.dask_members",
    "mixz.bridges.onnx_export",
    "mixz.bridges.qp_writers",
    "mixz.data.fetching.fetch",
    "mixz.data.formats.fits",
    "mixz.mock.survey",
    "mixz.mock.files",
    "mixz.report.figures",
    "mixz.report.page",
    "mixz.report.paper",
)
OPTIONAL = ("distributed", "hats", "onnxscript", "qp", "tables_io", "torch.onnx")
CHANGES = ("os.link", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.symlink", "os.truncate")
CLEARING = ("os.remove", "os.rmdir")
"""What a full or failing disk still allows."""
OTHER = ".other"
"""What the names of the streams of a second process end in."""


@dataclass
class Ended:
    """How a command ended: its exit code (negative: the signal that killed it), its time, and what it said."""

    code: int
    seconds: float
    out: str
    err: str


@dataclass
class Warm:
    """The warm process, from outside.

    Parameters
    ----------
    places
        Where what children say is kept.
    environment
        What it is started with besides.
    other
        The exit code of the second of two processes that did the same.
    """

    places: Path
    environment: dict[str, str] = field(default_factory=dict)
    other: int | None = None

    def __enter__(self) -> Warm:
        """Start it."""
        source = Path(__file__).parents[2] / "src"
        told = {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(source), "COLUMNS": "200"} | self.environment
        self.process: subprocess.Popen[str] = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ | told
        )
        assert self._answer(120.0) == {"warm": True}
        return self

    def __exit__(self, *_: object) -> None:
        """Let it end."""
        with self.process:  # which closes its pipes, and waits
            pass

    def run(
        self,
        arguments: list[str],
        *,
        cwd: Path,
        send: signal.Signals = signal.SIGKILL,
        after: float | None = None,
        limit: float = 300.0,
        **child: Any,
    ) -> Ended:
        """Run a command, and send it a signal after some seconds if that is asked for.

        `child` is what `_child` looks at.
        """
        out, err = self.places / "out.txt", self.places / "err.txt"
        request = {"arguments": arguments, "cwd": str(cwd), "out": str(out), "err": str(err)} | child
        self._ask(request)
        answer = self._answer(10.0)
        assert answer is not None
        number = answer["pid"]
        ended = self._answer(limit if after is None else after)
        if ended is None:
            os.kill(number, send)
            ended = self._answer(limit)
        if ended is None:
            os.kill(number, signal.SIGKILL)
            raise AssertionError(f"mixz {' '.join(arguments)} hangs")
        self.other = ended.get("other")
        said = [stream.read_text("utf-8", "replace") for stream in (out, err)]
        return Ended(ended["code"], ended["seconds"], *said)

    def _ask(self, request: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()

    def _answer(self, seconds: float) -> dict[str, Any] | None:
        assert self.process.stdout is not None
        ready, _, _ = select([self.process.stdout], [], [], seconds)
        return dict(json.loads(self.process.stdout.readline())) if ready else None


@dataclass
class Changes:
    """Counts the changes that Python makes to files below a folder, and does something at one of them.

    Parameters
    ----------
    below
        The folder.
    at
        The number of the change to do something at; 0 only counts.
    how
        ``kill``, or the name of the error that this change and all later ones fail with (``once``: only this one).
    """

    below: str
    at: int = 0
    how: str = "kill"
    once: bool = False
    count: int = 0

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Hear of anything that Python does (`sys.addaudithook`)."""
        if event == "open":
            path, _, flags = arguments
            if not flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
                return
        elif event in CHANGES:
            path = arguments[0]
        else:
            return
        if isinstance(path, int):
            return  # it was opened before
        if not os.path.abspath(os.fsdecode(path)).startswith(self.below):  # noqa: PTH100  # paths open files, too
            return
        self.count += 1
        if self.at and self.how == "kill" and self.count == self.at:
            os.kill(os.getpid(), signal.SIGKILL)
        failing = self.count == self.at if self.once else self.count >= self.at
        if self.at and failing and self.how != "kill" and event not in CLEARING:
            number = getattr(errno, self.how)
            raise OSError(number, os.strerror(number), os.fsdecode(path))


def _child(request: dict[str, Any]) -> int:
    """Run a command in this process."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background is started deaf to it
    os.chdir(request["cwd"])
    for number, name in ((1, "out"), (2, "err")):
        stream = os.open(request[name], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(stream, number)
        os.close(stream)
    for number in request.get("closed", ()):
        os.close(number)
    if request.get("deaf"):
        nobody, pipe = os.pipe()
        os.close(nobody)
        os.dup2(pipe, 1)
    os.environ.update(request.get("environment", {}))
    for name in request.get("without", ()):
        os.environ.pop(name, None)
    if "published" in request:
        _publish(request["published"])
    if "most_bytes" in request:
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (request["most_bytes"],) * 2)
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    if request.get("powerless"):
        _give_up_powers()
    changes = Changes(**request["changes"]) if "changes" in request else None
    if changes is not None:
        sys.addaudithook(changes)
    sys.argv = ["mixz", *request["arguments"]]
    from mixz.cli import main

    try:
        main()
        code = 0
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except BaseException:
        traceback.print_exc()
        code = 1
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    if changes is not None:
        Path(request["out"] + ".changes").write_text(str(changes.count))
    return code


def _give_up_powers() -> None:
    """Make root as anybody else, whom a folder's rights hold back."""
    import ctypes

    version, process = 0x20080522, 0
    header, none = (ctypes.c_uint32 * 2)(version, process), (ctypes.c_uint32 * 6)()
    if ctypes.CDLL(None, use_errno=True).capset(header, none):
        raise OSError(ctypes.get_errno(), "capset")


def _publish(files: dict[str, str]) -> None:
    """Let `mixz fetch` know one data set, whose files are at these addresses."""
    from mixz.data.fetching.registry import DataSet
    from mixz.stages import fetch

    told = [{"name": name, "url": url} for name, url in files.items()]
    about = {"title": "a data set", "page": "http://127.0.0.1", "files": told}
    made = DataSet.model_validate(about | {k: "none" for k in _required(DataSet) if k not in about})
    fetch.load_registry = lambda: {"things": made}  # type: ignore[attr-defined]


def _required(model: Any) -> list[str]:
    return [name for name, one in model.model_fields.items() if one.is_required()]


def _forked(request: dict[str, Any]) -> int:
    """The number of a new child that does what is asked."""
    number = os.fork()
    if number == 0:
        code = 1
        try:
            code = _child(request)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    return number


def _serve(requests: IO[str], answers: IO[str]) -> None:
    """Fork a child for every request."""
    print(json.dumps({"warm": True}), file=answers, flush=True)
    for line in requests:
        started, request = time.monotonic(), json.loads(line)
        number = _forked(request)
        other = _forked(request | {name: request[name] + OTHER for name in ("out", "err")}) if "twice" in request else 0
        print(json.dumps({"pid": number}), file=answers, flush=True)
        _, status = os.waitpid(number, 0)
        ended = {"code": os.waitstatus_to_exitcode(status), "seconds": time.monotonic() - started}
        if other:
            ended["other"] = os.waitstatus_to_exitcode(os.waitpid(other, 0)[1])
        print(json.dumps(ended), file=answers, flush=True)


if __name__ == "__main__":
    for name in (*WARM, *(one for one in OPTIONAL if find_spec(one.partition(".")[0]))):
        try:
            import_module(name)
        except ImportError:  # an extra that is not installed
            continue
    _serve(sys.stdin, os.fdopen(os.dup(1), "w"))
