"""Euclid Quick Data Release 1: the MER catalogue (Euclid Collaboration: Romelli et al. 2025, arXiv:2503.15305).

Names of columns are those that public code asks the archive for (`catalogue.mer_catalogue`, IRSA's tutorials);
fluxes are in microjansky.  Ground-based bands are DECam's, in the southern fields; in the north they are of other
telescopes.
"""

from __future__ import annotations

from mixz.surveys.columns import Cut
from mixz.surveys.survey import Survey

GROUND, SPACE = ("g", "r", "i", "z"), ("y", "j", "h")
BANDS = (*GROUND, "vis", *SPACE)
MICROJANSKY = 23.9
"""AB magnitude of 1 microjansky."""


def _flux(prefix: str) -> dict[str, str]:
    """The column of each band; VIS, on whose shapes the others are fitted, has none of the fits."""
    ground = {band: f"{prefix}_{band}_ext_decam_templfit" for band in GROUND}
    return ground | {"vis": f"{prefix}_vis_psf"} | {band: f"{prefix}_{band}_templfit" for band in SPACE}


Q1 = Survey(
    name="euclid_q1",
    about="Euclid Q1, the MER catalogue (arXiv:2503.15305)",
    columns={
        "object_id": "object_id",
        "ra": "right_ascension",
        "dec": "declination",
        "mag": None,
        "flux": _flux("flux"),
        "flux_err": _flux("fluxerr"),
        "flux_zero_point": MICROJANSKY,
    },
    cuts=(Cut(name="not_spurious", column="spurious_flag", equals=0),),
    marks=("flux_vis_psf", "flux_h_templfit"),
)
