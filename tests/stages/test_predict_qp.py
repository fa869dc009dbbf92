"""`mixz predict --pdf` writes what the model says as a qp file, and refuses a model that has no densities."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from mixz.bridges.qp_files import read_qp, truth_in
from mixz.data.split import split_by_id
from mixz.errors import MixzError
from mixz.galaxies import GalaxySet
from mixz.model.fit import fit
from mixz.model.folder import save_model
from mixz.settings.network import Network
from mixz.settings.recipe import Recipe, Step
from mixz.stages import predict

pytest.importorskip("qp", reason="needs mixz[rail]")

BANDS = ("g", "r", "i", "z")


def model_and_table(toy: pd.DataFrame, tmp_path: Path, **network: Any) -> tuple[Path, Path]:
    frame = toy[:120].copy()
    mag = frame[[f"mag_{band}" for band in BANDS]].to_numpy()
    z = {"spec": frame["z_true"].to_numpy()}
    galaxies = GalaxySet(np.arange(120), BANDS, mag, np.full(mag.shape, 0.02), z, split_by_id(np.arange(120)))
    step = Step(truths=("spec",), epochs=2, batch_size=30)
    save_model(
        fit(galaxies, Recipe(steps=(step,), network=Network(hidden=(16,), **network)), members=2), tmp_path / "model"
    )
    frame.loc[5, "mag_g"] = np.nan
    frame.assign(object_id=[f"g{k}" for k in range(120)]).to_parquet(tmp_path / "table.parquet")
    return tmp_path / "model", tmp_path / "table.parquet"


def test_a_qp_file_says_what_the_model_says(toy: pd.DataFrame, tmp_path: Path) -> None:
    model, table = model_and_table(toy, tmp_path, head="binned", nodes=50)
    lost = predict(model, table, tmp_path / "z.hdf5", Console(quiet=True), pdf="interp")
    photoz = read_qp(tmp_path / "z.hdf5", object_id=np.array([f"g{k}" for k in range(120)]))
    assert lost == 1
    assert np.isnan(photoz.z_phot[5])
    assert photoz.z_phot_members.shape == (2, 120)
    assert list(truth_in(tmp_path / "z.hdf5")) == ["true"], "the table's own column z_true goes along"
    predict(model, table, tmp_path / "plain.hdf5", Console(quiet=True))
    with pytest.raises(MixzError, match="cannot be read"):
        read_qp(tmp_path / "plain.hdf5")


def test_points_have_no_densities_to_write(toy: pd.DataFrame, tmp_path: Path) -> None:
    model, table = model_and_table(toy, tmp_path)
    with pytest.raises(MixzError, match="without densities"):
        predict(model, table, tmp_path / "z.hdf5", Console(quiet=True), pdf="interp")
    assert not (tmp_path / "z.hdf5").exists()
