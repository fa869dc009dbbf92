"""Galaxies of several tables as one set."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mixz.errors import MixzError
from mixz.galaxies import GalaxySet

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mixz.arrays import Floats


def concatenate(sets: Sequence[GalaxySet]) -> GalaxySet:
    """Join galaxy sets; a band, a truth or anything else that one of them lacks is NaN there.

    Sets of different bands must share some, and be told apart by their photometric `system` (or `table`).

    Raises
    ------
    MixzError
        They are not, or do not.

    Examples
    --------
    >>> a = GalaxySet([1], ("g",), [[21]], [[0.1]], z={"spec": [0.5]})
    >>> b = GalaxySet([2], ("g",), [[22]], [[0.1]], z={"many_band": [0.9]})
    >>> concatenate([a, b]).z
    {'spec': array([0.5, nan]), 'many_band': array([nan, 0.9])}
    """
    bands = tuple(dict.fromkeys(band for s in sets for band in s.bands))
    own = [band for band in bands if any(band not in s.bands for s in sets)]
    parts = {
        name: np.concatenate([getattr(s, name) for s in sets])
        for name in ("object_id", "split", "system", "ra_deg", "dec_deg", "table")
    }
    mag, mag_err = (np.concatenate(a) for a in zip(*(s.in_bands(bands, optional=own) for s in sets), strict=True))
    joined = GalaxySet(
        mag=mag,
        mag_err=mag_err,
        bands=bands,
        z=_joined([s.z for s in sets], sets),
        z_err=_joined([s.z_err for s in sets], sets, 2),
        carried=_joined([s.carried for s in sets], sets),
        **parts,
    )
    if own and (len(own) == len(bands) or not set(own) <= set(joined.own_bands())):
        raise MixzError(
            f"bands {' beside '.join(', '.join(s.bands) for s in sets)}",
            "sets that share bands, each of a photometric system (or table) of its own",
            "name the bands alike, and give each set its system",
        )
    return joined


def _joined(maps: Sequence[Mapping[str, Floats]], sets: Sequence[GalaxySet], *shape: int) -> dict[str, Floats]:
    """Join maps of columns, one per set, name by name."""
    names = dict.fromkeys(name for columns in maps for name in columns)
    return {
        name: np.concatenate(
            [m[name] if name in m else np.full((len(s), *shape), np.nan) for m, s in zip(maps, sets, strict=True)]
        )
        for name in names
    }
