"""`model.json`: what a model folder says of itself, typed, bounded and checked against its files; needs no torch."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, ValidationError, model_validator

from mixz.digest import digest_of_file, seal_of, stamp
from mixz.errors import MixzError
from mixz.settings.network import Network
from mixz.settings.recipe import Step
from mixz.strict import Strict

if TYPE_CHECKING:
    from pathlib import Path

FORMAT = 8
"""Version of the model folder; folders of other versions are refused."""
RECORD, WEIGHTS, HISTORY, CARD = "model.json", "weights.safetensors", "history.json", "MODEL_CARD.md"
MOST_MEMBERS = 10_000
MOST_BYTES = 64 * 2**20
"""No ``model.json`` is longer."""
AGAIN = "train it again, or write it again from where it was made"

Word = Annotated[str, Field(max_length=200)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class ModelRecord(Strict):
    """What ``model.json`` holds.

    Parameters
    ----------
    format
        The version of the folder.
    bands, ref_band, systems, seed, provenance, held_out
        As `mixz.Ensemble` has them.
    members, numbers, lost
        How many networks there are, their numbers, and which were left out.
    network, steps
        What each network is, and what it has been through.
    fitted
        What was fitted once training was done.
    files
        The digests of the other files.
    seal
        Of this one (`mixz.digest`).
    """

    format: int
    bands: Annotated[tuple[Annotated[Word, Field(min_length=1)], ...], Field(min_length=1, max_length=1000)]
    ref_band: Word
    systems: Annotated[tuple[Word, ...], Field(min_length=1, max_length=1000)]
    members: Annotated[int, Field(ge=1, le=MOST_MEMBERS)]
    numbers: Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(max_length=MOST_MEMBERS)]
    lost: tuple[dict[Literal["member", "step", "epoch"], int], ...]
    seed: Annotated[int, Field(ge=0)]
    network: Network
    steps: Annotated[tuple[Step, ...], Field(max_length=1000)]
    provenance: dict[str, Any]
    held_out: dict[str, Any]
    fitted: tuple[Literal["calibration", "intervals", "support", "risk"], ...]
    files: dict[Literal["weights.safetensors", "history.json"], Sha256]
    seal: str

    @model_validator(mode="after")
    def _agrees(self) -> ModelRecord:
        for name in ("bands", "systems", "numbers", "fitted"):
            if len(set(getattr(self, name))) < len(getattr(self, name)):
                raise ValueError(f"{name} names something twice")
        if self.ref_band not in self.bands:
            raise ValueError(f"ref_band {self.ref_band!r} is none of the bands")
        if (own := self.network.own) and (self.bands[-len(own) :] != own or self.ref_band in own):
            raise ValueError(f"own_bands {', '.join(own)} are not the last of the bands, or one is the ref_band")
        if self.network.has_density and self.network.z_max is None:
            raise ValueError("network has densities without an end, z_max")
        if len(self.numbers) != self.members:
            raise ValueError(f"{self.members} members have {len(self.numbers)} numbers")
        if set(self.files) != {WEIGHTS, HISTORY}:
            raise ValueError(f"files lacks {WEIGHTS} or {HISTORY}")
        return self


def read_record(folder: Path) -> ModelRecord:
    """Read ``model.json``, once the whole folder is found as it was written.

    Raises
    ------
    MixzError
        There is no model, it is of another version, a byte of its files has changed, a file is missing or leads out of
        the folder, or what it says cannot be.
    """
    path = folder / RECORD
    if not path.is_file():
        raise MixzError(f"no model in {folder}", "a folder that `mixz train` wrote", "run `mixz train` first")
    require_inside(folder)
    told = _read_json(path)
    if told.get("format") != FORMAT:
        raise MixzError(
            f"{folder} is of model format {repr(told.get('format'))[:20]}, which another version of mixz wrote",
            f"format {FORMAT}",
            "train it again, or read it with that version",
        )
    if seal_of(path, do=AGAIN) is None:
        raise damaged(folder, f"{RECORD} has no seal")
    try:
        record = ModelRecord.model_validate(told)
    except (ValidationError, RecursionError) as error:
        raise damaged(folder, _first_line(error)) from error
    for name, digest in record.files.items():
        if not (folder / name).exists():
            raise damaged(folder, f"{name} is missing")
        if digest_of_file(folder / name) != digest:
            raise damaged(folder, f"{name} is not the file that {RECORD} was written with")
    return record


def require_inside(folder: Path) -> None:
    """Refuse a folder with links that lead out of it.

    Raises
    ------
    MixzError
        It has one.
    """
    home = folder.resolve()
    for path in folder.iterdir():
        if path.is_symlink() and not path.resolve().is_relative_to(home):
            raise MixzError(f"{path} is a link that leads out of its folder", "files", "put the file itself there")


def damaged(folder: Path, why: str) -> MixzError:
    """The error of a model whose files are not as they were written."""
    return MixzError(f"the model in {folder} is damaged: {why}", "a whole model folder", AGAIN)


def _read_json(path: Path) -> dict[str, Any]:
    if stamp(path)[2] > MOST_BYTES:
        raise damaged(path.parent, f"{path.name} is longer than {MOST_BYTES:,} bytes")
    try:
        told = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise damaged(path.parent, f"{path.name}: {_first_line(error)}") from error
    if not isinstance(told, dict):
        raise damaged(path.parent, f"{path.name} holds no settings")
    return told


def _first_line(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_input=False)[0]
        return f"{'.'.join(map(str, first['loc']))[:80]}: {first['msg'][:200]}".removeprefix(": ")
    return str(error).partition("\n")[0][:200]
