"""Files and folders appear whole or not at all."""

from __future__ import annotations

import copy
import os
from pathlib import Path

import pytest

from mixz.atomic import replacing, require_place
from mixz.errors import MixzError


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
