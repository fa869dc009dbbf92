"""The redshift grid of densities: nodes in z, between which a density is straight, and what integrals of it are.

A density is given by its masses s_k, one per node, which sum to 1: each is spread over the node's neighbouring cells
as a triangle, p(z) = sum_k s_k hat_k(z) / c_k, with c_k the area of the triangle.  So p is >= 0, integrates to 1
exactly, and is what the trapezoidal rule, linear interpolation and qp's `interp` take it to be.

Every function takes numpy arrays and torch tensors alike and gives what it was given (the array API standard, by
array-api-compat); axes before the last are galaxies, or members and galaxies.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from array_api_compat import array_namespace, device, is_torch_array

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

Array = Any
"""A numpy array or a torch tensor."""

BLOCK = 16
"""Nodes in which a quantile is looked for at a time."""

FARTHEST = 20.0
"""No galaxy is known beyond this redshift: larger labels are marks, or velocities."""


@dataclass(frozen=True, eq=False)
class Grid:
    """Nodes in redshift, and the arithmetic of densities on them.

    Parameters
    ----------
    z
        The nodes, shape (z,), increasing.

    Raises
    ------
    ValueError
        They do not increase, or there are fewer than two.

    Examples
    --------
    >>> grid = Grid([0.0, 1.0, 2.0])
    >>> mass = np.array([0.25, 0.5, 0.25])
    >>> grid.density(mass), grid.cumulative(mass)
    (array([0.5, 0.5, 0.5]), array([0. , 0.5, 1. ]))
    """

    z: NDArray[np.floating[Any]]
    _constants: dict[Any, Array] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        z = np.asarray(self.z, dtype=np.float64)
        if z.ndim != 1 or len(z) < 2 or not (np.diff(z) > 0).all():
            raise ValueError("z_grid must increase, over two nodes or more")
        object.__setattr__(self, "z", z)

    def __len__(self) -> int:
        """Count the nodes."""
        return len(self.z)

    def constant(self, make: Callable[[Grid], NDArray[Any]], like: Array) -> Array:
        """What `make` computes of the nodes, as an array of another's kind, precision and device; computed once.

        Parameters
        ----------
        make
            One of the functions below, e.g. `cell`.
        like
            The array to be multiplied with it.
        """
        xp = array_namespace(like)
        key = make, xp.__name__, like.dtype, device(like)
        if key not in self._constants:
            self._constants[key] = xp.asarray(make(self), dtype=like.dtype, device=device(like))
        return self._constants[key]

    def density(self, mass: Array) -> Array:
        """p at the nodes, shape (..., z); its trapezoidal integral is the sum of the masses, 1."""
        return mass / self.constant(cell, mass)

    def mass(self, pdf: Array) -> Array:
        """The masses of a density given at the nodes, shape (..., z): the inverse of `density`."""
        return pdf * self.constant(cell, pdf)

    def cumulative(self, mass: Array) -> Array:
        """F at the nodes, p integrated up to each, shape (..., z)."""
        xp = array_namespace(mass)
        # Of a node's own mass, what lies beyond it is not below it yet.
        return xp.cumulative_sum(mass, axis=-1) - mass * self.constant(beyond, mass)

    def density_at(self, mass: Array, z: Array) -> Array:
        """p at redshifts of shape (..., any), same shape; 0 off the grid.

        Examples
        --------
        >>> Grid([0.0, 0.5, 1.0]).density_at(np.array([0.0, 1.0, 0.0]), np.array([0.25, 7.0]))
        array([1., 0.])
        """
        xp = array_namespace(mass)
        place, share, inside = self._place(mass, z)
        left, right = _pair(self.density(mass), place)
        return xp.where(inside, left + share * (right - left), xp.zeros_like(left))

    def cdf(self, mass: Array, z: Array) -> Array:
        """F at redshifts of shape (..., any), same shape: the inverse of `quantiles`; 0 and 1 off the grid.

        Examples
        --------
        >>> Grid([0.0, 1.0, 2.0]).cdf(np.array([0.25, 0.5, 0.25]), np.array([-1.0, 0.5, 1.0, 7.0]))
        array([0.  , 0.25, 0.5 , 1.  ])
        """
        place, share, _ = self._place(mass, z)
        left, right = _pair(self.density(mass), place)
        step = at_nodes(self.constant(steps, mass), place)
        return along_z(self.cumulative(mass), place) + share * (left + (right - left) * share / 2) * step

    def quantiles(self, mass: Array, level: Array) -> Array:
        """Redshifts below which shares `level` of p lie, shape (..., level).

        Parameters
        ----------
        mass
            Shape (..., z).
        level
            Shape (level,), the same for all, or (..., level).

        Examples
        --------
        >>> Grid([0.0, 1.0, 2.0]).quantiles(np.array([0.25, 0.5, 0.25]), np.array([0.25, 0.5, 1.0]))
        array([0.5, 1. , 2. ])
        """
        xp = array_namespace(mass)
        below = self.cumulative(mass)
        sought = level * below[..., -1:]
        place = xp.clip(_count_below(below, sought) - 1, 0, len(self.z) - 2)
        left, right = _pair(self.density(mass), place)
        z_left, step = at_nodes(self.constant(nodes, mass), place), at_nodes(self.constant(steps, mass), place)
        wanted = (sought - along_z(below, place)) / step
        # share (left + (right - left) share / 2) = wanted, in the form that stays exact where p is flat.
        root = left + xp.sqrt(xp.clip(left * left + 2 * (right - left) * wanted, min=0.0))
        share = xp.clip(2 * wanted / xp.clip(root, min=1e-30), min=0.0, max=1.0)
        return z_left + share * step

    def rebinned(self, mass: Array, z: ArrayLike) -> NDArray[Any]:
        """The densities on other nodes, each the mean over its cell, so that no narrow peak is lost; (galaxy, new z).

        What lies off the new nodes is cut, and the rest normalised; NaN where nothing is left.

        Examples
        --------
        >>> grid = Grid([0, 0.49, 0.5, 0.51, 2])
        >>> narrow = grid.mass(np.array([[0, 0, 100.0, 0, 0]]))
        >>> grid.rebinned(narrow, np.linspace(0, 2, 9)).round(2).tolist()
        [[0.0, 0.0, 4.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]]
        """
        z = np.asarray(z, dtype=np.float64)
        edges = np.concatenate([z[:1], (z[1:] + z[:-1]) / 2, z[-1:]])
        mass = np.asarray(mass, dtype=np.float64)
        with np.errstate(invalid="ignore", divide="ignore"):
            new = np.diff(self.cdf(mass, np.broadcast_to(edges, (*mass.shape[:-1], len(edges)))), axis=-1) / np.diff(
                edges
            )
            found = new / np.trapezoid(new, z, axis=-1)[..., None]
        return np.asarray(np.where(np.isfinite(found).all(axis=-1, keepdims=True), found, np.nan))

    def counts(self, mass: Array, edges: ArrayLike) -> NDArray[np.float64]:
        """How many galaxies the densities together put between redshifts `edges`, shape (edge - 1,): a stacked n(z).

        Examples
        --------
        >>> Grid([0.0, 1.0, 2.0]).counts(np.array([[0.25, 0.5, 0.25]] * 4), [0.0, 1.0, 2.0])
        array([2., 2.])
        """
        together = np.asarray(mass, dtype=np.float64).sum(axis=0)
        below = self.cdf(together, np.asarray(edges, dtype=np.float64))
        return np.asarray(below[1:] - below[:-1], np.float64)

    def _place(self, mass: Array, z: Array) -> tuple[Array, Array, Array]:
        """The cell of each redshift, how far through it the redshift lies (0 to 1), and whether it is on the grid."""
        xp = array_namespace(mass)
        z = xp.asarray(z, dtype=mass.dtype)
        node = self.constant(nodes, mass)
        place = xp.clip(xp.searchsorted(node, z, side="right") - 1, 0, len(self.z) - 2)
        share = (z - at_nodes(node, place)) / at_nodes(self.constant(steps, mass), place)
        share = xp.clip(share, min=0.0, max=1.0)
        return place, share, (z >= node[0]) & (z <= node[-1])


def nodes(grid: Grid) -> NDArray[np.float64]:
    """The redshifts of the nodes, shape (z,)."""
    return np.asarray(grid.z, dtype=np.float64)


def steps(grid: Grid) -> NDArray[np.float64]:
    """The widths of the cells between nodes, shape (z - 1,)."""
    return np.diff(grid.z)


def cell(grid: Grid) -> NDArray[np.float64]:
    """The area of each node's triangle, its weight in the trapezoidal rule, shape (z,)."""
    half = np.diff(grid.z) / 2
    return np.pad(half, (1, 0)) + np.pad(half, (0, 1))


