"""What a model's tensors must be, by what its record says, and their reading once their header agrees with that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safetensors import SafetensorError, safe_open

from mixz.densities.intervals import LEVELS
from mixz.densities.quality import SIGNS
from mixz.densities.support import MOST
from mixz.model.embedding import embedded_width, embedding_shapes
from mixz.model.heads import head_of
from mixz.model.inputs.error_ranks import MAGNITUDES, SCORES
from mixz.model.inputs.own import FITTED as FITTED_OF_OWN
from mixz.model.nets import PRIOR, layer_sizes
from mixz.settings.model_record import WEIGHTS, damaged

if TYPE_CHECKING:
    from pathlib import Path

    import torch

    from mixz.settings.model_record import ModelRecord

OWN = "inputs.own."
"""Before the names of the numbers by which own bands are seen."""
RANKS = "inputs.ranks."
"""Before the names of the numbers by which errors are ranked."""
LARGEST = 1e12
"""No number of a model is larger: products of two of them still fit single precision."""

Shape = tuple[int | str, ...]
"""Lengths of the axes; those that the record leaves open by a letter, the same everywhere."""
LONGEST = {"y": 1_000, "t": 1_000, "k": 1_000, "e": 1_000, "s": MOST, "o": MOST}
"""How long open axes may be."""


def shapes_of(record: ModelRecord) -> dict[str, Shape]:
    """The shape of each tensor that the model's file holds.

    Examples
    --------
    >>> from mixz.settings.network import Network
    >>> from types import SimpleNamespace
    >>> of = SimpleNamespace(members=3, bands=("g", "r"), systems=("",), fitted=(), network=Network(hidden=(8,)))
    >>> shapes_of(of)["hidden.0.weight"], shapes_of(of)["inputs.matrix"]
    ((3, 2, 8), (2, 2))
    """
    members, network, own = record.members, record.network, len(record.network.own)
    bands = len(record.bands) - own
    inputs = (1 + (network.drop_bands > 0) + (network.errors != "none")) * bands + 2 * own
    shapes: dict[str, Shape] = {}
    for name, (fan_in, fan_out) in layer_sizes(
        embedded_width(network, inputs, bands), head_of(network).outputs, network
    ).items():
        shapes[f"{name}.weight"], shapes[f"{name}.bias"] = (members, fan_in, fan_out), (members, 1, fan_out)
        if network.kind == "bayesian":
            shapes[f"{name}.weight_rho"] = (members, fan_in, fan_out)
    shapes |= {name: (members, *shape) for name, shape in embedding_shapes(network, bands).items()}
    for number in range(1, len(record.systems)):
        for before in ("", PRIOR) if network.colour_terms else ("",):
            shapes[f"{before}system.{number}.weight"] = (members, bands, bands)
            shapes[f"{before}system.{number}.bias"] = (members, 1, bands)
    square, row = (bands, bands), (bands,)
    shapes |= {f"inputs.{name}": row for name in ("offset", "mean", "softening", "error_mean", "error_spread")}
    shapes |= {f"inputs.{name}": square for name in ("matrix", "covariance")}
    if own:
        shapes |= {f"{OWN}{name}": (own,) for name in FITTED_OF_OWN}
    if network.errors == "relative":
        table = (len(record.systems), bands, MAGNITUDES)
        shapes |= {f"{RANKS}mag": table, f"{RANKS}quantile": (*table, len(SCORES))}
    afterwards: dict[str, dict[str, Shape]] = {
        "calibration": {"mag": ("t",), "knots": ("k",), "height": ("y", "t", "k")},
        "intervals": {"edges": ("e",), "reach": ("e+1", len(LEVELS))},
        "support": {
            "mean": row,
            "matrix": square,
            "by_spectra": ("s", bands),
            "by_others": ("o", bands),
            "z_spectra": ("s",),
            "z_others": ("o",),
            "limit": (2,),
        },
        "risk": {"weight": (SIGNS + 1,)},
    }
    return shapes | {f"{part}.{name}": s for part in record.fitted for name, s in afterwards[part].items()}


def read_tensors(folder: Path, record: ModelRecord) -> dict[str, torch.Tensor]:
    """Read the tensors of a model, numbers within reason in the shapes that its record asks for; or none of them.

    Raises
    ------
    MixzError
        They are others, or the file is damaged.
    """
    wanted = shapes_of(record)
    try:
        with safe_open(folder / WEIGHTS, framework="pt") as file:
            names = set(file.keys())
            if names != set(wanted):
                raise damaged(folder, f"{WEIGHTS} lacks or has too many of {_some(names ^ set(wanted))}")
            opened: dict[str, int] = {}
            for name, shape in wanted.items():
                found = file.get_slice(name)
                if not _fits(found.get_shape(), shape, opened):
                    raise damaged(folder, f"{name} has shape {tuple(found.get_shape())}, wanted: {shape}")
                if found.get_dtype() not in ("F32", "F64"):
                    raise damaged(folder, f"{name} holds {found.get_dtype()}, wanted: F32 or F64")
            tensors = {name: file.get_tensor(name).clone() for name in wanted}
    except (SafetensorError, OSError, ValueError) as error:
        raise damaged(folder, f"{WEIGHTS}: {error}") from error
    for name, tensor in tensors.items():
        if not (tensor.abs() <= LARGEST).all():
            raise damaged(folder, f"{name} holds what is no number, or one beyond {LARGEST:g}")
    return tensors


def _fits(found: list[int], wanted: Shape, opened: dict[str, int]) -> bool:
    """Whether a shape is as wanted; an open axis is noted when first met."""
    if len(found) != len(wanted):
        return False
    for length, axis in zip(found, wanted, strict=True):
        if isinstance(axis, int):
            due = axis
        else:
            letter, _, more = axis.partition("+")
            due = opened.setdefault(letter, min(length, LONGEST[letter])) + int(more or 0)
        if length != due:
            return False
    return True


def _some(names: set[str]) -> str:
    return ", ".join(sorted(names)[:3])
