"""What each galaxy contributes to the metrics of its density: scored once, then averaged over any of them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mixz.metrics.pdf import cde_loss, credibility, crps, log_score, pit
from mixz.metrics.products import cores

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from mixz.metrics.point import Floats

CHUNK = 250
"""Galaxies scored at a time by each core: their densities stay in its cache (ours)."""


@dataclass(frozen=True, eq=False)
class PdfScores:
    """What every galaxy contributes to the metrics of its pdf, each of shape (galaxy,); see `mixz.metrics.pdf`."""

    pit: Floats
    credibility: Floats
    crps: Floats
    cde_loss: Floats
    log_score: Floats

    def rows(self, which: NDArray[Any]) -> PdfScores:
        """The galaxies that `which` (a mask or indices) selects."""
        return PdfScores(*(getattr(self, name)[which] for name in self.__dataclass_fields__))


def score(pdf: ArrayLike, *, z_grid: ArrayLike, z_ref: ArrayLike) -> PdfScores:
    """Score every galaxy's pdf, some galaxies at a time, on every core.

    Examples
    --------
    >>> score([[0.0, 2.0, 0.0]], z_grid=[0.0, 0.5, 1.0], z_ref=[0.5]).pit
    array([0.5])
    """
    p, z, ref = np.asarray(pdf), np.asarray(z_grid, float), np.asarray(z_ref, float)
    each = (pit, credibility, crps, cde_loss, log_score)
    # An empty set still makes one (empty) chunk.
    parts = [slice(start, start + CHUNK) for start in range(0, max(len(ref), 1), CHUNK)]
    with ThreadPoolExecutor(cores()) as pool:
        found = list(pool.map(lambda part: [f(p[part], z_grid=z, z_ref=ref[part]) for f in each], parts))
    return PdfScores(*map(np.concatenate, zip(*found, strict=True)))
