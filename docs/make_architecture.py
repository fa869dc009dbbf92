"""Write into docs/architecture.md what the code says of itself: layers, and every file by its docstring's first line.

`python docs/make_architecture.py` does it again after files moved; a test says when it is due.  The layers are those of
tests/test_layers.py, which holds them.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "architecture.md"
HOUSE = ROOT / "src" / "mixz"
LAYERS_KEPT_BY = ROOT / "tests" / "test_layers.py"

# What has no docstring.
OTHERS = {
    "data/fetching/hsc_pdr2.sql": "The query that HSC's archive wants.",
    "data/fetching/registry.yaml": "The public files' addresses, sizes, checksums and citations.",
    "demo": "The embedded simulated survey and its config.",
    "mock/hsc_spectra.npz": "How many real HSC galaxies have spectra, by (i, g - z, z).",
    "report/mixz.mplstyle": "One style for every figure.",
    "report/templates": "The words, looks and behaviour of the report and of the page of `mixz serve`.",
}
UNTOLD = ("__init__.py", "__pycache__", "py.typed")


def layers() -> list[set[str]]:
    """The layers of the house from the ground up, as its test has them."""
    for node in ast.parse(LAYERS_KEPT_BY.read_text()).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "LAYERS":
            return [set(layer) for layer in ast.literal_eval(node.value)]
    raise LookupError(f"{LAYERS_KEPT_BY} has no LAYERS")


def first_line(path: Path) -> str:
    """What a file or a folder of files is, in the one line that it says itself."""
    place = path.relative_to(HOUSE).as_posix() if path.is_relative_to(HOUSE) else ""
    if place in OTHERS:
        return OTHERS[place]
    file = path / "__init__.py" if path.is_dir() else path
    if file.suffix != ".py" or not file.is_file():
        raise LookupError(f"say in OTHERS of {Path(__file__).name} what {place} is")
    docstring = ast.get_docstring(ast.parse(file.read_text()))
    if not docstring:
        raise LookupError(f"{file} has no docstring")
    return re.sub(r"\s+", " ", docstring.split("\n\n")[0])


def entries(folder: Path) -> list[Path]:
    """The files of a folder, then the folders in it."""
    inside = (p for p in folder.iterdir() if p.name not in UNTOLD and (p.is_file() or any(p.iterdir())))
    return sorted(inside, key=lambda p: (p.is_dir(), p.name))


def told(path: Path, depth: int = 0) -> list[str]:
    """A bullet for a file; for a folder one more for everything in it."""
    name = path.name + ("/" if path.is_dir() else "")
    lines = [f"{'  ' * depth}- [`{name}`](../{path.relative_to(ROOT).as_posix()}): {first_line(path)}"]
    if path.is_dir() and path.relative_to(HOUSE).as_posix() not in OTHERS:
        lines += [line for inside in entries(path) for line in told(inside, depth + 1)]
    return lines


def picture_of_layers() -> str:
    """The layers, the highest first."""
    rows = [" ".join(sorted(rooms)) for rooms in reversed(layers())]
    return "\n".join(["```", *rows, "```"])


def picture_of_rooms() -> str:
    """Every file of the house, room by room from the highest to the lowest, and of RAIL's plugin."""
    floor = {room: level for level, rooms in enumerate(layers()) for room in rooms}
    rooms = [p for p in entries(HOUSE) if p.is_dir()]
    parts = ["### The ground floor\n\n" + "\n".join(told(p)[0] for p in entries(HOUSE) if p.is_file())]
    for room in sorted(rooms, key=lambda p: (-floor.get(p.name, -1), p.name)):
        inside = [] if room.name in OTHERS else [line for p in entries(room) for line in told(p)]
        parts.append("\n\n".join([f"### {room.name}/", first_line(room), "\n".join(inside)]).strip())
    plugin = sorted(p for p in (ROOT / "src" / "rail").rglob("*.py"))
    bullets = [f"- [`{p.relative_to(ROOT / 'src')}`](../{p.relative_to(ROOT)}): {first_line(p)}" for p in plugin]
    return "\n\n".join([*parts, "### src/rail/, the plugin\n\n" + "\n".join(bullets)])


def page(text: str) -> str:
    """The page with its made parts made again; the rest is written by hand and stays."""
    for name, made in (("layers", picture_of_layers()), ("rooms", picture_of_rooms())):
        begin, end = f"<!-- made: {name} -->", "<!-- end -->"
        before, rest = text.split(begin)
        text = f"{before}{begin}\n{made}\n{end}{rest.split(end, 1)[1]}"
    return text


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text()))
