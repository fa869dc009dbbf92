"""The mock's COSMOS2020 catalogues, CLASSIC and FARMER, with the real ones' columns and ways of being bad."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from mixz.mock import hsc, sky
from mixz.mock.noise import observe
from mixz.mock.survey import many_band_labels
from mixz.mock.systematics import aperture_loss

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    from mixz.mock.systematics import Systematics
    from mixz.mock.templates import Array

    Columns = dict[str, NDArray[Any]]

CLASSIC_FILE = "COSMOS2020_CLASSIC_R1_v2.1_p3.fits"
FARMER_FILE = "COSMOS2020_FARMER_R1_v2.2_p3.fits"

# Aperture diameters [arcsec] of CLASSIC; AUTO (Kron) loses as much as a wide one.
CLASSIC_APERTURES = {"_AUTO": 6.0, "_APER2": 2.0, "_APER3": 3.0}

GALAXY, STAR, X_RAY, FAILED = 0, 1, 2, -9  # lp_type

# Shares of what the catalogues flag (ours).
X_RAY_SHARE, FAILED_SHARE, MASKED_SHARE, MODEL_FAILED_SHARE, UNMEASURED_SHARE = 0.003, 0.01, 0.15, 0.04, 0.005

# FARMER has rows only where its models were run: 965 k to CLASSIC's 1.7 M; a milder cut here (ours).
FARMER_SHARE = 0.85

# How often a wrong label gives itself away, by a second peak or a wide interval; the other cuts miss it (ours).
WRONG_SECOND_PEAK, WRONG_ADMITTED = 0.3, 0.4

# How often both catalogues' labels err together (ours): they share the images but not the photometry.
SHARED_LABEL_SHARE = 0.7


def classic(objects: pd.DataFrame, wrong: Systematics, *, seed: int) -> pd.DataFrame:
    """The CLASSIC catalogue of galaxies and stars in the COSMOS field.

    Parameters
    ----------
    objects
        Rows of `MockSurvey.cosmos` and stars; z_many_band becomes lp_zPDF.
    wrong
        Levels of what goes wrong; here the apertures.
    seed
        The same seed gives the same catalogue.

    Returns
    -------
    DataFrame
        The columns of the real file that the many-band labels need, in order; index as in `objects`.
    """
    rng = np.random.default_rng([seed, 1])
    table = _identity(objects, rng, seed=seed)
    for suffix, diameter in CLASSIC_APERTURES.items():
        radius = objects["radius_arcsec"].to_numpy()
        loss = aperture_loss(
            radius, diameter_arcsec=diameter, gradient_mag=wrong.aperture_gradient_mag, bands=len(hsc.BANDS)
        )
        noise_radius = np.full(len(radius), diameter / 4)
        # The same seed for every aperture: they see the same sky noise.
        table |= _photometry(objects, loss, noise_radius, suffix, missing=-99.0, seed=seed)
    return pd.DataFrame(table | _lephare(objects, objects["z_many_band"].to_numpy(), rng), index=objects.index)


def farmer(objects: pd.DataFrame, wrong: Systematics, *, seed: int) -> pd.DataFrame:
    """The FARMER catalogue: model photometry, own numbers, labels that agree with CLASSIC's most of the time.

    Parameters are those of `classic`; fewer rows come back, with the index of `objects`.
    """
    rng = np.random.default_rng([seed, 2])
    objects = objects[rng.random(len(objects)) < FARMER_SHARE]
    mag, z = _true_mag(objects), objects["z_true"].to_numpy()
    own = many_band_labels(mag, wrong, z=z, seed=seed + 1)
    near = objects["z_many_band"].to_numpy() + rng.normal(0, 0.002, len(z)) * (1 + z)
    label = np.where(rng.random(len(z)) < SHARED_LABEL_SHARE, np.abs(near), own)
    table = _identity(objects, rng, seed=seed)
    no_loss = np.zeros_like(mag)
    table |= _photometry(objects, no_loss, objects["radius_arcsec"].to_numpy(), "", missing=np.nan, seed=seed + 2)
    table["MODEL_FLAG"] = (rng.random(len(z)) < MODEL_FAILED_SHARE).astype(np.int32)
    return pd.DataFrame(table | _lephare(objects, label, rng), index=objects.index)


def _identity(objects: pd.DataFrame, rng: Generator, *, seed: int) -> Columns:
    """Number the rows, place them, and mask those near bright stars."""
    return {
        "ID": rng.permutation(len(objects)) + 1,
        "ALPHA_J2000": objects["ra_deg"].to_numpy(),
        "DELTA_J2000": objects["dec_deg"].to_numpy(),
        "FLAG_COMBINED": _near_bright_star(objects, seed=seed).astype(np.int32),
        "EBV": objects["ebv"].to_numpy(np.float32),
    }


def _near_bright_star(objects: pd.DataFrame, *, seed: int) -> NDArray[np.bool_]:
    """Which objects lie in the circles masked around bright stars: the same circles for both catalogues."""
    field, radius_deg = hsc.COSMOS_FIELD["COSMOS"], 0.02
    area = float(np.ptp(field.ra_deg) * np.ptp(field.dec_deg))
    circles = round(-np.log(1 - MASKED_SHARE) * area / (np.pi * radius_deg**2))
    stars = sky.scatter(hsc.COSMOS_FIELD, circles, seed=seed + 7)[["ra_deg", "dec_deg"]]
    distance_deg, _ = cKDTree(stars).query(objects[["ra_deg", "dec_deg"]])
    return np.asarray(distance_deg < radius_deg)


def _photometry(
    objects: pd.DataFrame, loss: Array, radius_arcsec: Array, suffix: str, *, missing: float, seed: int
) -> Columns:
    """Measure HSC fluxes [microJy] and magnitudes at UltraDeep depth, not corrected for Galactic dust."""
    dust = objects["ebv"].to_numpy()[:, None] * np.asarray(list(hsc.EXTINCTION_PER_EBV.values()))
    mag, err = observe(_true_mag(objects) + loss + dust, radius_arcsec=radius_arcsec, depth=hsc.ULTRADEEP, seed=seed)
    rng = np.random.default_rng([seed, 3])
    limit = np.asarray(list(hsc.ULTRADEEP.limit_mag.values()))
    detected = np.isfinite(mag)
    flux = np.where(detected, _microjansky(mag), -rng.exponential(0.1, mag.shape) * _microjansky(limit))
    flux_err = np.where(detected, flux * (10 ** (0.4 * err) - 1), _microjansky(limit) / 5)
    unmeasured = rng.random(mag.shape) < UNMEASURED_SHARE
    table = {}
    for k, band in enumerate(hsc.BANDS):
        for name, values, undetected in (
            ("FLUX", flux, None), ("FLUXERR", flux_err, None), ("MAG", mag, 99.0), ("MAGERR", err, 99.0),
        ):  # fmt: skip
            column = values[:, k] if undetected is None else np.where(detected[:, k], values[:, k], undetected)
            bad = np.nan if undetected is None else missing
            table[f"HSC_{band}_{name}{suffix}"] = np.where(unmeasured[:, k], bad, column).astype(np.float32)
    return table


def _lephare(objects: pd.DataFrame, label: Array, rng: Generator) -> Columns:
    """The columns of the photo-z code: labels, intervals, second peaks, fits and types."""
    z, size = objects["z_true"].to_numpy(), len(objects)
    star = ~(z > 0)
    kind = np.where(star, STAR, np.where(rng.random(size) < X_RAY_SHARE, X_RAY, GALAXY))
    kind[rng.random(size) < FAILED_SHARE] = FAILED
    # The galaxy fit of a star lands anywhere.
    label = np.where(star, rng.uniform(0.05, 3, size), label)
    wrong = ~star & (np.abs(label - z) > 0.1 * (1 + z))
    low, high = _interval(label, objects["true_mag_i"].to_numpy(), wrong, rng)
    filters = np.clip(rng.binomial(31, 0.93, size), 5, None)
    chi2 = 1.2 * rng.chisquare(filters) * np.where(wrong, 1.5, 1) * rng.lognormal(0, 0.3, size)
    second = rng.random(size) < np.where(wrong, WRONG_SECOND_PEAK, 0.08)
    nothing = kind == FAILED
    numbers = {
        "lp_zBEST": np.where(kind == GALAXY, label, np.where(star, 0.0, np.nan)),
        "lp_zPDF": label,
        "lp_zPDF_l68": low,
        "lp_zPDF_u68": high,
        "lp_zMinChi2": np.abs(label + rng.normal(0, 0.004, size) * (1 + label)),
        "lp_chi2_best": chi2,
        "lp_chis": chi2 * np.where(star, rng.uniform(0.2, 0.9, size), rng.lognormal(1.5, 0.8, size)),
        "lp_zp_2": np.where(second, rng.uniform(0.05, 4, size), np.nan),
        "lp_mass_med": (10.5 - 0.35 * (objects["true_mag_i"].to_numpy() - 22) + 0.8 * np.log10(label + 0.1)),
        "ez_z_phot": np.abs(label + rng.normal(0, 0.015, size) * (1 + label)),
    }
    columns = {name: np.where(nothing, np.nan, values).astype(np.float32) for name, values in numbers.items()}
    return columns | {"lp_NbFilt": filters.astype(np.int32), "lp_type": kind.astype(np.int32)}


def _interval(label: Array, mag_i: Array, wrong: NDArray[np.bool_], rng: Generator) -> tuple[Array, Array]:
    """The 68 % interval: about the kernel's core width, wider for many of the wrong labels (ours)."""
    core = 0.01 * (1 + 10 ** (0.3 * (mag_i - 24.5)))
    admits = wrong & (rng.random(len(label)) < WRONG_ADMITTED)
    width = core * (1 + label) * rng.lognormal(0, 0.4, len(label)) * np.where(admits, 8, 1)
    return np.maximum(label - width * rng.uniform(0.8, 1.2, len(label)), 0.01), label + width


def _true_mag(objects: pd.DataFrame) -> Array:
    return objects[[f"true_mag_{b}" for b in hsc.BANDS]].to_numpy()


def _microjansky(mag: Array) -> Array:
    return np.asarray(10 ** (-0.4 * (mag - 23.9)))
