"""The house: imports only go down, rooms stay small, heavy libraries live in one place, a name means one thing."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import defaultdict
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "mixz"
FILES = sorted(SOURCE.rglob("*.py"))

# From the ground up; a room may import those named before it.
LAYERS = (
    {"errors", "notebook", "progress"},
    {"atomic", "arrays", "digest", "strict"},
    {"densities"},
    {"galaxies", "photoz"},
    {"truths"},
    {"surveys"},
    {"settings"},
    {"data", "model", "metrics"},
    {"tomography"},
    {"mock", "report", "bridges"},
    {"plot", "stages"},
    {"cli"},
    {"__main__"},
)
FLOOR = {room: level for level, rooms in enumerate(LAYERS) for room in rooms}

# Where each heavy or optional library may be imported; everything else is free for all.
HOMES = {
    "torch": ("model", "bridges/onnx_export.py"),
    "safetensors": ("model",),
    "astropy": ("data", "mock"),
    "pooch": ("data/fetching",),
    "requests": ("data/fetching",),
    "skypy": ("mock",),
    "speclite": ("mock",),
    "photerr": ("mock",),
    "qp": ("bridges/qp_files.py",),
    "dustmaps": ("data/meaning/dust_maps.py",),
    "sacc": ("bridges/nz/files.py",),
    "tables_io": ("bridges/rail_mock.py",),
    "lsdb": ("data/hats_folder.py",),
    "hats": ("data/hats_folder.py",),
    "onnxruntime": ("bridges/onnx_files.py",),
    "sklearn": ("bridges/sklearn_estimator.py",),
    "cdshealpix": ("data/hats_folder.py",),
    "mlflow": ("bridges/mlflow_log.py",),
    "rail": ("bridges/rail_mock.py",),
    "distributed": ("bridges/dask_members.py",),
    "fastapi": ("bridges/web/",),
    "starlette": ("bridges/web/",),
    "uvicorn": ("bridges/web/",),
    "jinja2": ("report/page.py",),
    "markdown_it": ("report/page.py",),
    "vl_convert": ("report/vega.py",),
}
FORBIDDEN_IN_MODEL = {"astropy", "pandas", "pyarrow", "h5py", "matplotlib"}

MOST_FILES, MOST_LOOSE_FILES, MOST_LINES = 20, 10, 400


def place(path: Path) -> str:
    """Name a file by its path in the package."""
    return path.relative_to(SOURCE).as_posix()


def room(path: Path) -> str:
    """Name the room a file belongs to: the first folder, or the file itself."""
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


@cache
def imports(path: Path) -> tuple[str, ...]:
    """List the modules that a file imports, lazily or not, for types only or not."""
    found: list[str] = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: relative import"
            # `from mixz.room import file` imports the file.
            submodules = [a.name for a in node.names if _file_of(f"{node.module}.{a.name}")]
            found += [f"{node.module}.{name}" for name in submodules]
            if len(submodules) < len(node.names):
                found.append(node.module)
    return tuple(found)


def _file_of(module: str) -> Path | None:
    """Find the file of one of our modules."""
    if not module.startswith("mixz."):
        return None
    path = SOURCE.joinpath(*module.split(".")[1:])
    for candidate in (path.with_suffix(".py"), path / "__init__.py"):
        if candidate.is_file():
            return candidate
    return None


def test_imports_only_go_down() -> None:
    wrong = []
    for path in FILES:
        if path == SOURCE / "__init__.py":
            continue  # the public names, loaded when they are used
        here = room(path)
        assert here in FLOOR, f"{here} has no layer: give it one here and in docs/architecture.md"
        for module in imports(path):
            there = module.split(".")[1] if module.startswith("mixz.") else here
            if there != here and FLOOR[there] >= FLOOR[here]:
                wrong.append(f"{place(path)} imports {module}")
    assert not wrong


def test_there_is_no_circle() -> None:
    graph = {path: {f for m in imports(path) if (f := _file_of(m))} for path in FILES if path != SOURCE / "__init__.py"}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(place(path) for path in error.args[1]))


def test_rooms_and_files_are_small() -> None:
    files = defaultdict(list)
    for path in FILES:
        files[path.parent].append(path)
    crowded = {place(folder): len(inside) for folder, inside in files.items() if len(inside) > MOST_FILES}
    assert not crowded
    assert len(files[SOURCE]) <= MOST_LOOSE_FILES
    long = {place(path): n for path in FILES if (n := len(path.read_text().splitlines())) > MOST_LINES}
    assert not long


def test_a_class_name_means_one_thing() -> None:
    homes = defaultdict(list)
    for path in FILES:
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef):
                homes[node.name].append(place(path))
    twice = {name: where for name, where in homes.items() if len(where) > 1}
    assert not twice


def test_heavy_libraries_stay_at_home() -> None:
    strays = []
    for path in FILES:
        libraries = {module.split(".")[0] for module in imports(path)}
        strays += [
            f"{place(path)} imports {library}; its home is {HOMES[library]}"
            for library in libraries & set(HOMES)
            if not place(path).startswith(HOMES[library])
        ]
        if room(path) == "model":
            strays += [f"{place(path)} imports {library}" for library in libraries & FORBIDDEN_IN_MODEL]
    assert not strays


@pytest.mark.parametrize(
    ("module", "unwanted"),
    [
        ("mixz", {"torch", "pandas", "matplotlib", "astropy"}),
        ("mixz.metrics", {"torch", "pandas", "matplotlib"}),
        ("mixz.cli.verbs", {"torch", "pandas", "astropy", "scipy", "numpy", "pydantic"}),  # `mixz --help`
        ("mixz.stages.init", {"torch", "onnxruntime", "vl_convert"}),
    ],
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
