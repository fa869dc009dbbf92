"""Train, validation or test by hash of the object id: the same galaxy is on the same side for every recipe."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np

from mixz.schema import SPLITS

if TYPE_CHECKING:
    from numpy.typing import NDArray


def split_by_id(
    object_id: NDArray[Any], *, train: float = 0.70, validation: float = 0.15, seed: int = 0
) -> NDArray[np.str_]:
    """Assign each galaxy to a side by where the hash of its id falls in [0, 1).

    u = BLAKE2b(id, salt = seed) / 2^64;  train if u < train, validation if u < train + validation, else test.
    The side depends on nothing but the id and the seed: not on the row order, the machine or the other galaxies.

    Parameters
    ----------
    object_id
        Names of the galaxies, shape (galaxy,); the integer 17 and the text "17" are the same galaxy.
    train, validation
        Shares of the two; the rest is for testing.
    seed
        Another seed gives another split.

    Examples
    --------
    >>> sides = split_by_id(np.arange(10_000))
    >>> [int(np.sum(sides == side)) for side in SPLITS]
    [6990, 1561, 1449]
    >>> bool(np.all(split_by_id(np.arange(10_000)[::-1])[::-1] == sides))
    True
    """
    salt = seed.to_bytes(8, "little")
    digests = b"".join(hashlib.blake2b(str(i).encode(), digest_size=8, salt=salt).digest() for i in object_id.tolist())
    u = np.frombuffer(digests, dtype="<u8") / 2.0**64
    return np.asarray(SPLITS)[np.searchsorted([train, train + validation], u, side="right")]
