"""The surveys that a config may name, each a short file of constants with their sources."""

from mixz.surveys.clauds import CLAUDS
from mixz.surveys.cosmos2020 import CLASSIC, FARMER
from mixz.surveys.cosmos_specz import COSMOS_SPECZ
from mixz.surveys.desc_challenge import DESC_PZ_CHALLENGE
from mixz.surveys.desi import DR1
from mixz.surveys.euclid import Q1
from mixz.surveys.galaxiesml import GALAXIESML
from mixz.surveys.galaxiesml_photometry import GALAXIESML_PHOTOMETRY
from mixz.surveys.hsc import PDR2, PDR3
from mixz.surveys.rubin import DP1
from mixz.surveys.survey import Footprint, Survey
from mixz.surveys.transferz import TRANSFERZ

SURVEYS: dict[str, Survey] = {
    s.name: s
    for s in (
        CLASSIC,
        FARMER,
        COSMOS_SPECZ,
        PDR2,
        PDR3,
        GALAXIESML,
        GALAXIESML_PHOTOMETRY,
        TRANSFERZ,
        DESC_PZ_CHALLENGE,
        DP1,
        Q1,
        DR1,
        CLAUDS,
    )
}

__all__ = ["SURVEYS", "Footprint", "Survey"]
