"""`mixz predict --survey`: a survey's table as it is, and redshifts in its own names."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

import mixz
from mixz import stages
from mixz.bridges.model_columns import Asked
from mixz.errors import MixzError
from mixz.model.folder import save_model
from mixz.stages.predict import asked_of
from toy_survey import BANDS, toy_frame


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = toy_frame(300, seed=1)
    galaxies = mixz.GalaxySet(
        np.arange(300),
        BANDS,
        made[[f"mag_{b}" for b in BANDS]].to_numpy(),
        np.full((300, 4), np.nan),
        {"spec": made["z_true"].to_numpy()},
        mixz.split_by_id(np.arange(300), train=0.8, validation=0.2),
    )
    recipe = mixz.RECIPES["fused"].changed(
        network={"hidden": (8,), "nodes": 40}, training={"epochs": 2, "batch_size": 50, "truths": ("spec",)}
    )
    folder = tmp_path_factory.mktemp("survey") / "model"
    save_model(mixz.fit(galaxies, recipe, members=2), folder)
    return folder


def test_rubins_table_as_it_is(model: Path, tmp_path: Path) -> None:
    made = toy_frame(50, seed=2)
    rubin = pd.DataFrame({"objectId": 2**60 + np.arange(50), "coord_ra": 53.1, "coord_dec": -28.0})
    for band in BANDS:
        rubin[f"{band}_cModelFlux"] = 10 ** (0.4 * (31.4 - made[f"mag_{band}"]))
        rubin[f"{band}_cModelFluxErr"] = 1.0
    rubin["i_extendedness"] = 1.0
    rubin.to_parquet(tmp_path / "object.parquet")
    with pytest.raises(MixzError, match="it looks like a table of rubin_dp1: --survey rubin_dp1"):
        stages.predict(
            model, tmp_path / "object.parquet", tmp_path / "none.parquet", Console(quiet=True), asked=Asked()
        )
    made.to_parquet(tmp_path / "plain.parquet")
    for name, survey in (("object", "rubin_dp1"), ("plain", None)):
        asked = Asked() if survey is None else asked_of(survey, Asked())
        stages.predict(
            model,
            tmp_path / f"{name}.parquet",
            tmp_path / f"{name}_z.parquet",
            Console(quiet=True),
            asked=asked,
            survey=survey,
        )
    found, plain = (pd.read_parquet(tmp_path / f"{name}_z.parquet") for name in ("object", "plain"))
    assert found["objectId"].tolist() == rubin["objectId"].tolist()
    assert {"mixz_z_median", "mixz_z_mode", "mixz_z_best", "coord_ra"} <= set(found)
    np.testing.assert_allclose(found["mixz_z_median"], plain["zmedian"], atol=1e-3)


def test_what_is_asked_besides_goes_first() -> None:
    assert asked_of("rubin_dp1", Asked(flux="{band}_gaap1p0Flux")).flux == "{band}_gaap1p0Flux"
    assert asked_of("hsc_pdr3", Asked()).mag == "{band}_cmodel_mag"


@pytest.mark.parametrize(
    ("survey", "words"), [("rubin", "rubin_dp1"), ("euclid_q1", "one by one"), ("desi_dr1", "one by one")]
)
def test_surveys_that_will_not_do(survey: str, words: str) -> None:
    with pytest.raises(MixzError, match=words):
        asked_of(survey, Asked())
