"""Write `locks/`: for an install of every size, each package at its version in constraints.txt with its files' hashes.

    python checks/lock.py          # after constraints.txt or the dependencies in pyproject.toml have changed

uv resolves for every platform and every Python that mixz allows.  torch is locked without its CUDA libraries, so that
a locked install takes its CPU build or none.  That build's Linux files are not on PyPI: to PyPI's hashes are added
those that the locks had, and that of the file which pip would install on this machine.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
LOCKS = ROOT / "locks"
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
SIZES: dict[str, list[str]] = {
    "default": [],
    "train": ["--extra", "train", "--extra", "onnx", "--extra", "serve", "--extra", "sklearn"],
    "everything": ["--all-extras"],
}
HEAD = """\
# {what}, with hashes; made by `make lock`, never by hand.  Install with
#   pip install --require-hashes {index}-r locks/{name}.txt
#   pip install --no-deps mixz
"""
WHAT = {
    "default": "The default install",
    "train": "mixz[train,onnx,serve,sklearn]",
    "everything": "Every extra, those of developers too",
}


def main() -> None:
    """Write all of them."""
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    version = pinned("torch")
    known = {found for path in LOCKS.glob("*.txt") for found in hashes_of(f"torch=={version}", path.read_text())}
    known.add(hash_here(f"torch=={version}"))
    for name, extras in SIZES.items():
        text = with_hashes(resolved(extras, version), f"torch=={version}", known)
        index = f"--extra-index-url {CPU_INDEX} " if "torch==" in text else ""
        (LOCKS / f"{name}.txt").write_text(HEAD.format(what=WHAT[name], index=index, name=name) + text)


def pinned(package: str) -> str:
    """The version of a package in constraints.txt."""
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    return next(line.split("==")[1] for line in lines if line.startswith(f"{package}=="))


def resolved(extras: list[str], torch: str) -> str:
    """What uv makes of pyproject.toml and constraints.txt."""
    needs = json.dumps([one for one in importlib.metadata.requires("torch") or [] if "extra ==" not in one])
    with tempfile.NamedTemporaryFile("w", suffix=".toml") as config:
        config.write(f'[[dependency-metadata]]\nname = "torch"\nversion = "{torch}"\nrequires-dist = {needs}\n')
        config.flush()
        command = [sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--config-file", config.name]
        command += ["--universal", "--python-version", "3.11", "--generate-hashes", "--no-header", "--no-annotate"]
        command += ["--no-emit-package", "pip", "--constraint", str(ROOT / "constraints.txt"), *extras]
        done = subprocess.run([*command, str(ROOT / "pyproject.toml")], check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout


def hash_here(requirement: str) -> str:
    """The hash of the file that pip would install on this machine."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed", "--no-deps"]
    done = subprocess.run([*command, "--report", "-", requirement], check=True, stdout=subprocess.PIPE, text=True)
    [one] = json.loads(done.stdout)["install"]
    return f"sha256:{one['download_info']['archive_info']['hashes']['sha256']}"


def hashes_of(requirement: str, text: str) -> list[str]:
    """The hashes that a lock has for a requirement."""
    return re.findall(r"--hash=(\S+)", block(requirement, text))


def with_hashes(text: str, requirement: str, more: set[str]) -> str:
    """A lock with more hashes for one requirement; as it is where it lacks the requirement."""
    old = block(requirement, text)
    if not old:
        return text
    first = old.splitlines()[0].removesuffix(" \\")
    lines = [first, *(f"    --hash={one}" for one in sorted({*hashes_of(requirement, text), *more}))]
    return text.replace(old, " \\\n".join(lines) + "\n")


def block(requirement: str, text: str) -> str:
    """The lines of a lock about one requirement."""
    found = re.search(rf"^{re.escape(requirement)}\b.*\n(?: +--hash=.*\n)*", text, flags=re.MULTILINE)
    return found.group() if found else ""


if __name__ == "__main__":
    main()
