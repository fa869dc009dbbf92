"""Labels as wrong as a table says, and the small text file that says it."""

from __future__ import annotations

import csv
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from mixz.digest import stamp
from mixz.errors import MixzError, nearest
from mixz.truths.core_laplace import BROAD, CoreLaplaceKernel

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import ArrayLike, NDArray

    from mixz.truths.kernel import Array, Kernel


NEEDED, OPTIONAL = ("dz", "density"), ("mag_low", "mag_high")
STEP, MOST = 0.5, 200
"""Width of the bins of magnitude that a kernel is averaged in, and galaxies that tell what it is there (ours)."""
FINEST, FARTHEST, POINTS = 1e-3, 2.0, 401
"""A table's dz: so close in the middle, so far out, and so many, each a share farther than the last (ours)."""
EXAMPLE = "a line `dz,density` (or `dz,density,mag_low,mag_high`) and numbers below it"


@dataclass(frozen=True)
class TableKernel:
    """Labels as wrong as a table says: a density of dz = (z_label - z) / (1 + z), in bins of magnitude if need be.

    K(z_label | z, m) = p_m(dz) / (1 + z), p_m straight between the table's points and zero beyond them.

    Parameters
    ----------
    dz, density_of_dz
        Per magnitude bin the points, increasing, and the densities there, which integrate to 1.
    mag_borders
        Where one bin ends and the next begins, one fewer than bins; galaxies of unknown magnitude are in the last.

    Examples
    --------
    >>> triangle = TableKernel(dz=((-0.1, 0.0, 0.1),), density_of_dz=((0.0, 10.0, 0.0),))
    >>> triangle.density(z_label=[1.0, 1.1, 1.3], z=1.0, mag_ref=22)
    array([5. , 2.5, 0. ])
    """

    dz: tuple[tuple[float, ...], ...]
    density_of_dz: tuple[tuple[float, ...], ...]
    mag_borders: tuple[float, ...] = ()

    def narrowest(self, z_err: ArrayLike | None = None) -> float:
        """Half the narrowest bin's 68 % interval."""
        low, high = (
            np.array([self._quantile(bin_, np.array(q)) for bin_ in range(len(self.dz))]) for q in (0.16, 0.84)
        )
        return float((high - low).min() / 2)

    @property
    def widest(self) -> float:
        """The largest dz that it knows."""
        return max(abs(x) for points in self.dz for x in points)

    @property
    def uses_z_err(self) -> bool:
        """It does not."""
        return False

    @property
    def core(self) -> TableKernel:
        """All of it."""
        return self

    @property
    def tail(self) -> CoreLaplaceKernel:
        """It knows of no outliers: those of `BROAD`."""
        return BROAD

    def tail_share(self, mag_ref: ArrayLike) -> Array:
        """None."""
        return np.zeros(np.shape(mag_ref))

    def scaled(self, factor: float) -> TableKernel:
        """The kernel whose table is stretched by `factor`."""
        dz = tuple(tuple(factor * x for x in points) for points in self.dz)
        return replace(self, dz=dz, density_of_dz=tuple(tuple(p / factor for p in bin_) for bin_ in self.density_of_dz))

    def draw(self, z: ArrayLike, *, mag_ref: ArrayLike, seed: int, z_err: ArrayLike | None = None) -> Array:
        """Draw labels from the table of each galaxy's magnitude."""
        z, mag_ref = np.broadcast_arrays(np.asarray(z, float), np.asarray(mag_ref, float))
        share, which = np.random.default_rng(seed).random(z.shape), self._bin(mag_ref)
        label = np.full(z.shape, np.nan)
        for number in range(len(self.dz)):
            its = which == number
            label[its] = z[its] + (1 + z[its]) * self._quantile(number, share[its])
        return label

    def density(self, *, z_label: ArrayLike, z: ArrayLike, mag_ref: ArrayLike, z_err: ArrayLike | None = None) -> Array:
        """The table's density at each label, per unit redshift."""
        label, z, mag_ref = np.broadcast_arrays(*(np.asarray(a, float) for a in (z_label, z, mag_ref)))
        dz, which = (label - z) / (1 + z), self._bin(mag_ref)
        p = np.zeros(z.shape)
        for number, (points, values) in enumerate(zip(self.dz, self.density_of_dz, strict=True)):
            its = which == number
            p[its] = np.interp(dz[its], points, values, left=0, right=0)
        return np.asarray(p / (1 + z))

    def _bin(self, mag_ref: Array) -> NDArray[np.intp]:
        return np.asarray(np.searchsorted(self.mag_borders, mag_ref, side="right"))

    def _quantile(self, number: int, share: Array) -> Array:
        """The dz that a `share` of a bin's labels lies below."""
        x, y = np.asarray(self.dz[number]), np.asarray(self.density_of_dz[number])
        cdf = np.concatenate([[0.0], np.cumsum((y[1:] + y[:-1]) / 2 * np.diff(x))])
        wanted = share * cdf[-1]
        cell = np.clip(np.searchsorted(cdf, wanted, side="right") - 1, 0, len(x) - 2)
        # The density is straight in a cell, so the share below is a parabola; this root is exact where it is flat.
        slope, rest = (y[cell + 1] - y[cell]) / (x[cell + 1] - x[cell]), wanted - cdf[cell]
        root = y[cell] + np.sqrt(np.maximum(y[cell] ** 2 + 2 * slope * rest, 0))
        return np.asarray(x[cell] + 2 * rest / np.maximum(root, 1e-300))


