"""Stars of the COSMOS field: what quality cuts and extendedness have to remove."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mixz.mock import hsc, sky
from mixz.mock.noise import observe

if TYPE_CHECKING:
    import pandas as pd

# Star counts rise slowly: dlog N/dm ~ 0.12 at i = 19-25 at COSMOS's galactic latitude (ours).
COUNT_SLOPE = 0.12
I_RANGE = (17.0, 25.5)


def draw_stars(size: int, *, seed: int) -> pd.DataFrame:
    """Draw stars with the columns of `MockSurvey.galaxies` that apply to them; z_true is 0.

    Colours follow a stellar locus in g - i: g - r saturates at 1.35 for M dwarfs while r - i goes on (ours).

    Parameters
    ----------
    size
        How many.
    seed
        The same seed gives the same stars.

    Raises
    ------
    MixzError
        photerr is not installed.
    """
    rng = np.random.default_rng(seed)
    slope = np.log(10) * COUNT_SLOPE
    low, high = np.exp(slope * np.asarray(I_RANGE))
    mag_i = np.log(rng.uniform(low, high, size)) / slope
    g_i = np.where(rng.random(size) < 0.6, rng.normal(2.6, 0.4, size), rng.normal(0.8, 0.3, size)).clip(-0.5, 4)
    r_i = g_i - np.minimum(0.72 * g_i, 1.35)
    steps = np.column_stack([g_i, r_i, np.zeros(size), -0.45 * r_i - 0.02, -0.68 * r_i - 0.03])
    mag = mag_i[:, None] + steps + rng.normal(0, 0.02, steps.shape)
    seen, errors = observe(mag, radius_arcsec=np.zeros(size), depth=hsc.WIDE, seed=seed)
    columns = {"z_true": np.zeros(size), "red": np.zeros(size, bool), "radius_arcsec": np.zeros(size)}
    for prefix, values in (("true_mag", mag), ("mag", seen), ("mag_err", errors)):
        columns |= {f"{prefix}_{b}": values[:, k] for k, b in enumerate(hsc.BANDS)}
    return sky.scatter(hsc.COSMOS_FIELD, size, seed=seed + 1).assign(**columns)
