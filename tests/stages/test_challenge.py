"""The DESC challenge's contract: its functions, its files, its refusals, on toy tables and on the mock."""

from __future__ import annotations

import inspect
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mixz.data.tables import read_table, write_table
from mixz.errors import MixzError
from mixz.model.folder import load_model
from mixz.stages import challenge
from mixz.surveys.desc_challenge import BANDS, TASK_SETS

qp = pytest.importorskip("qp", reason="needs mixz[rail]")


def toy_table(galaxies: int, *, seed: int, roman: bool = False) -> pd.DataFrame:
    """Make a table in the challenge's columns, redshifts written into the colours, nothing seen in u now and then."""
    rng = np.random.default_rng(seed)
    z = rng.uniform(0.05, 2, galaxies)
    columns = {"object_id": rng.permutation(galaxies) + 500, "redshift": z}
    names = [f"mag_{band}_lsst" for band in BANDS] + (["mag_H_roman"] if roman else [])
    for k, name in enumerate(names):
        columns[name] = 23 + rng.normal(0, 0.05, galaxies) - 0.4 * k * z
        columns[f"{name}_err"] = np.full(galaxies, 0.03)
    columns["mag_u_lsst"][::7] = np.nan
    columns["mag_u_lsst_err"][::7] = np.nan
    return pd.DataFrame(columns)


def with_many_band(table: pd.DataFrame) -> pd.DataFrame:
    """Turn two in three spectra into many-band redshifts, as in task sets 3 and 4."""
    many = np.arange(len(table)) % 3 > 0
    noisy = table["redshift"] + np.random.default_rng(0).normal(0, 0.02, len(table))
    return table.assign(
        redshift=table["redshift"].where(~many), redshift_manyband=noisy.clip(lower=0).where(many), flag_COSMOS2020=many
    )


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    test = toy_table(60, seed=2)
    tables = {
        "train": with_many_band(toy_table(200, seed=1)),
        "spectra": toy_table(200, seed=1),
        "test": test.drop(columns="redshift"),
        "truth": test[["redshift", "object_id"]].iloc[::-1],
    }
    for name, table in tables.items():
        write_table(table, tmp_path / f"{name}.hdf5")
    return {name: tmp_path / f"{name}.hdf5" for name in tables}


@pytest.mark.parametrize("task_set", TASK_SETS)
def test_the_functions_have_the_official_names_and_arguments(task_set: int) -> None:
    only = getattr(challenge, f"run_taskset_{task_set}_estimation_only")
    both = getattr(challenge, f"run_taskset_{task_set}_training_and_estimation")
    assert list(inspect.signature(only).parameters) == ["model_file", "test_file", "output_file"]
    assert list(inspect.signature(both).parameters) == ["train_file", "test_file", "output_file"]


@pytest.mark.parametrize("training", ["train", "spectra"])
def test_from_tables_to_points(files: dict[str, Path], training: str, tmp_path: Path) -> None:
    model = challenge.train(files[training], tmp_path / "pz_model_10yr.pkl", members=2, epochs=80)
    output = tmp_path / "outputs" / "pz_estimate.hdf5"
    challenge.run_taskset_3_estimation_only(str(model), str(files["test"]), str(output))
    ensemble = qp.read(str(output))
    asked = read_table(files["test"])
    assert np.squeeze(ensemble.ancil["zmode"]).shape == (60,)
    assert ensemble.ancil["object_id"].tolist() == asked["object_id"].tolist()
    score = challenge.score(output, files["truth"])
    assert score["n"] == 60
    assert score["points_max"] == 21
    assert score["points"] == sum(v for k, v in score.items() if k.startswith("points_") and k != "points_max")
    assert score["sigma_mad"] < 0.2, "redshifts are written into the colours: truth rows were matched by object_id"


