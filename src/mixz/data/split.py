"""Train, validation, conformal or test by hash: a galaxy, or patch of sky, is on the same side for every recipe."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mixz.errors import MixzError
from mixz.galaxies import SPLITS, hashed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mixz.arrays import Floats


def split_by_id(
    object_id: NDArray[Any], *, train: float = 0.70, validation: float = 0.15, conformal: float = 0.0, seed: int = 0
) -> NDArray[np.str_]:
    """Assign each galaxy to a side by where the hash of its id falls in [0, 1).

    u = BLAKE2b(id, salt = seed) / 2^64;  train if u < train, validation if u < train + validation, then conformal for
    its share, else test.
    The side depends on nothing but the id and the seed: not on the row order, the machine or the other galaxies.

    Parameters
    ----------
    object_id
        Names of the galaxies, shape (galaxy,); the integer 17 and the text "17" are the same galaxy.
    train, validation, conformal
        Shares of the three; the rest is for testing.
    seed
        Another seed gives another split.

    Examples
    --------
    >>> sides = split_by_id(np.arange(10_000))
    >>> [int(np.sum(sides == side)) for side in SPLITS]
    [6990, 1561, 0, 1449]
    >>> bool(np.all(split_by_id(np.arange(10_000)[::-1])[::-1] == sides))
    True
    """
    ends = [train, train + validation, train + validation + conformal]
    return np.asarray(SPLITS)[np.searchsorted(ends, hashed(object_id, seed=seed), side="right")]


def sides_without_test(object_id: NDArray[Any], *, validation: float = 0.15, seed: int = 0) -> NDArray[np.str_]:
    """Assign each galaxy of a table that is all for training to train or validation, as `split_by_id` does.

    Of two galaxies or more there is at least one on each side: that of the highest hash, or of the lowest.

    Parameters
    ----------
    object_id
        Names of the galaxies, shape (galaxy,).
    validation
        Share of the galaxies that validate.
    seed
        Another seed gives another split.

    Raises
    ------
    MixzError
        The share is not between 0 and 1.

    Examples
    --------
    >>> ids = np.arange(1000)
    >>> bool(np.all(sides_without_test(ids) == split_by_id(ids, train=0.85)))
    True
    >>> sorted(sides_without_test(ids[:2]).tolist())
    ['train', 'validation']
    """
    if not 0 < validation < 1:
        raise MixzError(f"validation: {validation:g}", "a share between 0 and 1", "0.15 is a good choice")
    u = hashed(object_id, seed=seed)
    validates = u >= 1 - validation
    if len(u) > 1 and validates.all():
        validates[u.argmin()] = False
    elif len(u) > 1 and not validates.any():
        validates[u.argmax()] = True
    return np.where(validates, "validation", "train")


def split_by_patch(
    ra_deg: Floats,
    dec_deg: Floats,
    *,
    patch_deg: float = 0.25,
    train: float = 0.70,
    validation: float = 0.15,
    conformal: float = 0.0,
    seed: int = 0,
) -> NDArray[np.str_]:
    """Assign each galaxy to a side by the hash of the patch of sky it lies in, shape (galaxy,).

    Patches are fixed on the sky: rings of declination, each cut in as many cells as make them about square.  Galaxies
    of one cluster are then mostly on one side; shares are met only as well as the number of patches allows.

    Parameters
    ----------
    ra_deg, dec_deg
        Positions, shape (galaxy,).
    patch_deg
        Side of the patches [deg].
    train, validation, conformal, seed
        As in `split_by_id`.

    Raises
    ------
    MixzError
        A galaxy has no position.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> ra, dec = rng.uniform(0, 360, 20_000), rng.uniform(-30, 30, 20_000)
    >>> sides = split_by_patch(ra, dec, patch_deg=1.0)
    >>> bool(abs(np.mean(sides == "train") - 0.7) < 0.02)
    True
    >>> len(set(split_by_patch(np.array([10.001, 10.002, 370.003]), np.array([2.01, 2.02, 2.03]))))
    1
    """
    unknown = ~(np.isfinite(ra_deg) & np.isfinite(dec_deg))
    if unknown.any():
        raise MixzError(
            f"{int(unknown.sum()):,} galaxies have no position", "a position for each", "split by object_id instead"
        )
    patches, member = np.unique(sky_patches(ra_deg, dec_deg, patch_deg), return_inverse=True)
    return split_by_id(patches, train=train, validation=validation, conformal=conformal, seed=seed)[member]


def sky_patches(ra_deg: Floats, dec_deg: Floats, patch_deg: float) -> NDArray[np.str_]:
    """Name the patch of sky that each place lies in, by its ring and its cell in the ring, shape (galaxy,).

    Examples
    --------
    >>> sky_patches(np.array([10.001, 10.002, 370.003, 200.0]), np.array([2.01, 2.02, 2.03, 0.0]), 1.0)
    array(['92:10', '92:10', '92:10', '90:200'], dtype='<U...')
    """
    rings = max(round(180 / patch_deg), 1)
    ring = np.clip(np.floor((dec_deg + 90) / 180 * rings), 0, rings - 1).astype(int)
    middle = np.radians((ring + 0.5) / rings * 180 - 90)
    cells = np.maximum(np.rint(2 * rings * np.cos(middle)), 1)
    cell = np.floor(ra_deg % 360 / 360 * cells).astype(int)
    return np.char.add(np.char.add(ring.astype(str), ":"), cell.astype(str))
