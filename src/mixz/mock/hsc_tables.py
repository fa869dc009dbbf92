"""The mock's HSC object table and the GalaxiesML table made from it, with the real ones' columns and flaws."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from mixz.mock import hsc, sky

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

HSC_NAME = "hsc_pdr2_wide"
ASTROMETRY_ARCSEC = 0.1

# Shares of what can go wrong in the HSC table (ours; misclassified stars after Huang+18, PASJ 70 S6, who find more
# than a fifth of the stars at i > 22.5 called extended, and far fewer brighter).
MISSED_SHARE, GALAXY_AS_POINT_SHARE, STAR_AS_EXTENDED_SHARE = 0.02, 0.01, 0.2

# GalaxiesML's raw table has twice as many rows as galaxies, by repeated spectra (arXiv:2410.00271); fewer here (ours).
REPEATED_NAME_SHARE, SHARED_OBJECT_SHARE, BAD_SPECTRUM_SHARE = 0.3, 0.01, 0.03
SPLITS = {"training": 0.70, "validation": 0.15, "testing": 0.15}

SURVEYS = np.array(["SDSS", "GAMA", "WiggleZ", "zCOSMOS", "VIPERS", "DEEP2", "VVDS"])


def hsc_table(objects: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """The HSC PDR2 table of galaxies and stars: cmodel magnitudes as measured, under Galactic dust.

    Parameters
    ----------
    objects
        Rows of `MockSurvey.galaxies` and stars.
    seed
        The same seed gives the same table.

    Returns
    -------
    DataFrame
        object_id, ra, dec, and per band {b}_cmodel_mag, {b}_cmodel_magsigma, {b}_extendedness_value, a_{b}; a few
        objects are missing, as detections are.  Index as in `objects`.
    """
    rng = np.random.default_rng([seed, 11])
    objects = objects[(rng.random(len(objects)) >= MISSED_SHARE) & objects["mag_i"].notna()]
    ra, dec = sky.jittered(
        objects["ra_deg"].to_numpy(), objects["dec_deg"].to_numpy(), sigma_arcsec=ASTROMETRY_ARCSEC, seed=seed
    )
    columns = {"object_id": objects["object_id"].to_numpy(), "ra": ra, "dec": dec}
    extended = _extendedness(objects, rng)
    for band in hsc.BANDS:
        dust = objects["ebv"].to_numpy() * hsc.EXTINCTION_PER_EBV[band]
        columns[f"{band}_cmodel_mag"] = (objects[f"mag_{band}"] + dust).to_numpy(np.float32)
        columns[f"{band}_cmodel_magsigma"] = objects[f"mag_err_{band}"].to_numpy(np.float32)
        columns[f"{band}_extendedness_value"] = np.where(objects[f"mag_{band}"].notna(), extended, np.nan)
        columns[f"a_{band}"] = dust.astype(np.float32)
    return pd.DataFrame(columns, index=objects.index)


def _extendedness(objects: pd.DataFrame, rng: Generator) -> NDArray[np.float64]:
    """1 for extended, 0 for point-like; faint stars are often called extended, galaxies seldom point-like."""
    star, luck = (objects["z_true"] == 0).to_numpy(), rng.random(len(objects))
    faint = (objects["mag_i"] > 22.5).to_numpy()
    mistaken = np.where(star, np.where(faint, STAR_AS_EXTENDED_SHARE, 0.01), GALAXY_AS_POINT_SHARE)
    return np.where((luck < mistaken) ^ star, 0.0, 1.0)


def galaxiesml_table(objects: pd.DataFrame, table: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """The raw GalaxiesML table: HSC galaxies with spectra, with repeats and bad spectra for its cuts to find.

    Parameters
    ----------
    objects
        Rows of `MockSurvey.galaxies`.
    table
        The HSC table of `hsc_table`, with the same index.
    seed
        The same seed gives the same table.

    Returns
    -------
    DataFrame
        object_id, specz_*, ra, dec, cmodel magnitudes and errors, and `split`, one of SPLITS; all rows of one object
        are in the same split.  Index as in `objects`.
    """
    rng = np.random.default_rng([seed, 12])
    seen = objects.loc[objects.index.intersection(table.index)]
    seen = seen[seen["z_spec"].notna()]
    spectra = _bad_spectra(_good_spectra(seen, table.loc[seen.index], rng), rng)
    split = rng.choice(list(SPLITS), size=len(spectra), p=list(SPLITS.values()))
    repeated = _repeats(spectra.assign(split=split), rng)
    return repeated.iloc[rng.permutation(len(repeated))]


def _good_spectra(seen: pd.DataFrame, table: pd.DataFrame, rng: Generator) -> pd.DataFrame:
    z = seen["z_spec"].to_numpy()
    number = rng.permutation(len(seen)).astype(str)
    ra, dec = sky.jittered(
        seen["ra_deg"].to_numpy(), seen["dec_deg"].to_numpy(), sigma_arcsec=0.2, seed=int(rng.integers(2**31))
    )
    mags = [f"{b}_cmodel_{kind}" for b in hsc.BANDS for kind in ("mag", "magsigma")]
    columns = {
        "object_id": table["object_id"],
        "specz_redshift": z,
        "specz_redshift_err": 1e-4 * (1 + z) * rng.lognormal(0, 0.7, len(z)),
        "specz_mag_i": table["i_cmodel_mag"] + rng.normal(0, 0.1, len(z)).astype(np.float32),
        "specz_name": np.char.add(np.char.add(rng.choice(SURVEYS, len(z)), "-"), number),
        "specz_ra": ra,
        "specz_dec": dec,
        "specz_flag_homogeneous": np.ones(len(z), bool),
    }
    return pd.DataFrame(columns, index=seen.index).join(table[["ra", "dec", *mags]])


def _bad_spectra(spectra: pd.DataFrame, rng: Generator) -> pd.DataFrame:
    """Spoil a share of the rows, each in one of the ways that GalaxiesML's published cuts look for."""
    spoiled, kind = spectra.copy(), rng.integers(5, size=len(spectra))
    bad = rng.random(len(spectra)) < BAD_SPECTRUM_SHARE
    spoiled.loc[bad & (kind == 0), "specz_flag_homogeneous"] = False
    spoiled.loc[bad & (kind == 1), "specz_redshift_err"] = 0.05
    spoiled.loc[bad & (kind == 2), "specz_redshift_err"] = -99.0
    spoiled.loc[bad & (kind == 3), "y_cmodel_mag"] = np.float32(99.0)
    spoiled.loc[bad & (kind == 4), "specz_mag_i"] = np.float32(-99.0)
    # A spectrum without a good flag is often simply wrong.
    unsure = bad & (kind == 0)
    spoiled.loc[unsure, "specz_redshift"] = rng.uniform(0.02, 4.5, int(unsure.sum()))
    return spoiled


def _repeats(spectra: pd.DataFrame, rng: Generator) -> pd.DataFrame:
    """Add repeated rows of the same spectrum, and second spectra, under other names, of the same object."""
    again = spectra[rng.random(len(spectra)) < REPEATED_NAME_SHARE]
    other = spectra[rng.random(len(spectra)) < SHARED_OBJECT_SHARE]
    renamed = other.assign(
        specz_name=other["specz_name"] + "b",
        specz_redshift=other["specz_redshift"] + rng.normal(0, 0.001, len(other)),
    )
    return pd.concat([spectra, again, renamed])
