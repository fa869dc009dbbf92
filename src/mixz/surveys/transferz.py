"""TransferZ as published: Zenodo record 16541823, HSC galaxies with COSMOS2020's many-band redshifts, in four sides.

Names of files and columns as public code that reads them has them (astroai/torchregress, its photo-z data tool and
tests); the files themselves have not been opened here.  `z` is the photo-z of COSMOS2020.
"""

from __future__ import annotations

from mixz.surveys.columns import Cut
from mixz.surveys.hsc import BANDS, HSC_RANGES, MAGNITUDES_ABOVE_0, MAGNITUDES_BELOW_50
from mixz.surveys.survey import Survey

TRANSFERZ = Survey(
    name="transferz",
    about="TransferZ (arXiv:2411.18054), about 116 thousand galaxies: https://zenodo.org/records/16541823",
    parts={
        "train": "transferz_TRAINING.csv",
        "validation": "transferz_VALIDATION.csv",
        "conformal": "transferz_CONFORMAL.csv",
        "test": "transferz_TESTING.csv",
    },
    columns={"object_id": "hsc_id", "mag": "{band}_cmodel_mag", "mag_err": "{band}_cmodel_magsigma"},
    truths={"many_band": "z"},
    cuts=(Cut(name="redshift_range", column="z", above=0.01, below=4), MAGNITUDES_ABOVE_0, MAGNITUDES_BELOW_50),
    marks=("hsc_id", *(f"{band}_cmodel_mag" for band in BANDS), "z"),
    ranges={**HSC_RANGES, "hsc_id": HSC_RANGES["object_id"], "z": (0.0, 12.0)},
    fetched_as="paper",
)
