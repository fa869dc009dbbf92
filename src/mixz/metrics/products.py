"""Matrix products for work that is spread over the cores already: in pieces too small for further threads.

Matrix libraries start threads of their own for large products.  Beside ours these wait for each other, and on a machine
that others use too they take many times the time that they save.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mixz.arrays import Floats

ALONE = 250_000
"""Multiplications up to which no library starts threads (measured with OpenBLAS 0.3.31 on 2 cores)."""


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def product(a: NDArray[Any], b: NDArray[Any]) -> Floats:
    """a @ b of two matrices, one of whose axes is much longer than the others; sums are of double precision.

    Examples
    --------
    >>> product(np.ones((2, 100_000), np.float32), np.ones((100_000, 3), np.float32))
    array([[100000., 100000., 100000.],
           [100000., 100000., 100000.]])
    """
    (rows, inner), columns = a.shape, b.shape[1]
    found = np.zeros((rows, columns))
    if inner > rows:
        some = max(1, ALONE // max(rows * columns, 1))
        for first in range(0, inner, some):
            found += a[:, first : first + some] @ b[first : first + some]
    else:
        some = max(1, ALONE // max(inner * columns, 1))
        for first in range(0, rows, some):
            found[first : first + some] = a[first : first + some] @ b
    return found
