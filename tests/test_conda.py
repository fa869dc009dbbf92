"""The conda recipe asks for what pyproject.toml asks for, and calls itself the same."""

from __future__ import annotations

import tomllib
from pathlib import Path

import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
RECIPE = yaml.safe_load((ROOT / "conda" / "meta.yaml").read_text())
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT = PYPROJECT["project"]
CONDA = {"torch": "pytorch"}
"""Packages that conda-forge calls by another name."""


def asked(requirements: list[str]) -> dict[str, str]:
    """Ranges of versions by the names that conda knows."""
    found = {}
    for one in map(Requirement, requirements):
        name = canonicalize_name(one.name)
        found[CONDA.get(name, name)] = str(one.specifier)
    return found


def listed(lines: list[str]) -> dict[str, str]:
    """The same of a list of the recipe."""
    return {name: version for name, _, version in (line.partition(" ") for line in lines)}


def test_what_it_needs_to_run() -> None:
    python = {"python": PROJECT["requires-python"]}
    assert listed(RECIPE["requirements"]["run"]) == python | asked(PROJECT["dependencies"])


def test_what_training_needs() -> None:
    assert listed(RECIPE["requirements"]["run_constrained"]) == asked(PROJECT["optional-dependencies"]["train"])


def test_what_it_needs_to_build() -> None:
    python = {"python": PROJECT["requires-python"], "pip": ""}
    assert listed(RECIPE["requirements"]["host"]) == python | asked(PYPROJECT["build-system"]["requires"])


def test_what_it_calls_itself() -> None:
    assert RECIPE["package"] == {"name": PROJECT["name"], "version": PROJECT["version"]}
    scripts = [f"{name} = {target}" for name, target in PROJECT["scripts"].items()]
    assert RECIPE["build"]["entry_points"] == scripts
    assert RECIPE["about"]["summary"] == PROJECT["description"]
    assert RECIPE["about"]["license"] == PROJECT["license"]
