"""Densities rounded to what they are worth: less than half the bytes on disk.

Networks give float32 numbers whose last digits are noise, and noise does not pack.  Where a density is worth something
it keeps 12 bits; in its wings, far below its peak, it keeps its order of magnitude and is never rounded to zero, so
that its logarithm stays finite.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

MANTISSA_BITS = 23
"""Of float32."""
KEPT_BITS = 12
"""Kept of a density: relative errors are at most 2^-13 (ours)."""
WING = 1e-4
"""Below this share of its peak a density is rounded to a power of two (ours)."""
BLOCK_ROWS = 1000
"""Galaxies rounded at a time: few enough for a core's caches."""


def rounded(pdf: NDArray[np.float32]) -> NDArray[np.float32]:
    """Round densities so that they pack well.

    Parameters
    ----------
    pdf
        Densities, shape (galaxy, z), float32; NaN stays NaN, zero stays zero.

    Returns
    -------
    NDArray
        A new array: within 2^-13 of the densities where they are above 1e-4 of their peak, and within a third below.

    Examples
    --------
    >>> rounded(np.array([[0.0, 1e-7, 3.0000001, 2.0]], dtype=np.float32)).tolist()
    [[0.0, 1.1920928955078125e-07, 3.0, 2.0]]
    """
    found = np.empty_like(pdf)
    for start in range(0, len(pdf), BLOCK_ROWS):
        some = pdf[start : start + BLOCK_ROWS]
        peak = some.max(axis=1, keepdims=True, initial=0.0)
        kept = np.where(some < WING * peak, _with_bits(some, 0), _with_bits(some, KEPT_BITS))
        found[start : start + BLOCK_ROWS] = np.where(np.isfinite(some), kept, some)
    return found


def _with_bits(values: NDArray[np.float32], bits: int) -> NDArray[np.float32]:
    """Round to so many bits after the leading one; a carry moves on into the exponent, as it should."""
    dropped = MANTISSA_BITS - bits
    half, kept = np.uint32(1 << (dropped - 1)), np.uint32(0xFFFFFFFF << dropped & 0xFFFFFFFF)
    return ((values.view(np.uint32) + half) & kept).view(np.float32)
