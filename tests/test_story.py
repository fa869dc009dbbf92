"""One story from files to report, told by the verbs as a person would use them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from mixz import stages
from mixz.data.data_set.galaxies_file import read_galaxies
from mixz.data.tables import read_table, write_table
from mixz.errors import MixzError
from mixz.model.folder import load_model
from mixz.report.model_card import NOT_JUDGED
from mixz.report.screen import ledger_table, metrics_tables, ratio_lines
from mixz.settings.file import load_config


def test_files_to_report(toy_settings: dict[str, Any], write_config: Any, tmp_path: Path, console: Console) -> None:
    config = load_config(write_config(toy_settings))
    out = tmp_path / "out" / "toy"

    ledger = stages.build(config)
    assert ledger_table(ledger.entries).row_count == 5
    assert json.loads((out / "cuts.json").read_text())[0]["rows_in"] == 400

    assert [p.name for p in stages.train(config, console)] == ["base", "spec", "tl", "combo"]
    base, tl = (load_model(out / "models" / name) for name in ("base", "tl"))
    for name, weight in tl.weights.items():
        frozen = name.startswith(("hidden.0", "hidden.1"))
        assert bool((weight == base.weights[name]).all()) == frozen, "freeze: 2 keeps two layers bit for bit"
    assert tl.provenance["galaxies"]["spec"]["train"] > 150
    assert NOT_JUDGED in (out / "models" / "tl" / "MODEL_CARD.md").read_text()

    records = stages.evaluate(config, console)
    assert json.loads((out / "metrics.json").read_text())[0].keys() == records[0].keys()
    assert {(r["recipe"], r["truth"]) for r in records} == {
        (recipe, truth) for recipe in ("base", "spec", "tl", "combo") for truth in ("many_band", "spec")
    }
    assert len(metrics_tables(records, z_range="all")) == 2
    assert ratio_lines(records)[0].startswith("base / tl on spec, 0.3-1.5: |bias| ")

    page, *figures = stages.report(config, console)
    names = ("figure_1_distributions", "figure_2_predictions", "figure_3_metrics", "residuals", "redshifts", "training")
    assert sorted(p.name for p in figures) == sorted(f"{name}.{ending}" for name in names for ending in ("png", "pdf"))
    assert all(p.stat().st_size > 5_000 for p in figures)
    assert page == out / "report.html"
    assert 500_000 < page.stat().st_size < 10_000_000
    assert "How good it is" in (out / "models" / "tl" / "MODEL_CARD.md").read_text()

    both = stages.compare([tmp_path / "toy.yaml", out], tmp_path / "both.html", console).read_text()
    assert "toy (1): tl" in both, "the run from its config"
    assert "toy (2): tl" in both, "the same from its folder alone"
    with pytest.raises(MixzError, match="run `mixz build` first"):
        stages.compare([out, tmp_path], tmp_path / "none.html", console)
    with pytest.raises(MixzError, match="ends in .html"):
        stages.compare([out, out], tmp_path / "both.pdf", console)
    assert not (tmp_path / "none.html").exists()

    wide = pd.read_csv(tmp_path / "wide.csv")
    wide.loc[3, "mag_g"] = 99
    write_table(wide, tmp_path / "new.fits")
    lost = stages.predict(out / "models" / "tl", tmp_path / "new.fits", tmp_path / "photoz.ecsv", console)
    photoz = read_table(tmp_path / "photoz.ecsv")
    assert lost == int(photoz["z_phot"].isna().sum()) == 1
    assert photoz["object_id"].tolist() == wide["object_id"].tolist()
    galaxies = read_galaxies(out / "galaxies.parquet")
    same = tl.predict(galaxies.rows(galaxies.object_id == "wide-7")).z_phot[0]
    assert photoz["z_phot"][7] == pytest.approx(same, abs=1e-6)


def test_a_stage_refuses_what_other_settings_made(
    toy_settings: dict[str, Any], write_config: Any, console: Console
) -> None:
    def config(**changes: Any) -> Any:
        return load_config(write_config(toy_settings | {"recipes": ["base"]} | changes))

    with pytest.raises(MixzError, match="run `mixz build` first"):
        stages.train(config(), console)
    stages.build(config())
    with pytest.raises(MixzError, match="run `mixz build` again"):
        stages.train(config(split={"seed": 3}), console)
    with pytest.raises(MixzError, match="run `mixz train` first"):
        stages.evaluate(config(), console)
    stages.train(config(), console)
    with pytest.raises(MixzError, match="run `mixz train` again"):
        stages.evaluate(config(seed=4), console)
    with pytest.raises(MixzError, match="run `mixz evaluate` first"):
        stages.report(config(), console)
    with pytest.raises(MixzError, match="recipe 'tl' is not in the config"):
        stages.train(config(), console, recipes=["tl"])


def test_a_simulation_is_judged_against_the_truth_too(
    toy_settings: dict[str, Any], write_config: Any, tmp_path: Path, console: Console
) -> None:
    for name in ("deep.parquet", "wide.csv"):
        table = read_table(tmp_path / name)
        write_table(table.assign(z_true=table.filter(regex="^z_").iloc[:, 0]), tmp_path / name)
    for table in toy_settings["tables"]:
        table["truths"]["true"] = "z_true"
    config = load_config(write_config(toy_settings | {"recipes": ["combo"]}))
    stages.build(config)
    stages.train(config, console)
    records = stages.evaluate(config, console)
    assert {(r["truth"], r["sample"]) for r in records} == {
        ("many_band", "test"),
        ("spec", "test"),
        ("true", "test many_band"),
        ("true", "test spec"),
    }
    by = {(r["truth"], r["sample"], r["z_range"], r["metric"]): r["mean"] for r in records}
    assert by["spec", "test", "all", "rms"] == pytest.approx(by["true", "test spec", "all", "rms"])


def test_training_again_gives_the_same_model(toy_settings: dict[str, Any], write_config: Any, console: Console) -> None:
    config = load_config(write_config(toy_settings | {"recipes": ["tl"]}))
    stages.build(config)
    first = [load_model(p).weights for p in stages.train(config, console)]
    again = [load_model(p).weights for p in stages.train(config, console)]
    for name, weight in first[0].items():
        assert np.array_equal(weight.numpy(), again[0][name].numpy())
