"""What bands are called, and where on the spectrum they lie: their order, whichever survey they are of."""

from __future__ import annotations

import re

# Rough mean wavelengths [nm]: they order bands, and nothing is computed from them.
WAVELENGTH_NM: dict[str, float] = {
    "FUV": 153, "NUV": 230,
    "u": 360, "g": 480, "r": 620, "i": 760, "i2": 765, "z": 890, "y": 980,
    "U": 360, "B": 440, "G": 481, "V": 550, "R": 640, "I": 790, "Z": 891, "Y": 1020,
    "VIS": 715, "J": 1250, "H": 1640, "K": 2200, "Ks": 2150, "F": 1840,
    "j": 1251, "h": 1641, "k": 2201, "ks": 2151,
    "W1": 3400, "W2": 4600, "W3": 12_000, "W4": 22_000, "w1": 3401, "w2": 4601, "w3": 12_001, "w4": 22_001,
    "ch1": 3550, "ch2": 4490, "ch3": 5730, "ch4": 7870,
}  # fmt: skip
BROAD = frozenset("ugrizyUBGVRIZY")
"""The optical bands that photo-z are mostly made of."""
NUMBERED = re.compile(r"(?:IA|IB|NB)(\d{3,4})|[Ff](\d{3})(?:LP|[WMN]|w|m|n|lp)")
"""Intermediate and narrow bands, and the filters of Hubble and Webb, say where they lie."""
TENS_OF_NM = range(70, 200)
HUNDREDS_OF_WEBB = (210, 212, 250, 277, 300, 322, 323, 335, 356, 360, 405, 410, 430, 444, 460, 466, 470, 480)
"""Numbers of three digits that are tens of nanometres: below 200 all are, and of the others Webb's."""


def wavelength_nm(band: str) -> float | None:
    """About where a band lies [nm]; None for what is no band's name.

    Examples
    --------
    >>> [wavelength_nm(band) for band in ("g", "Ks", "IB427", "F814W", "F160W", "F444W", "NB118", "spec")]
    [480, 2150, 427.0, 814.0, 1600.0, 4440.0, 1180.0, None]
    """
    if band in WAVELENGTH_NM:
        return WAVELENGTH_NM[band]
    if not (found := NUMBERED.fullmatch(band)):
        return None
    number = int(found.group(1) or found.group(2))
    tens = number in TENS_OF_NM or (found.group(2) is not None and number in HUNDREDS_OF_WEBB)
    return 10.0 * number if tens else float(number)


def in_order(bands: list[str]) -> list[str]:
    """Bands from the shortest wavelength to the longest; those that nobody knows come last, as they were.

    Examples
    --------
    >>> in_order(["z", "g", "y", "r", "u", "i"])
    ['u', 'g', 'r', 'i', 'z', 'y']
    """
    return sorted(bands, key=lambda band: wavelength_nm(band) or float("inf"))
