"""CLAUDS and HSC deep: u grizy (Desprez et al. 2023, A&A 670 A82), the release's HSC pipeline + Phosphoros tables.

Names of columns are those that public code reads in `{COSMOS,DEEP23,XMMLSS,ELAIS-N1}-HSCpipe-Phosphoros.fits`; so is
the zero point, of one such code alone: look at the release's own README before you believe magnitudes.  Whether dust
is taken off the fluxes nobody says there.
"""

from __future__ import annotations

from mixz.surveys.columns import Cut
from mixz.surveys.survey import Survey

COLUMN_OF_BAND = {
    "u": "MegaCam-u",
    "g": "HSC-G",
    "r": "HSC-R",
    "i": "HSC-I",
    "z": "HSC-Z",
    "y": "HSC-Y",
}
"""What the names of a band's columns end in; the u* of the other half of the fields is `MegaCam-uS`."""
ZERO_POINT = 23.0
"""AB magnitude of a flux of 1, as one public code has it."""

CLAUDS = Survey(
    name="clauds",
    about="CLAUDS + HSC deep, 18 square degrees (Desprez+23): CADC vault, clauds/desprez/PublicRelease",
    columns={
        "object_id": "ID",
        "ra": "RA",
        "dec": "DEC",
        "mag": None,
        "flux": {band: f"FLUX_CMODEL_{name}" for band, name in COLUMN_OF_BAND.items()},
        "flux_err": {band: f"FLUXERR_CMODEL_{name}" for band, name in COLUMN_OF_BAND.items()},
        "flux_zero_point": ZERO_POINT,
    },
    truths={"many_band": "ZPHOT"},
    truth_errors={"many_band": ("Z_LOW68", "Z_HIGH68")},
    cuts=(
        Cut(name="no_star", column="isStar", equals=0),
        Cut(name="clean_i", column="isClean_HSC-I", equals=1),
    ),
    marks=("FLUX_CMODEL_MegaCam-u", "FLUX_CMODEL_HSC-I"),
)
