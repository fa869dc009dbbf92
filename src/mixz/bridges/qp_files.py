"""Photo-z as qp ensembles, and qp files read (needs the extra ``rail``).

qp (LSST DESC) is how RAIL and the DESC challenge keep densities.  Beside each density, its `ancil` table has object_id,
zmode, zmean, zmedian, zbest, zcore, z_phot_std, and what else is known of the galaxy.
"""

from __future__ import annotations

import warnings
from contextlib import contextmanager, redirect_stdout
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from mixz.bridges.gaussian_fits import gaussians_of
from mixz.data.formats.hdf5_columns import require_plain
from mixz.data.formats.hdf5_damage import require_sound
from mixz.data.table_writers import without_nulls
from mixz.densities.grid import Grid
from mixz.errors import MixzError, not_installed
from mixz.photoz import PhotoZ

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from mixz.arrays import Floats

Kind = Literal["interp", "quant", "mixmod"]

LEVELS = (np.arange(1, 100) / 100).astype(np.float32)
"""Probabilities of the quantiles that a `quant` file keeps of each density: percentiles, evenly, since qp draws its cdf
and density as splines, which swing the wider the farther apart two of them lie (ours)."""
COMPONENTS = 5
"""Gaussians that a `mixmod` file keeps of each density, as many as the DESC challenge's example of a small file."""

OURS = ("z_phot", "z_sigma", "z_rms", "z_low_", "z_high_")
"""Beginnings of names of ours beside which ``z_<truth>`` is a known redshift."""
ENDINGS = (".hdf5", ".pq")
SHOWN_GRID = 301
"""Nodes on which densities are read that a file does not keep on a grid: RAIL's own number."""


def to_qp(
    photoz: PhotoZ,
    *,
    kind: Kind = "interp",
    truth: Mapping[str, Floats] | None = None,
    members: bool = True,
    beside: Mapping[str, pd.Series[Any]] | None = None,
) -> Any:
    """Photo-z as a qp ensemble.

    A galaxy without a photo-z has NaN for its point estimates and a density that says nothing, the same everywhere on
    the grid, since qp's own metrics stop at NaN.

    Parameters
    ----------
    photoz
        Estimates with densities.
    kind
        ``interp`` keeps the densities as they are; ``quant`` 99 quantiles and ``mixmod`` 5 Gaussians of each: about a
        half and a tenth of the size.
    truth
        Per name the redshifts known, shape (galaxy,); they stand in the ancil table as ``z_<name>``.
    members
        Whether to keep every member's estimates too.
    beside
        Further columns of the ancil table, e.g. positions; ``object_id`` as the galaxies' own table has it.

    Raises
    ------
    MixzError
        qp is not installed, or the photo-z have no densities.
    """
    qp = qp_module()
    if photoz.pdf is None or photoz.z_grid is None:
        raise MixzError(
            "these photo-z are points without densities",
            "a model whose networks end in a density (head: binned or mixture)",
            "use such a model, e.g. the recipe `fused`, or write a plain table",
        )
    grid = photoz.z_grid
    pdf = np.where(np.isnan(photoz.pdf), np.float32(1 / (grid[-1] - grid[0])), photoz.pdf)
    ancil = ancil_table(photoz, truth or {}, members=members, beside=beside or {})
    match kind:
        case "interp":
            return qp.interp.create_ensemble(xvals=grid, yvals=pdf, norm=False, ancil=ancil)
        case "quant":
            shape = Grid(grid)
            locs = shape.quantiles(shape.mass(np.asarray(pdf, float)), np.asarray(LEVELS, float)).astype(np.float32)
            return qp.quant.create_ensemble(
                quants=LEVELS, locs=locs, pdf_constructor_name="piecewise_linear", ancil=ancil
            )
        case "mixmod":
            fits = gaussians_of(pdf, z_grid=grid, components=COMPONENTS)
            means, stds, weights = (fit.astype(np.float32) for fit in fits)
            return qp.mixmod.create_ensemble(means=means, stds=stds, weights=weights, ancil=ancil)


def on_grid(photoz: PhotoZ, z_grid: Floats) -> PhotoZ:
    """Photo-z with densities on other nodes, each the mean over its cell, so that no narrow peak is lost.

    Point estimates stay those of the finer density.

    Examples
    --------
    >>> narrow = PhotoZ([1], [[0.5]], z_grid=[0, 0.49, 0.5, 0.51, 2], pdf=[[0, 0, 100, 0, 0]])
    >>> on_grid(narrow, np.linspace(0, 2, 9)).pdf.round(2).tolist()
    [[0.0, 0.0, 4.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]]
    """
    if photoz.pdf is None or photoz.z_grid is None:
        return photoz
    new = Grid(photoz.z_grid).rebinned(Grid(photoz.z_grid).mass(np.asarray(photoz.pdf, float)), z_grid)
    return replace(photoz, z_grid=np.asarray(z_grid, float), pdf=new.astype(np.float32))


def ancil_table(
    photoz: PhotoZ,
    truth: Mapping[str, Floats],
    *,
    members: bool = True,
    beside: Mapping[str, pd.Series[Any]],
) -> dict[str, NDArray[Any]]:
    """What a qp file keeps of each galaxy beside its density; missing whole numbers are the least of their type.

    Small whole numbers have 16 bits: where qp writes FITS, 8 of them would become truth values.
    """
    columns = {name: np.array(column.data) for name, column in photoz.columns(members=members).items()}
    columns |= {name: without_nulls(values) for name, values in beside.items()}
    columns = {name: values.astype(np.int16) if values.dtype == np.int8 else values for name, values in columns.items()}
    ids = columns["object_id"]
    # Names of any kind are kept as text of one width, the only text that every format of qp's knows.
    columns["object_id"] = ids if ids.dtype.kind in "iu" else ids.astype(str)
    return columns | {f"z_{name}": np.array(z, dtype=np.float64) for name, z in truth.items()}


