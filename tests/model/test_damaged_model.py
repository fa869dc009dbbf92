"""A model that is not as it was written is refused: any bit of any file, any edit, any link, any strange file."""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from toys import HEADS, quick, toy_galaxies

from damage import expect_refusal
from mixz.digest import OPEN_SEAL, digest_of_file, seal
from mixz.errors import MixzError
from mixz.model.file import pack_model
from mixz.model.fit import fit
from mixz.model.folder import load_model, save_model
from mixz.settings.model_record import MOST_MEMBERS
from mixz.settings.recipe import RECIPES, Recipe

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with all that a model can have."""
    path = tmp_path_factory.mktemp("models") / "whole"
    recipe = Recipe(steps=quick(RECIPES["base"]).steps, network=HEADS["binned"])
    save_model(fit(toy_galaxies(4_000), recipe, members=2), path)
    return path


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    return shutil.copytree(made, tmp_path / "model")


def test_it_has_all_that_can_be_damaged(made: Path) -> None:
    assert json.loads((made / "model.json").read_text())["fitted"] == ["calibration", "intervals", "support", "risk"]


@pytest.mark.parametrize("name", ["model.json", "weights.safetensors", "history.json"])
def test_no_damaged_file_of_a_folder_is_read(name: str, folder: Path) -> None:
    assert expect_refusal(folder / name, lambda: load_model(folder)) > 15
    (folder / name).unlink()
    with pytest.raises(MixzError):
        load_model(folder)


def test_no_damaged_model_file_is_read(folder: Path, tmp_path: Path) -> None:
    pack_model(folder, tmp_path / "a.mixz")
    assert expect_refusal(tmp_path / "a.mixz", lambda: load_model(tmp_path / "a.mixz")) > 15


def test_files_of_another_model_are_refused(folder: Path, made: Path) -> None:
    other = fit(toy_galaxies(), Recipe(steps=quick(RECIPES["base"]).steps, network=HEADS["binned"]), members=2)
    save_model(other, folder)
    shutil.copy(made / "weights.safetensors", folder)
    with pytest.raises(MixzError, match=r"weights\.safetensors is not the file that model\.json was written with"):
        load_model(folder)


def edited(folder: Path, change: Callable[[dict[str, Any]], object], tensors: dict[str, torch.Tensor]) -> None:
    """Change a model as somebody would who closes its seal again."""
    if tensors:
        weights = load_file(folder / "weights.safetensors")
        save_file(weights | tensors, folder / "weights.safetensors")
    told = json.loads((folder / "model.json").read_text())
    told |= {"seal": OPEN_SEAL, "files": {name: digest_of_file(folder / name) for name in told["files"]}}
    change(told)
    (folder / "model.json").write_text(json.dumps(told))
    seal(folder / "model.json")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"bands": ["g", "g", "i"]}, "bands names something twice"),
        ({"bands": ["g", "", "i"]}, "bands.1"),
        ({"bands": ["g", "r", "i", "z"]}, "wanted: "),
        ({"bands": "gri"}, "bands"),
        ({"ref_band": "K"}, "ref_band 'K' is none of the bands"),
        ({"systems": ["a", "b"]}, r"lacks or has too many of system\.1\.bias"),
        ({"systems": []}, "systems"),
        ({"members": 10**6, "numbers": [0, 1]}, f"less than or equal to {MOST_MEMBERS}"),
        ({"members": 9_000, "numbers": [*range(9_000)]}, "wanted: "),
        ({"members": 3}, "3 members have 2 numbers"),
        ({"members": "two"}, "members"),
        ({"numbers": [0, 0]}, "numbers names something twice"),
        ({"numbers": [0, 7]}, "not of these steps and members"),
        ({"seed": -1}, "seed"),
        ({"seed": 1.5}, "seed"),
        ({"seed": "none"}, "seed"),
        ({"seed": float("nan")}, "seed"),
        ({"network": {"hidden": [10_000, 16], "head": "binned", "z_max": 2}}, "wanted: "),
        ({"network": {"hidden": []}}, "network.hidden"),
        ({"network": {"colour": "red"}}, "unknown key 'colour'"),
        ({"steps": []}, "not of these steps and members"),
        ({"fitted": ["magic"]}, "fitted"),
        ({"fitted": []}, "too many of calibration"),
        ({"files": {}}, "files lacks"),
        ({"provenance": 1}, "provenance"),
        ({"more": 1}, "unknown key 'more'"),
    ],
)
def test_what_cannot_be_is_told_in_a_line(change: dict[str, Any], words: str, folder: Path) -> None:
    edited(folder, lambda told: told.update(change), {})
    with pytest.raises(MixzError, match=words) as told:
        load_model(folder)
    assert "\n" not in told.value.given
    assert len(told.value.given) < 600


@pytest.mark.parametrize(
    ("name", "tensor", "words"),
    [
        ("support.limit", torch.tensor([1.0, torch.nan]), "support.limit holds what is no number"),
        ("support.by_spectra", torch.zeros(4_001, 3), "support.by_spectra has shape"),
        ("calibration.mag", torch.zeros(2, 2), "calibration.mag has shape"),
        ("calibration.knots", torch.zeros(3), "calibration.height has shape"),
        ("intervals.reach", torch.zeros(9, 3, dtype=torch.float64), "intervals.reach has shape"),
        ("hidden.0.weight", torch.zeros(2, 9, 17), "hidden.0.weight has shape"),
        ("hidden.0.bias", torch.full((2, 1, 16), torch.inf), "hidden.0.bias holds what is no number"),
        ("inputs.mean", torch.zeros(3, dtype=torch.int64), "inputs.mean holds I64"),
        ("hidden.9.weight", torch.zeros(1), "too many of hidden.9.weight"),
    ],
)
def test_numbers_that_cannot_be_are_told_in_a_line(name: str, tensor: torch.Tensor, words: str, folder: Path) -> None:
    edited(folder, lambda _: None, {name: tensor})
    with pytest.raises(MixzError, match=words) as told:
        load_model(folder)
    assert "\n" not in told.value.given


def test_what_an_honest_edit_writes_is_read(folder: Path, made: Path) -> None:
    """That the tests above fail for their own reasons."""
    edited(folder, lambda _: None, {})
    photoz = [load_model(path).predict(toy_galaxies()).pdf for path in (folder, made)]
    np.testing.assert_array_equal(*photoz)


@pytest.mark.parametrize("name", ["weights.safetensors", "history.json", "model.json", "extra"])
def test_links_that_lead_out_of_the_folder_are_refused(name: str, folder: Path, made: Path) -> None:
    (folder / name).unlink(missing_ok=True)
    (folder / name).symlink_to(made / (name if name != "extra" else "model.json"))
    with pytest.raises(MixzError, match=f"{name} is a link that leads out of its folder"):
        load_model(folder)
    with pytest.raises(MixzError, match="leads out"):
        pack_model(folder, folder.parent / "a.mixz")


def test_links_inside_and_to_the_folder_are_followed(folder: Path) -> None:
    (folder / "weights.safetensors").rename(folder / "w")
    (folder / "weights.safetensors").symlink_to("w")
    (folder.parent / "link").symlink_to(folder)
    assert load_model(folder.parent / "link").members == 2


@pytest.mark.parametrize("name", ["model.json", "weights.safetensors", "history.json"])
def test_nobody_waits_at_a_pipe(name: str, folder: Path) -> None:
    (folder / name).unlink()
    os.mkfifo(folder / name)
    with pytest.raises(MixzError, match=r"no model in|is no plain file"):
        load_model(folder)
    with pytest.raises(MixzError):
        load_model(folder / name)


@pytest.mark.parametrize(
    ("fill", "words"),
    [
        (lambda a: a.writestr("notes.txt", "x"), "notes.txt"),
        (lambda a: a.writestr("history.json", "[]", zipfile.ZIP_DEFLATED), "history.json"),
        (lambda a: a.mkdir("folder"), "folder"),
    ],
)
def test_model_files_hold_nothing_else(fill: Callable[[zipfile.ZipFile], None], words: str, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.mixz", "w") as archive:
        archive.writestr("model.json", "{}")
        fill(archive)
        archive.comment = OPEN_SEAL.encode()
    seal(tmp_path / "a.mixz")
    with pytest.raises(MixzError, match=f"no model file: it holds {words}"):
        load_model(tmp_path / "a.mixz")


def test_a_model_names_its_galaxies(made: Path) -> None:
    assert load_model(made).provenance["galaxies_digest"] == toy_galaxies(4_000).digest()
