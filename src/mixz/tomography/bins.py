"""Tomographic bins in z_phot: of equal counts, between given edges, or as the DESC SRD has them; cuts by quality."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Self

import numpy as np

from mixz.errors import MixzError, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from mixz.arrays import Floats, Mask

MOST_BINS = 100
"""Of tomographic bins: ten times as many as the SRD's lenses have."""
NO_BIN = -1
"""The bin of a galaxy that is in none."""

SOURCE, LENS = "source", "lens"


@dataclass(frozen=True)
class SrdBins:
    """Bins of a sample of the DESC SRD (arXiv:1809.01669 v1.0.2, appendix D2).

    Parameters
    ----------
    sample, year
        ``source`` or ``lens``; after how many years of LSST.
    number
        How many bins.
    low, high
        Where lenses' bins begin and end, all as wide; None for sources, whose bins hold equal counts.
    """

    sample: str
    year: int
    number: int
    low: float | None = None
    high: float | None = None


# As public code that follows the SRD has them: five source bins of equal counts in both years; lenses in 0.2-1.2, in
# steps of 0.2 (Y1) and 0.1 (Y10).  We could not open the SRD itself.
SRD_BINS = {
    "srd_source_y1": SrdBins(SOURCE, 1, 5),
    "srd_source_y10": SrdBins(SOURCE, 10, 5),
    "srd_lens_y1": SrdBins(LENS, 1, 5, 0.2, 1.2),
    "srd_lens_y10": SrdBins(LENS, 10, 10, 0.2, 1.2),
}
"""The DESC SRD's bins by name."""


@dataclass(frozen=True)
class Bins:
    """Edges in z_phot between which galaxies are one tomographic bin.

    Parameters
    ----------
    edges
        Rising; a bin holds its lower edge, and the last one its upper edge too.
    sample
        ``source``, ``lens``, or nothing: which of the SRD's requirements they are for; both where it is not said.

    Raises
    ------
    MixzError
        There are fewer than two edges, or they do not rise.

    Examples
    --------
    >>> Bins((0.2, 0.6, 1.2)).of([0.1, 0.2, 0.6, 1.2, 1.3, np.nan])
    array([-1,  0,  1,  1, -1, -1])
    """

    edges: tuple[float, ...]
    sample: str = ""

    def __post_init__(self) -> None:
        edges = tuple(float(edge) for edge in self.edges)
        object.__setattr__(self, "edges", edges)
        rising = all(a < b for a, b in pairwise(edges)) and all(map(math.isfinite, edges))
        if len(edges) < 2 or len(edges) > MOST_BINS + 1 or not rising:
            raise MixzError(
                f"edges of bins: {', '.join(f'{edge:g}' for edge in edges) or 'none'}",
                f"redshifts that rise, 2 to {MOST_BINS + 1} of them",
                "write them from low to high, each once",
            )

    def __len__(self) -> int:
        """Count the bins."""
        return len(self.edges) - 1

    @property
    def names(self) -> list[str]:
        """What each is called: its edges."""
        return [f"{a:.3g}-{b:.3g}" for a, b in pairwise(self.edges)]

    def of(self, z_phot: Floats | Sequence[float]) -> NDArray[np.int64]:
        """The bin of each galaxy, shape (galaxy,); `NO_BIN` where it is in none or has no redshift."""
        return self.between(np.asarray(z_phot, dtype=np.float64), np.asarray(self.edges))

    @staticmethod
    def between(z: Floats, edges: Floats) -> NDArray[np.int64]:
        """Between which edges each redshift lies, shape (galaxy,); `NO_BIN` beyond them, or where it is none."""
        last = len(edges) - 2
        found = np.searchsorted(edges, z, side="right") - 1
        found = np.where(z == edges[-1], last, found)
        return np.asarray(np.where(np.isfinite(z) & (found <= last) & (found >= 0), found, NO_BIN), np.int64)

    @classmethod
    def equal_counts(cls, z_phot: Floats, number: int, *, weight: Floats | None = None, sample: str = "") -> Self:
        """Bins that hold equal counts of these galaxies, or equal sums of their weights.

        Raises
        ------
        MixzError
            There are fewer galaxies with a redshift than bins, or too many share one redshift.

        Examples
        --------
        >>> Bins.equal_counts(np.array([0.1, 0.2, 0.3, 0.4]), 2).edges
        (0.1, 0.3, 0.4)
        """
        require_number(number)
        known = np.isfinite(z_phot) if weight is None else np.isfinite(z_phot) & (weight > 0)
        z = np.sort(z_phot[known])
        if len(z) < number:
            raise MixzError(
                f"{len(z):,} galaxies with a redshift for {number} bins", "a galaxy in every bin", "ask for fewer bins"
            )
        if weight is None:
            first = [z[round(k * len(z) / number)] for k in range(number)]
        else:
            below = np.cumsum(weight[known][np.argsort(z_phot[known], kind="stable")])
            first = [z[min(np.searchsorted(below, below[-1] * k / number), len(z) - 1)] for k in range(number)]
        edges = [float(edge) for edge in (z[0], *first[1:], z[-1])]
        if not all(a < b for a, b in pairwise(edges)):
            raise MixzError(
                f"{number} bins of equal counts: so many galaxies share one redshift that a bin would be empty",
                "a galaxy in every bin",
                "ask for fewer bins, or give their edges",
            )
        return cls(tuple(edges), sample)

    @classmethod
    def asked(cls, what: str | int | Sequence[float], z_phot: Floats, *, weight: Floats | None = None) -> Self:
        """Bins as a person asks for them: a number of equal counts, edges, or the name of an SRD sample's.

        Raises
        ------
        MixzError
            It is none of these.

        Examples
        --------
        >>> Bins.asked("srd_lens_y1", np.array([0.5])).edges
        (0.2, 0.4, 0.6, 0.8, 1.0, 1.2)
        """
        if isinstance(what, int):
            return cls.equal_counts(z_phot, what, weight=weight)
        if not isinstance(what, str):
            return cls(tuple(what))
        srd = srd_bins(what)
        if srd.low is None or srd.high is None:
            return cls.equal_counts(z_phot, srd.number, weight=weight, sample=srd.sample)
        step = (srd.high - srd.low) / srd.number
        return cls(tuple(round(srd.low + k * step, 6) for k in range(srd.number + 1)), srd.sample)


