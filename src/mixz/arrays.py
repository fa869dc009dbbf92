"""Arrays as the vocabulary keeps them: read-only, of the shape they must have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mixz.errors import MixzError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, DTypeLike, NDArray

Floats = np.ndarray[tuple[int, ...], np.dtype[np.floating[Any]]]
Mask = np.ndarray[tuple[int, ...], np.dtype[np.bool_]]


def frozen(values: ArrayLike, dtype: DTypeLike | None = None) -> NDArray[Any]:
    """View `values` as a read-only array; the caller's own array stays writable."""
    view = np.asarray(values, dtype=dtype).view()
    view.flags.writeable = False
    return view


def shaped(name: str, values: ArrayLike, shape: tuple[int, ...], dtype: DTypeLike | None = np.float64) -> NDArray[Any]:
    """Freeze `values`, which must be of a shape.

    Raises
    ------
    MixzError
        They are of another; the message calls them by `name`.

    Examples
    --------
    >>> shaped("ra_deg", [150.1, 150.2], (3,))
    Traceback (most recent call last):
    mixz.errors.MixzError: ra_deg has shape (2,)
      allowed: shape (3,)
      do: give one value per galaxy (and band)
    """
    array = frozen(values, dtype)
    if array.shape != shape:
        raise MixzError(f"{name} has shape {array.shape}", f"shape {shape}", "give one value per galaxy (and band)")
    return array


def all_shaped(name: str, columns: Mapping[str, ArrayLike], shape: tuple[int, ...]) -> dict[str, NDArray[Any]]:
    """Freeze columns by their names, each of the same shape.

    Raises
    ------
    MixzError
        One of them is of another; the message calls it ``name['its name']``.
    """
    return {key: shaped(f"{name}[{key!r}]", values, shape) for key, values in columns.items()}
