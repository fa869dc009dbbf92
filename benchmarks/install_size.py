"""How large an install is: mixz alone, with onnxruntime, with torch; each in an environment of its own.

    python benchmarks/install_size.py

Sizes are those of the installed files without pip, as the machine's package index serves them: where it serves torch
with CUDA, torch's own is gigabytes.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

from measure import report

ROOT = Path(__file__).parents[1]
WAYS = {"mixz": "", "mixz_onnxruntime": "", "mixz_train": "[train]"}
RUNTIME = "onnxruntime"


def main() -> None:
    """Install, measure and print."""
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    figures: dict[str, float | str | None] = {"python": sys.version.split()[0]}
    for name, extra in WAYS.items():
        with tempfile.TemporaryDirectory() as folder:
            figures[f"{name}_mb"] = installed(Path(folder), extra, also=[RUNTIME] if "onnx" in name else [])
    report(figures)


def installed(folder: Path, extra: str, *, also: list[str]) -> float:
    """Install into a new environment, and add up what came [MB]."""
    venv.create(folder, with_pip=True)
    [packages] = folder.glob("lib/python*/site-packages")
    before = size(packages)
    command = [folder / "bin" / "python", "-m", "pip", "install", "--quiet", "--no-compile"]
    command += ["--constraint", ROOT / "constraints.txt", f"{ROOT}{extra}", *also]
    subprocess.run([str(part) for part in command], check=True)
    return (size(packages) - before) / 1e6


def size(folder: Path) -> float:
    """Add up the files in a folder [bytes]; libraries that are linked count once."""
    return float(sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink()))


if __name__ == "__main__":
    main()