def srd_bins(name: str) -> SrdBins:
    """The SRD's bins of a name.

    Raises
    ------
    MixzError
        There are none.
    """
    if name not in SRD_BINS:
        raise MixzError(
            f"bins {name!r}",
            f"a number, edges with commas between, or {', '.join(SRD_BINS)}",
            f"write one of these{nearest(name, SRD_BINS)}",
        )
    return SRD_BINS[name]


def require_number(number: int) -> None:
    """Refuse a number of bins that is none.

    Raises
    ------
    MixzError
        It is below 1 or above 100.
    """
    if not 1 <= number <= MOST_BINS:
        raise MixzError(f"{number} bins", f"1 to {MOST_BINS}", "ask for 5")


@dataclass(frozen=True)
class Quality:
    """A cut on what is known of how good a galaxy's redshift is: any column, e.g. ``support``, ``odds`` or ``risk``.

    Parameters
    ----------
    column
        Its name.
    low, high
        Least and largest value that pass; None for no limit.

    Examples
    --------
    >>> Quality.read("support>=1").passes([0, 1, 2]), str(Quality("risk", high=0.2))
    (array([False,  True,  True]), 'risk <= 0.2')
    """

    column: str
    low: float | None = None
    high: float | None = None

    @classmethod
    def read(cls, text: str) -> Self:
        """A cut as it is written: ``support>=1`` or ``risk<=0.2``.

        Raises
        ------
        MixzError
            It is no cut.
        """
        for sign, end in ((">=", "low"), ("<=", "high")):
            column, found, limit = text.partition(sign)
            try:
                if found and column.strip() and math.isfinite(float(limit)):
                    return cls(column.strip(), **{end: float(limit)})
            except ValueError:
                break
        raise MixzError(f"cut {text!r}", "COLUMN>=NUMBER or COLUMN<=NUMBER", "write e.g. 'support>=1'")

    def passes(self, values: Floats | Sequence[float]) -> Mask:
        """Which galaxies pass, shape (galaxy,); those without a value do not."""
        known = np.asarray(values, dtype=np.float64)
        low = -math.inf if self.low is None else self.low
        high = math.inf if self.high is None else self.high
        return np.asarray((known >= low) & (known <= high))

    def __str__(self) -> str:
        """The cut as it is written."""
        ends = [f"{self.column} >= {self.low:g}"] if self.low is not None else []
        return ", ".join([*ends, *([f"{self.column} <= {self.high:g}"] if self.high is not None else [])])


@dataclass(frozen=True, eq=False)
class Sorted:
    """Galaxies sorted into bins, and an account of those that are in none.

    Parameters
    ----------
    bins
        The bins.
    number
        The bin of each galaxy, shape (galaxy,); `NO_BIN` where it is in none.
    left_out
        How many galaxies are in none, by the reason.
    """

    bins: Bins
    number: NDArray[np.int64]
    left_out: Mapping[str, int] = field(default_factory=dict)

    def counts(self) -> NDArray[np.int64]:
        """How many galaxies each bin holds, shape (bin,)."""
        return np.bincount(self.number[self.number >= 0], minlength=len(self.bins))


