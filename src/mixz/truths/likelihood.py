"""What labels say of redshifts: their likelihood K(z_label | z), always with each label's own error and magnitude.

Training, calibration, intervals, metrics and figures all ask `Labels`:

    likelihood   L_k = int K(z_label | z) hat_k(z) dz / c_k      so that p(z_label | x) = sum_k L_k s_k
    allowed      s_k L_k / sum_k s_k L_k                         the redshift, given density and label
    smeared      p(z_label = z_j | x) = sum_k L_k(z_j) s_k       the label, given the density

with s the masses of a density p(z | x) on a grid, hat_k / c_k the triangles that they stand for
(`mixz.densities.grid`).  Since p is a sum of triangles, all three are exact but for the integral over z.  A network
that is trained to make p(z_label | x) large gives the density of the redshift, not of the label (forward correction,
Patrini et al. 2017, arXiv:1609.03683).  By the same arithmetic an honest density, smeared, looks honest on noisy
labels, where the density itself looks too sharp.  (The converse fails: an error of the density that is smaller than the
labels' is hidden by theirs.)
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from mixz.densities.grid import cell, steps

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import ArrayLike, NDArray

    from mixz.arrays import Floats
    from mixz.densities.grid import Grid
    from mixz.galaxies import GalaxySet
    from mixz.truths.truth import Truth

PER_CELL = (8, 64)
"""Points at which a kernel is evaluated in every cell of the grid: at least, and at most however narrow it is."""
VALUES = 4_000_000
"""Values of a kernel computed at a time: bounds the memory."""
LEAST = 1e-7
"""How likely every label is at least at any redshift, against where it is likeliest: none is right beyond all doubt
(ours)."""
MAG_STEP = 0.25
"""Galaxies of magnitudes within this are smeared alike (ours)."""
ERROR_STEP = 0.1
"""Labels whose own errors differ by less than this share are smeared alike (ours)."""
LEAST_ERROR = 1e-4
"""Labels' own errors below this are smeared alike (ours)."""
UNKNOWN = np.iinfo(np.int64).max
"""Stands for a magnitude or error that is not known where these are numbered."""


