"""Wheel and sdist: built, looked into, installed by the lock into an empty environment, and tried there.

    python checks/distribution.py          # leaves both in dist/

The wheel is built from the sdist, so that the sdist is known to hold what it takes.  The default install is tried
(checks/smoke.py) with a small model that this environment trains and exports.
"""

from __future__ import annotations

import argparse
import email
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import venv
import zipfile
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src"
DEMO = SOURCE / "mixz" / "demo"
NOT_SHIPPED = ("__pycache__", ".egg-info")
BESIDE = {"CHANGELOG.md", "CITATION.cff", "LICENSE", "MANIFEST.in", "README.md", "constraints.txt", "pyproject.toml"}
MADE = {"PKG-INFO", "setup.cfg"}


def main() -> None:
    """Build, look and try."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=ROOT / "dist", help="where both go")
    out: Path = parser.parse_args().out
    run(sys.executable, "-m", "build", "--quiet", "--no-isolation", "--outdir", out, ROOT)
    name = f"mixz-{tomllib.loads((ROOT / 'pyproject.toml').read_text())['project']['version']}"
    wheel, sdist = out / f"{name}-py3-none-any.whl", out / f"{name}.tar.gz"
    faults = wheel_faults(wheel) + sdist_faults(sdist)
    if faults:
        raise SystemExit("\n".join(faults))
    with tempfile.TemporaryDirectory() as folder:
        model = small_model(Path(folder))
        venv.create(Path(folder) / "empty", with_pip=True)
        python = Path(folder) / "empty" / "bin" / "python"
        pip = (python, "-I", "-m", "pip", "--quiet")
        run(*pip, "install", "--require-hashes", "--requirement", ROOT / "locks" / "default.txt")
        run(*pip, "install", "--no-deps", "--no-index", wheel)
        run(*pip, "check")
        run(python, "-I", ROOT / "checks" / "smoke.py", model)


def shipped() -> set[str]:
    """Every file of src that belongs into a wheel, by its path there."""
    files = (path for path in SOURCE.rglob("*") if path.is_file())
    names = (path.relative_to(SOURCE).as_posix() for path in files)
    return {name for name in names if not any(part in name for part in NOT_SHIPPED)}


def wheel_faults(wheel: Path) -> list[str]:
    """What a wheel lacks, what it should not hold, and what it says wrongly of itself."""
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        about = {name for name in names if ".dist-info/" in name}
        [metadata] = (email.message_from_bytes(archive.read(name)) for name in about if name.endswith("/METADATA"))
        [licence] = (archive.read(name) for name in about if name.endswith("/licenses/LICENSE"))
    faults = differences(wheel.name, names - about, shipped())
    if licence != (ROOT / "LICENSE").read_bytes():
        faults.append(f"{wheel.name}: its LICENSE is another one")
    if metadata["License-Expression"] != "MIT":
        faults.append(f"{wheel.name}: says its licence is {metadata['License-Expression']}")
    return faults


def sdist_faults(sdist: Path) -> list[str]:
    """What an sdist lacks, and what it should not hold."""
    with tarfile.open(sdist) as archive:
        files = {member.name.split("/", 1)[1] for member in archive.getmembers() if member.isfile()}
    files = {name for name in files if ".egg-info/" not in name}
    return differences(sdist.name, files - MADE, {f"src/{name}" for name in shipped()} | BESIDE)


def differences(what: str, found: set[str], wanted: set[str]) -> list[str]:
    """One line for each file too few or too many."""
    lost = [f"{what} lacks {name}" for name in sorted(wanted - found)]
    return lost + [f"{what} holds {name}, which is no part of the package" for name in sorted(found - wanted)]


def small_model(folder: Path) -> Path:
    """Train one network on the embedded demo for a moment, and export it."""
    settings = yaml.safe_load((DEMO / "demo.yaml").read_text())
    settings |= {"members": 1, "recipes": ["fused"], "training": {"epochs": 2}, "out": str(folder / "out")}
    settings["tables"][0]["path"] = str(DEMO / "galaxies.parquet")
    config = folder / "small.yaml"
    config.write_text(yaml.safe_dump(settings))
    for verb in ("build", "train"):
        run(sys.executable, "-m", "mixz", verb, config)
    [trained] = folder.glob("out/**/models/fused")
    run(sys.executable, "-m", "mixz", "export", trained, "-o", folder / "model.onnx")
    return folder / "model.onnx"


def run(*command: object) -> None:
    """Run a command that has to succeed."""
    subprocess.run([str(part) for part in command], check=True)


if __name__ == "__main__":
    main()
