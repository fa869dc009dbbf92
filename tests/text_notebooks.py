"""Notebooks written as text: their code cells, run one after the other in one process, as small as a test can bear."""

from __future__ import annotations

import ast
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mixz import cli

CELL = re.compile(r"^```\{code-cell\}[^\n]*\n(?P<tags>(?::[^\n]*\n)*)(?P<code>.*?)^```$", re.DOTALL | re.MULTILINE)
COMMAND = re.compile(r"^!mixz (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Cell:
    """A cell of code."""

    code: str
    parameters: bool


def cells(page: Path) -> list[Cell]:
    """The code cells of a page in their order."""
    return [Cell(found["code"], "parameters" in found["tags"]) for found in CELL.finditer(page.read_text())]


def run_command(line: str) -> None:
    """Run a line of the command line in this process, and fail where it fails."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["mixz", *line.split()])
        with pytest.raises(SystemExit) as stop:
            cli.main()
    assert not stop.value.code, line


def run(page: Path, small: dict[str, Any]) -> dict[str, Any]:
    """Run a page, its parameters made small; what it shows at the end of a cell is drawn."""
    space: dict[str, Any] = {"__name__": page.stem, "_mixz": run_command}
    for number, cell in enumerate(cells(page)):
        tree = ast.parse(COMMAND.sub(r'_mixz(f"\1")', cell.code))
        shown = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
        where = f"{page.name}, cell {number}"
        exec(compile(tree, where, "exec"), space)
        if shown is not None:
            draw = getattr(eval(compile(ast.Expression(shown.value), where, "eval"), space), "_repr_mimebundle_", None)
            if draw is not None:
                assert "<svg" in draw()["image/svg+xml"]
        if cell.parameters:
            assert set(small) >= {
                name.id for node in tree.body for name in ast.walk(node) if isinstance(name, ast.Name)
            }
            space |= {name: value for name, value in small.items() if name in space}
    return space
