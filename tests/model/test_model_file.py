"""A model in one file is the model; what is no model file is refused."""

from __future__ import annotations

import json
import pickle
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
from toys import HEADS, quick, toy_galaxies

from mixz.errors import MixzError
from mixz.model.file import pack_model, unpacked_model
from mixz.model.fit import fit
from mixz.model.folder import load_model, save_model
from mixz.settings.model_record import FORMAT
from mixz.settings.recipe import RECIPES, Recipe


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "base"
    save_model(
        fit(toy_galaxies(), Recipe(steps=quick(RECIPES["base"]).steps, network=HEADS["binned"]), members=2), path
    )
    return path


def test_the_file_is_the_model(folder: Path, tmp_path: Path) -> None:
    for name in ("a.mixz", "b.pkl"):
        pack_model(folder, tmp_path / name)
    assert (tmp_path / "a.mixz").read_bytes() == (tmp_path / "b.pkl").read_bytes()
    one, other = load_model(folder), load_model(tmp_path / "b.pkl")
    np.testing.assert_array_equal(one.predict(toy_galaxies()).pdf, other.predict(toy_galaxies()).pdf)


def test_what_is_no_model_file_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(MixzError, match="no model in"):
        pack_model(tmp_path, tmp_path / "a.mixz")
    (tmp_path / "pickle.pkl").write_bytes(pickle.dumps({"weights": 1}))
    with pytest.raises(MixzError, match="no model file"), unpacked_model(tmp_path / "pickle.pkl"):
        pass
    pack_model(folder, tmp_path / "a.mixz")
    whole = (tmp_path / "a.mixz").read_bytes()
    (tmp_path / "half.mixz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(MixzError, match="no model file"):
        load_model(tmp_path / "half.mixz")


@pytest.mark.parametrize("name", ["../escaped.txt", "/tmp/escaped.txt", "folder/escaped.txt"])
def test_no_member_leaves_its_folder(name: str, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "evil.mixz", "w") as archive:
        archive.writestr("model.json", "{}")
        archive.writestr(name, "out of the box")
    with pytest.raises(MixzError, match=r"escaped\.txt"):
        load_model(tmp_path / "evil.mixz")


@pytest.mark.parametrize("number", [5, 6, "old"])
def test_folders_of_other_formats_are_refused(number: object, folder: Path, tmp_path: Path) -> None:
    other = shutil.copytree(folder, tmp_path / "other")
    about = json.loads((other / "model.json").read_text())
    (other / "model.json").write_text(json.dumps(about | {"format": number}))
    with pytest.raises(MixzError, match=f"is of model format {number!r}(?s:.*)allowed: format {FORMAT}"):
        load_model(other)


def test_the_name_says_whether_a_model_is_a_file(folder: Path, tmp_path: Path) -> None:
    model = load_model(folder)
    save_model(model, tmp_path / "a.mixz")
    save_model(model, tmp_path / "a")
    assert (tmp_path / "a.mixz").is_file()
    np.testing.assert_array_equal(
        load_model(tmp_path / "a.mixz").predict(toy_galaxies()).pdf,
        load_model(tmp_path / "a").predict(toy_galaxies()).pdf,
    )
