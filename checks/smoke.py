"""What an installed mixz has to do: run by the Python of an environment that holds its default install and no more.

    python -I checks/smoke.py MODEL.onnx

Ends with 0 where everything works, in whatever folder it is run: it works in one of its own.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import subprocess
import sys
import tempfile
from pathlib import Path

EXTRAS_ONLY = ("torch", "sklearn", "fastapi", "hats", "qp", "rail.core", "pytest")


def main() -> None:
    """Go through it."""
    model = Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        its_files_are_there()
        its_plugin_shares_rails_namespace()
        assert "Photometric redshifts" in mixz("--help")
        assert "mixz[train]" in refused("train", demo())
        assert "galaxies.parquet" in mixz("build", demo())
        assert Path("out/demo/galaxies.parquet").is_file()
        it_predicts(model)
    print(f"mixz {importlib.metadata.version('mixz')} on Python {sys.version.split()[0]}: works")


def its_files_are_there() -> None:
    """Everything that the wheel says it holds, in this environment and nowhere else."""
    import mixz as package

    assert package.__version__ == importlib.metadata.version("mixz")
    assert Path(package.__file__).is_relative_to(sys.prefix), package.__file__
    present = [name for name in EXTRAS_ONLY if installed(name)]
    assert not present, f"the default install brings {present}"
    files = importlib.metadata.files("mixz") or []
    assert len(files) > 100
    lost = [str(file) for file in files if not Path(str(file.locate())).exists()]
    assert not lost, lost


def installed(name: str) -> bool:
    """Whether a module can be found."""
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False


def its_plugin_shares_rails_namespace() -> None:
    """`rail` belongs to RAIL: ours is a part without an `__init__.py`, or RAIL's own could not be found beside it."""
    assert installed("rail.mixz")
    assert installed("rail.estimation.algos.mixz")
    for name in ("rail", "rail.estimation", "rail.estimation.algos"):
        spec = importlib.util.find_spec(name)
        assert spec is not None
        assert spec.origin is None, f"{name} is no namespace: {spec.origin}"


def it_predicts(model: Path) -> None:
    """Redshifts of the demo's galaxies by an exported model, without torch."""
    import numpy as np

    from mixz.data.tables import read_table

    mixz("predict", str(model), demo().replace("demo.yaml", "galaxies.parquet"), "-o", "photoz.fits")
    z_phot = read_table(Path("photoz.fits"))["z_phot"].to_numpy()
    assert len(z_phot) > 1000
    assert np.isfinite(z_phot).mean() > 0.9
    assert np.nanmin(z_phot) > -0.5
    assert np.nanmax(z_phot) < 10


def demo() -> str:
    """The config of the embedded demo."""
    return str(importlib.metadata.distribution("mixz").locate_file("mixz/demo/demo.yaml"))


def mixz(*arguments: str) -> str:
    """What the command says, which has to succeed."""
    done = command(*arguments)
    assert done.returncode == 0, f"mixz {' '.join(arguments)}: {done.stdout}{done.stderr}"
    return done.stdout


def refused(*arguments: str) -> str:
    """What the command says of something that it has to refuse."""
    done = command(*arguments)
    assert done.returncode == 2, f"mixz {' '.join(arguments)}: {done.returncode} {done.stdout}{done.stderr}"
    return done.stderr


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command of this environment, whatever the one outside finds."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    program = str(Path(sys.prefix) / "bin" / "mixz")
    return subprocess.run([program, *arguments], capture_output=True, text=True, check=False, env=clean)


if __name__ == "__main__":
    main()
