"""A table as tomography wants it: magnitudes, photo-z with densities, labels, positions, and columns to cut by."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from mixz.bridges.pieces import PIECE_ROWS
from mixz.data.meaning.numbers import numbers, require_columns
from mixz.data.redshifts import redshifts
from mixz.data.split import sky_patches
from mixz.data.tables import read_chunks
from mixz.errors import MixzError, nearest
from mixz.photoz import PhotoZ, concatenate_photoz
from mixz.settings.bands import reference_band
from mixz.surveys.columns import Columns
from mixz.tomography.samples import LabelledSample, PhotometricSample
from mixz.truths.likelihood import Labels

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from mixz.arrays import Floats, Mask
    from mixz.bridges.models import PhotoZModel
    from mixz.bridges.pieces import Pieces
    from mixz.galaxies import GalaxySet
    from mixz.progress import Bar
    from mixz.truths.truth import Truths


@dataclass(frozen=True, eq=False)
class NzTable:
    """What was read of a table, row by row.

    Parameters
    ----------
    photoz
        Its galaxies' redshifts, with densities.
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
        if not (len(self.ra_deg) and np.isfinite(self.ra_deg).all() and np.isfinite(self.dec_deg).all()):
            return None
        return np.asarray(np.unique(sky_patches(self.ra_deg, self.dec_deg, patch_deg), return_inverse=True)[1])

    def sample(self, patch_deg: float, *, weight: str | None = None, truths: Truths | None = None) -> PhotometricSample:
        """Its galaxies, with their true redshifts where they are simulated.

        Raises
        ------
        MixzError
            The model gives no densities.
        """
        simulated = [name for name in self.z if truths is not None and truths[name].simulated]
        z_true = self.z[simulated[0]] if simulated else None
        return PhotometricSample.of(
            self.photoz,
            self.mag,
            weight=None if weight is None else self.column(weight),
            patch=self.patches(patch_deg),
            z_true=z_true if z_true is not None and np.isfinite(z_true).all() else None,
        )

    def labelled(
        self,
        truths: Truths,
        bands: Sequence[str],
        patch_deg: float,
        *,
        beside: NzTable | None = None,
        keep: Mask | None = None,
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
        """
        real = {name: z for name, z in self.z.items() if not truths[name].simulated}
        has = np.any([np.isfinite(z) for z in real.values()], axis=0) if real else np.zeros(len(self.mag), bool)
        rows = np.flatnonzero(has if keep is None else has & keep)
        if not len(rows):
            return None
        mag_ref = self.mag[:, list(bands).index(reference_band(bands))]
        labels = {name: Labels(truths[name], z, mag_ref, self.z_err.get(name)).rows(rows) for name, z in real.items()}
        return LabelledSample(
            self.sample(patch_deg).rows(rows),
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
        Those whose labels are looked for, in columns ``z_<truth>``.
    also
        Columns wanted besides: of the photo-z, or of the table.
    bar
        Told how many galaxies are done.

    Raises
    ------
    MixzError
        A column is missing, or the table is empty or damaged.
    """
    model, where = pieces.model, str(table)
    columns = {name: f"z_{name}" for name in truths if f"z_{name}" in available}
    needed = pieces.asked.needed(model, available, where=where)
    # A column that the model makes need not be in the table.
    others = [name for name in also if name in available]
    parts: list[NzTable] = []
    for frame in read_chunks(table, list(dict.fromkeys([*needed, *columns.values(), *others])), group):
        galaxies = pieces.asked.galaxies(model, frame, where=where, first=pieces.done)
        photoz = pieces.predict(frame)
        lacking = [name for name in also if name not in photoz.columns() and name not in available]
        if lacking:
            require_columns(lacking, [*available, *photoz.columns()], where=where, do="name a column that is there")
        beside = pieces.beside(frame)
        nowhere = np.full(len(frame), np.nan)
        parts.append(
            NzTable(
                photoz,
                np.asarray(galaxies.in_bands(shared_bands(model))[0], dtype=np.float64),
                {name: redshifts(frame, column, Columns(), pieces.account) for name, column in columns.items()},
                {name: numbers(frame, name, where=where) for name in others if name not in photoz.columns()},
                np.asarray(beside["ra"], float) if "ra" in beside else nowhere,
                np.asarray(beside["dec"], float) if "dec" in beside else nowhere,
                np.asarray(beside["object_id"]).astype(str) if "object_id" in beside else None,
                None,
            )
        )
        if bar is not None:
            bar(pieces.done, pieces.rows, "galaxies")
    pieces.finish()
    if not sum(len(part.mag) for part in parts):
        raise MixzError(f"{table} has no rows", "a table of galaxies", "give another")
    return _joined(parts)


def _joined(parts: Sequence[NzTable]) -> NzTable:
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
    )


def _places(names: NDArray[Any] | None, among: NDArray[Any] | None, galaxies: int) -> NDArray[np.intp]:
    """The row of each name among others, shape (galaxy,); -1 where it is not there or nobody has names."""
    if names is None or among is None:
        return np.full(galaxies, -1)
    order = np.argsort(among, kind="stable")
    place = np.minimum(np.searchsorted(among[order], names), len(among) - 1)
    return np.asarray(np.where(among[order][place] == names, order[place], -1), np.intp)
