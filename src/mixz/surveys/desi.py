"""DESI Data Release 1 as labels: its redshift catalogue `zall-pix-iron.fits`.

Names of columns are those of desihub/desidatamodel and of the public catalogue; its fluxes are the Legacy Surveys' in
nanomaggies, before dust is taken off.  What counts as secure is the survey's own first advice: no warning, the primary
spectrum of its target, a galaxy.
"""

from __future__ import annotations

from mixz.surveys.columns import Cut
from mixz.surveys.survey import Survey

BANDS = ("g", "r", "z")
NANOMAGGY = 22.5
"""AB magnitude of 1 nanomaggy."""

DR1 = Survey(
    name="desi_dr1",
    about="DESI DR1, zall-pix-iron.fits: https://data.desi.lbl.gov",
    file="zall-pix-iron.fits",
    columns={
        "object_id": "TARGETID",
        "ra": "TARGET_RA",
        "dec": "TARGET_DEC",
        "mag": None,
        "flux": {"g": "FLUX_G", "r": "FLUX_R", "z": "FLUX_Z"},
        "flux_err": None,
        "flux_zero_point": NANOMAGGY,
    },
    truths={"spec": "Z"},
    cuts=(
        Cut(name="no_warning", column="ZWARN", equals=0),
        Cut(name="primary", column="ZCAT_PRIMARY", equals=True),
        Cut(name="galaxies", column="SPECTYPE", equals="GALAXY"),
    ),
    marks=("TARGETID", "ZCAT_PRIMARY"),
)