def beyond(grid: Grid) -> NDArray[np.float64]:
    """The share of each node's triangle that lies above the node, shape (z,)."""
    return np.pad(np.diff(grid.z) / 2, (0, 1)) / cell(grid)


def centre(grid: Grid) -> NDArray[np.float64]:
    """The mean redshift of each node's triangle, shape (z,)."""
    z = grid.z
    return np.concatenate([[(2 * z[0] + z[1]) / 3], (z[:-2] + z[1:-1] + z[2:]) / 3, [(z[-2] + 2 * z[-1]) / 3]])


def edges(grid: Grid) -> NDArray[np.float64]:
    """The middles between nodes in ln(1 + z), shape (z - 1,)."""
    x = np.log1p(grid.z)
    return np.asarray((x[1:] + x[:-1]) / 2)


@lru_cache(maxsize=8)
def even_grid(nodes: int, z_max: float) -> Grid:
    """Nodes from 0 to `z_max` in even steps of ln(1 + z), so that a step is the same dz everywhere.

    They are numbers of single precision, which every format holds exactly.

    Examples
    --------
    >>> even_grid(5, 1.0).z.round(3)
    array([0.   , 0.189, 0.414, 0.682, 1.   ])
    """
    z = np.expm1(np.linspace(0, np.log1p(z_max), nodes))
    return Grid(z.astype(np.float32).astype(np.float64))


