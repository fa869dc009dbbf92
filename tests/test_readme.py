"""What the README promises: its rooms are there, its commands exist, its example runs, its links lead somewhere."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from mixz import stages
from mixz.cli.verbs import app
from mixz.settings.file import load_config

ROOT = Path(__file__).parents[1]
README_FILE = ROOT / "README.md"
README = README_FILE.read_text()
PAGES = sorted(page for page in (ROOT / "docs").glob("*.md") if page.name != "index.md")  # the site's own door


def blocks(language: str) -> list[str]:
    fences = re.findall(r"^```(\w*)\n(.*?)^```$", README, flags=re.DOTALL | re.MULTILINE)
    return [text for name, text in fences if name == language]


def rooms_drawn() -> set[str]:
    """Read the README's picture of the house: what it names in src/mixz."""
    inside = blocks("")[0].split("src/mixz/\n")[1].split("src/rail/")[0]
    names = [re.split(r" {2,}(?![a-z]+\.py)", line.strip())[0] for line in inside.splitlines()]
    return {name.rstrip("/") for line in names for name in line.split()}


def table_rows(text: str) -> list[list[str]]:
    """Read the rows of Markdown tables, without their bold."""
    lines = [line.strip().strip("|") for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip().strip("*`") for cell in line.split("|")] for line in lines]


def test_it_is_a_front_door() -> None:
    assert len(README.splitlines()) <= 150


def test_every_room_is_drawn() -> None:
    house = [p for p in (ROOT / "src/mixz").iterdir() if p.is_file() or any(p.glob("*.*"))]
    untold = {"__init__.py", "__main__.py", "__pycache__", "py.typed"}
    assert rooms_drawn() == {p.name for p in house} - untold


def test_its_numbers_are_those_of_the_results() -> None:
    full = {tuple(row[:2]): row[3:] for row in table_rows((ROOT / "docs/results.md").read_text()) if len(row) == 9}
    short = [row for row in table_rows(README) if len(row) == 9 and row[1].lstrip("-").startswith("0.")]
    assert len(short) == 5
    for recipe, *numbers in short:
        bias, sigma_mad, rms, hsc_loss = 0, 1, 2, 5
        assert numbers == [
            full[truth, recipe][column].split(" ± ")[0]
            for truth in ("many_band", "spec")
            for column in (bias, sigma_mad, rms, hsc_loss)
        ]


def test_it_leads_to_every_page() -> None:
    assert [page.name for page in PAGES if f"](docs/{page.name})" not in README] == []


def test_every_command_exists() -> None:
    make = set(re.findall(r"make (\w+)", README))
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    assert {"demo", "test"} <= make <= targets
    lines = re.findall(r"^    mixz (.+)$", README, flags=re.MULTILINE)
    assert lines
    for line in lines:
        verb, *arguments = shlex.split(line, comments=True)
        get_command(app).commands[verb].make_context(verb, arguments)  # type: ignore[attr-defined]


def test_the_example_runs(
    toy_settings: dict[str, Any], write_config: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    config = load_config(write_config(toy_settings | {"name": "demo"}))
    stages.build(config)
    monkeypatch.chdir(tmp_path)
    example = blocks("python")[0]
    assert len(example.strip().splitlines()) <= 12
    monkeypatch.setattr("mixz.settings.recipe.RECIPES", {"base": config.recipe("base")})
    exec(compile(example, "README.md", "exec"), {})


def test_the_pages_name_every_key_of_a_config() -> None:
    from mixz.settings.config import Config
    from mixz.settings.network import Network
    from mixz.settings.recipe import Step
    from mixz.settings.split import Split
    from mixz.settings.tables import Table
    from mixz.settings.truths import TruthSettings
    from mixz.surveys.columns import Cut

    pages = "\n".join(page.read_text() for page in PAGES)
    for model in (Config, Table, Cut, Split, Network, Step, TruthSettings):
        for key in model.model_fields:
            assert re.search(rf"\b{key}\b", pages), f"no page of docs/ names {model.__name__}.{key}"
