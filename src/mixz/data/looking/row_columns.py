"""Which columns of a table name its galaxies, and say where on the sky they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mixz.data.meaning.names import are_rounded, identities
from mixz.data.meaning.units import parsed
from mixz.data.sky import POSITIONS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mixz.data.looking.sample import RowSample

NAMES = (
    "object_id", "objectid", "objid", "obj_id", "coadd_object_id", "coadd_objects_id", "hsc_id", "source_id",
    "sourceid", "galaxy_id", "galaxyid", "targetid", "target_id", "cosmos_id", "id", "id_classic", "id_farmer",
    "number", "name", "designation", "iauname",
)  # fmt: skip
"""What tables call the column with the galaxies' names, in small letters, the likeliest first."""


def id_names(names: Sequence[str]) -> list[str]:
    """The columns among these that may be galaxies' names, the likeliest first.

    Examples
    --------
    >>> id_names(["NUMBER", "mag_g", "objectId"])
    ['objectId', 'NUMBER']
    """
    return sorted((n for n in names if n.lower() in NAMES), key=lambda n: NAMES.index(n.lower()))


def id_column(sample: RowSample) -> tuple[str | None, str]:
    """The column with the galaxies' names, and what to say of it; None where no column has different ones.

    Examples
    --------
    >>> import pandas as pd
    >>> from pathlib import Path
    >>> from mixz.data.looking.sample import RowSample
    >>> id_column(RowSample(Path("a.csv"), None, 2, True, pd.DataFrame({"ID": [7, 7], "NUMBER": [1, 2]})))
    ('NUMBER', 'ID names no rows, or several alike')
    """
    left = []
    for name in id_names([str(column) for column in sample.frame.columns]):
        values = sample.frame[name]
        if values.dtype.kind == "f" and are_rounded(values):
            left.append(f"{name} is rounded: floating-point numbers beyond 2^53")
            continue
        found = [one for one in identities(values).tolist() if one is not None]
        if 2 * len(found) > len(values) and len(set(found)) == len(found):
            lacking = [f"{len(values) - len(found):,} rows lack a name in {name}"] if len(found) < len(values) else []
            return name, "; ".join([*left, *lacking])
        left.append(f"{name} names no rows, or several alike")
    return None, "; ".join(left)


def position_names(names: Sequence[str]) -> list[str]:
    """The columns among these that may be right ascension and declination."""
    known = {name for pair in POSITIONS for name in pair}
    return [name for name in names if name.lower() in known]


def position_columns(sample: RowSample) -> tuple[tuple[str, str] | None, str]:
    """The columns of right ascension and declination, and what to say of them; None where none are sure to be.

    Examples
    --------
    >>> import pandas as pd
    >>> from pathlib import Path
    >>> from mixz.data.looking.sample import RowSample
    >>> frame = pd.DataFrame({"coord_ra": [1.1, 1.2], "coord_dec": [-0.5, -0.6]})
    >>> position_columns(RowSample(Path("a.csv"), None, 2, True, frame))[1]
    'coord_ra and coord_dec say no unit and may be radians'
    """
    there = {str(name).lower(): str(name) for name in sample.frame.columns}
    for pair in POSITIONS:
        if not all(name in there for name in pair):
            continue
        ra_name, dec_name = (there[name] for name in pair)
        ra, dec = sample.numbers(ra_name), sample.numbers(dec_name)
        if ra is None or dec is None:
            continue
        units = [parsed(sample.units.get(name, "")) for name in (ra_name, dec_name)]
        known = np.isfinite(ra) & np.isfinite(dec) & (np.abs(dec) < 91)
        if all(unit is not None and unit.degrees for unit in units):
            return (ra_name, dec_name), ""
        if not known.any() or any(unit is not None for unit in units):
            continue
        ra, dec = ra[known], dec[known]
        if ra.min() >= -np.pi and ra.max() <= 2 * np.pi and np.abs(dec).max() <= np.pi / 2:
            return None, f"{ra_name} and {dec_name} say no unit and may be radians"
        if ra.min() < -180 or ra.max() > 360 or np.abs(dec).max() > 90:
            return None, f"{ra_name} and {dec_name} are no degrees"
        return (ra_name, dec_name), ""
    return None, ""
