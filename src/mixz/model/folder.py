"""The model folder: weights.safetensors, model.json, history.json; data, never code, and whole or not at all."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from pydantic import TypeAdapter
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from mixz.atomic import replacing
from mixz.densities import calibration, intervals, support
from mixz.densities.calibration import Calibration
from mixz.densities.intervals import Intervals
from mixz.densities.support import Support
from mixz.errors import MixzError
from mixz.model.features import FITTED, Features
from mixz.model.file import unpacked_model
from mixz.model.migrate import FORMAT, migrated, require_readable
from mixz.model.training.history import History, Lost
from mixz.settings.network import Network
from mixz.settings.recipe import Step

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mixz.model.ensemble import Ensemble


FITTED_AFTERWARDS: Mapping[str, tuple[type[Any], tuple[str, ...]]] = {
    "calibration": (Calibration, calibration.FITTED),
    "intervals": (Intervals, intervals.FITTED),
    "support": (Support, support.FITTED),
}
"""What is fitted to a trained ensemble, and the names of its numbers: they are stored with the weights."""

Content = tuple[dict[str, Any], dict[str, torch.Tensor], tuple[History, ...]]


def write_model_folder(ensemble: Ensemble, folder: str | Path) -> None:
    """Write an ensemble: what it is as JSON, its numbers as safetensors, and what training did to each member.

    Raises
    ------
    MixzError
        The folder cannot be written, or holds other things than a model; what was there stays.
    """
    require_model_place(folder)
    fitted = [part for part in FITTED_AFTERWARDS if getattr(ensemble, part) is not None]
    about: dict[str, Any] = {
        "format": FORMAT,
        "bands": ensemble.bands,
        "ref_band": ensemble.ref_band,
        "systems": ensemble.systems,
        "members": ensemble.members,
        "numbers": ensemble.numbers,
        "lost": [asdict(one) for one in ensemble.lost],
        "seed": ensemble.seed,
        "network": ensemble.network.model_dump(mode="json"),
        "recipe": [step.model_dump(mode="json") for step in ensemble.recipe],
        "provenance": ensemble.provenance,
        "held_out": ensemble.held_out,
        "fitted": fitted,
    }
    tensors = ensemble.weights | {f"inputs.{name}": getattr(ensemble.features, name) for name in FITTED}
    for part in fitted:
        names = FITTED_AFTERWARDS[part][1]
        tensors |= {f"{part}.{name}": torch.from_numpy(getattr(getattr(ensemble, part), name)) for name in names}
    with replacing(folder) as draft:
        draft.mkdir()
        save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, draft / "weights.safetensors")
        (draft / "model.json").write_text(json.dumps(about, indent=2) + "\n")
        (draft / "history.json").write_text(json.dumps([asdict(step) for step in ensemble.history]) + "\n")


def require_model_place(folder: str | Path) -> None:
    """Refuse a folder that holds other things than a model, which writing one would replace.

    Raises
    ------
    MixzError
        It does.
    """
    folder = Path(folder)
    if folder.is_dir() and any(folder.iterdir()) and not (folder / "model.json").is_file():
        raise MixzError(
            f"{folder} holds other things than a model", "a new folder, or one with a model", "name a new one"
        )


def read_model_folder(folder: str | Path) -> dict[str, Any]:
    """Read what an `Ensemble` is made of: a folder of this version or an earlier one, or one as one file.

    Raises
    ------
    MixzError
        The folder is missing, damaged, or of a version that cannot be carried over.
    """
    folder = Path(folder)
    if folder.is_file():
        with unpacked_model(folder) as inside:
            return read_model_folder(inside)
    if not (folder / "model.json").is_file():
        raise MixzError(f"no model in {folder}", "a folder that `mixz train` wrote", "run `mixz train` first")
    try:
        return _parts(*_content(folder))
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        raise MixzError(
            f"the model in {folder} is damaged: {error}", "a whole model folder", "train it again"
        ) from error


def _content(folder: Path) -> Content:
    """Read the three files, in the current format."""
    about: dict[str, Any] = json.loads((folder / "model.json").read_text())
    require_readable(about["format"], folder)
    about, tensors = migrated(about, load_file(folder / "weights.safetensors"))
    return about, tensors, TypeAdapter(tuple[History, ...]).validate_json((folder / "history.json").read_text())


def _parts(about: dict[str, Any], tensors: dict[str, torch.Tensor], history: tuple[History, ...]) -> dict[str, Any]:
    """Make of the files' content what an ensemble is made of; tensors that are nothing else's are weights."""
    network = Network(**about["network"])
    inputs = {name: tensors.pop(f"inputs.{name}") for name in FITTED}
    afterwards = {}
    for part in about["fitted"]:
        kind, names = FITTED_AFTERWARDS[part]
        afterwards[part] = kind(**{name: tensors.pop(f"{part}.{name}").numpy() for name in names})
    return {
        "bands": tuple(about["bands"]),
        "network": network,
        "weights": tensors,
        "features": Features(**inputs, systems=tuple(about["systems"]), network=network),
        "ref_band": about["ref_band"],
        "seed": about["seed"],
        "numbers": tuple(about["numbers"]),
        "recipe": tuple(Step(**step) for step in about["recipe"]),
        "history": history,
        "lost": tuple(Lost(**one) for one in about["lost"]),
        "provenance": about["provenance"],
        "held_out": about["held_out"],
        **afterwards,
    }