def along_z(values: Array, place: Array) -> Array:
    """The values at some nodes, both with the axis z last."""
    xp = array_namespace(values)
    # torch's take_along_dim would fix the number of galaxies of an exported graph; its gather does not.
    return xp.gather(values, -1, place) if is_torch_array(values) else xp.take_along_axis(values, place, axis=-1)


def at_nodes(values: Array, place: Array) -> Array:
    """What is the same for all galaxies at some nodes: `values` of shape (z,) where `place` says, of its shape."""
    return values[place]


def _count_below(rising: Array, sought: Array) -> Array:
    """How many of each row's rising values, shape (..., z), are less than what is sought, shape (..., any).

    Counted, not searched for: an ONNX graph knows no search.  First the last of every block, then within one block.
    """
    xp = array_namespace(rising)
    blocks = xp.sum(rising[..., None, BLOCK - 1 :: BLOCK] < sought[..., None], axis=-1, dtype=xp.int64)
    inside = blocks[..., None] * BLOCK + xp.arange(BLOCK, dtype=xp.int64, device=device(rising))
    inside = xp.clip(inside, max=rising.shape[-1] - 1)
    flat = xp.reshape(inside, (*inside.shape[:-2], inside.shape[-2] * BLOCK))
    values = xp.reshape(along_z(rising, flat), inside.shape)
    return blocks * BLOCK + xp.sum(values < sought[..., None], axis=-1, dtype=xp.int64)


def _pair(values: Array, place: Array) -> tuple[Array, Array]:
    """The values at the two nodes of some cells."""
    return along_z(values, place), along_z(values, place + 1)
