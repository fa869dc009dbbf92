"""The licence of everything that an install brings, by extra, and by name what is not permissive.

    python checks/licences.py            # prints what is not permissive, and ends with 1 if the default install has any
                                         # strong copyleft, or a licence that nobody could make out
    python checks/licences.py --write    # writes the tables of docs/dependencies.md; `make licences` does

A licence is what the installed package says of itself: its SPDX expression, else its classifiers, else its text.  Of
"A OR B" the freer counts, of "A AND B" the stricter.  Licences of compiled libraries inside of wheels are left out.
"""

from __future__ import annotations

import argparse
import functools
import importlib.metadata
import re
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Iterable

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "dependencies.md"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
DEFAULT = "default"

STRICTNESS = ("permissive", "weak copyleft", "strong copyleft", "unknown")
WEAK = r"\b(?:L-?GPL|MPL|EPL|CDDL|EUPL|MOZILLA|LESSER)"
STRONG = r"\b(?:A?GPL|(?:GNU )?(?:AFFERO )?GENERAL PUBLIC|SSPL|OSL)"
PERMISSIVE = (
    r"\b(?:MIT|BSD|0BSD|APACHE|PSF|PYTHON SOFTWARE FOUNDATION|ISC|ZLIB|BSL-1[.]0|BOOST|CC0|HPND|UNLICENSE|KIWI)\b"
)


@dataclass(frozen=True, order=True)
class Package:
    """An installed package."""

    name: str
    version: str
    licence: str

    @property
    def kind(self) -> str:
        """How much its licence asks of those who pass it on."""
        return kind_of(self.licence)


def main() -> int:
    """Print or write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="write the tables of docs/dependencies.md")
    asked = parser.parse_args()
    brought = by_extra()
    if asked.write:
        PAGE.write_text(page(PAGE.read_text(), brought))
    bad = 0
    for package, extras in sorted(who_brings(brought).items()):
        if package.kind != "permissive":
            said = package.licence or "no licence found"
            print(f"{package.name} {package.version}: {said} ({package.kind}), by {', '.join(extras)}")
            bad += DEFAULT in extras and package.kind in STRICTNESS[2:]
    return int(bad > 0)


def by_extra() -> dict[str, set[Package]]:
    """What the default install brings, and what each extra brings."""
    asked = {DEFAULT: PROJECT["dependencies"], **PROJECT["optional-dependencies"]}
    return {extra: {described(name) for name in reached(requirements)} for extra, requirements in asked.items()}


def reached(requirements: Iterable[str]) -> set[str]:
    """The names of what requirements bring on this machine, as far as it is installed, with what that needs in turn."""
    found: set[tuple[str, str]] = set()
    ahead = {one for requirement in requirements for one in asked_by(requirement, "")}
    while ahead:
        found |= ahead
        needed = (
            (need, extra) for name, extra in ahead if name in installed() for need in installed()[name].requires or ()
        )
        ahead = {one for need, extra in needed for one in asked_by(need, extra)} - found
    return {name for name, _ in found if name in installed()}


@functools.cache
def installed() -> dict[str, importlib.metadata.Distribution]:
    """What is installed, by name; not pip, which comes with Python."""
    first = {canonicalize_name(one.name): one for one in reversed(list(importlib.metadata.distributions()))}
    return {name: one for name, one in first.items() if name != "pip"}


def asked_by(requirement: str, extra: str) -> set[tuple[str, str]]:
    """Name and extras of what a requirement asks for: nothing where its marker does not hold for an extra."""
    one = Requirement(requirement)
    if one.marker is not None and not one.marker.evaluate({"extra": extra}):
        return set()
    return {(canonicalize_name(one.name), each) for each in ("", *one.extras)}


@functools.cache
def described(name: str) -> Package:
    """What an installed package says of itself."""
    package = installed()[name]
    return Package(name, package.version.split("+")[0], licence_of(package))


def licence_of(package: importlib.metadata.Distribution) -> str:
    """The licence that a package states, in a line; empty where it states none."""
    about = package.metadata
    classifiers = [line.split(" :: ")[-1] for line in about.get_all("Classifier") or () if line.startswith("License")]
    classifiers = [line for line in classifiers if line != "OSI Approved"]
    stated = [line.strip() for line in (about.get("License") or "").splitlines() if line.strip()]
    said = about.get("License-Expression") or " AND ".join(classifiers)
    if not said and stated and stated[0] != "UNKNOWN":
        said = stated[0]
    return re.sub(r"\s+", " ", said or first_line_of_file(package))


def first_line_of_file(package: importlib.metadata.Distribution) -> str:
    """The first line of a package's licence file, where it has one."""
    for file in package.files or ():
        if re.match(r"(?:LICEN[CS]E|COPYING)", file.name, flags=re.IGNORECASE) and file.suffix != ".py":
            lines = [line.strip() for line in file.read_text().splitlines() if line.strip()]
            return lines[0] if lines else ""
    return ""


def kind_of(licence: str) -> str:
    """How strict a licence is: that of the strictest part, or of the freest of alternatives.

    Examples
    --------
    >>> kind_of("MIT"), kind_of("GPL-2.0 OR BSD-2-Clause"), kind_of("MPL-2.0 AND MIT"), kind_of("LGPLv3"), kind_of("")
    ('permissive', 'permissive', 'weak copyleft', 'weak copyleft', 'unknown')
    """
    parts = re.split(r"\s+AND\s+", licence.replace("(", " ").replace(")", " "))
    kinds = [min((_kind_of_one(one) for one in re.split(r"\s+OR\s+", part)), key=STRICTNESS.index) for part in parts]
    return max(kinds, key=STRICTNESS.index)


def _kind_of_one(licence: str) -> str:
    said = licence.upper().replace("_", "-")
    for pattern, kind in ((WEAK, "weak copyleft"), (STRONG, "strong copyleft"), (PERMISSIVE, "permissive")):
        if re.search(pattern, said):
            return kind
    return "unknown"


def who_brings(brought: dict[str, set[Package]]) -> dict[Package, list[str]]:
    """For every package the extras that bring it, or the default install alone, which brings it to all."""
    found: dict[Package, list[str]] = {}
    for extra, packages in brought.items():
        for package in packages:
            found.setdefault(package, []).append(extra)
    return {package: [DEFAULT] if DEFAULT in extras else extras for package, extras in found.items()}


def page(text: str, brought: dict[str, set[Package]]) -> str:
    """The page with its tables made again; the rest is written by hand and stays."""
    everything = sorted(who_brings(brought).items())
    strict = [(package, extras) for package, extras in everything if package.kind != "permissive"]
    for name, rows in (("not permissive", strict), ("everything", everything)):
        begin, end = f"<!-- made: {name} -->", "<!-- end -->"
        before, rest = text.split(begin)
        text = f"{before}{begin}\n{table(rows)}\n{end}{rest.split(end, 1)[1]}"
    return text


def table(rows: list[tuple[Package, list[str]]]) -> str:
    """A table in Markdown."""
    lines = ["| package | version | licence | kind | brought by |", "|---|---|---|---|---|"]
    for package, extras in rows:
        said = (package.licence or "none stated").replace("|", "/")
        lines.append(f"| {package.name} | {package.version} | {said} | {package.kind} | {', '.join(extras)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
