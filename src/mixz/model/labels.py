"""Which galaxies a step learns from, and the label each of them is believed to have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mixz.errors import MixzError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mixz.schema import GalaxySet


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
