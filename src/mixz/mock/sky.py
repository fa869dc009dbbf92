"""Where simulated objects lie: evenly on the footprints, each with its field's Galactic dust."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from mixz.mock.hsc import Field
    from mixz.mock.templates import Array


def scatter(fields: Mapping[str, Field], size: int, *, seed: int) -> pd.DataFrame:
    """Place objects on the fields, the same number on each and evenly within it.

    Parameters
    ----------
    fields
        Names and footprints.
    size
        How many objects.
    seed
        The same seed gives the same places.

    Returns
    -------
    DataFrame
        field, ra_deg, dec_deg, ebv (10 % scatter about the field's mean: ours).
    """
    rng = np.random.default_rng(seed)
    number = rng.integers(len(fields), size=size)
    footprints = list(fields.values())
    ra = np.asarray([f.ra_deg for f in footprints])[number]
    sin_dec = np.sin(np.radians([f.dec_deg for f in footprints]))[number]
    return pd.DataFrame(
        {
            "field": np.asarray(list(fields))[number],
            "ra_deg": rng.uniform(ra[:, 0], ra[:, 1]),
            "dec_deg": np.degrees(np.arcsin(rng.uniform(sin_dec[:, 0], sin_dec[:, 1]))),
            "ebv": np.asarray([f.ebv for f in footprints])[number] * rng.normal(1, 0.1, size).clip(0.5, 1.5),
        }
    )


def square_degree(ra_deg: Array, dec_deg: Array) -> NDArray[np.int64]:
    """Number the square degrees of the sky, for what varies from patch to patch."""
    return np.floor(ra_deg).astype(np.int64) * 1000 + np.floor(dec_deg).astype(np.int64)


def jittered(ra_deg: Array, dec_deg: Array, *, sigma_arcsec: float, seed: int) -> tuple[Array, Array]:
    """Measure positions with an error of `sigma_arcsec` along each axis."""
    rng = np.random.default_rng(seed)
    step = rng.normal(0, sigma_arcsec / 3600, (2, len(ra_deg)))
    return (ra_deg + step[0] / np.cos(np.radians(dec_deg))) % 360, dec_deg + step[1]
