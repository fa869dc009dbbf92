"""A table asked about piece by piece: what comes out is the same however the table is cut."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from mixz.data.meaning.missing import Account
from mixz.data.photometry import column_names

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from mixz.bridges.model_columns import Asked
    from mixz.bridges.models import PhotoZModel
    from mixz.photoz import PhotoZ

PIECE_ROWS = 50_000
"""Galaxies of a table predicted at a time: enough for every core, and some 40 MB of densities on 200 nodes."""
MOST_TOLD = 4
"""Reasons that are told why galaxies got no redshift."""


@dataclass
class Pieces:
    """A model, and how far it is with the rows of one table.

    Parameters
    ----------
    model, asked
        The model, and how the table names what it needs.
    where
        What to call the table.
    rows
        How many it has at most; None where that is not known.
    """

    model: PhotoZModel
    asked: Asked
    where: str
    rows: int | None = None
    done: int = field(default=0, init=False)
    lost: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self.account = Account(self.where, self.rows)

    def predict(self, frame: pd.DataFrame) -> PhotoZ:
        """Photo-z of the table's next rows; galaxies are called by the number of their row.

        Raises
        ------
        MixzError
            A column is missing, or holds no magnitudes.
        """
        asked = self.asked.galaxies(self.model, frame, where=self.where, first=self.done, account=self.account)
        photoz = self.model.predict(asked)
        self.done += len(photoz)
        self.lost += int(np.isnan(photoz.z_phot).sum())
        return photoz

    def beside(self, frame: pd.DataFrame) -> dict[str, pd.Series[Any]]:
        """What of the rows goes along with their redshifts: names, positions."""
        return self.asked.beside(self.model, frame, where=self.where)

    def why_lost(self, available: Sequence[str]) -> list[str]:
        """Why galaxies got no redshift, by column of magnitudes or fluxes, the commonest first; nothing if all did."""
        if not self.lost:
            return []
        columns = self.asked.columns(self.model, available, where=self.where)
        shared = [band for band in self.model.bands if band not in self.model.own_bands]
        values = next(iter(column_names(columns, shared).values()))  # of magnitudes or fluxes
        found = [
            f"{column}: {reason} ({count:,} rows)"
            for (column, reason), count in self.account.taken.most_common()
            if column in values and not (self.model.sees_undetected and "nothing seen" in reason)
        ]
        return [f"{self.where}: bands that galaxies lack: {'; '.join(found[:MOST_TOLD])}"] if found else []

    def finish(self) -> None:
        """Judge the table as a whole, once all its rows were asked about.

        Raises
        ------
        MixzError
            A column holds no AB magnitudes.
        """
        self.account.finish()
