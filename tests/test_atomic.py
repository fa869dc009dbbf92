"""Files and folders appear whole or not at all."""

from __future__ import annotations

import copy
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mixz.atomic import alone, clear_drafts, recover, replacing, require_place
from mixz.errors import MixzError

if TYPE_CHECKING:
    from collections.abc import Iterator


def test_a_failure_leaves_the_old_file_and_no_rubbish(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.write_text("good")

    def fail_half_way() -> None:
        with replacing(target) as draft:
            draft.write_text("ha")
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        fail_half_way()
    assert target.read_text() == "good"
    assert list(tmp_path.iterdir()) == [target]


def test_a_folder_is_replaced_as_a_whole(tmp_path: Path) -> None:
    target = tmp_path / "model"
    for name in ("old", "new"):
        with replacing(target) as draft:
            draft.mkdir()
            (draft / name).write_text(name)
    assert [p.name for p in target.iterdir()] == ["new"]


def test_a_file_never_takes_the_place_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "data.txt").write_text("dear")
    with pytest.raises(MixzError, match="is a folder"), replacing(tmp_path / "mine") as draft:
        draft.write_text("a model, say")
    with pytest.raises(MixzError, match="is a folder"):
        require_place(tmp_path / "mine")
    assert (tmp_path / "mine" / "data.txt").read_text() == "dear"
    assert [p.name for p in tmp_path.iterdir()] == ["mine"]


def test_places_are_judged_before_the_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    require_place(tmp_path / "new" / "folder" / "a.txt")
    (tmp_path / "file").touch()
    require_place(tmp_path / "file")
    with pytest.raises(MixzError, match="is a file"):
        require_place(tmp_path / "file" / "a.txt")
    monkeypatch.setattr(os, "access", lambda *_: False)  # tests may run as root, whom nothing is denied
    with pytest.raises(MixzError, match="is read-only"):
        require_place(tmp_path / "a.txt")
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_a_place_that_cannot_be_written_to(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(MixzError, match="cannot be written"), replacing(tmp_path / "file" / "a.txt"):
        pass


def test_errors_survive_the_way_back_from_a_worker() -> None:
    error = copy.copy(MixzError("given", "allowed", "do"))  # by the same way as a pickle goes
    assert (error.given, error.allowed, error.do) == ("given", "allowed", "do")


HOLDS = """
import sys, time
from mixz.atomic import alone, replacing
from pathlib import Path
with {what} as draft:
    if isinstance(draft, Path):
        draft.write_text("half")
    print("ready", flush=True)
    time.sleep(60)
"""


@contextmanager
def process(what: str) -> Iterator[subprocess.Popen[str]]:
    """Another process in the middle of something; killed at the end."""
    with subprocess.Popen([sys.executable, "-c", HOLDS.format(what=what)], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "ready\n"
        try:
            yield other
        finally:
            other.kill()


def drafts(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.name.startswith(".mixz-")]


def test_drafts_of_the_living_stay_and_those_of_the_dead_go(tmp_path: Path) -> None:
    with process(f"replacing({str(tmp_path / 'a.txt')!r})"):
        with replacing(tmp_path / "b.txt") as draft:
            draft.write_text("b")
        assert len(drafts(tmp_path)) == 1, "it is still at work"
    assert len(drafts(tmp_path)) == 1, "it was killed"
    with replacing(tmp_path / "c.txt") as draft:
        draft.write_text("c")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b.txt", "c.txt"]


def test_drafts_of_other_machines_are_left_for_a_day(tmp_path: Path) -> None:
    other = tmp_path / ".mixz-ffffffff-abc"
    other.mkdir()
    clear_drafts(tmp_path)
    assert other.exists()
    os.utime(other, (0, 0))
    clear_drafts(tmp_path)
    assert not other.exists()


def test_a_second_process_is_told_and_the_dead_hold_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "out" / "toy"
    with process(f"alone(Path({str(folder)!r}))") as other:
        with pytest.raises(MixzError, match=f"written to by process {other.pid} on ") as told, alone(folder):
            pass
        assert "--out" in told.value.do
    with alone(folder):
        pass
    assert list(folder.iterdir()) == []


def test_what_was_made_for_nothing_goes_again(tmp_path: Path) -> None:
    with pytest.raises(MixzError, match="no"), alone(tmp_path / "out" / "toy"):
        raise MixzError("no")
    assert list(tmp_path.iterdir()) == []


def an_old_model(folder: Path) -> Path:
    (folder / "model").mkdir()
    (folder / "model" / "weights").write_text("old")
    return folder / "model"


def put_new(target: Path) -> None:
    with replacing(target) as draft:
        draft.mkdir()
        (draft / "weights").write_text("new")


def test_a_folder_killed_between_its_two_renames_is_there_for_whoever_comes_next(tmp_path: Path) -> None:
    target = an_old_model(tmp_path)
    script = f"""
import os, signal
from pathlib import Path
from mixz import atomic
before = Path.replace
def killed(self, target):
    before(self, target)
    if "old" in Path(target).parts:
        os.kill(os.getpid(), signal.SIGKILL)
Path.replace = killed
with atomic.replacing({str(target)!r}) as draft:
    draft.mkdir()
    (draft / "weights").write_text("new")
"""
    done = subprocess.run([sys.executable, "-c", script], check=False)
    assert done.returncode == -signal.SIGKILL
    assert not target.exists()
    recover(target)
    assert (target / "weights").read_text() == "new"
    assert drafts(tmp_path) == []


@pytest.mark.parametrize("failures", [1, 2])
def test_a_folder_whose_second_rename_fails_is_not_lost(
    failures: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once: the old one comes back.  Twice: the new one waits, and is put in its place by the next writer."""
    target, before, calls = an_old_model(tmp_path), Path.replace, []

    def fails(self: Path, to: Path) -> Path:
        if Path(to) == target:
            calls.append(to)
            if len(calls) <= failures:
                raise OSError(5, "Input/output error")
        return before(self, to)

    monkeypatch.setattr(Path, "replace", fails)
    with pytest.raises(MixzError, match="Input/output error"):
        put_new(target)
    recover(target)
    assert (target / "weights").read_text() == ("old" if failures == 1 else "new")
    assert drafts(tmp_path) == []


def test_nothing_gets_its_name_before_the_disk_has_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    events: list[str] = []
    names: dict[int, str] = {}
    opened, sync, rename = os.open, os.fsync, Path.replace

    def remember(path: Any, *rest: Any) -> int:
        number = opened(path, *rest)
        names[number] = Path(path).name
        return number

    monkeypatch.setattr(os, "open", remember)
    monkeypatch.setattr(os, "fsync", lambda n: (events.append(names[n]), sync(n)))
    monkeypatch.setattr(Path, "replace", lambda self, to: (events.append(f"-> {Path(to).name}"), rename(self, to))[1])
    put_new(tmp_path / "model")
    assert events == ["weights", "model", "-> model", tmp_path.name]
