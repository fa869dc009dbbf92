"""Every script of the gallery is short, runs from anywhere, and makes its figure."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = sorted((Path(__file__).parents[1] / "gallery").glob("*.py"))
MOST_LINES = 60


def test_there_are_some() -> None:
    assert len(SCRIPTS) >= 4


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_script_makes_its_figure(script: Path, tmp_path: Path) -> None:
    assert len(script.read_text().splitlines()) < MOST_LINES
    done = subprocess.run([sys.executable, script, tmp_path], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (figure,) = tmp_path.iterdir()
    assert figure.stem == script.stem
    assert figure.read_bytes().startswith(b"\x89PNG")
    assert done.stdout.splitlines()[-1] == str(figure)
