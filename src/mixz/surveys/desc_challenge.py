"""LSST DESC photo-z data challenge 2026: github.com/LSSTDESC/pz_data_challenge, task sets 3 and 4."""

from __future__ import annotations

from mixz.columns import Columns
from mixz.surveys.survey import Survey

DESC_PZ_CHALLENGE = Survey(
    name="desc_pz_challenge",
    about="a training table of the DESC photo-z challenge: https://github.com/LSSTDESC/pz_data_challenge",
    columns=Columns(object_id="object_id", mag="mag_{band}_lsst", mag_err="mag_{band}_lsst_err"),
    truths={"spec": "redshift", "many_band": "redshift_manyband"},
    marks=("redshift", "redshift_manyband"),
)
