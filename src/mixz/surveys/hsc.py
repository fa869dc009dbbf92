"""Hyper Suprime-Cam Subaru Strategic Program: PDR2 (Aihara et al. 2019, PASJ 71 114), PDR3 (2022, PASJ 74 247)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mixz.surveys.columns import Cut
from mixz.surveys.survey import Survey

if TYPE_CHECKING:
    from collections.abc import Mapping

BANDS = ("g", "r", "i", "z", "y")

# A_b / E(B-V) of the HSC pipeline (obs_subaru config extinctionCoeffs; numbers by M. Tanaka, NAOJ).
EXTINCTION_PER_EBV = {"g": 3.240, "r": 2.276, "i": 1.633, "z": 1.263, "y": 1.075}


def of_all_bands(function: str, pattern: str = "{band}_cmodel_mag") -> str:
    """Write a function of one column per band out.

    Examples
    --------
    >>> of_all_bands("max", "a_{band}")
    'max(a_g, a_r, a_i, a_z, a_y)'
    """
    return f"{function}({', '.join(pattern.replace('{band}', band) for band in BANDS)})"


# What values of an HSC table's columns may be (ours): wide enough for all, so that only another column falls outside.
HSC_RANGES = {
    "object_id": (1e15, 1e18),
    **{f"{band}_cmodel_mag": (8.0, 40.0) for band in BANDS},
    **{f"{band}_cmodel_magsigma": (0.0, 5.0) for band in BANDS},
}

# GalaxiesML's bounds on every magnitude (arXiv:2410.00271).
MAGNITUDES_ABOVE_0 = Cut(name="magnitudes_above_0", column=of_all_bands("min"), above=0)
MAGNITUDES_BELOW_50 = Cut(name="magnitudes_below_50", column=of_all_bands("max"), below=50)

CUTS = (
    Cut(name="extended", column="i_extendedness_value", equals=1),  # 0 is point-like
    MAGNITUDES_ABOVE_0,
    MAGNITUDES_BELOW_50,
)


def _columns(mag_err: str) -> Mapping[str, Any]:
    """The column map; the releases differ in the name of the magnitude errors."""
    return {
        "object_id": "object_id",
        "ra": "ra",
        "dec": "dec",
        "mag": "{band}_cmodel_mag",
        "mag_err": mag_err,
        "a_band": "a_{band}",
        "extinction_per_ebv": EXTINCTION_PER_EBV,
    }


# No file of a fixed name: tables come from a query, see docs/surveys.md.  The mock's is called as here.
PDR2 = Survey(
    name="hsc_pdr2",
    about="an HSC PDR2 object table: https://hsc-release.mtk.nao.ac.jp",
    file="hsc_pdr2_wide.fits",
    columns=_columns("{band}_cmodel_magsigma"),
    cuts=CUTS,
    marks=("i_cmodel_magsigma", "i_extendedness_value"),
)

PDR3 = Survey(
    name="hsc_pdr3",
    about="an HSC PDR3 object table: https://hsc-release.mtk.nao.ac.jp",
    file="hsc_pdr3_wide.fits",
    columns=_columns("{band}_cmodel_magerr"),
    cuts=CUTS,
    marks=("i_cmodel_magerr", "i_extendedness_value"),
)
