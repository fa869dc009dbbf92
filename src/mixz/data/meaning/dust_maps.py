"""E(B-V) of the Galaxy by position, from maps that the library dustmaps keeps (needs the extra ``dust``)."""

from __future__ import annotations

import warnings
from contextlib import redirect_stdout
from functools import lru_cache
from io import StringIO
from typing import TYPE_CHECKING, Any

import numpy as np

from mixz.errors import MixzError, nearest, not_installed

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

MAPS = {"sfd": "Schlegel, Finkbeiner & Davis 1998 (ApJ 500, 525)"}
"""The maps by the name that dustmaps has for them.  Coefficients of surveys are per E(B-V) of the first."""


def ebv_at(
    name: str, ra_deg: NDArray[Any], dec_deg: NDArray[Any], *, folder: Path | None = None
) -> NDArray[np.float64]:
    """E(B-V) at places on the sky, shape (galaxy,); NaN where a place is not known.

    Parameters
    ----------
    name
        One of `MAPS`.
    ra_deg, dec_deg
        The places (ICRS), shape (galaxy,).
    folder
        Where the map's files lie; by default where dustmaps keeps them.

    Raises
    ------
    MixzError
        The map is unknown, its files are not there or damaged, or dustmaps is not installed.
    """
    from astropy.coordinates import SkyCoord

    query = _query(name, folder)
    known = np.isfinite(ra_deg) & (np.abs(dec_deg) <= 90)
    found = np.full(len(ra_deg), np.nan)
    if known.any():
        found[known] = query(SkyCoord(ra_deg[known], dec_deg[known], unit="deg"))
    return found


@lru_cache(maxsize=2)
def _query(name: str, folder: Path | None) -> Any:
    if name not in MAPS:
        raise MixzError(f"dust map {name!r}", f"maps: {', '.join(MAPS)}", f"name one{nearest(name, MAPS)}")
    try:
        with warnings.catch_warnings(action="ignore"):  # of a configuration that nobody needs
            from dustmaps.sfd import SFDQuery
    except ImportError as error:
        raise not_installed("dustmaps is not installed", "dust") from error
    try:
        with redirect_stdout(StringIO()):  # it prints what is missing
            return SFDQuery(map_dir=None if folder is None else str(folder))
    except (OSError, ValueError, TypeError) as error:  # what damaged FITS files bring
        raise MixzError(
            f"the dust map {name} cannot be read: {str(error).partition(chr(10))[0]}",
            "its files where dustmaps keeps them",
            'fetch them once (some 130 MB): python -c "import dustmaps.sfd; dustmaps.sfd.fetch()"',
        ) from error
