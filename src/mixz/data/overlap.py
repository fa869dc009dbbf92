"""Galaxies that are in two tables: who they are, and whose row stays."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from mixz.data.match import mutual_nearest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from mixz.arrays import Floats
    from mixz.data.cuts import Ledger
    from mixz.galaxies import GalaxySet
    from mixz.settings.tables import Overlap

    Rows = NDArray[np.intp]


def remove_overlap(sets: Mapping[str, GalaxySet], overlap: Overlap, ledger: Ledger) -> dict[str, GalaxySet]:
    """Leave out of every table the galaxies that are also in the one whose rows stay.

    Parameters
    ----------
    sets
        The galaxies of each table.
    overlap
        Whose rows stay, and how a galaxy is recognised.
    ledger
        Where each table's loss is entered.

    Raises
    ------
    MixzError
        A table holds nothing else.
    """
    result = dict(sets)
    for title in sets:
        if title == overlap.keep:
            continue
        kept, other = result[overlap.keep], result[title]
        ids, places = same_galaxies(kept, other, radius_arcsec=overlap.radius_arcsec)
        rows = tuple(np.concatenate([a, b]) for a, b in zip(ids, places, strict=True))
        goes = np.zeros(len(other), dtype=bool)
        goes[rows[1]] = True
        ledger.enter(
            title,
            f"not_in_{overlap.keep}",
            len(other),
            int((~goes).sum()),
            same_id=len(ids[1]),
            same_place=len(places[1]),
            labels=overlap.labels,
        )
        if overlap.labels == "both":
            result[overlap.keep] = _with_labels_of(kept, rows[0], other.rows(rows[1]))
        result[title] = other.rows(~goes)
    return result


def same_galaxies(
    first: GalaxySet, second: GalaxySet, *, radius_arcsec: float | None = 1.0
) -> tuple[tuple[Rows, Rows], tuple[Rows, Rows]]:
    """Find the galaxies that are in both sets.

    Parameters
    ----------
    first, second
        The sets.
    radius_arcsec
        Those without an id in common are the same if they are mutual nearest neighbours within this; None goes by
        ids only.

    Returns
    -------
    by_id, by_place
        Rows in the first and in the second set, of the pairs with one id and of the pairs with one place.

    Examples
    --------
    >>> from mixz.galaxies import GalaxySet
    >>> a = GalaxySet(["1", "2"], ("g",), [[21], [22]], [[0.1], [0.1]], ra_deg=[10, 20], dec_deg=[0, 0])
    >>> b = GalaxySet(["2", "x"], ("g",), [[21], [22]], [[0.1], [0.1]], ra_deg=[20, 10.0001], dec_deg=[0, 0])
    >>> same_galaxies(a, b)
    ((array([1]), array([0])), (array([0]), array([1])))
    """
    _, mine, yours = np.intersect1d(first.object_id, second.object_id, assume_unique=True, return_indices=True)
    if radius_arcsec is None:
        return (mine, yours), (mine[:0], yours[:0])
    others = [np.setdiff1d(np.arange(len(s)), rows) for s, rows in ((first, mine), (second, yours))]
    places = [(s.ra_deg[rows], s.dec_deg[rows]) for s, rows in zip((first, second), others, strict=True)]
    pairs = mutual_nearest(places[0], places[1], radius_arcsec=radius_arcsec)
    return (mine, yours), (others[0][pairs.first], others[1][pairs.second])


def _with_labels_of(kept: GalaxySet, rows: Rows, other: GalaxySet) -> GalaxySet:
    """Galaxies the labels, intervals and carried numbers that they lack from their other rows."""

    def filled(mine: Mapping[str, Floats], theirs: Mapping[str, Floats], *shape: int) -> dict[str, Floats]:
        columns = {}
        for name in dict.fromkeys([*mine, *theirs]):
            column = np.array(mine.get(name, np.full((len(kept), *shape), np.nan)))
            if name in theirs:
                column[rows] = np.where(np.isnan(column[rows]), theirs[name], column[rows])
            columns[name] = column
        return columns

    return replace(
        kept,
        z=filled(kept.z, other.z),
        z_err=filled(kept.z_err, other.z_err, 2),
        carried=filled(kept.carried, other.carried),
    )
