"""The model folder: weights.safetensors, model.json, history.json; data, never code, and whole or not at all."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import torch
from pydantic import TypeAdapter
from safetensors.torch import save_file

from mixz.atomic import recover, replacing
from mixz.densities import calibration, intervals, quality, support
from mixz.densities.calibration import Calibration
from mixz.densities.intervals import Intervals
from mixz.densities.quality import Risk
from mixz.densities.support import Support
from mixz.digest import OPEN_SEAL, digest_of_file, seal
from mixz.errors import MixzError
from mixz.model.ensemble import Ensemble
from mixz.model.file import SUFFIX, pack_model, unpacked_model
from mixz.model.inputs.error_ranks import FITTED as FITTED_OF_RANKS
from mixz.model.inputs.error_ranks import ErrorRanks
from mixz.model.inputs.features import FITTED, Features
from mixz.model.inputs.own import FITTED as FITTED_OF_OWN
from mixz.model.inputs.own import OwnBands
from mixz.model.tensors import OWN, RANKS, read_tensors
from mixz.model.training.history import History, Lost
from mixz.settings.model_record import FORMAT, HISTORY, RECORD, WEIGHTS, damaged, read_record

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mixz.settings.model_record import ModelRecord

FITTED_AFTERWARDS: Mapping[str, tuple[type[Any], tuple[str, ...]]] = {
    "calibration": (Calibration, calibration.FITTED),
    "intervals": (Intervals, intervals.FITTED),
    "support": (Support, support.FITTED),
    "risk": (Risk, quality.FITTED),
}
"""What is fitted to a trained ensemble, and the names of its numbers: they are stored with the weights."""


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
    tensors = ensemble.weights | {f"inputs.{name}": getattr(ensemble.features, name) for name in FITTED}
    if ensemble.features.ranks is not None:
        tensors |= {f"{RANKS}{name}": tensor for name, tensor in ensemble.features.ranks.tensors().items()}
    if ensemble.features.own is not None:
        tensors |= {f"{OWN}{name}": tensor for name, tensor in ensemble.features.own.tensors().items()}
    for part in fitted:
        names = FITTED_AFTERWARDS[part][1]
        tensors |= {f"{part}.{name}": torch.from_numpy(getattr(getattr(ensemble, part), name)) for name in names}
    with replacing(folder) as draft:
        draft.mkdir()
        save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, draft / WEIGHTS)
        (draft / HISTORY).write_text(json.dumps([asdict(step) for step in ensemble.history]) + "\n")
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
            "files": {name: digest_of_file(draft / name) for name in (WEIGHTS, HISTORY)},
            "seal": OPEN_SEAL,
        }
        (draft / RECORD).write_text(json.dumps(about, indent=2) + "\n")
        seal(draft / RECORD)


def require_model_place(folder: str | Path) -> None:
    """Refuse a folder that holds other things than a model, which writing one would replace.

    Raises
    ------
    MixzError
        It does.
    """
    folder = Path(folder)
    if folder.is_dir() and any(folder.iterdir()) and not (folder / RECORD).is_file():
        raise MixzError(
            f"{folder} holds other things than a model", "a new folder, or one with a model", "name a new one"
        )


def load_model(path: str | Path) -> Ensemble:
    """Read a model folder, or a model that was written as one file.

    Raises
    ------
    MixzError
        It is missing, of another version of mixz, or a byte of it has changed since it was written.
    """
    path = Path(path)
    recover(path)
    if path.is_file():
        with unpacked_model(path) as inside:
            return load_model(inside)
    record = read_record(path)
    tensors = read_tensors(path, record)
    try:
        history = TypeAdapter(tuple[History, ...]).validate_json((path / HISTORY).read_text())
        return _ensemble(record, tensors, history)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise damaged(path, str(error).partition("\n")[0]) from error


def _ensemble(record: ModelRecord, tensors: dict[str, torch.Tensor], history: tuple[History, ...]) -> Ensemble:
    """The ensemble of the files' content; tensors that are nothing else's are weights."""
    if len(history) != len(record.steps) or any(one.members != record.numbers for one in history):
        raise ValueError(f"{HISTORY} is not of these steps and members")
    inputs = {name: tensors.pop(f"inputs.{name}") for name in FITTED}
    own = None
    if record.network.own:
        fitted = {name: tensors.pop(f"{OWN}{name}") for name in FITTED_OF_OWN}
        own = OwnBands(**fitted, ref_place=record.bands.index(record.ref_band), asinh=record.network.asinh)
    ranks = None
    if record.network.errors == "relative":
        ranks = ErrorRanks(**{name: tensors.pop(f"{RANKS}{name}") for name in FITTED_OF_RANKS})
    afterwards = {}
    for part in record.fitted:
        kind, names = FITTED_AFTERWARDS[part]
        afterwards[part] = kind(**{name: tensors.pop(f"{part}.{name}").numpy() for name in names})
    return Ensemble(
        bands=record.bands,
        network=record.network,
        weights=tensors,
        features=Features(**inputs, systems=record.systems, network=record.network, own=own, ranks=ranks),
        ref_band=record.ref_band,
        seed=record.seed,
        numbers=record.numbers,
        steps=record.steps,
        history=history,
        lost=tuple(Lost(**one) for one in record.lost),
        provenance=record.provenance,
        held_out=record.held_out,
        **afterwards,
    )
