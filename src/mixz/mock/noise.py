"""Photometric noise: what a survey of given depth measures of a galaxy, with photerr (Crenshaw+24, AJ 168 80)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from mixz.mock import hsc
from mixz.mock.packages import need

if TYPE_CHECKING:
    from mixz.mock.hsc import Depth
    from mixz.mock.templates import Array

# LSST's sky-noise slope (Ivezic+19, table 2); the smallest error and the depth matter, this hardly.
GAMMA = 0.039

# photerr's "auto" aperture is 2.5 half-light radii, for Kron-like photometry; a fitted model as cmodel
# (Bosch+18, PASJ 70 S5) weighs pixels by light, as a Gaussian of sigma = radius / 1.18 does.
MATCHED_RADIUS = 1 / (2.5 * 1.18)


def observe(mag: Array, *, radius_arcsec: Array, depth: Depth, seed: int) -> tuple[Array, Array]:
    """Add noise to true magnitudes; flux is Gaussian, magnitudes and errors come from the noisy flux.

    (N/S)^2 = (0.04 - gamma) x + gamma x^2,  x = 10^(0.4 (m - m5))  (Ivezic+19, eq. 5), m5 corrected for size.

    Parameters
    ----------
    mag
        True magnitudes [AB], shape (galaxy, band).
    radius_arcsec
        Half-light radii, shape (galaxy,).
    depth
        Limits of the survey.
    seed
        The same seed gives the same noise.

    Returns
    -------
    tuple of arrays
        Observed magnitude and its error, shape (galaxy, band); NaN where the noisy flux is negative, as HSC writes.

    Raises
    ------
    MixzError
        photerr is not installed.
    """
    photerr = need("photerr")
    bands = hsc.BANDS
    model = photerr.ErrorModel(
        photerr.ErrorParams(
            nYrObs=1.0,
            nVisYr=dict.fromkeys(bands, 1.0),
            gamma=dict.fromkeys(bands, GAMMA),
            m5=dict(depth.limit_mag),
            theta=dict(depth.seeing_arcsec),
            airmass=dict.fromkeys(bands, 1.0),
            sigmaSys=depth.floor_mag,
            ndFlag=np.nan,
            extendedType="auto",
        )
    )
    size = MATCHED_RADIUS * radius_arcsec
    truth = pd.DataFrame(mag, columns=list(bands)).assign(major=size, minor=size)
    seen = model(truth, random_state=seed)
    mags = seen[list(bands)].to_numpy(float)
    errors = seen[[f"{b}_err" for b in bands]].to_numpy(float)
    return mags, np.where(np.isfinite(mags), errors, np.nan)
