"""The mock's galaxies as the paper's published CSV files: TransferZ in four sides, GalaxiesML's photometry in three."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mixz.mock.hsc import BANDS
from mixz.surveys.galaxiesml_photometry import GALAXIESML_PHOTOMETRY, POSITIONS
from mixz.surveys.transferz import TRANSFERZ

if TYPE_CHECKING:
    import pandas as pd

# GalaxiesML's are published (80/10/10); TransferZ's are ours.
SHARES = {
    TRANSFERZ.name: {"train": 0.7, "validation": 0.1, "conformal": 0.1, "test": 0.1},
    GALAXIESML_PHOTOMETRY.name: {"train": 0.8, "validation": 0.1, "test": 0.1},
}
FAINTEST_I = 25.0
MAGNITUDES = [f"{band}_cmodel_mag" for band in BANDS]
ERRORS = [f"{band}_cmodel_magsigma" for band in BANDS]


def transferz_table(hsc: pd.DataFrame, labels: pd.DataFrame) -> pd.DataFrame:
    """TransferZ as published: HSC's id and photometry, and the many-band redshift, of galaxies with good labels.

    Parameters
    ----------
    hsc
        The HSC table of `hsc_table`.
    labels
        COSMOS2020 CLASSIC of `classic`, with the same index for the same object.
    """
    z = labels.loc[labels["lp_type"] == 0, "lp_zPDF"]
    table = hsc.join(z.rename("z"), how="inner").rename(columns={"object_id": "hsc_id"})
    good = (table["i_extendedness_value"] == 1) & (table["i_cmodel_mag"] < FAINTEST_I) & table["z"].between(0.01, 4)
    return table[good & table[MAGNITUDES].notna().all(axis=1)][["hsc_id", *MAGNITUDES, *ERRORS, "z"]]


def photometry_table(spectra: pd.DataFrame) -> pd.DataFrame:
    """GalaxiesML's photometry as published, without what its published cuts take.

    Parameters
    ----------
    spectra
        The raw table of `galaxiesml_table`.
    """
    z, error = spectra["specz_redshift"], spectra["specz_redshift_err"]
    mags = spectra[MAGNITUDES]
    good = z.between(0.01, 4) & (error > 0) & (error < 0.005 * (1 + z)) & spectra["specz_flag_homogeneous"]
    good &= (mags > 0).all(axis=1) & (mags < 50).all(axis=1) & spectra["specz_mag_i"].between(0, 28)
    table = spectra[good].drop_duplicates("specz_name").drop_duplicates("object_id", keep=False)
    return table.assign(coord="(0, 0, 0)", skymap_id=0)[list(POSITIONS)]


def in_sides(table: pd.DataFrame, survey: str, *, seed: int) -> dict[str, pd.DataFrame]:
    """The rows of each side, by chance, in shares that `SHARES` names."""
    shares = SHARES[survey]
    side = np.random.default_rng([seed, 13]).choice(list(shares), size=len(table), p=list(shares.values()))
    return {name: table[side == name].reset_index(drop=True) for name in shares}


def paper_files(
    hsc: pd.DataFrame, labels: pd.DataFrame, spectra: pd.DataFrame, *, seed: int
) -> dict[str, pd.DataFrame]:
    """The tables of the paper's files, by the files' published names.

    Parameters
    ----------
    hsc, labels, spectra
        As for `transferz_table` and `photometry_table`.
    seed
        The same seed gives the same sides.
    """
    files = {}
    made = ((TRANSFERZ, transferz_table(hsc, labels)), (GALAXIESML_PHOTOMETRY, photometry_table(spectra)))
    for survey, table in made:
        for side, rows in in_sides(table, survey.name, seed=seed).items():
            files[survey.parts[side]] = rows
    return files
