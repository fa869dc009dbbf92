"""What the README promises: its tree is the disk's, its commands exist, its example runs, its links lead somewhere."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mixz import stages
from mixz.settings.file import load_config

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()

# Named by their folder; what lies inside is told there.
CLOSED_ROOMS = {
    "src/mixz/demo",
    "src/mixz/data/mock",
    "src/mixz/report/templates",
    "configs",
    "benchmarks",
    "docs",
    "tests",
}


def blocks(language: str) -> list[str]:
    fences = re.findall(r"^```(\w*)\n(.*?)^```$", README, flags=re.DOTALL | re.MULTILINE)
    return [text for name, text in fences if name == language]


def tree() -> set[str]:
    """Read the README's tree into paths."""
    folders: list[str] = []
    found = set()
    for line in blocks("")[0].splitlines():
        indent, names = re.match(r"( *)(.*)", line).groups()  # type: ignore[union-attr]
        names = re.split(r" {2,}", names)[0]
        if names in ("", "src/mixz/") or line.startswith("src/mixz/"):
            folders = ["src/mixz"]
            continue
        depth = len(indent) // 2
        folders = folders[:depth] if depth else []
        for name in names.split():
            found.add("/".join([*folders, name.rstrip("/")]))
        if names.endswith("/"):
            folders.append(names.rstrip("/"))
    return found


def test_the_tree_is_the_disks() -> None:
    told = tree()
    for path in told:
        assert (ROOT / path).exists(), f"README's tree names {path}, which is not there"
    there = {p.relative_to(ROOT).as_posix() for p in (ROOT / "src/mixz").rglob("*") if "__pycache__" not in p.parts}
    for path in sorted(there):
        if Path(path).name in ("__init__.py", "py.typed") or any(path.startswith(f"{room}/") for room in CLOSED_ROOMS):
            continue
        assert path in told, f"README's tree does not name {path}"


def test_every_command_exists() -> None:
    make = set(re.findall(r"make (\w+)", README))
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    assert {"demo", "test"} <= make <= targets
    verbs = set(re.findall(r"^    mixz (\w+)", README, flags=re.MULTILINE))
    assert verbs
    for verb in verbs:
        subprocess.run([sys.executable, "-m", "mixz", verb, "--help"], capture_output=True, check=True)


@pytest.mark.parametrize("target", re.findall(r"\]\(([^)#]+)\)", README))
def test_every_link_leads_somewhere(target: str) -> None:
    if not target.startswith("http"):
        assert (ROOT / target).exists()


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

    pages = "\n".join(page.read_text() for page in (ROOT / "docs").glob("*.md"))
    for model in (Config, Table, Cut, Split, Network, Step, TruthSettings):
        for key in model.model_fields:
            assert re.search(rf"\b{key}\b", pages), f"no page of docs/ names {model.__name__}.{key}"
