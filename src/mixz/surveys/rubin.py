"""Rubin Observatory's object tables: Data Preview 1, and later ones that are laid out alike.

Names and units are those of `python/lsst/sdm/schemas/dp1.yaml` of lsst/sdm_schemas: fluxes in nanojansky, an
extendedness of 1 for what is no star, 0 for points.
"""

from __future__ import annotations

from mixz.surveys.columns import Cut
from mixz.surveys.survey import Survey

BANDS = ("u", "g", "r", "i", "z", "y")
NANOJANSKY = 31.4
"""AB magnitude of 1 nJy: 8.9 + 2.5 log10(1e9)."""

# A_b / E(B-V) of LSST's filters, E(B-V) as Schlegel, Finkbeiner & Davis 1998 have it: what RAIL's Dereddener takes
# (`band_a_env` of its shared parameters, pz-rail-base 2.0).
EXTINCTION_PER_EBV = {"u": 4.81, "g": 3.64, "r": 2.70, "i": 2.06, "z": 1.58, "y": 1.31}

DP1 = Survey(
    name="rubin_dp1",
    about="Rubin Data Preview 1, table Object: https://dp1.lsst.io",
    columns={
        "object_id": "objectId",
        "ra": "coord_ra",
        "dec": "coord_dec",
        "mag": None,
        "flux": "{band}_cModelFlux",
        "flux_err": "{band}_cModelFluxErr",
        "flux_zero_point": NANOJANSKY,
        "extinction_per_ebv": EXTINCTION_PER_EBV,
    },
    cuts=(Cut(name="extended", column="i_extendedness", equals=1),),
    marks=("objectId", "i_cModelFlux", "i_extendedness"),
)
