"""Which columns of a table a model needs, and the galaxies that its rows are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mixz.data.astropy_tables import ColumnRoles
from mixz.data.photometry import column_names, photometry
from mixz.data.tables import require_columns
from mixz.errors import MixzError, nearest
from mixz.galaxies import GalaxySet
from mixz.surveys.columns import Columns

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from mixz.bridges.models import PhotoZModel
    from mixz.data.photometry import MagnitudeCheck


@dataclass(frozen=True)
class Asked:
    """How a user's table names what a model needs.

    Parameters
    ----------
    mag
        How it names magnitudes, e.g. ``"{band}_cmodel_mag"``; by default ``mag_{band}``, or as the model's training
        tables did.
    mag_err
        How it names their errors, which only some models look at; goes with `mag`.
    object_id
        The column with the galaxies' names; by default ``object_id`` where there is one, else the row number.
    system
        The photometric system of its magnitudes, one of the model's; needed where the model tells several apart.
    """

    mag: str | None = None
    mag_err: str | None = None
    object_id: str | None = None
    system: str | None = None

    def columns(self, model: PhotoZModel, available: Sequence[str], *, where: str) -> Columns:
        """Choose the column map that fits a table: the one asked for, the plain one, or one of the training tables'.

        Raises
        ------
        MixzError
            None fits.
        """
        tried = self._tried(model)
        without = [c.model_copy(update={"mag_err": None, "flux_err": None}) for c in tried]
        # Infinite errors mark bands in which nothing was seen; networks that see neither do not ask for errors.
        with_errors = tried if model.needs_errors or model.sees_undetected else []
        for columns in [*with_errors, *([] if model.needs_errors else without)]:
            has_errors = (columns.mag_err if columns.mag is not None else columns.flux_err) is not None
            if set(_names(columns, model)) <= set(available) and (has_errors or not model.needs_errors):
                return columns
        if model.needs_errors and any(set(_names(c, model)) <= set(available) for c in without):
            raise MixzError(
                f"{where} has magnitudes but no errors that mixz knows; the model sees errors",
                "columns mag_err_{band}, or as the training tables named them",
                "name them with --mag-err, e.g. '{band}_cmodel_magerr'",
            )
        require_columns(_names(without[0], model), available, where=where)
        raise AssertionError("unreachable: the first map lacks a column")

    def roles(self, model: PhotoZModel, available: Sequence[str], *, where: str) -> ColumnRoles:
        """What columns with units are to be read as."""
        columns = self.columns(model, available, where=where)
        names = column_names(columns, model.bands)
        if columns.mag is not None:
            return ColumnRoles(errors=dict(zip(names["mag_err"], names["mag"], strict=False)))
        return ColumnRoles(fluxes=dict.fromkeys([*names["flux"], *names["flux_err"]], columns.flux_zero_point))

    def id_column(self, available: Sequence[str]) -> str | None:
        """Name the column of the galaxies' names, where there is one."""
        return self.object_id or ("object_id" if "object_id" in available else None)

    def needed(self, model: PhotoZModel, available: Sequence[str], *, where: str) -> list[str]:
        """List the columns to read of a table.

        Raises
        ------
        MixzError
            The table lacks one, or the system is none of the model's.
        """
        require_system(model, self.system)
        wanted = _names(self.columns(model, available, where=where), model)
        name = self.id_column(available)
        wanted += [name] if name else []
        require_columns(wanted, available, where=where)
        return list(dict.fromkeys(wanted))

    def galaxies(
        self,
        model: PhotoZModel,
        frame: pd.DataFrame,
        *,
        where: str,
        first: int = 0,
        check: MagnitudeCheck | None = None,
    ) -> GalaxySet:
        """The rows of a table as galaxies, named by their place: ids of a table need not be unique.

        Parameters
        ----------
        model, frame, where
            The model, the rows, and what to call their table.
        first
            The place of the first of them in the table.
        check
            What judges the whole table's magnitudes, where these are some of its rows.

        Raises
        ------
        MixzError
            A column is missing, or holds text.
        """
        columns = self.columns(model, [str(name) for name in frame.columns], where=where)
        mag, mag_err = photometry(frame, columns, model.bands, where=where, check=check)
        system = np.full(len(frame), self.system or "")
        return GalaxySet(np.arange(first, first + len(frame)), model.bands, mag, mag_err, system=system)

    def _tried(self, model: PhotoZModel) -> list[Columns]:
        """List the maps to try."""
        trained_on = [Columns(**c) for c in model.provenance.get("columns", [])]
        undetected = tuple(dict.fromkeys(mark for columns in trained_on for mark in columns.undetected))
        for option, pattern in (("--mag", self.mag), ("--mag-err", self.mag_err)):
            if pattern is not None and "{band}" not in pattern:
                raise MixzError(
                    f"{option} {pattern!r}", "a pattern with {band}, e.g. 'mag_{band}'", "write {band} there"
                )
        if self.mag is not None or self.mag_err is not None:
            return [Columns(mag=self.mag or "mag_{band}", mag_err=self.mag_err, undetected=undetected)]
        return [Columns(undetected=undetected), *trained_on]


def require_system(model: PhotoZModel, system: str | None) -> None:
    """Refuse a photometric system that the model does not know, or none where it knows several.

    Raises
    ------
    MixzError
        As said.
    """
    known = model.systems
    if system in known or (system is None and len(known) == 1):
        return
    if known == ("",):
        raise MixzError(f"photometric system {system!r}", "none: the model was trained on one", "leave out --system")
    given = "no photometric system" if system is None else f"photometric system {system!r}"
    hint = nearest(system, known) if system else ""
    raise MixzError(given, f"systems of the model: {', '.join(known)}", f"name the table's with --system{hint}")


def _names(columns: Columns, model: PhotoZModel) -> list[str]:
    return [name for names in column_names(columns, model.bands).values() for name in names]
