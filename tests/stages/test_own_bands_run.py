"""A run in which one survey has a band more: it is judged with it and without, and asked with what a table has."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from mixz import predict_table, stages
from mixz.bridges.model_columns import Asked
from mixz.bridges.models import open_model
from mixz.data.build import build_galaxies
from mixz.data.tables import read_table
from mixz.errors import MixzError
from mixz.settings.file import load_config
from mixz.stages.store.results import Results


def with_u(settings: dict[str, Any], folder: Path, *, shift: float = 0.0) -> dict[str, Any]:
    """Give the wide toy survey a u band, not measured for every galaxy, and say which bands the tables have."""
    wide = pd.read_csv(folder / "wide.csv")
    wide["mag_u"] = wide["mag_g"] + 1.5 * wide["z_spec"] + shift
    wide["mag_err_u"] = 0.03
    wide.loc[::9, "mag_u"] = np.nan
    wide.to_csv(folder / "wide.csv", index=False)
    first, second = settings["tables"]
    return settings | {
        "bands": ["u", "g", "r", "i", "z"],
        "recipes": ["base", "fused"],
        "network": {"hidden": [16, 16], "nodes": 40},
        "tables": [first | {"bands": ["g", "r", "i", "z"], "system": "deep"}, second],
    }


@pytest.fixture
def run(toy_settings: dict[str, Any], write_config: Any, tmp_path: Path) -> Results:
    config = load_config(write_config(with_u(toy_settings, tmp_path)))
    console = Console(file=io.StringIO())
    stages.build(config)
    stages.train(config, console)
    stages.evaluate(config, console, resamples=20)
    return Results(config)


def test_it_is_judged_with_its_own_bands_and_without(run: Results, tmp_path: Path) -> None:
    galaxies = run.read_galaxies()
    assert len(galaxies) == 700, "a band that not every table has is missing in no cut"
    assert np.isnan(galaxies.mag[galaxies.has("many_band"), 0]).all()
    assert run.read_model("fused").own_bands == ("u",)
    assert run.read_model("base").bands == ("g", "r", "i", "z")
    records = json.loads(run.metrics_path.read_text())
    records = records["records"] if isinstance(records, dict) else records
    found = {
        (r["recipe"], r["truth"], r["sample"]): r["ensemble"]
        for r in records
        if r["metric"] == "sigma_mad" and r["z_range"] == "all" and r.get("bin") is None
    }
    assert {key[1:] for key in found} == {("many_band", "test"), ("spec", "test"), ("spec", "test without u")}
    assert found["fused", "spec", "test"] != found["fused", "spec", "test without u"]
    assert found["base", "spec", "test"] == found["base", "spec", "test without u"]
    card = (run.model_path("fused") / "MODEL_CARD.md").read_text()
    assert "A galaxy needs g, r, i, z. Where it has u too" in card
    assert "test without u" in card
    stages.report(run.config, Console(file=io.StringIO()))

    model, said = run.model_path("fused"), io.StringIO()
    for name, system in (("wide.csv", "wide"), ("deep.parquet", "deep")):
        asked = Asked(system=system)
        stages.predict(
            model, tmp_path / name, tmp_path / f"{name}.out.parquet", Console(file=said, width=300), asked=asked
        )
    assert said.getvalue().count("is asked without u: it lacks columns of these bands") == 1
    assert "deep.parquet is asked without u" in said.getvalue()
    assert np.isfinite(read_table(tmp_path / "wide.csv.out.parquet")["z_phot"]).all()
    whole = read_table(tmp_path / "wide.csv.out.parquet")["z_phot"]
    wide = pd.read_csv(tmp_path / "wide.csv").drop(columns=["mag_u", "mag_err_u"])
    wide.to_csv(tmp_path / "griz.csv", index=False)
    stages.predict(
        model, tmp_path / "griz.csv", tmp_path / "griz.parquet", Console(file=said), asked=Asked(system="wide")
    )
    griz = read_table(tmp_path / "griz.parquet")["z_phot"]
    np.testing.assert_allclose(griz[::9], whole[::9], rtol=1e-5)
    assert not np.allclose(griz, whole)
    opened = open_model(model)
    shared = wide[[f"mag_{band}" for band in "griz"]].to_numpy()
    with pytest.warns(UserWarning, match="asked without u"):
        of_array = predict_table(opened, shared, system="wide")
    np.testing.assert_allclose(of_array, griz, rtol=1e-5)


def test_zero_points_are_put_right_once(toy_settings: dict[str, Any], write_config: Any, tmp_path: Path) -> None:
    right = with_u(toy_settings, tmp_path)
    config = load_config(write_config(right))
    there, _ = build_galaxies(config)
    wrong = with_u(toy_settings, tmp_path, shift=0.25)
    wrong["tables"][1] = wrong["tables"][1] | {"columns": {"zero_points": {"u": -0.25}}}
    config = load_config(write_config(wrong))
    again, _ = build_galaxies(config)
    np.testing.assert_allclose(again.mag, there.mag, atol=1e-5)
    assert config.build_digest() != load_config(write_config(right)).build_digest()
    stages.build(config)
    stages.train(config, Console(file=io.StringIO()), recipes=["fused"])
    results, said = Results(config), io.StringIO()
    model = open_model(results.model_path("fused"))
    wide = again.system == "wide"
    for table, output, system in (("wide.csv", "a.parquet", "wide"), (results.galaxies_path, "b.parquet", "wide")):
        stages.predict(
            results.model_path("fused"), tmp_path / table, tmp_path / output, Console(file=said, width=300),
            asked=Asked(system=system),
        )  # fmt: skip
    assert said.getvalue().count("zero points put right as in training [mag]: u -0.25") == 1
    expected = model.predict(again.rows(wide)).z_phot
    np.testing.assert_allclose(read_table(tmp_path / "a.parquet")["z_phot"], expected, rtol=1e-4)
    np.testing.assert_allclose(read_table(tmp_path / "b.parquet")["z_phot"][wide], expected, rtol=1e-4)


def test_a_column_that_a_table_is_said_to_have_is_missed(
    toy_settings: dict[str, Any], write_config: Any, tmp_path: Path
) -> None:
    settings = with_u(toy_settings, tmp_path)
    settings["tables"][0]["bands"] = ["u", "g", "r", "i", "z"]
    with pytest.raises(MixzError, match="deep.parquet has no column 'mag_u'"):
        build_galaxies(load_config(write_config(settings)))


def test_cuts_may_speak_of_own_bands(toy_settings: dict[str, Any], write_config: Any, tmp_path: Path) -> None:
    settings = with_u(toy_settings, tmp_path)
    settings["cuts"] = [{"name": "u_seen", "column": "mag_u", "max": 99, "missing": "keep"}]
    galaxies, _ = build_galaxies(load_config(write_config(settings)))
    assert len(galaxies) == 700
    settings["cuts"][0]["missing"] = "drop"
    with pytest.raises(MixzError, match="u_seen"):
        build_galaxies(load_config(write_config(settings)))
