"""The site of docs/ builds without a warning, leads everywhere, and says what is measured and what works."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import mixz
from test_readme import table_rows
from text_notebooks import run_command

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
RECIPES = DOCS / "start" / "which_recipe.md"


def test_it_builds_without_a_warning(tmp_path: Path) -> None:
    """No tutorial is executed here: tests/test_tutorials.py does that."""
    pytest.importorskip("myst_nb", reason="needs mixz[docs]")
    command = [sys.executable, "-m", "sphinx", "--builder", "dummy", "--nitpicky", "--fail-on-warning", "--keep-going"]
    command += ["--quiet", "--define", "nb_execution_mode=off", "--doctree-dir", str(tmp_path / "trees")]
    done = subprocess.run([*command, str(DOCS), str(tmp_path / "site")], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_every_page_is_in_it() -> None:
    pages = {page.relative_to(DOCS).with_suffix("").as_posix() for page in DOCS.rglob("*.md")}
    listed = {"index"}
    for page in DOCS.rglob("*.md"):
        for tree in re.findall(r"^```\{toctree\}\n(.*?)^```$", page.read_text(), flags=re.DOTALL | re.MULTILINE):
            names = [line for line in tree.splitlines() if line and not line.startswith(":")]
            listed |= {(page.parent / name).resolve().relative_to(DOCS).as_posix() for name in names}
    assert listed == pages


def test_the_numbers_behind_a_choice_are_those_of_the_results() -> None:
    rows = table_rows((DOCS / "results.md").read_text())
    measured = [row[:2] + row[3:] for row in rows if len(row) == 9] + [row for row in rows if len(row) == 8]
    told = [row for row in table_rows(RECIPES.read_text()) if len(row) == 8 and "±" in row[2]]
    assert len(told) == 11
    assert [row for row in told if row not in measured] == []


def test_the_api_pages_have_every_public_name() -> None:
    page = (DOCS / "reference" / "api" / "mixz.md").read_text()
    modules = {"plot"}
    assert [name for name in mixz.__all__ if name not in modules and not re.search(rf"\bmixz\.{name}\b", page)] == []


def test_benchmarks_are_told_of_with_commands_that_they_have() -> None:
    page = (DOCS / "reference" / "benchmarks.md").read_text()
    told = re.findall(r"`python benchmarks/(\w+)\.py([^`]*)`", page)
    shared = {"measure", "simulated"}
    assert {name for name, _ in told} == {path.stem for path in (ROOT / "benchmarks").glob("*.py")} - shared
    for name, arguments in told:
        for option in re.findall(r"--\w+", arguments):
            assert f'"{option}"' in (ROOT / "benchmarks" / f"{name}.py").read_text(), f"{name} has no {option}"


def test_the_five_minutes_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (DOCS / "start" / "first_run.md").read_text()
    make_table, in_python = re.findall(r"^```python\n(.*?)^```$", page, flags=re.DOTALL | re.MULTILINE)
    commands = re.findall(r"^    mixz (.+)$", page, flags=re.MULTILINE)
    assert [command.split()[0] for command in commands] == ["init", "run", "predict"]
    monkeypatch.chdir(tmp_path)
    space: dict[str, object] = {}
    exec(make_table.replace("6000", "600"), space)
    run_command(commands[0])
    config = tmp_path / "my_galaxies.yaml"
    settings = yaml.safe_load(config.read_text())
    assert {"base", "fused"} <= set(settings["recipes"])
    config.write_text(yaml.safe_dump(settings | {"recipes": ["fused"], "members": 1}))
    for command in commands[1:]:
        run_command(command)
    assert (tmp_path / "photoz.fits").exists()
    assert (tmp_path / "out" / "my_galaxies" / "report.html").exists()
    exec(in_python, space)
    assert (tmp_path / "predictions.png").exists()
