"""The locks say what constraints.txt says, with hashes, for all that pyproject.toml asks for."""

from __future__ import annotations

import re
import runpy
import tomllib
from pathlib import Path

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
LOCKS = ROOT / "locks"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
SIZES = {
    "default": [],
    "train": ["train", "onnx", "serve", "sklearn"],
    "everything": list(EXTRAS),
}
HERE = {"sys_platform": "linux", "platform_system": "Linux", "platform_machine": "x86_64", "os_name": "posix"}
PYTHON = {"python_version": "3.11", "python_full_version": "3.11.9", "implementation_name": "cpython"}


def versions(text: str) -> dict[str, str]:
    """Name and version of every line that pins one, of those meant for Linux."""
    found = {}
    for line in re.findall(r"^[A-Za-z][^#\n]*==[^\n]*", text, flags=re.MULTILINE):
        pin, _, marker = line.removesuffix(" \\").partition(" ; ")
        if not marker or Marker(marker).evaluate(HERE | PYTHON | {"platform_python_implementation": "CPython"}):
            name, version = pin.split("==")
            found[canonicalize_name(name)] = version.strip()
    return found


CONSTRAINTS = versions((ROOT / "constraints.txt").read_text())


def test_every_size_has_a_lock() -> None:
    made = runpy.run_path(str(ROOT / "checks" / "lock.py"))["SIZES"]
    assert made.keys() == SIZES.keys() == {path.stem for path in LOCKS.iterdir()}


@pytest.mark.parametrize("size", SIZES)
def test_a_lock_has_the_versions_of_the_constraints(size: str) -> None:
    locked = versions((LOCKS / f"{size}.txt").read_text())
    assert locked, "no line was read"
    assert {name: version for name, version in locked.items() if CONSTRAINTS.get(name) != version} == {}, "make lock"


def test_the_constraints_name_nothing_else() -> None:
    assert CONSTRAINTS.keys() == versions((LOCKS / "everything.txt").read_text()).keys(), "make lock"


@pytest.mark.parametrize("size", SIZES)
def test_a_lock_has_what_pyproject_asks_for(size: str) -> None:
    locked = versions((LOCKS / f"{size}.txt").read_text())
    asked = [*PROJECT["dependencies"], *(one for extra in SIZES[size] for one in EXTRAS[extra])]
    for requirement in map(Requirement, asked):
        assert locked[canonicalize_name(requirement.name)] in requirement.specifier, requirement


@pytest.mark.parametrize("size", SIZES)
def test_every_package_has_hashes_and_none_is_cudas(size: str) -> None:
    text = (LOCKS / f"{size}.txt").read_text()
    entries = re.split(r"\n(?=[A-Za-z])", text)[1:]
    assert len(entries) == len(re.findall(r"^[^#\s][^\n]*==", text, flags=re.MULTILINE))
    assert [entry for entry in entries if "--hash=sha256:" not in entry] == []
    assert re.findall(r"^(?:nvidia|cuda|triton)\S*", text, flags=re.MULTILINE) == []


def test_torch_is_a_range_and_its_pin_a_constraint() -> None:
    [torch] = (one for one in map(Requirement, EXTRAS["train"]) if one.name == "torch")
    assert "==" not in str(torch.specifier)
    assert CONSTRAINTS["torch"] in torch.specifier
    oldest = versions((ROOT / "constraints-oldest.txt").read_text())["torch"]
    assert str(torch.specifier) == ">=" + oldest.removesuffix(".0")
