"""Which galaxies a step learns from, and the label each of them is believed to have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mixz.densities.intervals import FEWEST
from mixz.errors import MixzError
from mixz.galaxies import CONFORMAL, SPLITS, WEIGHT, hashed

CALIBRATION, INTERVALS = "held-out", "intervals"
"""The held-out galaxies that the calibration is learned from, and those that nothing but intervals is learned from."""
APART = 1 / 3
"""Share of the held-out galaxies that intervals are learned from (ours)."""
APART_SEED = 20_000
"""Seed of the hash that chooses them: another than those of splits."""

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mixz.arrays import Mask
    from mixz.galaxies import GalaxySet


def held_out(galaxies: GalaxySet) -> Mask:
    """The galaxies that calibration and intervals are learned from, shape (galaxy,).

    They are those of the conformal side; of tables without one, those of the validation side.

    Examples
    --------
    >>> from mixz.galaxies import GalaxySet
    >>> sides, tables = ["validation", "conformal", "validation", "train"], ["a", "a", "b", "b"]
    >>> held_out(GalaxySet([1, 2, 3, 4], ("g",), [[21]] * 4, [[0.1]] * 4, split=sides, table=tables))
    array([False,  True,  True, False])
    """
    conformal = galaxies.split == CONFORMAL
    has_one = np.isin(galaxies.table, np.unique(galaxies.table[conformal]))
    return np.asarray(conformal | ((galaxies.split == "validation") & ~has_one))


def held_out_sides(galaxies: GalaxySet, truths: Sequence[str]) -> dict[str, dict[str, int]]:
    """Count, per truth and side, the held-out galaxies that have its label.

    Examples
    --------
    >>> from mixz.galaxies import GalaxySet
    >>> galaxies = GalaxySet([1, 2, 3], ("g",), [[21]] * 3, [[0.1]] * 3, z={"spec": [0.5, 0.6, float("nan")]},
    ...                      split=["validation", "conformal", "validation"], table=["a", "b", "a"])
    >>> held_out_sides(galaxies, ["spec"])
    {'spec': {'validation': 1, 'conformal': 1}}
    """
    held = held_out(galaxies)
    counts = {name: {side: held & galaxies.has(name) & (galaxies.split == side) for side in SPLITS} for name in truths}
    return {name: {side: int(rows.sum()) for side, rows in of.items() if rows.any()} for name, of in counts.items()}


def kept_apart(galaxies: GalaxySet) -> Mask:
    """The held-out galaxies that are kept apart for intervals: a third of them by the hash of their ids.

    None are where a third would be too few to learn intervals from.
    """
    candidates = np.flatnonzero(held_out(galaxies))
    chosen = candidates[hashed(galaxies.object_id[candidates], seed=APART_SEED) < APART]
    labels = [np.isfinite(z[chosen]) for z in galaxies.z.values()]
    apart = np.zeros(len(galaxies), dtype=bool)
    apart[chosen] = bool(labels) and np.any(labels, axis=0).sum() >= FEWEST
    return apart


def _on_side(galaxies: GalaxySet, side: str, *, apart: bool) -> Mask:
    """The galaxies of a side; those kept apart are taken from validation only where `apart` says so."""
    if side == INTERVALS:
        return kept_apart(galaxies)
    if side == CALIBRATION:
        return held_out(galaxies) & ~kept_apart(galaxies)
    on_side = np.asarray(galaxies.split == side)
    return on_side & ~kept_apart(galaxies) if apart and side == "validation" else on_side


def labelled(
    galaxies: GalaxySet, truths: Sequence[str], side: str, exact: Sequence[str], *, apart: bool = False
) -> tuple[GalaxySet, NDArray[np.floating[Any]], NDArray[np.str_]]:
    """Select the galaxies of one side that carry a label of some truths, with the label believed and its truth.

    Parameters
    ----------
    galaxies, truths, exact
        Galaxies, and the truths to choose a label from, exact ones first.
    side
        A side of the split; or `CALIBRATION` or `INTERVALS`, the two parts of the held-out galaxies.
    apart
        Whether validation is without the galaxies of `INTERVALS`.

    Raises
    ------
    MixzError
        There is none.
    """
    chosen = galaxies.rows(_on_side(galaxies, side, apart=apart))
    z_ref, truth = chosen.reference(truths, exact=exact)
    has_label = np.isfinite(z_ref)
    if not has_label.any():
        raise MixzError(
            f"no {side} galaxy has a label of {' or '.join(truths)}",
            "at least one galaxy on each of train and validation",
            "name another truth, or give more galaxies (mixz.split_by_id sets the sides)",
        )
    return chosen.rows(has_label), z_ref[has_label], truth[has_label]


def own_weights(galaxies: GalaxySet) -> NDArray[np.floating[Any]]:
    """How much each galaxy counts by its table's own word, shape (galaxy,).

    Raises
    ------
    MixzError
        A weight is negative or missing, or all are 0.
    """
    weights = galaxies.carried[WEIGHT]
    wrong = ~(weights >= 0)
    if wrong.any() or not weights.sum() > 0:
        raise MixzError(
            f"weight of {galaxies.object_id[wrong.argmax()]!r}: {weights[wrong.argmax()]:g}",
            "numbers of 0 or more, some above 0",
            "correct the column of weights",
        )
    return weights
