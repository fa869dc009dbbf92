"""Machines that fail: full, read-only and broken disks, signals, nobody who listens, no home, two at once."""

from __future__ import annotations

import fcntl
import os
import pty
import shutil
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from forks import OTHER
from harness import BY_NAME, STOPPED, Crashes, contents, one_message, same_content

SEED = int(os.environ.get("MIXZ_SEED", "1"))
SIGNALS = {"build": signal.SIGHUP, "train": signal.SIGINT, "evaluate": signal.SIGTERM}
"""`make torture` sends signals to all verbs."""


@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("build", "EIO"),
        ("build", "ENOSPC"),
        ("train", "EIO"),
        ("evaluate", "ENOSPC"),
        ("predict", "EIO"),
        ("pack", "EIO"),
    ],
)
def test_a_disk_that_fails_at_a_chosen_write(name: str, how: str, crashes: Crashes) -> None:
    tally = crashes.fail(BY_NAME[name], how=how, times=2, seed=SEED)
    assert tally.differences == []


@pytest.mark.parametrize("name", SIGNALS)
def test_a_signal_ends_a_verb_in_one_line(name: str, crashes: Crashes) -> None:
    tally = crashes.kill(BY_NAME[name], kills=1, seed=SEED, send=SIGNALS[name])
    assert tally.differences == []


@contextmanager
def small_disk(place: Path, kilobytes: int) -> Iterator[Path]:
    """A disk of its own."""
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "mixz-test", str(place)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.mark.parametrize(("name", "room"), [("build", 20), ("train", 12), ("predict", 8), ("evaluate", 30)])
def test_a_full_disk(name: str, room: int, crashes: Crashes, tmp_path: Path) -> None:
    """What is there fits, what is to come does not: one line, and all that was there is as it was."""
    verb = BY_NAME[name]
    crashes.prepare(verb)
    crashes.undisturbed(verb)
    crashes.prepare(verb)
    before = contents(crashes.home)
    with small_disk(tmp_path / "disk", 20_000) as disk:
        shutil.copytree(crashes.home, disk / "home")
        with (disk / "filler").open("wb", buffering=0) as filler, suppress(OSError):
            while filler.write(bytes(4096)):
                pass
        os.truncate(disk / "filler", (disk / "filler").stat().st_size - room * 1024)
        ended = crashes.warm.run(list(verb.arguments), cwd=disk / "home")
        assert one_message(ended) == []
        assert "No space left on device" in ended.err
        after = contents(disk / "home")
        assert {name: after.get(name) for name in before} == before
        (disk / "filler").unlink()
        assert crashes.warm.run(list(verb.arguments), cwd=disk / "home").code == 0
        assert not list((disk / "home").rglob(".mixz-*"))


@pytest.mark.parametrize("name", ["build", "train", "predict", "pack"])
def test_files_that_may_not_grow(name: str, crashes: Crashes) -> None:
    verb = BY_NAME[name]
    crashes.prepare(verb)
    before = contents(crashes.home)
    ended = crashes.run(verb, most_bytes=2_000)
    assert one_message(ended) == []
    assert "File too large" in ended.err
    assert before.items() <= contents(crashes.home).items()


@pytest.mark.parametrize("name", ["build", "evaluate", "predict", "challenge train"])
def test_a_folder_without_the_right_to_write(name: str, crashes: Crashes) -> None:
    verb = BY_NAME[name]
    crashes.prepare(verb)
    before = contents(crashes.home)
    folders = [crashes.home, *(path for path in crashes.home.rglob("*") if path.is_dir())]
    for folder in folders:
        folder.chmod(0o555)
    try:
        ended = crashes.run(verb, powerless=True)
        assert one_message(ended) == []
        assert "cannot be written" in ended.err
        assert contents(crashes.home) == before
    finally:
        for folder in folders:
            folder.chmod(0o755)


@pytest.mark.parametrize("how", [{"closed": [1]}, {"closed": [0, 1, 2]}, {"deaf": True}])
@pytest.mark.parametrize("name", ["build", "predict"])
def test_nobody_listens(name: str, how: dict[str, object], crashes: Crashes) -> None:
    """The files are the same, and no word of it goes into one of them."""
    verb = BY_NAME[name]
    after, _ = crashes.undisturbed(verb)
    crashes.prepare(verb)
    ended = crashes.run(verb, **how)
    assert (ended.code, ended.err) == (0, "")
    found = contents(crashes.home)
    assert found.keys() == after.keys()
    kept = crashes.kept(verb)
    assert [n for n in found if found[n] != after[n] and not same_content(crashes.home / n, kept / n)] == []


@pytest.mark.parametrize("name", ["build", "train", "predict"])
def test_two_at_once(name: str, crashes: Crashes) -> None:
    """The second of a results folder is told, and of a file both end right."""
    verb = BY_NAME[name]
    after, _ = crashes.undisturbed(verb)
    crashes.prepare(verb)
    first = crashes.run(verb, twice=True)
    other = (crashes.place / f"err.txt{OTHER}").read_text()
    codes = {first.code, crashes.warm.other}
    if name == "predict":
        assert codes == {0}, first.err + other
    else:
        assert codes <= {0, 2}
        assert 0 in codes, first.err + other
        assert (2 in codes) == ("is being written to by process" in first.err + other)
    assert "Traceback" not in first.err + other
    found, kept = contents(crashes.home), crashes.kept(verb)
    assert found.keys() == after.keys()
    assert [n for n in found if found[n] != after[n] and not same_content(crashes.home / n, kept / n)] == []
    assert not list(crashes.home.rglob(".mixz-*"))


def test_a_poor_terminal_and_no_home(crashes: Crashes) -> None:
    """20 columns, letters of ASCII only, no home and no place for what is kept between runs: all the same it works."""
    verb = BY_NAME["evaluate"]
    crashes.prepare(verb)
    poor = {k: v for k, v in os.environ.items() if not k.startswith(("HOME", "LC_", "LANG", "COLUMNS", "XDG"))}
    poor |= {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "XDG_CACHE_HOME": "/dev/null/none"}
    poor |= {"TERM": "dumb", "PYTHONPATH": str(Path(__file__).parents[2] / "src"), "OMP_NUM_THREADS": "1"}
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 20, 0, 0))
    command = [sys.executable, "-m", "mixz", *verb.arguments]
    with subprocess.Popen(command, cwd=crashes.home, stdout=theirs, stderr=subprocess.PIPE, env=poor) as process:
        os.close(theirs)
        said = b""
        with suppress(OSError):  # the terminal's way to say that it is over
            while more := os.read(ours, 4096):
                said += more
        os.close(ours)
        assert process.stderr is not None
        assert (process.stderr.read(), process.wait()) == (b"", 0)
    assert said.isascii()
    assert "metrics" in said.decode()


def test_a_signal_while_mixz_is_loaded() -> None:
    """As a process: half a second of it goes by before any verb begins."""
    script = "import os, signal, sys, runpy\n"
    # A job in the background is started deaf to it.
    script += "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    script += "class Comes:\n    def find_spec(self, name, path=None, target=None):\n"
    script += "        if name == 'rich.console': os.kill(os.getpid(), signal.SIGINT)\n"
    script += "sys.meta_path.insert(0, Comes())\nsys.argv = ['mixz', 'build', 'none.yaml']\n"
    script += "runpy.run_module('mixz', run_name='__main__')\n"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (130, STOPPED.format("SIGINT"))
