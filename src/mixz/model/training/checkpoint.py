"""Checkpoints of a step: one small file per group of members, replaced whole after each epoch.

A checkpoint holds numbers and JSON, never code: best and present weights, the optimiser's memory, losses, and which
members still run.  Random numbers need no saving, since they follow from names (`mixz.model.seeds`).  Training that
starts again from it gives the weights of an undisturbed run, bit for bit, on the same machine's CPU.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from mixz.atomic import replacing
from mixz.digest import OPEN_SEAL, seal, seal_of
from mixz.errors import MixzError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from mixz.model.training.group import Group

ANEW = "begin anew: mixz train --restart"
BEST, TRAINABLE, MEMORY, LOSSES = "best/", "trainable/", "memory/", "losses"


@dataclass(frozen=True)
class Checkpoint:
    """A folder that holds how far a step of training is.

    Parameters
    ----------
    folder
        Where; it is made when the first epoch ends.
    settings
        Everything that decides the step's weights, as JSON holds it; another step's checkpoint is refused.

    Raises
    ------
    MixzError
        The folder holds a checkpoint of other settings; the message names the difference.
    """

    folder: Path
    settings: Mapping[str, Any]

    def __post_init__(self) -> None:
        if not self._settings_path.is_file():
            return
        there, here = self._read_settings()["settings"], json.loads(json.dumps(self.settings))
        if differences := [f"  {line}" for line in _differences(there, here)]:
            raise MixzError(
                "\n".join([f"the checkpoint in {self.folder} is of other settings (there, here):", *differences]),
                "a checkpoint of this very training",
                "set these back to finish that training, or begin anew: mixz train --restart",
            )

    def begin(self, parts: Sequence[slice]) -> list[slice]:
        """Note the settings and how the members are grouped; where training has begun before, give its grouping."""
        if self._settings_path.is_file():
            return [slice(*part) for part in self._read_settings()["parts"]]
        content = {"settings": self.settings, "parts": [(part.start, part.stop) for part in parts], "seal": OPEN_SEAL}
        for unknown in self.folder.glob("members-*.safetensors"):
            unknown.unlink()  # nobody knows any more of which settings they are
        with replacing(self._settings_path) as draft:
            draft.write_text(json.dumps(content, indent=1) + "\n")
            seal(draft)
        return list(parts)

    def write(self, group: Group, members: slice) -> None:
        """Replace the file of a group.

        Raises
        ------
        MixzError
            The disk is full or not writable; the last good file is still there.
        """
        tensors = {BEST + name: w for name, w in group.best.items()}
        if len(group.running):
            tensors |= {TRAINABLE + name: w.detach() for name, w in group.trainable.items()}
            tensors |= {f"{MEMORY}{n}/{key}": v for n, state in group.memory().items() for key, v in state.items()}
        longest = max(map(len, group.losses))
        padded = [[*losses, *[torch.nan] * (longest - len(losses))] for losses in group.losses]
        tensors[LOSSES] = torch.tensor(padded, dtype=torch.float64)
        about = {
            "epoch": group.epoch,
            "epochs_run": [len(losses) for losses in group.losses],
            "running": group.running.tolist(),
            "best_epoch": group.best_epoch.tolist(),
            "lost_after": group.lost_after.tolist(),
        }
        # Serialised by safetensors but written by Python, whose errors say what is wrong with the disk.
        content = save(
            {k: v.cpu().contiguous() for k, v in tensors.items()}, {"about": json.dumps(about), "seal": OPEN_SEAL}
        )
        with replacing(self._path(members)) as draft:
            draft.write_bytes(content)
            seal(draft)

    def restore(self, group: Group, members: slice) -> bool:
        """Bring a new group to where its file says it was; False where there is no file.

        Raises
        ------
        MixzError
            The file is damaged.
        """
        path = self._path(members)
        if not path.is_file():
            return False
        self._require_seal(path)
        try:
            with safe_open(path, framework="pt") as file:
                about = json.loads(file.metadata()["about"])
                # Copies lie at addresses that torch chose: what a product rounds to may depend on them.
                tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118  # no mapping
        except (SafetensorError, OSError, ValueError, KeyError, TypeError) as error:
            raise self._damaged(error) from error
        _restore(group, tensors, about)
        return True

    def _require_seal(self, path: Path) -> None:
        if seal_of(path, do=ANEW) is None:
            raise self._damaged(ValueError(f"{path.name} has no seal"))

    def _read_settings(self) -> dict[str, Any]:
        self._require_seal(self._settings_path)
        try:
            content: dict[str, Any] = json.loads(self._settings_path.read_text())
            return {"settings": content["settings"], "parts": content["parts"]}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise self._damaged(error) from error

    @property
    def _settings_path(self) -> Path:
        return self.folder / "settings.json"

    def _path(self, members: slice) -> Path:
        return self.folder / f"members-{members.start:03}-{members.stop - 1:03}.safetensors"

    def _damaged(self, error: Exception) -> MixzError:
        return MixzError(
            f"the checkpoint in {self.folder} is damaged: {error}",
            "files that mixz wrote",
            ANEW,
        )


def _restore(group: Group, tensors: dict[str, torch.Tensor], about: dict[str, Any]) -> None:
    device = group.machine.torch_device
    group.epoch = about["epoch"]
    pairs = zip(tensors.pop(LOSSES).tolist(), about["epochs_run"], strict=True)
    group.losses = [losses[:count] for losses, count in pairs]
    group.running = torch.tensor(about["running"], dtype=torch.long)
    group.best_epoch = torch.tensor(about["best_epoch"])
    group.lost_after = torch.tensor(about["lost_after"])
    group.best = {name: w.to(device) for name, w in _below(BEST, tensors).items()}
    finite = [[loss for loss in losses if isfinite(loss)] for losses in group.losses]
    group.best_loss = torch.tensor([min(losses, default=torch.inf) for losses in finite])
    memory: dict[str, dict[str, torch.Tensor]] = {}
    for name, value in _below(MEMORY, tensors).items():
        weight, _, key = name.rpartition("/")
        memory.setdefault(weight, {})[key] = value
    if len(group.running):
        group.restack(_below(TRAINABLE, tensors), memory)


def _below(prefix: str, tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def _differences(there: Any, here: Any, place: str = "") -> list[str]:
    """List where two JSON trees differ.

    >>> _differences({"step": {"lr": 0.1}, "seed": 1}, {"step": {"lr": 0.2}, "seed": 1})
    ['step.lr: 0.1, 0.2']
    """
    if isinstance(there, dict) and isinstance(here, dict):
        names = dict.fromkeys([*there, *here])
        return [
            line
            for name in names
            for line in _differences(there.get(name), here.get(name), f"{place}.{name}" if place else str(name))
        ]
    return [] if there == here else [f"{place}: {json.dumps(there)}, {json.dumps(here)}"]
