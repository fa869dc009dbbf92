"""A table as tomography wants it: magnitudes, photo-z with densities, labels, positions, and columns to cut by."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from mixz.bridges.nz.labels import labels_of
from mixz.bridges.pieces import PIECE_ROWS
from mixz.data.meaning.numbers import numbers, require_columns
from mixz.data.redshifts import redshifts
from mixz.data.split import sky_patches
from mixz.data.tables import read_chunks
from mixz.densities.grid import Grid, even_grid
from mixz.errors import MixzError, nearest
from mixz.photoz import PhotoZ, concatenate_photoz
from mixz.settings.bands import reference_band
from mixz.surveys.columns import Columns
from mixz.tomography.samples import LabelledSample, PhotometricSample
from mixz.truths.likelihood import Labels

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    import pandas as pd
    from numpy.typing import NDArray

    from mixz.arrays import Floats, Mask
    from mixz.bridges.models import PhotoZModel
    from mixz.bridges.pieces import Pieces
    from mixz.galaxies import GalaxySet
    from mixz.progress import Bar
    from mixz.truths.truth import Truths


POINT_NODES, POINT_END = 201, 6.0
"""The grid of n(z) of points."""
LEAST_SCATTER, USUAL_SCATTER = 0.01, 0.1
"""Of points about redshifts: at least, and where nothing is known of it (ours)."""


@dataclass(frozen=True, eq=False)
class NzTable:
    """What was read of a table, row by row.

    Parameters
    ----------
    photoz
        Its galaxies' redshifts, with densities where the model gives any.
    mag
        Magnitudes in the bands that every galaxy of the model has, shape (galaxy, band).
    z
        Per truth, its labels, shape (galaxy,).
    columns
        Further columns by name, shape (galaxy,) each.
    ra_deg, dec_deg
        Positions, shape (galaxy,); NaN where not known.
    names
        The galaxies' names, where the table has them.
    side
        The side of the split of each, where the table says.
    z_err
        Per truth with known intervals, how far each reaches below and above the label, shape (galaxy, 2).
    patch
        The patch of sky of each, numbered, where that is known otherwise than by squares.
    """

    photoz: PhotoZ
    mag: Floats
    z: Mapping[str, Floats]
    columns: Mapping[str, Floats]
    ra_deg: Floats
    dec_deg: Floats
    names: NDArray[Any] | None
    side: NDArray[Any] | None
    z_err: Mapping[str, Floats] = field(default_factory=dict)
    patch: NDArray[np.int64] | None = None

    @classmethod
    def of_galaxies(cls, model: PhotoZModel, galaxies: GalaxySet) -> NzTable:
        """Galaxies that `mixz build` made, each in its own photometric system.

        Raises
        ------
        MixzError
            They lack a band of the model, or there is none.
        """
        if not len(galaxies):
            raise MixzError("a galaxies file without rows", "a table of galaxies", "give another")
        starts = range(0, len(galaxies), PIECE_ROWS)
        parts = [galaxies.rows(np.arange(s, min(s + PIECE_ROWS, len(galaxies)))) for s in starts]
        mag = np.asarray(galaxies.in_bands(shared_bands(model))[0], dtype=np.float64)
        return cls(
            concatenate_photoz(model.predict(part) for part in parts),
            mag,
            galaxies.z,
            galaxies.carried,
            galaxies.ra_deg,
            galaxies.dec_deg,
            galaxies.object_id.astype(str),
            galaxies.split,
            galaxies.z_err,
        )

    def column(self, name: str) -> Floats:
        """A column by name: of the photo-z, or of the table.

        Raises
        ------
        MixzError
            There is none of that name.
        """
        own = self.photoz.columns()
        if name not in own and name not in self.columns:
            known = [*own, *self.columns]
            raise MixzError(
                f"column {name!r} is neither of the photo-z nor of the table",
                f"columns: {', '.join(known)}",
                f"name one of these{nearest(name, known)}",
            )
        return np.asarray(own[name].data if name in own else self.columns[name], dtype=np.float64)

    def patches(self, patch_deg: float) -> NDArray[np.int64] | None:
        """The patch of sky of each galaxy, numbered; None where a position is not known."""
        if self.patch is not None:
            return self.patch
        if not (len(self.ra_deg) and np.isfinite(self.ra_deg).all() and np.isfinite(self.dec_deg).all()):
            return None
        return np.asarray(np.unique(sky_patches(self.ra_deg, self.dec_deg, patch_deg), return_inverse=True)[1])

    @property
    def grid(self) -> Grid:
        """The grid of the densities; where the model gives points, one that is fine enough for them."""
        return self.photoz.grid or even_grid(POINT_NODES, POINT_END)

    def scatter(self, truths: Truths) -> float:
        """How far points scatter about labels, sigma_mad of dz; a tenth where there are no labels."""
        real = [z for name, z in self.z.items() if not truths[name].simulated]
        dz = np.concatenate([(self.photoz.z_phot - z) / (1 + z) for z in real]) if real else np.empty(0)
        dz = dz[np.isfinite(dz)]
        return max(LEAST_SCATTER, 1.4826 * float(np.median(np.abs(dz - np.median(dz))))) if len(dz) else USUAL_SCATTER

    def sample(
        self,
        patch_deg: float,
        *,
        weight: str | None = None,
        truths: Truths | None = None,
        scatter: float = USUAL_SCATTER,
    ) -> PhotometricSample:
        """Its galaxies, with their true redshifts where they are simulated.

        Parameters
        ----------
        patch_deg
            Side of patches of sky.
        weight
            The column of how much each counts.
        truths
            How wrong labels are: which are the true redshifts of simulated galaxies.
        scatter
            Of points about redshifts, where the model gives points.
        """
        simulated = [name for name in self.z if truths is not None and truths[name].simulated]
        z_true = self.z[simulated[0]] if simulated else None
        more: dict[str, Any] = {
            "weight": None if weight is None else self.column(weight),
            "patch": self.patches(patch_deg),
            "z_true": z_true if z_true is not None and np.isfinite(z_true).all() else None,
        }
        if self.photoz.pdf is None:
            return PhotometricSample.of_points(self.photoz, self.mag, self.grid, scatter=scatter, **more)
        return PhotometricSample.of(self.photoz, self.mag, **more)

    def rows(self, which: NDArray[Any]) -> NzTable:
        """The galaxies that `which` (a mask or indices) selects."""
        return NzTable(
            self.photoz.rows(which),
            self.mag[which],
            {name: z[which] for name, z in self.z.items()},
            {name: values[which] for name, values in self.columns.items()},
            self.ra_deg[which],
            self.dec_deg[which],
            None if self.names is None else self.names[which],
            None if self.side is None else self.side[which],
            {name: err[which] for name, err in self.z_err.items()},
            None if self.patch is None else self.patch[which],
        )

    def in_patches(self, patch: NDArray[np.int64]) -> NzTable:
        """The same galaxies with the patch of sky of each given, shape (galaxy,)."""
        return replace(self, patch=patch)

    def labelled(
        self,
        truths: Truths,
        bands: Sequence[str],
        patch_deg: float,
        *,
        beside: NzTable | None = None,
        keep: Mask | None = None,
        scatter: float = USUAL_SCATTER,
    ) -> LabelledSample | None:
        """Its galaxies that have a label; None where none has.

        Parameters
        ----------
        truths
            How wrong labels are.
        bands
            Those that every galaxy of the model has.
        patch_deg
            Side of patches of sky.
        beside
            The table that the bins are of, where that is another one: a galaxy is in both if it has the same name.
        keep
            Which galaxies to take, shape (galaxy,); all if not given.
        scatter
            As in `sample`.
        """
        real = {name: z for name, z in self.z.items() if not truths[name].simulated}
        has = np.any([np.isfinite(z) for z in real.values()], axis=0) if real else np.zeros(len(self.mag), bool)
        rows = np.flatnonzero(has if keep is None else has & keep)
        if not len(rows):
            return None
        mag_ref = self.mag[:, list(bands).index(reference_band(bands))]
        labels = {name: Labels(truths[name], z, mag_ref, self.z_err.get(name)).rows(rows) for name, z in real.items()}
        return LabelledSample(
            self.sample(patch_deg, scatter=scatter).rows(rows),
            labels,
            same=(np.arange(len(self.mag)) if beside is None else _places(self.names, beside.names, len(self.mag)))[
                rows
            ],
            held_out=(np.ones(len(self.mag), bool) if self.side is None else self.side != "train")[rows],
        )


def shared_bands(model: PhotoZModel) -> tuple[str, ...]:
    """The bands of a model that every galaxy has, in the order of its inputs."""
    return tuple(band for band in model.bands if band not in model.own_bands)


def read_nz_table(
    pieces: Pieces,
    table: Path,
    available: Sequence[str],
    truths: Truths,
    *,
    group: str | int | None = None,
    also: Sequence[str] = (),
    bar: Bar | None = None,
) -> NzTable:
    """Read a table some rows at a time; its densities lie in memory, a kilobyte per galaxy.

    Parameters
    ----------
    pieces
        The model, and how the table names what it needs.
    table, available, group
        Which table, and its columns.
    truths
        Those whose labels are looked for, in the columns that `pieces` names, or else ``z_<truth>``.
    also
        Columns wanted besides: of the photo-z, or of the table.
    bar
        Told how many galaxies are done.

    Raises
    ------
    MixzError
        A column is missing, or the table is empty or damaged.
    """
    wanted = Wanted.of(available, truths, also, pieces.asked.labels)
    parts: list[NzTable] = []
    for frame in read_chunks(table, wanted.columns(pieces), group):
        parts.append(wanted.rows(pieces, frame))
        if bar is not None:
            bar(pieces.done, pieces.rows, "galaxies")
    pieces.finish()
    if not sum(len(part.mag) for part in parts):
        raise MixzError(f"{table} has no rows", "a table of galaxies", "give another")
    return joined(parts)


@dataclass(frozen=True)
class Wanted:
    """What is wanted of a table besides what the model needs.

    Parameters
    ----------
    available
        Its columns.
    labels
        Per truth the column of its labels.
    others
        Further columns.
    """

    available: tuple[str, ...]
    labels: Mapping[str, str]
    others: tuple[str, ...]

    @classmethod
    def of(
        cls,
        available: Sequence[str],
        truths: Iterable[str],
        also: Sequence[str],
        named: Iterable[tuple[str, str]] = (),
    ) -> Self:
        """What a table has of it; parameters as in `read_nz_table` and `labels_of`."""
        # A column that the model makes need not be in the table.
        return cls(tuple(available), labels_of(available, truths, named), tuple(also))

    def columns(self, pieces: Pieces) -> list[str]:
        """The columns to read.

        Raises
        ------
        MixzError
            The model needs one that is not there.
        """
        needed = pieces.asked.needed(pieces.model, self.available, where=pieces.where)
        there = [name for name in self.others if name in self.available]
        return list(dict.fromkeys([*needed, *self.labels.values(), *there]))

    def rows(self, pieces: Pieces, frame: pd.DataFrame) -> NzTable:
        """Ask the model about the table's next rows.

        Raises
        ------
        MixzError
            A column is missing.
        """
        model, where = pieces.model, pieces.where
        galaxies = pieces.asked.galaxies(model, frame, where=where, first=pieces.done)
        photoz = pieces.predict(frame)
        made = photoz.columns()
        lacking = [name for name in self.others if name not in made and name not in self.available]
        if lacking:
            require_columns(lacking, [*self.available, *made], where=where, do="name a column that is there")
        beside = pieces.beside(frame)
        nowhere = np.full(len(frame), np.nan)
        return NzTable(
            photoz,
            np.asarray(galaxies.in_bands(shared_bands(model))[0], dtype=np.float64),
            {name: redshifts(frame, column, Columns(), pieces.account) for name, column in self.labels.items()},
            {
                name: numbers(frame, name, where=where)
                for name in self.others
                if name not in made and name in self.available
            },
            np.asarray(beside["ra"], float) if "ra" in beside else nowhere,
            np.asarray(beside["dec"], float) if "dec" in beside else nowhere,
            np.asarray(beside["object_id"]).astype(str) if "object_id" in beside else None,
            None,
        )


def joined(parts: Sequence[NzTable]) -> NzTable:
    """Several tables' rows, one after the other."""

    def together(values: Sequence[Any]) -> Any:
        return None if any(value is None for value in values) else np.concatenate(values)

    first = parts[0]
    return NzTable(
        concatenate_photoz(part.photoz for part in parts),
        together([part.mag for part in parts]),
        {name: together([part.z[name] for part in parts]) for name in first.z},
        {name: together([part.columns[name] for part in parts]) for name in first.columns},
        together([part.ra_deg for part in parts]),
        together([part.dec_deg for part in parts]),
        together([part.names for part in parts]),
        together([part.side for part in parts]),
        patch=together([part.patch for part in parts]),
    )


def _places(names: NDArray[Any] | None, among: NDArray[Any] | None, galaxies: int) -> NDArray[np.intp]:
    """The row of each name among others, shape (galaxy,); -1 where it is not there or nobody has names."""
    if names is None or among is None:
        return np.full(galaxies, -1)
    order = np.argsort(among, kind="stable")
    place = np.minimum(np.searchsorted(among[order], names), len(among) - 1)
    return np.asarray(np.where(among[order][place] == names, order[place], -1), np.intp)
