"""Error kernels from a file: a small text table of how far labels are off, read without any table library."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import numpy as np

from mixz.errors import MixzError, nearest
from mixz.kernels.table import TableKernel

if TYPE_CHECKING:
    from pathlib import Path

    from mixz.kernels.kernel import Array

NEEDED, OPTIONAL = ("dz", "density"), ("mag_low", "mag_high")
EXAMPLE = "a line `dz,density` (or `dz,density,mag_low,mag_high`) and numbers below it"


def read_kernel_table(path: Path) -> TableKernel:
    """Read the density of dz = (z_label - z) / (1 + z) from a CSV or ECSV file; it need not be normalised.

    Parameters
    ----------
    path
        Columns dz and density, and where the error depends on i magnitude mag_low and mag_high: rows with the same
        two are the density of that bin, and galaxies outside every bin take the nearest.

    Raises
    ------
    MixzError
        There is no such file, or it is no such table.
    """
    columns = _columns(path)
    given = [name for name in OPTIONAL if name in columns]
    if len(given) == 1:
        raise MixzError(f"{path} has {given[0]} alone", "mag_low and mag_high, or neither", "add the other column")
    bins = np.stack([columns[name] for name in OPTIONAL], axis=1) if given else np.zeros((len(columns["dz"]), 2))
    edges = np.unique(bins, axis=0)
    if given and ((edges[:, 0] >= edges[:, 1]).any() or (edges[1:, 0] < edges[:-1, 1]).any()):
        raise MixzError(
            f"{path}: its magnitude bins overlap or are empty", "mag_low < mag_high <= the next", "mend them"
        )
    curves = [_curve(path, *(columns[name][(bins == edge).all(axis=1)] for name in NEEDED)) for edge in edges]
    dz, density = zip(*curves, strict=True)
    borders = (edges[1:, 0] + edges[:-1, 1]) / 2
    return TableKernel(dz, density, tuple(borders.tolist()))


def _columns(path: Path) -> dict[str, Array]:
    try:
        lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip() and line[0] != "#"]
    except (OSError, UnicodeDecodeError) as error:
        raise MixzError(f"kernel table {path} cannot be read: {error}", EXAMPLE, "check the path") from None
    rows = list(csv.reader(lines, delimiter="," if lines and "," in lines[0] else " ", skipinitialspace=True))
    names = [name.strip() for name in rows[0]] if rows else []
    for name in NEEDED:
        if name not in names:
            raise MixzError(f"kernel table {path} has no column {name!r}{nearest(name, names)}", EXAMPLE, "add it")
    strangers = [name for name in names if name not in (*NEEDED, *OPTIONAL)]
    if strangers:
        raise MixzError(f"kernel table {path} has columns {strangers}", EXAMPLE, "leave them out")
    try:
        values = np.array([[float(cell) for cell in row] for row in rows[1:]]).reshape(-1, len(names))
    except ValueError as error:
        raise MixzError(f"kernel table {path}: {error}", EXAMPLE, "write one number per column and row") from None
    if not np.isfinite(values).all():
        raise MixzError(f"kernel table {path} holds NaN or infinities", "finite numbers", "leave those rows out")
    return {name: values[:, number] for number, name in enumerate(names)}


def _curve(
    path: Path,
    dz: Array,
    density: Array,
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Sort and normalise the density of one magnitude bin."""
    order = np.argsort(dz)
    dz, density = dz[order], density[order]
    area = np.trapezoid(density, dz)
    if len(dz) < 3 or (np.diff(dz) <= 0).any() or (density < 0).any() or not area > 0:
        raise MixzError(
            f"kernel table {path}: {len(dz)} points of one magnitude bin are no density",
            "three or more different dz, densities >= 0 and not all 0",
            "mend these rows",
        )
    return tuple(dz.tolist()), tuple((density / area).tolist())
