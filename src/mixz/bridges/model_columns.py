"""Which columns of a table a model needs, and the galaxies that its rows are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mixz.columns import Columns
from mixz.data.photometry import column_names, photometry
from mixz.data.tables import require_columns
from mixz.errors import MixzError
from mixz.schema import GalaxySet

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from mixz.bridges.models import PhotoZModel


@dataclass(frozen=True)
class Asked:
    """How a user's table names what a model needs.

    Parameters
    ----------
    mag, mag_err
        How it names magnitudes and their errors, e.g. ``"{band}_cmodel_mag"``; by default ``mag_{band}`` and
        ``mag_err_{band}``, or as the model's training tables did.
    object_id
        The column with the galaxies' names; by default ``object_id`` where there is one, else the row number.
    system
        The photometric system of its magnitudes, where the model tells several apart.
    """

    mag: str | None = None
    mag_err: str | None = None
    object_id: str | None = None
    system: str = ""

    def columns(self, model: PhotoZModel, available: Sequence[str], *, where: str) -> Columns:
        """Choose the column map that fits a table: the one asked for, the plain one, or one of the training tables'.

        Raises
        ------
        MixzError
            None fits.
        """
        tried = self._tried(model)
        for columns in tried:
            if set(_names(columns, model)) <= set(available):
                return columns
        require_columns(_names(tried[0], model), available, where=where)
        raise AssertionError("unreachable: the first map lacks a column")

    def id_column(self, available: Sequence[str]) -> str | None:
        """Name the column of the galaxies' names, where there is one."""
        return self.object_id or ("object_id" if "object_id" in available else None)

    def needed(self, model: PhotoZModel, available: Sequence[str], *, where: str) -> list[str]:
        """List the columns to read of a table.

        Raises
        ------
        MixzError
            The table lacks one.
        """
        wanted = _names(self.columns(model, available, where=where), model)
        name = self.id_column(available)
        wanted += [name] if name else []
        require_columns(wanted, available, where=where)
        return list(dict.fromkeys(wanted))

    def galaxies(self, model: PhotoZModel, frame: pd.DataFrame, *, where: str) -> GalaxySet:
        """Give the rows of a table as galaxies, named by their place: ids of a table need not be unique.

        Raises
        ------
        MixzError
            A column is missing, or holds text.
        """
        columns = self.columns(model, [str(name) for name in frame.columns], where=where)
        mag, mag_err = photometry(frame, columns, model.bands, where=where)
        system = np.full(len(frame), self.system or (model.systems[0] if len(model.systems) == 1 else ""))
        return GalaxySet(np.arange(len(frame)), model.bands, mag, mag_err, system=system)

    def _tried(self, model: PhotoZModel) -> list[Columns]:
        """List the maps to try; without errors where the model does not look at them."""
        if self.mag is not None:
            _require_band(self.mag, "--mag", "mag_{band}")
        if self.mag_err is not None:
            _require_band(self.mag_err, "--mag-err", "mag_err_{band}")
        given = {"mag": self.mag} if self.mag else {}
        given |= {"mag_err": self.mag_err} if self.mag_err else {}
        trained_on = [Columns(**c) for c in model.provenance.get("columns", [])] if not self.mag else []
        maps = [Columns(**given), *(c.model_copy(update=given) for c in trained_on)]  # type: ignore[arg-type]
        return maps if model.needs_errors else [c.model_copy(update={"mag_err": None, "flux_err": None}) for c in maps]


def _names(columns: Columns, model: PhotoZModel) -> list[str]:
    return [name for names in column_names(columns, model.bands).values() for name in names]


def _require_band(pattern: str, option: str, example: str) -> None:
    if "{band}" not in pattern:
        raise MixzError(
            f"{option} {pattern!r}", f"a pattern with {{band}}, e.g. {example!r}", "write {band} for the band"
        )
