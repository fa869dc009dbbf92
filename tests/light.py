"""Python as people have it who installed less: some packages cannot be found."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

# Not `sys.modules[name] = None`: scipy takes what stands there for a loaded package.
HIDE = """
import sys
from importlib.machinery import PathFinder
class Rest(PathFinder):
    absent = set(sys.argv.pop(1).split(","))
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.split(".")[0] in cls.absent else PathFinder.find_spec(name, path, target)
sys.meta_path[sys.meta_path.index(PathFinder)] = Rest
"""


def run_without(
    absent: Iterable[str], script: str, *arguments: object, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a script in a process that cannot find some packages."""
    command = [sys.executable, "-c", HIDE + script, ",".join(absent), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, check=False)
