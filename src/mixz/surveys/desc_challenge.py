"""LSST DESC photo-z data challenge 2026: github.com/LSSTDESC/pz_data_challenge, task sets 1 to 4.

Names of files and columns, what is asked, and how it is scored, as the challenge's pages and its `scoring.py` have them
(its submissions use RAIL's plotting for the statistics behind the scores).
"""

from __future__ import annotations

from mixz.surveys.survey import Survey

SPEC = "redshift"
MANY_BAND = "redshift_manyband"
BANDS = ("u", "g", "r", "i", "z", "y")
ROMAN_BANDS = ("Y", "J", "H", "F")
TASK_SETS = (1, 2, 3, 4)
FAINTEST_TEST = 25.4
"""Test galaxies are brighter than this in observed i."""

TIERS: dict[str, tuple[tuple[float, float], ...]] = {
    "mean": ((-0.01, 0.01), (-0.025, 0.025), (-0.05, 0.05)),
    "std": ((0, 0.025), (0, 0.05), (0, 0.10)),
    "abs_outlier_rate": ((0, 0.025), (0, 0.1), (0, 0.2)),
    "CvM": ((0, 250), (0, 500), (0, 1000)),
    "outlier": ((0, 0.2), (0, 0.4), (0, 0.6)),
    "ks": ((0, 0.2), (0, 0.4), (0, 0.6)),
    "ksamp": ((0, 1e3), (0, 2e3), (0, 4e3)),
}
"""Ranges of each statistic; a point for every range that it lies in."""

DESC_PZ_CHALLENGE = Survey(
    name="desc_pz_challenge",
    about="a training table of the DESC photo-z challenge: https://github.com/LSSTDESC/pz_data_challenge",
    columns={"object_id": "object_id", "mag": "mag_{band}_lsst", "mag_err": "mag_{band}_lsst_err"},
    truths={"spec": SPEC, "many_band": MANY_BAND},
    marks=(SPEC, MANY_BAND),
)


def magnitude_columns(columns: list[str]) -> tuple[str, ...]:
    """Name the magnitudes that a challenge table has: LSST's, and Roman's where there are any.

    Examples
    --------
    >>> magnitude_columns(["object_id", "mag_g_lsst", "mag_g_lsst_err", "mag_u_lsst", "mag_H_roman"])
    ('mag_u_lsst', 'mag_g_lsst', 'mag_H_roman')
    """
    known = [f"mag_{band}_lsst" for band in BANDS] + [f"mag_{band}_roman" for band in ROMAN_BANDS]
    return tuple(name for name in known if name in columns)