def read_qp(path: str | Path, *, object_id: NDArray[Any] | None = None) -> PhotoZ:
    """Read a qp file, ours or anyone's, as photo-z.

    Densities that are not kept on a grid are read on 301 even steps over the redshifts they reach.

    Parameters
    ----------
    path
        The name it was written under.
    object_id
        The galaxies expected, shape (galaxy,).

    Raises
    ------
    MixzError
        qp is missing, the file is missing or damaged, or it is of other galaxies.
    """
    path = qp_name(path)
    with _readable(path):
        photoz = from_qp(_ensemble(path))
    if object_id is not None and not np.array_equal(photoz.object_id, np.asarray(object_id)):
        raise MixzError(
            f"{path} is of other galaxies", f"the {len(object_id):,} galaxies expected, in their order", "predict again"
        )
    return photoz


def from_qp(ensemble: Any) -> PhotoZ:
    """A qp ensemble as photo-z."""
    ancil = {name: _native(values) for name, values in (ensemble.ancil or {}).items()}
    grid, pdf = _on_a_grid(ensemble)
    flat = {name: values.reshape(-1) for name, values in ancil.items()}
    if "object_id" not in flat and "id" in flat:
        flat["object_id"] = flat["id"]
    photoz = PhotoZ.from_columns(flat, z_grid=grid, pdf=pdf)
    unknown = np.isnan(photoz.z_phot)
    return replace(photoz, pdf=np.where(unknown[:, None], np.nan, pdf)) if unknown.any() else photoz


def truth_in(path: str | Path) -> dict[str, Floats]:
    """The known redshifts that a qp file keeps, by the name of their truth."""
    path = qp_name(path)
    with _readable(path):
        ancil = _ensemble(path).ancil or {}
        known = [name for name in ancil if name.startswith("z_") and not name.startswith(OURS)]
        return {name.removeprefix("z_"): _native(ancil[name]).reshape(-1) for name in known}


def _ensemble(path: Path) -> Any:
    """What qp reads of a file."""
    qp = qp_module()
    there = path if path.suffix == ".hdf5" else path.with_name(f"{path.stem}data{path.suffix}")
    if not there.is_file():
        raise MixzError(f"no file {there}", "a qp file", "check the path")
    if there.suffix == ".hdf5":
        require_sound(there)
        require_plain(there)
    with redirect_stdout(StringIO()):
        return qp.read(str(path))


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Tell in one message whatever qp, and what it reads with, stumble over: damaged bytes bring any error at all."""
    try:
        with warnings.catch_warnings(action="ignore"):  # of numbers that are none, of which there are some then
            yield
    except MixzError:
        raise
    except Exception as error:
        reason = f"it lacks {error}" if isinstance(error, KeyError) else str(error).partition("\n")[0]
        raise MixzError(f"{path} cannot be read: {reason}", "a whole qp file", "write it again") from error


def _on_a_grid(ensemble: Any) -> tuple[NDArray[np.float64], Floats]:
    """The nodes and the densities there, shape (galaxy, z)."""
    if ensemble.gen_class.name == "interp":
        grid = np.asarray(ensemble.metadata["xvals"], float).reshape(-1)
        return grid, np.asarray(ensemble.objdata["yvals"]).reshape(-1, len(grid))
    grid = np.linspace(*_reach(ensemble), SHOWN_GRID)
    pdf = np.asarray(ensemble.pdf(grid)).reshape(-1, len(grid))
    return grid, pdf / np.trapezoid(pdf, grid, axis=1)[:, None]


def _reach(ensemble: Any) -> tuple[float, float]:
    """The redshifts that densities reach."""
    match ensemble.gen_class.name:
        case "mixmod":  # whose own quantiles take qp a search each
            mean, std = (np.asarray(ensemble.objdata[name]) for name in ("means", "stds"))
            low, high = mean - 4 * std, mean + 4 * std
        case "quant":
            low = high = np.asarray(ensemble.objdata["locs"])
        case _:
            low, high = ensemble.ppf(np.array([1e-4, 1 - 1e-4])).T
    return max(0.0, float(low.min())), float(high.max())


def _native(values: Any) -> NDArray[Any]:
    """An array in the machine's byte order, text as text."""
    array = np.asarray(values)
    if array.dtype.kind in "SO":
        return np.asarray([v.decode() if isinstance(v, bytes) else v for v in array])
    return array.astype(array.dtype.newbyteorder("="))


def qp_name(path: str | Path) -> Path:
    """The name of a qp file that mixz can write and read again.

    Raises
    ------
    MixzError
        It ends otherwise.
    """
    path = Path(path)
    if path.suffix not in ENDINGS:
        raise MixzError(f"{path} is no name for a qp file", f"endings: {', '.join(ENDINGS)}", "choose one of these")
    return path


def qp_module() -> Any:
    """The package, where it is installed.

    Raises
    ------
    MixzError
        It is not.
    """
    try:
        import qp
    except ImportError as error:
        raise not_installed("qp is not installed", "rail") from error
    return qp