def averaged(kernel: Kernel, *, z: ArrayLike, mag_ref: ArrayLike) -> TableKernel:
    """The mean of a kernel over galaxies, p_m(dz) = < (1 + z) K(z + dz (1 + z) | z, m) >, as a table.

    Parameters
    ----------
    kernel
        Any that does not go by each label's own error.
    z, mag_ref
        Redshifts and magnitudes of the galaxies, shape (galaxy,): in each bin of `STEP` the mean is over those whose
        magnitudes are nearest to its middle, at most `MOST`.

    Examples
    --------
    >>> from mixz.truths.gaussian import GaussianKernel
    >>> table = averaged(GaussianKernel(0.02), z=[0.5, 1.0], mag_ref=[22.1, 23.2])
    >>> round(table.narrowest(), 3), table.mag_borders
    (0.02, (22.5, 23.0))
    """
    z, mag_ref = np.asarray(z, float), np.asarray(mag_ref, float)
    edges = np.arange(np.floor(np.nanmin(mag_ref) / STEP), np.floor(np.nanmax(mag_ref) / STEP) + 2) * STEP
    dz = FINEST * np.sinh(np.linspace(-1, 1, POINTS) * np.arcsinh(FARTHEST / FINEST))
    curves = []
    for middle in (edges[1:] + edges[:-1]) / 2:
        near = z[np.argsort(np.abs(mag_ref - middle), kind="stable")[:MOST], None]
        p = kernel.density(z_label=near + dz * (1 + near), z=near, mag_ref=np.full((len(near), 1), middle))
        mean = (p * (1 + near)).mean(axis=0)
        curves.append(tuple((mean / np.trapezoid(mean, dz)).tolist()))
    return TableKernel((tuple(dz.tolist()),) * len(curves), tuple(curves), tuple(edges[1:-1].tolist()))


def write_kernel_table(kernel: TableKernel, path: Path, *, said: str) -> None:
    """Write a kernel as `read_kernel_table` reads it, with a line that says where it is from.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> triangle = TableKernel(dz=((-0.1, 0.0, 0.1),) * 2, density_of_dz=((0.0, 10.0, 0.0),) * 2, mag_borders=(23.0,))
    >>> with TemporaryDirectory() as folder:
    ...     write_kernel_table(triangle, Path(folder) / "k.csv", said="a triangle")
    ...     read_kernel_table(Path(folder) / "k.csv") == triangle
    True
    """
    borders = [*kernel.mag_borders]
    low, high = (
        [borders[0] - STEP, *borders] if borders else [0.0],
        [*borders, borders[-1] + STEP] if borders else [99.0],
    )
    with path.open("w", newline="", encoding="utf-8") as file:
        file.write(f"# p(dz), dz = (z_label - z) / (1 + z): {said}\n")
        rows = csv.writer(file)
        rows.writerow([*NEEDED, *OPTIONAL])
        for bin_ in range(len(kernel.dz)):
            pairs = zip(kernel.dz[bin_], kernel.density_of_dz[bin_], strict=True)
            rows.writerows([f"{x:.8g}", f"{p:.6g}", f"{low[bin_]:g}", f"{high[bin_]:g}"] for x, p in pairs)


def read_kernel_table(path: Path) -> TableKernel:
    """Read the density of dz = (z_label - z) / (1 + z) from a CSV or ECSV file; it need not be normalised.

    Parameters
    ----------
    path
        Columns dz and density, and where the error depends on the reference magnitude mag_low and mag_high: rows with
        the same two are the density of that bin, and galaxies outside every bin take the nearest.

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
    stamp(path)  # of a pipe the end would never come
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
    if not len(values):
        raise MixzError(f"kernel table {path} has no rows", EXAMPLE, "write the density at three dz or more")
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