def test_training_and_estimation_in_one(
    files: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(challenge, "MEMBERS", 1)
    monkeypatch.setattr(challenge, "EPOCHS", 2)
    output = tmp_path / "z.hdf5"
    challenge.run_taskset_4_training_and_estimation(files["train"], files["test"], output)
    assert qp.read(str(output)).npdf == 60


def test_romans_bands_are_used(tmp_path: Path) -> None:
    write_table(with_many_band(toy_table(120, seed=1, roman=True)), tmp_path / "t.hdf5")

    model = load_model(challenge.train(tmp_path / "t.hdf5", tmp_path / "m.mixz", members=1, epochs=1))
    assert "H_roman" in model.bands


def test_anyones_densities_are_scored(files: dict[str, Path], tmp_path: Path) -> None:
    truth = read_table(files["truth"])
    z_grid = np.linspace(0, 3, 301)
    hills = np.exp(-(((z_grid - truth["redshift"].to_numpy()[:, None]) / 0.05) ** 2) / 2)
    ancil = {"object_id": truth["object_id"].to_numpy(), "zmode": truth["redshift"].to_numpy()[:, None]}
    qp.interp.create_ensemble(xvals=z_grid, yvals=hills, ancil=ancil).write_to(str(tmp_path / "theirs.hdf5"))
    score = challenge.score(tmp_path / "theirs.hdf5", files["truth"])
    assert score["sigma_mad"] == 0
    assert score["sigma_mad_zbest"] < 0.01, "where a file has no zbest, it is that of its densities"
    assert score["cde_loss"] < -4


def test_bad_input_is_told(files: dict[str, Path], tmp_path: Path) -> None:
    write_table(read_table(files["train"])[["object_id", "redshift"]], tmp_path / "bare.hdf5")
    with pytest.raises(MixzError, match="mag_i_lsst"):
        challenge.train(tmp_path / "bare.hdf5", tmp_path / "m.mixz")
    with pytest.raises(MixzError, match="redshift"):
        challenge.train(files["test"], tmp_path / "m.mixz")
    model = challenge.train(files["train"], tmp_path / "m.mixz", members=1, epochs=1)
    challenge.estimate(model, files["test"], tmp_path / "z.hdf5")
    write_table(read_table(files["truth"]).iloc[1:], tmp_path / "fewer.hdf5")
    truth = read_table(files["truth"])
    for name, table, words in (
        ("named", truth.assign(object_id=[f"a{k}" for k in range(len(truth))]), "of other galaxies"),
        (
            "unknown",
            truth.assign(redshift=truth["redshift"].where(truth.index != 3)),
            "1 of 60 galaxies have no redshift",
        ),
        ("text", truth.assign(redshift="near"), "'near'"),
    ):
        write_table(table, tmp_path / f"{name}.hdf5")
        with pytest.raises(MixzError, match=words):
            challenge.score(tmp_path / "z.hdf5", tmp_path / f"{name}.hdf5")
    with pytest.raises(MixzError, match="of other galaxies"):
        challenge.score(tmp_path / "z.hdf5", tmp_path / "fewer.hdf5")
    (tmp_path / "mine").mkdir()
    with pytest.raises(MixzError, match="is a folder"):
        challenge.train(files["train"], tmp_path / "mine")
    with pytest.raises(MixzError, match="endings"):
        challenge.estimate(model, files["test"], tmp_path / "z.csv")


def test_the_terminal_shows_every_number_of_many_entries(files: dict[str, Path], tmp_path: Path) -> None:
    from rich.console import Console

    from mixz.report.scores import score_table

    model = challenge.train(files["train"], tmp_path / "m.mixz", members=1, epochs=1)
    challenge.estimate(model, files["test"], tmp_path / "z.hdf5")
    score = challenge.score(tmp_path / "z.hdf5", files["truth"])
    console = Console(width=80, record=True, quiet=False, file=StringIO())
    console.print(score_table({"fused": score, "someone else": score}))
    said = console.export_text()
    assert said.count(f"{score['points']}/21") == 2
    assert "abs_outlier_rate" in said
    assert "…" not in said
