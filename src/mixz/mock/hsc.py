"""Hyper Suprime-Cam as the mock sees it: bands, filters, depths, dust, footprints; each number with its source."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import mixz.surveys.hsc as hsc_constants

if TYPE_CHECKING:
    from collections.abc import Mapping

BANDS = ("g", "r", "i", "z", "y")

# The r2 and i2 filters replaced r and i in 2016 (Aihara+19, PASJ 71 114); curves of speclite 1.0.
FILTERS: Mapping[str, str] = {
    "g": "hsc2017-g", "r": "hsc2017-r2", "i": "hsc2017-i2", "z": "hsc2017-z", "y": "hsc2017-y",
}  # fmt: skip

EXTINCTION_PER_EBV: Mapping[str, float] = hsc_constants.EXTINCTION_PER_EBV


@dataclass(frozen=True)
class Depth:
    """How deep an imaging survey goes: 5-sigma point-source limits and seeing, per band.

    Parameters
    ----------
    limit_mag
        5-sigma limit of a point source [AB mag].
    seeing_arcsec
        Full width at half maximum of the point-spread function.
    floor_mag
        Smallest error: calibration and flat field.
    """

    limit_mag: Mapping[str, float]
    seeing_arcsec: Mapping[str, float]
    floor_mag: float


# Wide layer of PDR2: Aihara+19 (PASJ 71 114) and hsc-release.mtk.nao.ac.jp/doc/index.php/sample-page/pdr2/.
WIDE = Depth(
    limit_mag={"g": 26.6, "r": 26.2, "i": 26.2, "z": 25.3, "y": 24.5},
    seeing_arcsec={"g": 0.77, "r": 0.76, "i": 0.58, "z": 0.68, "y": 0.68},
    floor_mag=0.01,
)

# Weaver+22 (ApJS 258 11): 3-sigma depths in 2" apertures of HSC UltraDeep, grizy 28.1 27.8 27.6 27.2 26.5; here as
# 5-sigma, 0.55 mag less.
ULTRADEEP = Depth(
    limit_mag={"g": 27.55, "r": 27.25, "i": 27.05, "z": 26.65, "y": 25.95},
    seeing_arcsec=WIDE.seeing_arcsec,
    floor_mag=0.01,
)


@dataclass(frozen=True)
class Field:
    """A rectangle on the sky, right ascension and declination in degrees, and the mean E(B-V) of Galactic dust."""

    ra_deg: tuple[float, float]
    dec_deg: tuple[float, float]
    ebv: float


# The 2 deg^2 of COSMOS2020 (Weaver+22) and three HSC Wide fields (Aihara+19), rounded; E(B-V) rounded too.
COSMOS_FIELD: Mapping[str, Field] = {"COSMOS": Field((149.30, 150.79), (1.60, 2.81), 0.018)}
WIDE_FIELDS: Mapping[str, Field] = {
    "XMM": Field((30.0, 38.0), (-6.0, -2.0), 0.022),
    "GAMA09H": Field((129.0, 140.0), (-1.5, 4.0), 0.030),
    "GAMA15H": Field((212.0, 222.0), (-1.5, 1.5), 0.030),
}
