"""The house: imports only go down, the middle folders do not know each other, heavy libraries live in one place."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "mixz"
FILES = sorted(SOURCE.rglob("*.py"))

LAYERS = {
    **dict.fromkeys(
        (
            "schema",
            "truths",
            "recipes",
            "columns",
            "surveys",
            "sources",
            "config",
            "config_file",
            "networks",
            "truth_settings",
        ),
        0,
    ),
    **dict.fromkeys(("errors", "atomic", "progress", "kernels", "neighbours", "onnx_format"), 0),
    **dict.fromkeys(("data", "model", "metrics"), 1),
    **dict.fromkeys(("bridges", "report"), 2),
    "stages": 3,
    "cli": 4,
    "__main__": 5,
}

# Where each heavy or optional library may be imported; everything else is free for all.
HOMES = {
    "torch": ("model",),
    "safetensors": ("model",),
    "matplotlib": ("report",),
    "astropy": ("data",),
    "pooch": ("data/fetching",),
    "requests": ("data/fetching",),
    "skypy": ("data/mock",),
    "speclite": ("data/mock",),
    "photerr": ("data/mock",),
    "qp": ("bridges/qp_files.py",),
    "tables_io": ("bridges/rail_mock.py",),
    "lsdb": ("data/hats_folder.py",),
    "hats": ("data/hats_folder.py",),
    "onnxruntime": ("bridges/onnx_files.py",),
    "sklearn": ("bridges/sklearn_estimator.py",),
    "cdshealpix": ("data/hats_folder.py",),
    "mlflow": ("bridges/mlflow_log.py",),
    "rail": ("bridges/rail_mock.py",),
    "distributed": ("bridges/dask_members.py",),
    "fastapi": ("bridges/web_app.py",),
    "uvicorn": ("stages/serve.py",),
    "jinja2": ("report/page.py",),
    "markdown_it": ("report/page.py",),
    "vl_convert": ("report/vega.py",),
}

# The one import that goes up: `Ensemble.predict` hands tables of other kinds to the bridge that knows their libraries.
UPWARDS = {("model/ensemble.py", "mixz.bridges.any_table")}

FORBIDDEN_IN_MODEL = {"astropy", "pandas", "pyarrow", "h5py", "matplotlib"}


def room(path: Path) -> str:
    """Name the room a file belongs to: the first folder, or the file itself."""
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def imports(path: Path) -> list[str]:
    """List the modules that a file imports at run time, lazily or not (imports for types only are free)."""
    tree = ast.parse(path.read_text())
    typed = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    found: list[str] = []
    for node in ast.walk(tree):
        if node in typed:
            continue
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: relative import"
            found += [f"{node.module}.{a.name}" if node.module == "mixz" else node.module for a in node.names]
    return found


@pytest.mark.parametrize(
    "path", [f for f in FILES if f != SOURCE / "__init__.py"], ids=lambda p: str(p.relative_to(SOURCE))
)
def test_imports_only_go_down(path: Path) -> None:
    here = room(path)
    assert here in LAYERS, f"{here} has no layer: give it one here and in the README's picture"
    for module in imports(path):
        if module.startswith("mixz.") and (path.relative_to(SOURCE).as_posix(), module) not in UPWARDS:
            there = module.split(".")[1]
            down = LAYERS[there] < LAYERS[here] or there == here or LAYERS[there] == LAYERS[here] == 0
            assert down, f"{here} (layer {LAYERS[here]}) imports {there} (layer {LAYERS[there]})"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_heavy_libraries_stay_at_home(path: Path) -> None:
    place = path.relative_to(SOURCE).as_posix()
    for module in imports(path):
        library = module.split(".")[0]
        if library in HOMES:
            assert place.startswith(HOMES[library]), f"{place} imports {library}; its home is {HOMES[library]}"
        if place.startswith("model"):
            assert library not in FORBIDDEN_IN_MODEL, f"{place} imports {library}"


@pytest.mark.parametrize(
    ("module", "unwanted"),
    [("mixz", {"torch", "pandas", "matplotlib", "astropy"}), ("mixz.metrics", {"torch", "pandas", "matplotlib"})],
)
def test_importing_stays_light(module: str, unwanted: set[str]) -> None:
    script = f"import sys, {module}; print(*sorted(set(sys.modules) & {unwanted!r}))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_every_public_name_loads() -> None:
    import mixz

    for name in mixz.__all__:
        assert getattr(mixz, name) is not None
    with pytest.raises(AttributeError, match="it has: "):
        _ = mixz.nothing
