"""The model folder: weights.safetensors, model.json, history.json; data, never code, and whole or not at all."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
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
from mixz.model.ensemble import Ensemble
from mixz.model.features import FITTED, Features
from mixz.model.file import SUFFIX, pack_model, unpacked_model
from mixz.model.training.history import History, Lost
from mixz.settings.network import Network
from mixz.settings.recipe import Step

if TYPE_CHECKING:
    from collections.abc import Mapping

FORMAT = 6
"""Version of the model folder; folders of other versions are refused."""

FITTED_AFTERWARDS: Mapping[str, tuple[type[Any], tuple[str, ...]]] = {
    "calibration": (Calibration, calibration.FITTED),
    "intervals": (Intervals, intervals.FITTED),
    "support": (Support, support.FITTED),
}
"""What is fitted to a trained ensemble, and the names of its numbers: they are stored with the weights."""

Content = tuple[dict[str, Any], dict[str, torch.Tensor], tuple[History, ...]]


def save_model(ensemble: Ensemble, path: str | Path) -> None:
    """Write a model folder, whole or not at all: weights.safetensors, model.json and history.json.

    Where the name ends in ``.mixz`` the same goes into one file, as RAIL and the DESC challenge keep models.

    Raises
    ------
    MixzError
        It cannot be written, or the folder holds other things than a model; what was there stays.
    """
    if Path(path).suffix == f".{SUFFIX}":
        save_model_file(ensemble, path)
    else:
        _write_folder(ensemble, path)


def save_model_file(ensemble: Ensemble, file: str | Path) -> None:
    """Write a model as one file, whatever its name ends in.

    Raises
    ------
    MixzError
        It cannot be written; what was there stays.
    """
    with TemporaryDirectory(prefix="mixz-") as home:
        _write_folder(ensemble, Path(home) / "model")
        pack_model(Path(home) / "model", file)


def _write_folder(ensemble: Ensemble, folder: str | Path) -> None:
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
        "steps": [step.model_dump(mode="json") for step in ensemble.steps],
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


def load_model(path: str | Path) -> Ensemble:
    """Read a model folder, or a model that was written as one file.

    Raises
    ------
    MixzError
        It is missing, damaged, or of another version of mixz.
    """
    path = Path(path)
    if path.is_file():
        with unpacked_model(path) as inside:
            return load_model(inside)
    if not (path / "model.json").is_file():
        raise MixzError(f"no model in {path}", "a folder that `mixz train` wrote", "run `mixz train` first")
    try:
        return _ensemble(*_content(path))
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        raise MixzError(f"the model in {path} is damaged: {error}", "a whole model folder", "train it again") from error


def _content(folder: Path) -> Content:
    """What the three files hold."""
    about: dict[str, Any] = json.loads((folder / "model.json").read_text())
    if about["format"] != FORMAT:
        raise MixzError(
            f"{folder} is of model format {about['format']!r}, which another version of mixz wrote",
            f"format {FORMAT}",
            "train it again, or read it with that version",
        )
    tensors = load_file(folder / "weights.safetensors")
    return about, tensors, TypeAdapter(tuple[History, ...]).validate_json((folder / "history.json").read_text())


def _ensemble(about: dict[str, Any], tensors: dict[str, torch.Tensor], history: tuple[History, ...]) -> Ensemble:
    """The ensemble of the files' content; tensors that are nothing else's are weights."""
    network = Network(**about["network"])
    inputs = {name: tensors.pop(f"inputs.{name}") for name in FITTED}
    afterwards = {}
    for part in about["fitted"]:
        kind, names = FITTED_AFTERWARDS[part]
        afterwards[part] = kind(**{name: tensors.pop(f"{part}.{name}").numpy() for name in names})
    return Ensemble(
        bands=tuple(about["bands"]),
        network=network,
        weights=tensors,
        features=Features(**inputs, systems=tuple(about["systems"]), network=network),
        ref_band=about["ref_band"],
        seed=about["seed"],
        numbers=tuple(about["numbers"]),
        steps=tuple(Step(**step) for step in about["steps"]),
        history=history,
        lost=tuple(Lost(**one) for one in about["lost"]),
        provenance=about["provenance"],
        held_out=about["held_out"],
        **afterwards,
    )
