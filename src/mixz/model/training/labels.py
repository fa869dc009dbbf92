"""Which galaxies a step learns from, and the label each of them is believed to have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mixz.errors import MixzError
from mixz.galaxies import WEIGHT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mixz.galaxies import GalaxySet


def labelled(
    galaxies: GalaxySet, truths: Sequence[str], side: str, exact: Sequence[str]
) -> tuple[GalaxySet, NDArray[np.floating[Any]], NDArray[np.str_]]:
    """Select the galaxies of one side that carry a label of some truths, with the label believed and its truth.

    Raises
    ------
    MixzError
        There is none.
    """
    chosen = galaxies.rows(galaxies.split == side)
    z_ref, whose = chosen.reference(truths, exact=exact)
    has_label = np.isfinite(z_ref)
    if not has_label.any():
        raise MixzError(
            f"no {side} galaxy has a label of {' or '.join(truths)}",
            "at least one galaxy on each of train and validation",
            "name another truth, or give more galaxies (mixz.split_by_id sets the sides)",
        )
    return chosen.rows(has_label), z_ref[has_label], whose[has_label]


def own_weights(galaxies: GalaxySet) -> NDArray[np.floating[Any]]:
    """Give how much each galaxy counts by its table's own word, shape (galaxy,).

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