@dataclass(frozen=True, eq=False)
class Labels:
    """Redshift labels of galaxies, and all that says how wrong each is.

    Parameters
    ----------
    truth
        Whose labels they are.
    z
        The labels, shape (galaxy,).
    mag_ref
        Magnitudes in the reference band, shape (galaxy,); NaN where not known, which counts as the faintest.
    z_err
        How far each label's own 68 % interval reaches below and above it, shape (galaxy, 2), NaN where not known; None
        where no label has one.

    Raises
    ------
    ValueError
        The shapes do not agree.
    """

    truth: Truth
    z: Floats
    mag_ref: Floats
    z_err: Floats | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "z", np.asarray(self.z, dtype=np.float64))
        object.__setattr__(self, "mag_ref", np.asarray(self.mag_ref, dtype=np.float64))
        if self.z_err is not None:
            object.__setattr__(self, "z_err", np.asarray(self.z_err, dtype=np.float64))
        wanted = {"mag_ref": (self.mag_ref, self.z.shape), "z_err": (self.z_err, (*self.z.shape, 2))}
        for name, (values, shape) in wanted.items():
            if values is not None and values.shape != shape:
                raise ValueError(f"{name} has shape {values.shape}; {shape} are the same galaxies as the labels")

    @classmethod
    def of(cls, galaxies: GalaxySet, truth: Truth, *, ref_band: str) -> Self:
        """The labels that galaxies have of a truth; NaN where one has none.

        Parameters
        ----------
        galaxies, truth
            Whose labels, and which.
        ref_band
            The band whose magnitude says how wrong they are.
        """
        mag_ref = galaxies.mag[:, galaxies.bands.index(ref_band)]
        return cls(truth, galaxies.z[truth.name], mag_ref, galaxies.z_err.get(truth.name))

    def __len__(self) -> int:
        """Count the galaxies."""
        return len(self.z)

    def rows(self, which: NDArray[Any] | slice) -> Self:
        """The labels of the galaxies that `which` (a mask, indices or a slice) selects."""
        z_err = None if self.z_err is None else self.z_err[which]
        return replace(self, z=self.z[which], mag_ref=self.mag_ref[which], z_err=z_err)

    def draw(self, z: ArrayLike, *, seed: int) -> Self:
        """Other labels of the same kind, drawn for redshifts of shape (galaxy,)."""
        kernel = self.truth.kernel
        return replace(self, z=kernel.draw(z, mag_ref=self.mag_ref, seed=seed, z_err=self.z_err))

    def density(self, z: ArrayLike) -> Floats:
        """K(z_label | z) at redshifts of shape (galaxy, any), or (1, any) for all alike; shape (galaxy, any).

        Examples
        --------
        >>> from mixz.truths import GaussianKernel, Truth
        >>> labels = Labels(Truth("grism", GaussianKernel(0.1)), [1.2], [22.0])
        >>> labels.density([[1.0, 1.2]]).round(2)
        array([[1.21, 1.81]])
        """
        z_err = None if self.z_err is None else self.z_err[:, None]
        return self.truth.kernel.density(
            z_label=self.z[:, None], z=np.asarray(z, dtype=np.float64), mag_ref=self.mag_ref[:, None], z_err=z_err
        )

    def at_face_value(self, grid: Grid) -> bool:
        """Whether the labels count as the redshift: they are exact, or no farther off than half a step of the grid."""
        finest = float(np.diff(np.log1p(grid.z)).min())
        return self.truth.exact or self.truth.kernel.widest < finest / 2

    def likelihood(self, grid: Grid, *, face_value: bool = False) -> NDArray[np.float32]:
        """How likely each label is, by where on the grid the redshift is: p(z_label | x) = sum_k L_k s_k; (galaxy, z).

        Parameters
        ----------
        grid
            The grid of densities.
        face_value
            Take all labels for the redshift; those that are `at_face_value` always are.  Labels off the grid then count
            as its ends.

        Examples
        --------
        A density whose true redshifts scatter by 0.03 has labels that scatter by 0.05 when their kernel adds 0.04:

        >>> from mixz.densities.grid import Grid
        >>> from mixz.truths import GaussianKernel, Truth
        >>> grid = Grid(np.linspace(0, 2, 201))
        >>> mass = np.exp(-((grid.z - 1) ** 2) / (2 * 0.03**2))
        >>> labels = Labels(Truth("many_band", GaussianKernel(0.02)), [1.0, 1.05], [22.0, 22.0])
        >>> at_1, at_105 = labels.likelihood(grid) @ (mass / mass.sum())
        >>> round(float(np.log(at_1 / at_105)), 1)
        0.5
        """
        if face_value or self.at_face_value(grid):
            return _at_face_value(self.z, grid)
        found = np.empty((len(self), len(grid)), dtype=np.float32)
        points = _points(self.truth.kernel.narrowest(self.z_err), grid)
        chunk = max(1, VALUES // (points * len(grid)))
        for start in range(0, len(self), chunk):
            here = slice(start, start + chunk)
            integral = _integral(self.rows(here).density, grid, points)
            most = integral.max(axis=1, keepdims=True)
            # A label that the kernel holds impossible at every redshift says nothing.
            found[here] = np.where(most > 0, np.maximum(integral, LEAST * most), 1.0)
        return found

    def allowed(self, mass: Floats, grid: Grid) -> Floats:
        """The masses of the redshift that density and label together allow, K(z_label | z) p(z | x), normalised.

        Parameters
        ----------
        mass, grid
            Masses of the densities p(z | x), shape (galaxy, z), on their grid.

        Examples
        --------
        A density and a label of equal width meet half-way, and are narrower together:

        >>> from mixz.densities.grid import Grid
        >>> from mixz.truths import GaussianKernel, Truth
        >>> grid = Grid(np.linspace(0, 2, 401))
        >>> mass = np.exp(-((grid.z - 1.0) ** 2) / (2 * 0.04**2))
        >>> labels = Labels(Truth("many_band", GaussianKernel(0.02)), [1.04], [22.0])
        >>> both = labels.allowed(mass[None] / mass.sum(), grid)[0]
        >>> mean = both @ grid.z
        >>> round(float(mean), 2), round(float(np.sqrt(both @ (grid.z - mean) ** 2)), 3)
        (1.02, 0.028)
        """
        return allowed(mass, self.likelihood(grid))

    def smeared(self, mass: Floats, grid: Grid) -> Floats:
        """The masses of the labels' own densities p(z_label | x), given that they lie on the grid.

        Where labels are `at_face_value` that is `mass` itself.  Otherwise galaxies of like magnitude, or where kernels
        look at the label's own error of like error, are smeared alike.

        Parameters
        ----------
        mass, grid
            Masses of the densities p(z | x), shape (galaxy, z), on their grid.

        Returns
        -------
        Shape (galaxy, z), adding up to 1 over z as `mass` does.

        Examples
        --------
        >>> from mixz.densities.grid import Grid
        >>> from mixz.truths import GaussianKernel, Truth
        >>> grid = Grid(np.linspace(0, 2, 201))
        >>> mass = np.exp(-((grid.z - 1) ** 2) / (2 * 0.03**2))
        >>> labels = Labels(Truth("many_band", GaussianKernel(0.02)), [1.0], [22.0])
        >>> seen = labels.smeared(mass[None] / mass.sum(), grid)[0]
        >>> round(float(np.sqrt(seen @ (grid.z - 1) ** 2)), 3)
        0.05
        """
        if self.at_face_value(grid):
            return mass
        found = np.empty(mass.shape)
        for rows, like in self._alike():
            found[rows] = (mass[rows] @ like._of_nodes(grid).T) * cell(grid)
        return np.asarray(found / found.sum(axis=1, keepdims=True))

    def _of_nodes(self, grid: Grid) -> Floats:
        """The likelihood of labels at every node that are as wrong as this one, shape (z_label, z)."""
        kernel, mag_ref = self.truth.kernel, self.mag_ref[:, None]
        z_err = None if self.z_err is None else self.z_err[:, None]

        def density(z: Floats) -> Floats:
            # One magnitude and one error for all nodes: what a kernel makes of these alone is computed once.
            return kernel.density(z_label=grid.z[:, None], z=z, mag_ref=mag_ref, z_err=z_err)

        return _integral(density, grid, _points(kernel.narrowest(self.z_err), grid))

    def _alike(self) -> Iterator[tuple[NDArray[np.intp], Labels]]:
        """Rows of galaxies whose labels are about equally wrong, and one label that stands for them."""
        if not len(self):
            return
        kinds = [_whole(np.floor(self.mag_ref / MAG_STEP))]
        z_err = self.z_err if self.truth.kernel.uses_z_err else None
        if z_err is not None:
            known = np.asarray(np.isfinite(z_err).all(axis=1))
            ln_error = np.log(np.clip(z_err, LEAST_ERROR, None)) / ERROR_STEP
            of_error = np.where(known[:, None], _whole(np.rint(ln_error)), UNKNOWN)
            kinds = [np.where(known, UNKNOWN, kinds[0]), *of_error.T]
        kind, number = np.unique(np.stack(kinds, axis=1), axis=0, return_inverse=True)
        values = np.where(kind == UNKNOWN, np.nan, kind)
        order, ends = np.argsort(number.ravel(), kind="stable"), np.cumsum(np.bincount(number.ravel()))
        for rows, value in zip(np.split(order, ends[:-1]), values, strict=True):
            error = None if z_err is None else np.exp(value[None, 1:] * ERROR_STEP)
            yield rows, replace(self, z=np.zeros(1), mag_ref=(value[:1] + 0.5) * MAG_STEP, z_err=error)


def allowed(mass: Floats, likelihood: Floats) -> Floats:
    """The masses of what densities and the `likelihood` of labels together allow, both of shape (galaxy, z)."""
    both = mass * np.maximum(likelihood, LEAST * likelihood.max(axis=1, keepdims=True))
    return np.asarray(both / both.sum(axis=1, keepdims=True))


def _points(narrowest: float, grid: Grid) -> int:
    """In how many parts to cut a cell: an even number, for Simpson's rule, of no more than half the kernel's width."""
    points = 2 * math.ceil(float(np.diff(np.log1p(grid.z)).max()) / narrowest)
    return min(max(points, PER_CELL[0]), PER_CELL[1])


def _integral(density: Callable[[Floats], Floats], grid: Grid, points: int) -> Floats:
    """int K(z) hat_k(z) dz / c_k by Simpson's rule, of densities K at redshifts of shape (1, any); shape (label, z)."""
    share, widths = np.arange(points + 1) / points, steps(grid)
    simpson = np.array([1, *([4, 2] * (points // 2))[:-1], 1]) / 3 / points
    falling_rising = np.stack([simpson * (1 - share), simpson * share], axis=1)
    fine = np.append((grid.z[:-1, None] + widths[:, None] * share[:-1]).ravel(), grid.z[-1])
    of_cell = sliding_window_view(density(fine[None]), points + 1, axis=1)[:, ::points] @ falling_rising
    of_cell *= widths[:, None]
    integral = np.pad(of_cell[..., 0], ((0, 0), (0, 1))) + np.pad(of_cell[..., 1], ((0, 0), (1, 0)))
    return np.asarray(integral / cell(grid))


def _at_face_value(z_label: Floats, grid: Grid) -> NDArray[np.float32]:
    """L_k of labels that are the redshift, so that sum_k L_k s_k is the density there; shape (galaxy, z)."""
    z, area = grid.z, cell(grid)
    label = np.clip(z_label, z[0], z[-1])
    right = np.clip(np.searchsorted(z, label, side="right"), 1, len(z) - 1)
    share = (label - z[right - 1]) / (z[right] - z[right - 1])
    found, row = np.zeros((len(label), len(z)), np.float32), np.arange(len(label))
    found[row, right - 1] = (1 - share) / area[right - 1]
    found[row, right] = share / area[right]
    return found


def _whole(values: Floats) -> NDArray[np.int64]:
    """Whole numbers as such; `UNKNOWN` where they are not finite."""
    known = np.isfinite(values)
    return np.where(known, np.where(known, values, 0).astype(np.int64), UNKNOWN)
