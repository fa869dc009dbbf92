"""The model folder: weights.safetensors, model.json, history.json; data, never code, and whole or not at all."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from mixz.atomic import replacing
from mixz.errors import MixzError
from mixz.model.history import History
from mixz.model.migrate import FORMAT, migrated, require_readable
from mixz.model.model_file import unpacked_model

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import torch


def write_model_folder(
    folder: str | Path,
    *,
    about: Mapping[str, Any],
    tensors: Mapping[str, torch.Tensor],
    history: Sequence[History],
) -> None:
    """Write a model: `about` as JSON, `tensors` as safetensors, and what training did to each member.

    Raises
    ------
    MixzError
        The folder cannot be written; what was there stays.
    """
    with replacing(folder) as draft:
        draft.mkdir()
        save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, draft / "weights.safetensors")
        (draft / "model.json").write_text(json.dumps({"format": FORMAT, **about}, indent=2) + "\n")
        (draft / "history.json").write_text(json.dumps([asdict(step) for step in history]) + "\n")


def read_model_folder(folder: str | Path) -> tuple[dict[str, Any], dict[str, torch.Tensor], tuple[History, ...]]:
    """Read what `write_model_folder` of this version or an earlier one wrote, or the one file `pack_model` made of it.

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
        about: dict[str, Any] = json.loads((folder / "model.json").read_text())
        require_readable(about["format"], folder)
        about, tensors = migrated(about, load_file(folder / "weights.safetensors"))
        history = TypeAdapter(tuple[History, ...]).validate_json((folder / "history.json").read_text())
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        raise damaged(folder, error) from error
    return about, tensors, history


def damaged(folder: str | Path, error: Exception) -> MixzError:
    """Say that a model folder does not hold what it should."""
    return MixzError(f"the model in {folder} is damaged: {error}", "a whole model folder", "train it again")
