"""How large an install is: mixz alone and with its extras, each in an environment of its own; and what weighs in it.

    python benchmarks/install_size.py

Sizes are those of the installed files without pip and compiled bytecode, as the machine's package index serves them:
where it serves torch with CUDA, torch's own is gigabytes.  ``only_X_mb`` is what the default install would lose without
its dependency X: that package, and what nothing else needs.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import venv
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import TYPE_CHECKING

from measure import report
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Iterable

ROOT = Path(__file__).parents[1]
EXTRAS = ("", "train", "train,onnx", "serve", "hats")
MEGABYTE = 1e6


def main() -> None:
    """Install, measure and print."""
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    figures: dict[str, float | str | None] = {"python": sys.version.split()[0]}
    for extra in EXTRAS:
        with tempfile.TemporaryDirectory() as folder:
            packages = environment(Path(folder))
            before = size(packages)
            install(Path(folder), f"{ROOT}[{extra}]" if extra else str(ROOT))
            figures[f"mixz[{extra}]_mb" if extra else "mixz_mb"] = (size(packages) - before) / MEGABYTE
            if not extra:
                saved = {f"only_{name}_mb": megabytes for name, megabytes in weights(packages).items()}
    report(figures | dict(sorted(saved.items(), key=lambda one: -one[1])))


def environment(folder: Path) -> Path:
    """Make an environment with nothing but pip, and say where its packages lie."""
    venv.create(folder, with_pip=True)
    [packages] = folder.glob("lib/python*/site-packages")
    return packages


def install(folder: Path, what: str) -> None:
    """Install into an environment, at the versions that the tests run with."""
    command = [folder / "bin" / "python", "-m", "pip", "install", "--quiet", "--no-compile"]
    command += ["--constraint", ROOT / "constraints.txt", what]
    subprocess.run([str(part) for part in command], check=True)


def size(folder: Path) -> float:
    """Add up the files in a folder [bytes]; libraries that are linked count once."""
    return float(sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink()))


def weights(packages: Path) -> dict[str, float]:
    """How much each direct dependency brings that nothing else needs [MB]."""
    found = {canonicalize_name(one.metadata["Name"]): one for one in distributions(path=[str(packages)])}
    weight = {name: own_size(one) / MEGABYTE for name, one in found.items()}
    needs = {name: needed(one.requires or ()) & found.keys() for name, one in found.items()}
    direct = needs["mixz"]
    everything = reached(needs, direct)
    return {name: sum(weight[gone] for gone in everything - reached(needs, direct - {name})) for name in direct}


def own_size(package: Distribution) -> float:
    """Add up the files that a package brought [bytes]."""
    paths = [Path(str(package.locate_file(file))) for file in package.files or ()]
    return float(sum(path.stat().st_size for path in paths if path.is_file()))


def needed(requirements: Iterable[str]) -> set[str]:
    """Name the packages that requirements name on this machine, without extras."""
    parsed = [Requirement(one) for one in requirements]
    return {canonicalize_name(one.name) for one in parsed if one.marker is None or one.marker.evaluate({"extra": ""})}


def reached(needs: dict[str, set[str]], start: set[str]) -> set[str]:
    """Name everything that some packages need, themselves among it."""
    known: set[str] = set()
    ahead = set(start)
    while ahead:
        known |= ahead
        ahead = set().union(*(needs[name] for name in ahead)) - known
    return known


if __name__ == "__main__":
    main()
