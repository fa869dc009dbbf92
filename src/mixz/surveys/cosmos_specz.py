"""COSMOS spectroscopic compilation DR1.1, best redshift of each source: Khostovan et al. 2025, arXiv:2503.00120.

Names of columns as public code that reads it has them; the file itself has not been opened here.  It has no magnitudes:
it is matched on the sky to a catalogue that has, COSMOS2020 CLASSIC say, whose labels it then stands beside.
"""

from __future__ import annotations

from mixz.surveys.columns import Cut
from mixz.surveys.cosmos2020 import FOOTPRINT
from mixz.surveys.survey import Survey

COSMOS_SPECZ = Survey(
    name="cosmos_specz",
    about="COSMOS spectroscopic compilation DR1.1: https://github.com/cosmosastro/speczcompilation",
    file="specz_compilation_COSMOS_DR1.1_unique.fits",
    columns={"object_id": "Id_specz", "ra": "ra_corrected", "dec": "dec_corrected"},
    truths={"spec": "specz"},
    cuts=(
        Cut(name="redshift_range", column="specz", above=0.01, below=6),
        # In percent; the limit is ours.
        Cut(name="secure", column="Confidence_level", min=95),
    ),
    marks=("Id_specz", "specz", "Confidence_level"),
    footprint=FOOTPRINT,
    fetched_as="cosmos_specz",
)
