"""How mixz is installed is said in one place: messages and pages say what works today."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import mixz.errors
from mixz.errors import not_installed, pip_install

ROOT = Path(__file__).parents[1]
SCRIPT = ROOT / "docs" / "make_install.py"
TYPED_OUT = re.compile(r"pip install ['\"]?(?:mixz|\.)['\"]?\[")


def test_pages_say_what_works_today() -> None:
    checked = subprocess.run([sys.executable, SCRIPT, "--check"], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_messages_take_it_from_there() -> None:
    places = [p for p in (ROOT / "src").rglob("*.py") if p.name != "errors.py" and TYPED_OUT.search(p.read_text())]
    assert not places


def test_a_published_package_is_one_line_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mixz.errors, "PACKAGE", "mixz")
    assert pip_install() == "pip install mixz"
    assert not_installed("torch is not installed", "train").do == "pip install 'mixz[train]'"


def test_pages_name_the_build_of_torch_that_everything_is_run_with() -> None:
    pinned = re.search(r"^torch==(\S+)$", (ROOT / "constraints.txt").read_text(), re.MULTILINE)
    assert pinned
    pages = [page for page in (ROOT / "docs").rglob("*.md") if "pip install torch" in page.read_text()]
    assert not pages, "a pip that knows further indexes would take CUDA's"
    named = {
        page.name: set(re.findall(r"torch==(\S+?)\+cpu", page.read_text())) for page in (ROOT / "docs").rglob("*.md")
    }
    assert {name: found for name, found in named.items() if found} == {
        "first_run.md": {pinned[1]},
        "predict.md": {pinned[1]},
    }
