"""GalaxiesML without images: Zenodo records 10145347 (split 80/10/10) and 5528827 (``HSC_v6.csv``, not split).

Names of files and positions of columns as public code that reads them has them (zjluo-code/LSTM-MDNz-GalaxiesML, which
takes the first line for a header, and magnitudes, errors and redshift by position); the files themselves have not been
opened here.  The names are those of GalaxiesML's other tables.
"""

from __future__ import annotations

from mixz.surveys.galaxiesml import GALAXIESML
from mixz.surveys.hsc import BANDS, HSC_RANGES
from mixz.surveys.survey import Survey

POSITIONS = (
    "object_id",
    "specz_redshift_err",
    "specz_redshift",
    "specz_mag_i",
    "specz_name",
    "specz_ra",
    "specz_dec",
    "specz_flag_homogeneous",
    "ra",
    "dec",
    "coord",
    "skymap_id",
    *(f"{band}_cmodel_mag" for band in BANDS),
    *(f"{band}_cmodel_magsigma" for band in BANDS),
)

GALAXIESML_PHOTOMETRY = Survey(
    name="galaxiesml_photometry",
    about="GalaxiesML without images, 286,401 galaxies: https://zenodo.org/records/10145347",
    parts={"train": "hsc_train.csv", "validation": "hsc_validation.csv", "test": "hsc_test.csv"},
    columns=GALAXIESML.columns,
    truths=GALAXIESML.truths,
    truth_errors=GALAXIESML.truth_errors,
    cuts=GALAXIESML.cuts,
    marks=GALAXIESML.marks,
    positions=POSITIONS,
    # Wide enough for any galaxy, and so that no two neighbours in the order of columns fit each other's.
    ranges={
        **HSC_RANGES,
        "specz_redshift_err": (0.0, 0.05),
        "specz_redshift": (0.005, 12.0),
        "specz_mag_i": (5.0, 40.0),
        "ra": (0.0, 360.0),
        "dec": (-90.0, 90.0),
    },
    fetched_as="paper",
)
