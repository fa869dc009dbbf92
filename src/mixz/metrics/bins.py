"""Bins of i magnitude and redshift in which a sample is judged apart."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mixz.metrics.point import Floats

By = Literal["i", "z_ref", "z_phot"]

# Ours: whole magnitudes where the label error changes (22, 23, 24), and steps that hold enough galaxies each.
I_EDGES = (18.0, 20.0, 21.0, 22.0, 23.0, 24.0, 25.0, 26.0)
Z_EDGES = (0.0, 0.3, 0.6, 0.9, 1.2, 1.5, 2.0, 3.0, 4.0)


@dataclass(frozen=True)
class Bin:
    """Galaxies with low <= value < high, the value being i magnitude, the label z_ref, or the estimate z_phot.

    A bin of the label holds the same galaxies for every recipe; but honest pdfs look dishonest there, since among
    galaxies chosen by their redshift it is no longer the pdf that says where they are.  Judge pdfs by i or z_phot.

    Examples
    --------
    >>> b = Bin("i", 22, 23)
    >>> b.name, b.holds(mag_ref=np.array([21.9, 22.0]), z_ref=np.zeros(2), z_phot=np.zeros(2))
    ('i 22-23', array([False,  True]))
    """

    by: By
    low: float
    high: float

    @property
    def name(self) -> str:
        """What is binned and from where to where, as in ``"z_ref 0.3-0.6"``."""
        return f"{self.by} {self.low:g}-{self.high:g}"

    def holds(self, *, mag_ref: Floats, z_ref: Floats, z_phot: Floats) -> NDArray[np.bool_]:
        """Which galaxies are in the bin, shape (galaxy,)."""
        value = {"i": mag_ref, "z_ref": z_ref, "z_phot": z_phot}[self.by]
        return np.asarray((value >= self.low) & (value < self.high))


def bins_between(by: By, edges: Sequence[float]) -> tuple[Bin, ...]:
    """Make the bins between neighbouring edges.

    Examples
    --------
    >>> [b.name for b in bins_between("z_phot", [0, 0.5, 2])]
    ['z_phot 0-0.5', 'z_phot 0.5-2']
    """
    return tuple(Bin(by, low, high) for low, high in pairwise(edges))


POINT_BINS = bins_between("i", I_EDGES) + bins_between("z_ref", Z_EDGES)
"""Where to judge point estimates."""

PDF_BINS = bins_between("i", I_EDGES) + bins_between("z_phot", Z_EDGES)
"""Where to judge densities."""
