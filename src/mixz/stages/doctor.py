"""`mixz doctor`: what is installed, what brings the rest, on which devices it can train, what is kept where."""

from __future__ import annotations

import os
import platform
import re
import shutil
import sys
import tempfile
from importlib.metadata import PackageNotFoundError, requires, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from platformdirs import user_cache_path

from mixz.errors import pip_install

REQUIREMENT = re.compile(r"(?P<name>[A-Za-z0-9._-]+)[^;]*?(?:; extra == ['\"](?P<extra>\w+)['\"])?$")
FOR_DEVELOPERS = ("dev", "release")


class Extra(NamedTuple):
    """One of mixz's extras.

    Parameters
    ----------
    there, lacking
        Its packages with their versions, and those that are not installed.
    install
        The command that brings them; empty where all are there.
    """

    there: dict[str, str]
    lacking: list[str]
    install: str


class Health(NamedTuple):
    """What `mixz doctor` found.

    Parameters
    ----------
    versions
        mixz, Python and the machine.
    packages
        The packages that mixz always needs, and their versions; ``missing`` where one is not there.
    extras
        By name.
    devices
        What can train, in words.
    places
        What is kept where, in words.
    """

    versions: dict[str, str]
    packages: dict[str, str]
    extras: dict[str, Extra]
    devices: list[str]
    places: dict[str, str]

    @property
    def is_well(self) -> bool:
        """Whether all is there that mixz always needs."""
        return "missing" not in self.packages.values()

    def as_dict(self) -> dict[str, Any]:
        """All of it as plain values."""
        return self._asdict() | {"extras": {name: extra._asdict() for name, extra in self.extras.items()}}


def doctor() -> Health:
    """Look at the installation; nothing is written or downloaded."""
    always, extras = _requirements()
    found = {name: _version(name) for name in always}
    return Health(
        versions={
            "mixz": version("mixz"),
            "Python": f"{platform.python_version()} ({sys.executable})",
            "machine": f"{platform.platform()}, {os.cpu_count()} cores",
        },
        packages={name: number or "missing" for name, number in found.items()},
        extras={name: _extra(name, packages) for name, packages in extras.items() if name not in FOR_DEVELOPERS},
        devices=_devices(),
        places={
            "cache": _place(Path(user_cache_path("mixz")), "made again where it is removed"),
            "downloads": "where `mixz fetch --to` puts them, data/ by default",
            "temporary files": _place(Path(tempfile.gettempdir()), "TMPDIR names another place"),
        },
    )


def _requirements() -> tuple[list[str], dict[str, list[str]]]:
    """The packages that mixz always needs, and those of its extras."""
    always: list[str] = []
    extras: dict[str, list[str]] = {}
    for line in requires("mixz") or ():
        found = REQUIREMENT.match(line.strip())
        if found is None:
            continue
        (extras.setdefault(found["extra"], []) if found["extra"] else always).append(found["name"])
    return sorted(always, key=str.lower), dict(sorted(extras.items()))


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _extra(name: str, packages: list[str]) -> Extra:
    versions = {package: _version(package) for package in packages}
    lacking = [package for package, number in versions.items() if not number]
    return Extra({p: n for p, n in versions.items() if n}, lacking, pip_install(name) if lacking else "")


def _devices() -> list[str]:
    cores = f"cpu: {os.cpu_count()} cores"
    if find_spec("torch") is None:
        return [f"{cores}; no torch: exported models can be used, nothing trained"]
    from mixz.model.training.devices import cards

    return [cores, *(f"cuda: {card} (--device cuda)" for card in cards())]


def _place(folder: Path, words: str) -> str:
    if not folder.is_dir():
        return f"{folder} (not there yet; {words})"
    held = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) if "mixz" in folder.name else None
    free = shutil.disk_usage(folder).free / 1e9
    return f"{folder} ({'' if held is None else f'{held / 1e6:.0f} MB, '}{free:.0f} GB free; {words})"
