"""GalaxiesML: Do et al. 2024, arXiv:2410.00271, doi:10.5281/zenodo.11117528; HSC PDR2 galaxies with spectra."""

from __future__ import annotations

from mixz.surveys.columns import Cut
from mixz.surveys.hsc import EXTINCTION_PER_EBV, MAGNITUDES_ABOVE_0, MAGNITUDES_BELOW_50
from mixz.surveys.survey import Survey

# The published cuts in their published order; 562,736 rows -> 289,518 -> 286,401.
CUTS = (
    Cut(name="redshift_range", column="specz_redshift", above=0.01, below=4),
    Cut(name="has_redshift_error", column="specz_redshift_err", above=0, below=1),
    Cut(name="small_redshift_error", column="specz_redshift_err / (1 + specz_redshift)", below=0.005),
    Cut(name="secure_redshift", column="specz_flag_homogeneous", equals=1),
    MAGNITUDES_ABOVE_0,
    MAGNITUDES_BELOW_50,
    Cut(name="spectroscopic_magnitude", column="specz_mag_i", above=0, below=28),
    Cut(name="first_of_each_spectrum", column="specz_name", repeated="first"),
    Cut(name="one_spectrum_per_object", column="object_id", repeated="drop"),
)

GALAXIESML = Survey(
    name="galaxiesml",
    about="GalaxiesML (arXiv:2410.00271), 286,401 galaxies: https://doi.org/10.5281/zenodo.11117528",
    parts={
        "train": "5x127x127_training_with_morphology.hdf5",
        "validation": "5x127x127_validation_with_morphology.hdf5",
        "test": "5x127x127_testing_with_morphology.hdf5",
    },
    columns={
        "object_id": "object_id",
        "ra": "ra",
        "dec": "dec",
        "mag": "{band}_cmodel_mag",
        "mag_err": "{band}_cmodel_magsigma",
        "extinction_per_ebv": EXTINCTION_PER_EBV,
    },
    truths={"spec": "specz_redshift"},
    truth_errors={"spec": "specz_redshift_err"},
    cuts=CUTS,
    marks=("specz_redshift", "specz_flag_homogeneous"),
)
