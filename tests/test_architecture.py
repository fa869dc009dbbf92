"""docs/architecture.md is true: what it says of layers and files is what the code says, and it knows every verb."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from mixz.cli.verbs import app
from test_layers import LAYERS

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "architecture.md"


@pytest.fixture(scope="module")
def maker() -> dict[str, Any]:
    """The names of docs/make_architecture.py."""
    return runpy.run_path(str(ROOT / "docs" / "make_architecture.py"))


def test_it_is_what_the_code_says(maker: dict[str, Any]) -> None:
    text = PAGE.read_text()
    assert maker["page"](text) == text, "files or docstrings changed: run `python docs/make_architecture.py`"


def test_the_layers_are_those_that_a_test_holds(maker: dict[str, Any]) -> None:
    assert maker["layers"]() == list(LAYERS)


def test_it_names_every_file_and_no_other(maker: dict[str, Any]) -> None:
    named = {ROOT / target for target in re.findall(r"^ *- \[`[^`]+`\]\(\.\./([^)]+)\)", PAGE.read_text(), flags=re.M)}
    source = ROOT / "src"
    told_whole = [source / "mixz" / name for name in maker["OTHERS"]]
    assert [path for path in told_whole if not path.exists()] == [], "OTHERS tells of what is gone"
    files = {p for p in source.rglob("*") if p.is_file() and not {"__pycache__", "mixz.egg-info"} & set(p.parts)}
    files -= {p for p in files if p.name in ("__init__.py", "py.typed") and p.is_relative_to(source / "mixz")}
    files -= {p for p in files if any(p.is_relative_to(folder) for folder in told_whole if folder.is_dir())}
    assert {path for path in named if path.is_file()} == files


def test_it_tells_of_every_verb() -> None:
    told = set(re.findall(r"^\| `mixz (\w+)", PAGE.read_text(), flags=re.M))
    assert told == set(get_command(app).commands)  # type: ignore[attr-defined]


def test_a_file_that_says_nothing_of_itself_is_an_error(maker: dict[str, Any], tmp_path: Path) -> None:
    silent = tmp_path / "silent.py"
    silent.write_text("x = 1\n")
    with pytest.raises(LookupError, match="no docstring"):
        maker["first_line"](silent)
    with pytest.raises(LookupError, match="say in OTHERS"):
        maker["first_line"](tmp_path)
