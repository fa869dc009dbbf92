"""Model folders of the version before are carried over; others are refused with the reason."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import load_file, save_file
from toys import quick, toy_galaxies

from mixz.errors import MixzError
from mixz.model.ensemble import Ensemble
from mixz.model.migrate import FORMAT
from mixz.settings.network import Network
from mixz.settings.recipe import RECIPES

# What model.json of format 2 held of a network and a step.
NETWORK_2 = ("hidden", "skip", "inputs", "kind", "head", "draws", "kl_weight")
STEP_2 = (
    *("truths", "weights", "freeze", "adapter_rank", "pull", "optimiser", "lr", "lr_factor", "schedule", "warm_up"),
    *("batch_size", "epochs", "patience"),
)


@pytest.fixture
def ensemble() -> Ensemble:
    network = Network(hidden=(16, 12), inputs="whitened", head="gaussian")
    return Ensemble.fit(toy_galaxies(), quick(RECIPES["tl"]), network=network, members=2)


def as_format_2(folder: Path) -> None:
    """Write the folder as the version before did."""
    about = json.loads((folder / "model.json").read_text())
    for name in ("ref_band", "systems", "held_out", "fitted"):
        del about[name]
    about["format"] = 2
    about["network"] = {name: about["network"][name] for name in NETWORK_2}
    about["recipe"] = [{name: step[name] for name in STEP_2} for step in about["recipe"]]
    (folder / "model.json").write_text(json.dumps(about))
    tensors = load_file(folder / "weights.safetensors")
    kept = {n: t for n, t in tensors.items() if not n.startswith("inputs.") or n in ("inputs.offset", "inputs.matrix")}
    save_file(kept, folder / "weights.safetensors")


def test_the_version_before_says_the_same(ensemble: Ensemble, tmp_path: Path) -> None:
    ensemble.save(tmp_path / "model")
    as_format_2(tmp_path / "model")
    old = Ensemble.load(tmp_path / "model")
    assert (old.ref_band, old.systems, old.recipe) == ("i", ("",), ensemble.recipe)
    here, there = ensemble.predict(toy_galaxies()), old.predict(toy_galaxies())
    assert np.array_equal(here.z_phot_members, there.z_phot_members)
    assert here.z_sigma_members is not None
    assert there.z_sigma_members is not None
    assert np.array_equal(here.z_sigma_members, there.z_sigma_members)
    old.save(tmp_path / "new")
    assert json.loads((tmp_path / "new" / "model.json").read_text())["format"] == FORMAT


def as_format_3(folder: Path) -> None:
    """Write the folder as the version before held-out galaxies mended densities did."""
    about = json.loads((folder / "model.json").read_text())
    parts = about.pop("fitted")
    del about["held_out"], about["network"]["calibrate"]
    about["format"] = 3
    (folder / "model.json").write_text(json.dumps(about))
    tensors = load_file(folder / "weights.safetensors")
    kept = {n: t for n, t in tensors.items() if n.split(".")[0] not in parts}
    assert len(kept) < len(tensors)
    save_file(kept, folder / "weights.safetensors")


def test_format_3_says_the_same_uncalibrated(tmp_path: Path) -> None:
    network = Network(hidden=(16, 12), head="binned", nodes=40)
    galaxies = toy_galaxies(2_400)
    ensemble = Ensemble.fit(galaxies, quick(RECIPES["base"]), network=network, members=2).calibrated(galaxies)
    assert ensemble.calibration is not None
    ensemble.save(tmp_path / "model")
    as_format_3(tmp_path / "model")
    old = Ensemble.load(tmp_path / "model")
    assert (old.calibration, old.intervals, dict(old.held_out)) == (None, None, {})
    here = replace(ensemble, calibration=None, intervals=None).predict(galaxies)
    there = old.predict(galaxies)
    assert here.pdf is not None
    assert there.pdf is not None
    assert np.array_equal(here.pdf, there.pdf)
    assert np.array_equal(here.z_phot_members, there.z_phot_members)
    old.save(tmp_path / "new")
    assert json.loads((tmp_path / "new" / "model.json").read_text())["format"] == FORMAT


@pytest.mark.parametrize(
    ("number", "words"),
    [(1, "model format 1: .*\n.*\n.*train it again"), (FORMAT + 1, "a newer mixz wrote"), ('"x"', "format 'x'")],
)
def test_others_are_refused(number: object, words: str, ensemble: Ensemble, tmp_path: Path) -> None:
    ensemble.save(tmp_path / "model")
    text = (tmp_path / "model" / "model.json").read_text()
    (tmp_path / "model" / "model.json").write_text(text.replace(f'"format": {FORMAT}', f'"format": {number}'))
    with pytest.raises(MixzError, match=words):
        Ensemble.load(tmp_path / "model")
