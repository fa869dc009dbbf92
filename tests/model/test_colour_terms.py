"""Photometric systems: colour terms known beforehand are where adapters start, and adapters learn what is not known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from rich.console import Console

from mixz import stages
from mixz.bridges.model_columns import Asked
from mixz.data.split import split_by_id
from mixz.errors import MixzError
from mixz.galaxies import GalaxySet
from mixz.model.colour_terms import magnitudes_in_common
from mixz.model.ensemble import Ensemble
from mixz.model.fit import fit
from mixz.model.folder import load_model, save_model
from mixz.model.initial import untrained
from mixz.model.inputs.features import Features, Photometry
from mixz.settings.file import load_config
from mixz.settings.network import Network
from mixz.settings.recipe import Recipe, Step

BANDS = ("g", "r", "i")
TURN, SHIFT = {"g": ("g", "r", -0.25), "r": ("r", "i", 0.15)}, {"g": 0.08, "r": -0.05, "i": 0.02}
KNOWN = {"other": {b: {"colour": TURN[b][:2], "slope": TURN[b][2], "offset": SHIFT[b]} for b in TURN}}
KNOWN["other"]["i"] = {"colour": ("r", "i"), "slope": 0.0, "offset": SHIFT["i"]}
TRAINING = {"epochs": 30, "batch_size": 100, "lr": 5e-3, "schedule": "one_cycle"}


def in_common(mag: np.ndarray) -> np.ndarray:
    """Carry magnitudes of the other system into the common one, as the simulation has it."""
    out = mag + np.array([SHIFT[b] for b in BANDS])
    for band, (first, second, slope) in TURN.items():
        out[:, BANDS.index(band)] += slope * (mag[:, BANDS.index(first)] - mag[:, BANDS.index(second)])
    return out


def two_systems(count: int = 3000, *, seed: int = 0) -> tuple[GalaxySet, np.ndarray]:
    """Simulate galaxies of which a third are seen in another system; give their magnitudes in the common one too."""
    rng = np.random.default_rng(seed)
    z = rng.uniform(0.1, 1.2, count)
    kind = rng.normal(0, 0.1, count)
    common = rng.uniform(19, 22, count)[:, None] + np.stack(
        [1.8 * z + kind, 0.8 * np.sin(2.5 * z) + kind / 2, 0 * z], 1
    )
    common = common + rng.normal(0, 0.01, common.shape)
    other = np.arange(count) % 3 == 0
    # The magnitudes in the other system are those that its colour terms carry into the common one.
    turn = np.eye(3)
    for band, (first, second, slope) in TURN.items():
        turn[BANDS.index(first), BANDS.index(band)] += slope
        turn[BANDS.index(second), BANDS.index(band)] -= slope
    theirs = (common - [SHIFT[b] for b in BANDS]) @ np.linalg.inv(turn)
    mag = np.where(other[:, None], theirs, common)
    ids = np.arange(count)
    galaxies = GalaxySet(
        ids, BANDS, mag, np.full(mag.shape, 0.01), {"spec": z}, split_by_id(ids), np.where(other, "other", "common")
    )
    np.testing.assert_allclose(in_common(galaxies.mag[other]), common[other], atol=1e-4)
    return galaxies, common


def network(**more: Any) -> Network:
    return Network(hidden=(40, 40), inputs="whitened", head="binned", nodes=60, z_max=1.5, systems=True, **more)


@pytest.mark.parametrize("inputs", ["minmax", "whitened"])
def test_adapters_start_at_the_terms(inputs: Any) -> None:
    galaxies, common = two_systems(300)
    shape = network(colour_terms=KNOWN).model_copy(update={"inputs": inputs})
    model = untrained(galaxies, Recipe(steps=(Step(truths=("spec",)),), network=shape), members=2)
    assert model.features.systems == ("common", "other")
    other = galaxies.system == "other"
    carried = magnitudes_in_common(model.weights, model.features, torch.tensor(galaxies.mag[other]), 1)
    np.testing.assert_allclose(carried[1], common[other], atol=2e-3)


def test_the_common_system_is_the_one_without_terms() -> None:
    galaxies, _ = two_systems(300)
    terms = {"common": KNOWN["other"]}
    model = untrained(galaxies, Recipe(steps=(Step(truths=("spec",)),), network=network(colour_terms=terms)), members=1)
    assert model.features.systems == ("other", "common")
    both = network(colour_terms=KNOWN | terms)
    with pytest.raises(MixzError, match="of all but one of the systems"):
        untrained(galaxies, Recipe(steps=(Step(truths=("spec",)),), network=both), members=1)


@pytest.fixture(scope="module")
def models() -> dict[str, Ensemble]:
    galaxies, _ = two_systems()
    step = Step(truths=("spec",), **TRAINING)
    shapes = {"learned": network(system_spread=1.0), "known": network(colour_terms=KNOWN, system_spread=0.05)}
    shapes["blind"] = shapes["learned"].model_copy(update={"systems": False})
    return {
        name: fit(galaxies, Recipe(steps=(step,), network=shape), members=2, seed=1) for name, shape in shapes.items()
    }


def scatter(model: Ensemble, galaxies: GalaxySet) -> float:
    dz = (model.predict(galaxies).z_phot - galaxies.z["spec"]) / (1 + galaxies.z["spec"])
    return float(1.4826 * np.median(np.abs(dz - np.median(dz))))


def test_an_adapter_finds_what_moves_redshifts(models: dict[str, Ensemble]) -> None:
    """Only what moves redshifts can be learned: the same galaxies in both systems must get the same ones."""
    galaxies, common = two_systems(seed=1)
    other = galaxies.rows(galaxies.system == "other")
    twins = replace(other, mag=common[galaxies.system == "other"], system=np.full(len(other), "common"))
    blind = replace(other, system=np.full(len(other), "common"))
    for name in ("learned", "known"):
        at = models[name].predict(twins).z_phot
        adapted, unadapted = (np.abs(models[name].predict(g).z_phot - at).mean() for g in (other, blind))
        assert adapted < unadapted / 3


def test_a_model_of_both_is_as_good_as_of_one(models: dict[str, Ensemble]) -> None:
    galaxies, common = two_systems(seed=1)
    one = GalaxySet(galaxies.object_id, BANDS, common, galaxies.mag_err, galaxies.z, galaxies.split)
    step = Step(truths=("spec",), **TRAINING)
    trained_on = two_systems()
    single = GalaxySet(
        trained_on[0].object_id, BANDS, trained_on[1], trained_on[0].mag_err, trained_on[0].z, trained_on[0].split
    )
    alone = fit(
        single, Recipe(steps=(step,), network=network().model_copy(update={"systems": False})), members=2, seed=1
    )
    best = scatter(alone, one)
    other = galaxies.rows(galaxies.system == "other")
    assert scatter(models["known"], other) < 1.25 * best
    assert scatter(models["learned"], other) < 1.5 * best
    assert scatter(models["blind"], other) > 1.5 * best


def test_what_is_known_is_saved_and_held_to(models: dict[str, Ensemble], tmp_path: Path) -> None:
    model = models["known"]
    save_model(model, tmp_path / "model")
    again = load_model(tmp_path / "model")
    assert again.network.colour_terms == model.network.colour_terms
    for part in ("weight", "bias"):
        prior, now = again.weights[f"prior.system.1.{part}"], again.weights[f"system.1.{part}"]
        assert not torch.equal(prior, now)
        assert (prior - now).abs().max() < 0.3
    photometry = Photometry.of(two_systems(10)[0], ("g", "r", "i"), systems=model.features.systems)
    assert torch.equal(model.features(photometry), again.features(photometry))
    assert isinstance(again.features, Features)


@pytest.fixture
def run(toy_settings: dict[str, Any], write_config: Any, console: Console) -> Path:
    """Train a model of two systems by a config, and give its folder."""
    terms = {"wide": {"g": {"colour": ["g", "r"], "slope": 0.0, "offset": -0.05}}}
    toy_settings["tables"][0]["system"] = "deep"
    toy_settings["networks"] = {"fused": {"hidden": [16], "nodes": 30, "colour_terms": terms}}
    toy_settings["recipes"] = ["fused"]
    config = load_config(write_config(toy_settings))
    stages.build(config)
    return stages.train(config, console)[0]


def test_predict_names_the_system(run: Path, tmp_path: Path, console: Console) -> None:
    table, out = tmp_path / "wide.csv", tmp_path / "z.csv"
    found = {}
    for system in ("deep", "wide"):
        stages.predict(run, table, out, console, asked=Asked(system=system))
        found[system] = pd.read_csv(out)["z_phot"].to_numpy()
    assert not np.array_equal(found["deep"], found["wide"])
    for wrong, said in ((None, "no photometric system"), ("wid", "'wid'.*\n.*deep, wide.*\n.*nearest name: 'wide'")):
        with pytest.raises(MixzError, match=said):
            stages.predict(run, table, out, console, asked=Asked(system=wrong))


def test_with_one_system_it_is_left_out(
    toy_settings: dict[str, Any], write_config: Any, tmp_path: Path, console: Console
) -> None:
    toy_settings["recipes"] = ["base"]
    config = load_config(write_config(toy_settings))
    stages.build(config)
    (path,) = stages.train(config, console)
    stages.predict(path, tmp_path / "wide.csv", tmp_path / "z.csv", console)
    with pytest.raises(MixzError, match="leave out --system"):
        stages.predict(path, tmp_path / "wide.csv", tmp_path / "z.csv", console, asked=Asked(system="wide"))


@pytest.mark.parametrize(
    ("network", "said"),
    [
        ({"colour_terms": KNOWN}, "set systems: true"),
        ({"systems": True, "colour_terms": KNOWN}, "system 'other' is none of the tables': , wide|'other' is none"),
        ({"systems": True, "colour_terms": {"wide": {"Y": {"colour": ["g", "r"], "slope": 0}}}}, "band 'Y' is none of"),
        ({"systems": True, "colour_terms": {"wide": 3}}, "write {system: {band:"),
        ({"systems": True, "colour_terms": {"wide": {"g": {"slope": 0}}}}, "colour"),
    ],
)
def test_mistakes_are_named(network: Any, said: str, toy_settings: dict[str, Any], write_config: Any) -> None:
    plain = {s: {b: t | {"colour": list(t["colour"])} for b, t in v.items()} for s, v in KNOWN.items()}
    if network.get("colour_terms") is KNOWN:
        network = network | {"colour_terms": plain}
    with pytest.raises(MixzError, match=said):
        load_config(write_config(toy_settings | {"network": network}))
