"""No licence that binds its users slips into the default install, and docs/dependencies.md is up to date."""

from __future__ import annotations

import ast
import importlib
import importlib.metadata
import re
from pathlib import Path
from typing import Any

import pytest
from packaging.utils import canonicalize_name

from test_locks import CONSTRAINTS

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def licences() -> dict[str, Any]:
    """The names of checks/licences.py."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "checks")
        return vars(importlib.import_module("licences"))


@pytest.mark.parametrize(
    ("licence", "kind"),
    [
        ("MIT", "permissive"),
        ("BSD License", "permissive"),
        ("Python Software Foundation License", "permissive"),
        ("BSD-2-Clause AND Apache-2.0 WITH LLVM-exception", "permissive"),
        ("GPL-2.0 OR BSD-2-Clause", "permissive"),
        ("MPL-2.0 AND MIT", "weak copyleft"),
        ("Mozilla Public License 2.0 (MPL 2.0)", "weak copyleft"),
        ("GNU Lesser General Public License v3 (LGPLv3)", "weak copyleft"),
        ("MIT AND GPL-3.0-or-later", "strong copyleft"),
        ("(MIT OR Apache-2.0) AND AGPL-3.0", "strong copyleft"),
        ("GNU AFFERO GENERAL PUBLIC LICENSE", "strong copyleft"),
        ("BUSL-1.1", "unknown"),
        ("MIT AND Proprietary", "unknown"),
        ("All rights reserved", "unknown"),
        ("", "unknown"),
    ],
)
def test_kinds(licences: dict[str, Any], licence: str, kind: str) -> None:
    assert licences["kind_of"](licence) == kind


def test_the_default_install_binds_nobody(licences: dict[str, Any]) -> None:
    brought = licences["by_extra"]()["default"]
    assert {"numpy", "certifi"} <= {package.name for package in brought}, "those needed by others count too"
    assert "torch" not in {package.name for package in brought}
    strict = {package.name: package.kind for package in brought if package.kind != "permissive"}
    assert strict == {"certifi": "weak copyleft"}


def test_an_extra_of_a_dependency_counts(licences: dict[str, Any]) -> None:
    assert ("httpx", "http2") in licences["asked_by"]("httpx[http2]>=0.2", "")
    assert licences["asked_by"]("nothing>=1; extra == 'other'", "this") == set()


def test_mixz_imports_nothing_strict(licences: dict[str, Any]) -> None:
    brought = {package for packages in licences["by_extra"]().values() for package in packages}
    strict = {package.name for package in brought if package.kind in ("strong copyleft", "unknown")}
    files = (file for name in strict for file in importlib.metadata.files(name) or ())
    modules = {file.parts[0].removesuffix(".py") for file in files if file.suffix == ".py"}
    assert modules or not strict
    imported = set()
    for path in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                imported.add(node.module.split(".")[0])
    assert "numpy" in imported
    assert imported & modules == set()


def test_the_page_lists_every_version(licences: dict[str, Any]) -> None:
    rows = re.findall(r"^\| (\S+) \| (\S+) \| .* \| (\w[\w ]*) \| ", licences["PAGE"].read_text(), flags=re.MULTILINE)
    listed = {canonicalize_name(name): version for name, version, _ in rows if name != "package"}
    assert listed == CONSTRAINTS, "make licences"