def sort_into_bins(
    what: str | int | Sequence[float],
    z_phot: Floats,
    *,
    weight: Floats | None = None,
    quality: Mapping[Quality, Floats] | None = None,
) -> Sorted:
    """Sort galaxies into bins by z_phot.

    Parameters
    ----------
    what
        As `Bins.asked`.
    z_phot
        Their redshifts, shape (galaxy,); NaN where one has none.
    weight
        How much each counts, shape (galaxy,); 1 if not given.  Equal counts are of weights.
    quality
        Cuts, and the values of their columns, shape (galaxy,) each.

    Raises
    ------
    MixzError
        The bins cannot be made, a weight is negative or no number, or a bin holds no galaxy.

    Examples
    --------
    >>> found = sort_into_bins(2, np.array([0.1, 0.2, 0.3, 0.4, np.nan]), quality={Quality("risk", high=0.2): [0] * 5})
    >>> found.number, found.left_out
    (array([ 0,  0,  1,  1, -1]), {'no redshift': 1})
    """
    require_weights(weight, len(z_phot))
    kept, left_out = fit_for_bins(z_phot, weight=weight, quality=quality)
    if not kept.any():
        raise none_left(left_out)
    z = np.where(kept, z_phot, np.nan)
    bins = Bins.asked(what, z, weight=weight)
    number = bins.of(z)
    if (outside := kept & (number == NO_BIN)).any():
        left_out["z_phot outside the bins"] = int(outside.sum())
    found = Sorted(bins, number, left_out)
    require_filled(bins, found.counts(), f"; z_phot reach from {np.nanmin(z):.3g} to {np.nanmax(z):.3g}")
    return found


def fit_for_bins(
    z_phot: Floats, *, weight: Floats | None = None, quality: Mapping[Quality, Floats] | None = None
) -> tuple[Mask, dict[str, int]]:
    """Which galaxies may be in a bin, shape (galaxy,), and how many may not, by the reason.

    Parameters
    ----------
    z_phot, weight, quality
        As `sort_into_bins`.
    """
    left_out = {}
    kept = np.isfinite(z_phot)
    if not kept.all():
        left_out["no redshift"] = int((~kept).sum())
    for cut, values in (quality or {}).items():
        passes = cut.passes(values)
        if (kept & ~passes).any():
            left_out[f"not {cut}"] = int((kept & ~passes).sum())
        kept = kept & passes
    if weight is not None and (kept & (weight == 0)).any():
        left_out["weight 0"] = int((kept & (weight == 0)).sum())
        kept = kept & (weight > 0)
    return kept, left_out


def none_left(left_out: Mapping[str, int]) -> MixzError:
    """What to say where no galaxy is left."""
    why = ", ".join(f"{reason}: {n:,}" for reason, n in left_out.items()) or "the table is empty"
    return MixzError(f"no galaxy is left for the bins ({why})", "at least one in every bin", "check cuts and weights")


def require_filled(bins: Bins, counts: NDArray[np.int64], more: str = "") -> None:
    """Refuse bins of which one holds no galaxy.

    Raises
    ------
    MixzError
        One does.
    """
    empty = [name for name, n in zip(bins.names, counts, strict=True) if not n]
    if empty:
        raise MixzError(
            f"bins {', '.join(empty)} hold no galaxy{more}",
            "a galaxy in every bin",
            "give other edges, or a number of bins",
        )


def require_weights(weight: Floats | None, galaxies: int, *, all_may_be_zero: bool = False) -> None:
    """Refuse weights of galaxies that cannot be.

    Parameters
    ----------
    weight, galaxies
        The weights, and how many there must be.
    all_may_be_zero
        Whether these are some of a table's galaxies, so that all of them may be 0.

    Raises
    ------
    MixzError
        They are of other galaxies, or one is negative or no number, or none is above 0.
    """
    if weight is None:
        return
    allowed = "a finite number of 0 or more for every galaxy"
    if weight.shape != (galaxies,):
        raise MixzError(f"weights of shape {weight.shape} for {galaxies:,} galaxies", allowed, "give one per galaxy")
    bad = ~np.isfinite(weight) | (weight < 0)
    if bad.any():
        first = weight[bad][0]
        raise MixzError(f"{int(bad.sum()):,} weights are negative or no numbers, e.g. {first:g}", allowed, "mend them")
    if galaxies and not all_may_be_zero and not (weight > 0).any():
        raise MixzError("every weight is 0", "some above 0", "name another column")
