"""A run of `fused`: calibrated at the end of training, and its intervals and support flags in every table."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console

from mixz import stages
from mixz.bridges.model_columns import Asked
from mixz.data.tables import read_table
from mixz.settings.file import load_config
from mixz.stages.store.results import Results


def test_intervals_and_support_reach_every_table(
    toy_settings: dict[str, Any], write_config: Any, tmp_path: Path
) -> None:
    # Each toy galaxy three times, under other names: enough to calibrate on.
    deep, wide = pd.read_parquet(tmp_path / "deep.parquet"), pd.read_csv(tmp_path / "wide.csv")
    pd.concat([deep] * 3).assign(object_id=range(3 * len(deep))).to_parquet(tmp_path / "deep.parquet")
    pd.concat([wide] * 3).assign(object_id=range(3 * len(wide))).to_csv(tmp_path / "wide.csv", index=False)
    toy_settings["network"] |= {"nodes": 40}
    config = load_config(write_config(toy_settings | {"recipes": ["fused"]}))
    console = Console(file=io.StringIO())
    stages.build(config)
    stages.train(config, console)
    results = Results(config)
    model = results.read_model("fused")
    assert model.held_out["calibrated"]
    stages.evaluate(config, console)
    test = results.read_galaxies().in_split("test")
    written, photoz = results.read_photoz("fused", test), model.predict(test)
    assert list(written.intervals) == ["68", "90", "95"]
    for level, ends in photoz.intervals.items():
        np.testing.assert_array_equal(written.intervals[level], ends)
    np.testing.assert_array_equal(written.support, photoz.support)

    tables = tmp_path / "wide.csv", tmp_path / "photoz.parquet"
    stages.predict(results.model_path("fused"), *tables, console, asked=Asked(system="wide"))
    table = read_table(tmp_path / "photoz.parquet")
    assert {"z_low_68", "z_high_68", "z_low_95", "z_high_95", "support"} <= set(table.columns)
    assert (table["z_low_95"] <= table["z_low_68"]).all()
    assert set(table["support"].unique()) <= {0, 1, 2}


def test_a_run_too_small_to_calibrate_says_so(toy_settings: dict[str, Any], write_config: Any) -> None:
    toy_settings["network"] |= {"nodes": 40}
    config = load_config(write_config(toy_settings | {"recipes": ["fused"]}))
    said = io.StringIO()
    stages.build(config)
    stages.train(config, Console(file=said, width=200))
    assert "not calibrated: " in said.getvalue()
    assert "held-out galaxies; calibrating takes 200" in said.getvalue()


def test_the_switch_is_part_of_what_a_model_was_trained_with(toy_settings: dict[str, Any], write_config: Any) -> None:
    digests = {
        load_config(
            write_config(toy_settings | {"recipes": ["fused"], "networks": {"fused": {"calibrate": calibrate}}})
        ).train_digest("fused")
        for calibrate in (True, False)
    }
    assert len(digests) == 2
