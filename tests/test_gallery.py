"""Every script of the gallery is short, runs from anywhere, and makes its figure."""

from __future__ import annotations

import re
import runpy
import sys
from pathlib import Path

import pytest

SCRIPTS = sorted((Path(__file__).parents[1] / "gallery").glob("*.py"))
MOST_LINES = 60
SHORTER = {r"\bepochs(=|\": )\d+": r"epochs\g<1>2", r"\.head\(6000\)": ".head(3000)"}
"""What makes a script short: trained for less, on fewer galaxies."""


def test_there_are_some() -> None:
    assert len(SCRIPTS) >= 4


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_script_makes_its_figure(
    script: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert len(script.read_text().splitlines()) < MOST_LINES
    short, folder, text = tmp_path / script.name, tmp_path / "figures", script.read_text()
    for long, less in SHORTER.items():
        text = re.sub(long, less, text)
    short.write_text(text)
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "argv", [str(short), str(folder)])
    runpy.run_path(str(short), run_name="__main__")
    (figure,) = folder.iterdir()
    assert figure.stem == script.stem
    assert figure.read_bytes().startswith(b"\x89PNG")
    assert capsys.readouterr().out.splitlines()[-1] == str(figure)
