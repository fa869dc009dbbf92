"""Which galaxies get a spectrum: the (i, g - z, z) distribution of real HSC galaxies with spectra.

The real one is a histogram of 429,235 HSC PDR2 galaxies with spectroscopic redshifts, the table
`hsc_ratios_and_specz.hdf5` of pz-rail-astro-tools 2.0.5 (LSST DESC; MIT licence).  That wheel is 6 MB and brings
dozens of packages, so we keep the histogram and its percentiles (10 kB), made by
``python -m mixz.mock.selection hsc_ratios_and_specz.hdf5``.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import h5py
import numpy as np

from mixz.errors import MixzError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mixz.mock.templates import Array

TABLE = Path(__file__).with_name("hsc_spectra.npz")

I_EDGES = np.arange(14.0, 26.01, 0.5)
GZ_EDGES = np.arange(-0.75, 5.01, 0.25)
Z_EDGES = np.concatenate([np.arange(0, 1, 0.05), np.arange(1, 2, 0.1), np.arange(2, 4.21, 0.2)])
PERCENTILES = np.array([1, 5, 16, 25, 50, 75, 84, 95, 99])


@dataclass(frozen=True)
class RealSpectra:
    """The real spectroscopic sample, as counts and percentiles.

    Parameters
    ----------
    counts
        Galaxies per cell of I_EDGES, GZ_EDGES, Z_EDGES, shape (i, g - z, z).
    percentiles
        Of i, g - z and z, at PERCENTILES, shape (3, percentile); from the table itself, not the cells.
    galaxies
        Rows of the table.
    """

    counts: Array
    percentiles: Array
    galaxies: int


@cache
def real_spectra() -> RealSpectra:
    """Read the histogram that comes with the package."""
    with np.load(TABLE) as table:
        counts = np.zeros(_shape())
        counts[tuple(table["cell"].T.astype(np.intp))] = table["count"]
        return RealSpectra(counts, table["percentiles"], int(table["galaxies"]))


def choose_spectra(mag_i: Array, colour_gz: Array, size: int, *, z: Array, seed: int) -> NDArray[np.intp]:
    """Choose the galaxies that get a spectrum, so that (i, g - z, z) are distributed as in the real sample.

    Each galaxy is drawn, without repeats, with weight n_real(cell) / n_parent(cell).

    Parameters
    ----------
    mag_i, colour_gz
        i magnitude and g - z of the parent sample [AB], shape (galaxy,).
    size
        How many spectra; fewer come back where the parent has not enough galaxies in the populated cells.
    z
        True redshift, shape (galaxy,).
    seed
        The same seed gives the same choice.

    Returns
    -------
    array
        Indices into the parent, rising.

    Examples
    --------
    A hundred galaxies, of which only the bright can have spectra:

    >>> mag_i = np.repeat([19.25, 25.75], 50)
    >>> chosen = choose_spectra(mag_i, np.full(100, 2.9), 20, z=np.full(100, 0.52), seed=1)
    >>> len(chosen), float(mag_i[chosen].max())
    (20, 19.25)
    """
    sample = np.column_stack([mag_i, colour_gz, z])
    parent, _ = np.histogramdd(sample, bins=_edges())
    cell = np.column_stack([np.searchsorted(e, x, side="right") - 1 for e, x in zip(_edges(), sample.T, strict=True)])
    inside = ((cell >= 0) & (cell < _shape())).all(axis=1)
    weight = np.zeros(len(sample))
    where = tuple(cell[inside].T)
    weight[inside] = real_spectra().counts[where] / parent[where].clip(1)
    # Weighted draw without replacement by exponential clocks (Efraimidis & Spirakis 2006).
    clock = np.random.default_rng(seed).exponential(size=len(sample)) / np.maximum(weight, 1e-300)
    first = np.argsort(clock)[: min(size, int((weight > 0).sum()))]
    return np.sort(first)


def _edges() -> tuple[Array, Array, Array]:
    return I_EDGES, GZ_EDGES, Z_EDGES


def _shape() -> tuple[int, int, int]:
    return len(I_EDGES) - 1, len(GZ_EDGES) - 1, len(Z_EDGES) - 1


def condense(source: str | Path, out: str | Path = TABLE) -> None:
    """Make the histogram from the real table; needed only when the table changes.

    Raises
    ------
    MixzError
        The file is not the table of pz-rail-astro-tools.
    """
    try:
        with h5py.File(source) as file:
            names = [name.decode() for name in file["data/block0_items"][:]]
            rows = file["data/block0_values"][:]
    except (OSError, KeyError) as error:
        raise MixzError(
            f"{source} is not the table of real HSC spectra",
            "rail/examples_data/creation_data/data/hsc_ratios_and_specz.hdf5 of pz-rail-astro-tools",
            "pip download --no-deps pz-rail-astro-tools==2.0.5, and unzip it",
        ) from error
    sample = rows[:, [names.index(n) for n in ("mag", "color", "specz")]]
    counts, _ = np.histogramdd(sample, bins=_edges())
    cell = np.argwhere(counts > 0)
    np.savez_compressed(
        out,
        cell=cell.astype(np.uint8),
        count=counts[tuple(cell.T)].astype(np.uint16),
        percentiles=np.percentile(sample, PERCENTILES, axis=0).T.round(4),
        galaxies=np.array(len(sample)),
    )


if __name__ == "__main__":
    condense(sys.argv[1])
