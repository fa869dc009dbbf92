"""The reference band: whose magnitude limits samples, and says how wrong labels are."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def is_i(band: str) -> bool:
    """Whether a band is i by its name, in either case: many-band labels are known to be wrong by i magnitude."""
    return band.lower() == "i"


def reference_band(bands: Sequence[str]) -> str:
    """The band whose magnitude says how wrong labels are: i, in either case, or the last.

    Examples
    --------
    >>> reference_band(["U", "G", "R", "I", "Z", "Y"]), reference_band(["g", "r"])
    ('I', 'r')
    """
    return next((band for band in bands if is_i(band)), bands[-1])


def in_place_of_i(band: str) -> str:
    """What must be said where a reference band is not i; nothing where it is.

    Examples
    --------
    >>> in_place_of_i("Y")
    'ref_band: Y stands for i: labels that are wrong by i magnitude are taken to be as wrong as at that Y magnitude'
    >>> in_place_of_i("I")
    ''
    """
    if is_i(band):
        return ""
    return (
        f"ref_band: {band} stands for i: labels that are wrong by i magnitude are taken to be as wrong as at that "
        f"{band} magnitude"
    )
