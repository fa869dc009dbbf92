"""What a table says of itself besides its rows: unit and meaning of every column, and where the table comes from."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import astropy.units as u
from astropy.table import Column, Table

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

MIXZ_KEY = "mixz"
"""Name under which Parquet and HDF5 files keep their provenance as JSON (in FITS the card MIXZ)."""


class Note(NamedTuple):
    """A column's unit, as FITS and astropy spell it (``""`` where it has none), and its meaning."""

    unit: str
    meaning: str


NOTHING = Note("", "")


@dataclass(frozen=True)
class TableNotes:
    """Unit and meaning of a table's columns, and the table's provenance, for every format that has room for them.

    Redshifts have no unit in files: astropy reads its own ``redshift`` back from none of them without a warning.

    Parameters
    ----------
    columns
        Per column its note; columns may lack one, and notes may be of columns that the table lacks.
    provenance
        Where the table comes from, anything JSON can hold; without dates, so that the same input gives the same bytes.
    name
        What FITS calls the table (EXTNAME).

    Examples
    --------
    >>> notes = TableNotes({"ra": Note("deg", "right ascension")})
    >>> notes.of("ra").unit, notes.of("dec").unit
    ('deg', '')
    """

    columns: Mapping[str, Note] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""

    def of(self, column: str) -> Note:
        """The note of a column; an empty one where there is none."""
        return self.columns.get(column, NOTHING)

    def renamed(self, names: Mapping[str, str]) -> TableNotes:
        """The same notes where columns are called otherwise."""
        return replace(self, columns={names.get(column, column): note for column, note in self.columns.items()})

    @property
    def json(self) -> str:
        """The provenance in ASCII."""
        return json.dumps(dict(self.provenance))

    def as_astropy(self, types: Mapping[str, np.dtype[Any]]) -> Table:
        """A table without rows that has these columns and says all this, as astropy's own headers are made from."""
        columns = [
            Column(
                name=name,
                dtype=dtype,
                unit=known_unit(self.of(name).unit),
                description=self.of(name).meaning or None,
            )
            for name, dtype in types.items()
        ]
        return Table(columns, meta=json.loads(self.json))


def known_unit(unit: str) -> u.UnitBase | None:
    """A unit as astropy has it; None where there is none, or one that readers would only warn of.

    Examples
    --------
    >>> known_unit("deg"), known_unit("redshift"), known_unit("")
    (Unit("deg"), None, None)
    """
    try:
        return u.Unit(unit) if unit else None
    except (ValueError, TypeError):
        return None
