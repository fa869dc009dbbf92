"""COSMOS2020, CLASSIC and FARMER: Weaver et al. 2022, ApJS 258 11 (CDS J/ApJS/258/11)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mixz.surveys.columns import Cut
from mixz.surveys.hsc import EXTINCTION_PER_EBV
from mixz.surveys.survey import Footprint, Survey

if TYPE_CHECKING:
    from collections.abc import Mapping

# The 2 square degrees of the catalogue with room to spare, so that only wrong units fall outside.
FOOTPRINT = Footprint(ra_deg=(149.0, 151.5), dec_deg=(1.0, 3.5))

# `lp_zPDF` is the median of LePhare's posterior; columns *_l68 and *_u68 are the ends of its 68 % interval.
LABEL = "lp_zPDF"
TRUTHS = {"many_band": LABEL}
TRUTH_ERRORS = {"many_band": ("lp_zPDF_l68", "lp_zPDF_u68")}

# Cuts found in public code and papers that use the catalogue; which of them the paper applied it does not say.
CUTS = (
    Cut(name="galaxies_only", column="lp_type", equals=0),  # 1 star, 2 X-ray source, -9 failed fit
    Cut(name="unmasked", column="FLAG_COMBINED", equals=0),  # inside all images, away from bright stars
    Cut(name="best_fit_redshift", column="lp_zBEST", above=0),
    Cut(
        name="narrow_interval",
        column="max(lp_zPDF_u68 - lp_zPDF, lp_zPDF - lp_zPDF_l68) / (1 + lp_zPDF)",
        below=0.05,
    ),
    Cut(name="better_as_galaxy", column="lp_chi2_best - lp_chis", below=0),  # than as a star
    Cut(name="good_fit", column="lp_chi2_best / lp_NbFilt", below=5),
    Cut(name="single_peak", column="isnan(lp_zp_2)", equals=1),  # no second peak of the posterior
    Cut(name="many_filters", column="lp_NbFilt", min=26),
)


def _columns(measured: str) -> Mapping[str, Any]:
    """The column map; CLASSIC measured in several apertures, which its columns' names end in."""
    return {
        "object_id": "ID",
        "ra": "ALPHA_J2000",
        "dec": "DELTA_J2000",
        "mag": f"HSC_{{band}}_MAG{measured}",
        "mag_err": f"HSC_{{band}}_MAGERR{measured}",
        "flux": f"HSC_{{band}}_FLUX{measured}",
        "flux_err": f"HSC_{{band}}_FLUXERR{measured}",
        "flux_zero_point": 23.9,  # microjansky
        "missing": {"other": (-99.0,)},  # of LePHARE's columns, which cuts speak of
        "ebv": "EBV",
        "extinction_per_ebv": EXTINCTION_PER_EBV,
    }


CLASSIC = Survey(
    name="cosmos2020_classic",
    about="COSMOS2020 CLASSIC (Weaver+22), 1.7 million rows: CDS J/ApJS/258/11",
    file="COSMOS2020_CLASSIC_R1_v2.1_p3.fits",
    columns=_columns("_AUTO"),
    truths=TRUTHS,
    truth_errors=TRUTH_ERRORS,
    cuts=CUTS,
    marks=("HSC_i_MAG_AUTO", "HSC_i_MAG_APER2"),
    footprint=FOOTPRINT,
)

FARMER = Survey(
    name="cosmos2020_farmer",
    about="COSMOS2020 FARMER (Weaver+22), 965 thousand rows: CDS J/ApJS/258/11",
    file="COSMOS2020_FARMER_R1_v2.2_p3.fits",
    columns=_columns(""),
    truths=TRUTHS,
    truth_errors=TRUTH_ERRORS,
    cuts=(*CUTS, Cut(name="modelled", column="MODEL_FLAG", equals=0)),
    marks=("HSC_i_MAG", "MODEL_FLAG"),
    footprint=FOOTPRINT,
)
