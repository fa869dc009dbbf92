"""Every way to a finished model gives the same one from the same rows: train, Python, RAIL, challenge, scikit-learn."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
import yaml
from rich.console import Console

import mixz
from mixz import stages
from mixz.model.folder import FITTED_AFTERWARDS, load_model
from mixz.stages import challenge
from mixz.stages.inform import NETWORK, recipe_for

if TYPE_CHECKING:
    from pathlib import Path

    from mixz.model.ensemble import Ensemble

BANDS = ("g", "r", "i")
GALAXIES, MEMBERS, EPOCHS, SEED, VALIDATION = 2_600, 2, 1, 3, 0.15
COLUMNS = {"mag": "mag_{band}_lsst", "mag_err": "mag_err_{band}_lsst", "object_id": "object_id"}
LABELS = {"spec": "redshift", "many_band": "redshift_manyband"}


def table(*truths: str) -> pd.DataFrame:
    """Galaxies whose colours tell their redshift; labels of one truth for all, or of two, of which one is noisy.

    Magnitudes have no errors: scikit-learn's tables cannot have any.
    """
    rng = np.random.default_rng(1)
    z = rng.uniform(0.05, 1.6, GALAXIES)
    frame = pd.DataFrame({"object_id": np.arange(GALAXIES)})
    for band, slope in zip(BANDS, (2.0, 1.0, 0.0), strict=True):
        frame[f"mag_{band}_lsst"] = rng.normal(22, 0.5, GALAXIES).astype(np.float32) + np.float32(slope) * z
        frame[f"mag_err_{band}_lsst"] = np.nan
    frame["redshift"] = z
    if "many_band" in truths:
        noisy = rng.random(GALAXIES) < 0.5
        frame["redshift"] = np.where(noisy, np.nan, z)
        frame["redshift_manyband"] = np.where(noisy, z + rng.normal(0, 0.02, GALAXIES), np.nan)
    return frame


def galaxies_of(frame: pd.DataFrame, truths: tuple[str, ...]) -> mixz.GalaxySet:
    ids = frame["object_id"].to_numpy()
    return mixz.GalaxySet(
        ids,
        BANDS,
        frame[[f"mag_{band}_lsst" for band in BANDS]].to_numpy(),
        np.full((len(ids), len(BANDS)), np.nan),
        {truth: frame[LABELS[truth]].to_numpy() for truth in truths},
        mixz.split_by_id(ids, train=1 - VALIDATION, validation=VALIDATION, seed=SEED),
    )


def recipe_of(galaxies: mixz.GalaxySet) -> mixz.Recipe:
    """What RAIL and the challenge train, whose networks bear missing bands: other doors are told of it here."""
    return recipe_for(galaxies, "fused", network={}, training={"epochs": EPOCHS})


@cache
def by_python(truths: tuple[str, ...]) -> Ensemble:
    galaxies = galaxies_of(table(*truths), truths)
    return mixz.fit(galaxies, recipe_of(galaxies), members=MEMBERS, seed=SEED)


def by_train(frame: pd.DataFrame, truths: tuple[str, ...], folder: Path) -> Ensemble:
    frame.to_parquet(folder / "table.parquet")
    recipe = recipe_of(galaxies_of(frame, truths)).model_dump(mode="json", exclude_unset=True)
    settings = {
        "name": "doors",
        "bands": list(BANDS),
        "tables": [{"path": "table.parquet", "columns": COLUMNS, "truths": {t: LABELS[t] for t in truths}}],
        "split": {"train": 1 - VALIDATION, "validation": VALIDATION, "test": 1e-12, "seed": SEED},
        "recipes": {"mine": recipe},
        "members": MEMBERS,
        "seed": SEED,
        "out": str(folder / "out"),
    }
    (folder / "doors.yaml").write_text(yaml.safe_dump(settings))
    config = mixz.load_config(folder / "doors.yaml")
    stages.build(config)
    (path,) = stages.train(config, Console(quiet=True))
    return load_model(path)


def by_challenge(frame: pd.DataFrame, _truths: tuple[str, ...], folder: Path) -> Ensemble:
    frame.to_parquet(folder / "training.parquet")
    made = challenge.train(folder / "training.parquet", folder / "model.pkl", members=MEMBERS, epochs=EPOCHS, seed=SEED)
    return load_model(made)


def by_rail(frame: pd.DataFrame, _truths: tuple[str, ...], _folder: Path) -> Ensemble:
    pytest.importorskip("rail.core", reason="needs mixz[rail]")
    from rail.estimation.algos.mixz import MixzInformer

    stage = MixzInformer.make_stage(
        name="doors",
        hdf5_groupname="",
        output_mode="return",
        bands=[f"mag_{band}_lsst" for band in BANDS],
        err_bands=[f"mag_err_{band}_lsst" for band in BANDS],
        members=MEMBERS,
        epochs=EPOCHS,
        seed=SEED,
        validation_fraction=VALIDATION,
    )
    made: Ensemble = stage.inform({name: frame[name].to_numpy() for name in frame})()
    return made


def by_scikit_learn(frame: pd.DataFrame, truths: tuple[str, ...], _folder: Path) -> Ensemble:
    pytest.importorskip("sklearn", reason="needs mixz[sklearn]")
    from mixz.bridges.sklearn_estimator import MixzRegressor

    regressor = MixzRegressor(
        recipe=recipe_of(galaxies_of(frame, truths)), members=MEMBERS, validation_fraction=VALIDATION, random_state=SEED
    )
    made: Ensemble = regressor.fit(frame[[f"mag_{b}_lsst" for b in BANDS]].to_numpy(), frame["redshift"]).ensemble_
    return made


def numbers_of(model: Ensemble) -> dict[str, Any]:
    """Everything a model predicts by, as arrays by name."""
    found = {name: np.asarray(weight) for name, weight in model.weights.items()}
    for part, (_, names) in FITTED_AFTERWARDS.items():
        fitted = getattr(model, part)
        assert fitted is not None, f"without {part} a model is not finished"
        found |= {f"{part}.{name}": np.asarray(getattr(fitted, name)) for name in names}
    return found


@pytest.mark.filterwarnings("default")  # RAIL's warnings are its own
@pytest.mark.parametrize(
    ("door", "truths"),
    [
        (by_train, ("spec", "many_band")),
        (by_challenge, ("spec", "many_band")),
        (by_rail, ("spec", "many_band")),
        (by_scikit_learn, ("spec",)),
    ],
)
def test_every_door_gives_the_same_model(
    door: Any, truths: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    frame = table(*truths)
    here, there = by_python(truths), door(frame, truths, tmp_path)
    assert here.held_out["calibrated"]
    assert there.held_out == here.held_out
    assert there.network == here.network
    assert there.network.asinh == NETWORK["asinh"]
    ours, theirs = numbers_of(here), numbers_of(there)
    assert ours.keys() == theirs.keys()
    for name, numbers in ours.items():
        np.testing.assert_array_equal(theirs[name], numbers, err_msg=name)
    asked = replace(galaxies_of(frame, truths), bands=there.bands)
    np.testing.assert_array_equal(there.predict(asked).pdf, here.predict(galaxies_of(frame, truths)).pdf)
