"""Model folders of earlier versions, carried into the current format or refused with the reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from mixz.errors import MixzError

if TYPE_CHECKING:
    from pathlib import Path

FORMAT = 4
"""Version of the model folder: 3 brought systems, densities and inputs of parts, 4 what held-out galaxies say."""
NO_BEND = 30.0
"""Softening magnitude of bands whose errors are unknown: asinh magnitudes are ordinary ones far above it."""

READABLE = (2, 3, FORMAT)
TOO_OLD = "it does not name its members and layers as later ones do"

Content = tuple[dict[str, Any], dict[str, torch.Tensor]]


def require_readable(number: object, folder: Path) -> None:
    """Refuse a format that cannot be carried into the current one.

    Raises
    ------
    MixzError
        It is newer than this mixz, or too old.
    """
    if number in READABLE:
        return
    formats = f"formats {READABLE[0]} to {FORMAT}"
    if isinstance(number, int) and number > FORMAT:
        given = f"{folder} is of model format {number}, which a newer mixz wrote"
        raise MixzError(given, formats, "upgrade mixz (pip install --upgrade mixz)")
    raise MixzError(f"{folder} is of model format {number!r}: {TOO_OLD}", formats, "train it again")


def migrated(about: dict[str, Any], tensors: dict[str, torch.Tensor]) -> Content:
    """Give what a model folder of any readable version would hold in the current format.

    Parameters
    ----------
    about, tensors
        What was read of model.json and weights.safetensors.

    Examples
    --------
    >>> old = {"format": 2, "bands": ["g", "i"], "numbers": [0]}
    >>> about, tensors = migrated(old, {"inputs.offset": torch.zeros(2), "inputs.matrix": torch.eye(2)})
    >>> about["format"], about["ref_band"], sorted(tensors)[:3]
    (4, 'i', ['inputs.covariance', 'inputs.error_mean', 'inputs.error_spread'])
    """
    if about["format"] == 2:
        about, tensors = _from_2(about, tensors)
    if about["format"] == 3:
        about = about | {"format": FORMAT, "held_out": {}, "fitted": []}
    return about, tensors


def _from_2(about: dict[str, Any], tensors: dict[str, torch.Tensor]) -> Content:
    """Format 2 knew magnitudes of one system only, all of them measured: the parts it lacks are not looked at."""
    bands = about["bands"]
    each = torch.zeros(len(bands))
    lacking = {
        "mean": each,
        "covariance": torch.eye(len(bands)),
        "softening": torch.full_like(each, NO_BEND),
        "error_mean": each.clone(),
        "error_spread": torch.ones_like(each),
    }
    told = {"format": 3, "ref_band": "i" if "i" in bands else bands[-1], "systems": [""]}
    return about | told, {f"inputs.{name}": tensor for name, tensor in lacking.items()} | tensors
