"""Files and folders appear whole or not at all."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest

from mixz.atomic import replacing
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


def test_a_place_that_cannot_be_written_to(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(MixzError, match="cannot be written"), replacing(tmp_path / "file" / "a.txt"):
        pass


def test_errors_survive_the_way_back_from_a_worker() -> None:
    error = copy.copy(MixzError("given", "allowed", "do"))  # by the same way as a pickle goes
    assert (error.given, error.allowed, error.do) == ("given", "allowed", "do")
