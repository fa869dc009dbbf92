"""Wheel and sdist hold the package, all of it and nothing else.  `make dist` installs and tries them too."""

from __future__ import annotations

import runpy
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
BUILD = "import sys; from setuptools import build_meta as b; getattr(b, 'build_' + sys.argv[1])(sys.argv[2])"


@pytest.fixture(scope="module")
def check() -> dict[str, Any]:
    """The names of checks/distribution.py."""
    return runpy.run_path(str(ROOT / "checks" / "distribution.py"))


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, check: dict[str, Any]) -> dict[str, Path]:
    """An sdist of a copy of the sources, with tests and what an editable install leaves, and the wheel made from it."""
    place = tmp_path_factory.mktemp("dist")
    shutil.copytree(ROOT / "src", place / "all" / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    for name in check["BESIDE"]:
        shutil.copy(ROOT / name, place / "all")
    for junk in ("tests/test_junk.py", "src/mixz/__pycache__/junk.pyc", "out/junk.csv", ".venv/junk.py"):
        (place / "all" / junk).parent.mkdir(parents=True)
        (place / "all" / junk).write_text("'junk'")
    build("sdist", place / "all", place)
    [sdist] = place.glob("*.tar.gz")
    shutil.unpack_archive(sdist, place / "unpacked", filter="data")
    [unpacked] = (place / "unpacked").iterdir()
    build("wheel", unpacked, place)
    [wheel] = place.glob("*.whl")
    return {"sdist": sdist, "wheel": wheel}


def build(what: str, source: Path, out: Path) -> None:
    """Build with the setuptools that is installed, from whatever folder; no network."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", BUILD, what, str(out)],
        cwd=source,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_the_wheel_holds_the_package(built: dict[str, Path], check: dict[str, Any]) -> None:
    assert check["wheel_faults"](built["wheel"]) == []
    assert {"mixz/py.typed", "mixz/report/templates/page.css", "rail/estimation/algos/mixz.py"} <= check["shipped"]()


def test_the_sdist_holds_what_the_wheel_is_made_from(built: dict[str, Path], check: dict[str, Any]) -> None:
    assert check["sdist_faults"](built["sdist"]) == []


def test_what_is_lost_or_too_much_is_named(built: dict[str, Path], check: dict[str, Any], tmp_path: Path) -> None:
    other = tmp_path / built["wheel"].name
    with zipfile.ZipFile(built["wheel"]) as right, zipfile.ZipFile(other, "w") as wrong:
        for name in right.namelist():
            if name != "mixz/py.typed":
                wrong.writestr(name, b"another" if name.endswith("LICENSE") else right.read(name))
        wrong.writestr("tests/test_junk.py", "")
    lost, more, licence = check["wheel_faults"](other)
    assert lost.endswith("lacks mixz/py.typed")
    assert "holds tests/test_junk.py" in more
    assert "LICENSE is another one" in licence
