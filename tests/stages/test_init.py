"""`mixz init` asks what it cannot tell, each thing once, and writes nothing that is half done."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from mixz.data.looking.answers import Answers
from mixz.errors import MixzError
from mixz.settings.file import load_config
from mixz.stages import init

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from mixz.data.looking.answers import Question


def table(path: Path) -> Path:
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({"redshift": rng.uniform(0.1, 1, 50)})
    for band in "gri":
        frame[f"flux_{band}"], frame[f"flux_err_{band}"] = rng.uniform(100, 900, 50), 5.0
    frame.to_parquet(path)
    return path


def test_what_is_asked_is_set(tmp_path: Path, console: Console) -> None:
    asked: list[str] = []

    def answer(question: Question) -> str:
        asked.append(question.about)
        return {"truth": "spec", "flux_zero_point": "31.4"}[question.about]

    made = init([table(tmp_path / "a.parquet")], tmp_path / "a b.yaml", console, Answers(), ask=answer)
    assert sorted(asked) == ["flux_zero_point", "truth"]
    assert not made.questions
    config = load_config(tmp_path / "a b.yaml")
    assert config.name == "a_b"
    assert config.tables[0].columns.flux_zero_point == 31.4
    assert dict(config.tables[0].truths) == {"spec": "redshift"}


def test_an_answer_given_afterwards_completes_a_config_as_it_was_written(tmp_path: Path, console: Console) -> None:
    path, config = table(tmp_path / "a.parquet"), tmp_path / "a.yaml"
    init([path], config, console, Answers())
    init([path], config, console, Answers(truths={"redshift": "spec"}))  # the zero point is still open
    init([path], config, console, Answers(truths={"redshift": "spec"}, flux_zero_point=31.4))
    assert load_config(config).tables[0].columns.flux_zero_point == 31.4
    with pytest.raises(MixzError, match="is there already"):
        init([path], config, console, Answers())


def test_a_config_that_somebody_has_touched_stays(tmp_path: Path, console: Console) -> None:
    path, config = table(tmp_path / "a.parquet"), tmp_path / "a.yaml"
    init([path], config, console, Answers())
    config.write_text(mine := config.read_text().replace("members: 5", "members: 7"))
    with pytest.raises(MixzError, match="is there already"):
        init([path], config, console, Answers(truths={"redshift": "spec"}))
    assert config.read_text() == mine


def test_nothing_is_written_of_a_table_that_cannot_be_read(tmp_path: Path, console: Console) -> None:
    (tmp_path / "a.parquet").write_bytes(b"no table")
    with pytest.raises(MixzError, match="cannot be read"):
        init([tmp_path / "a.parquet"], tmp_path / "a.yaml", console, Answers())
    assert [path.name for path in tmp_path.iterdir()] == ["a.parquet"]
