"""From tables to galaxies: every row is accounted for, every cut is a name, every side is the id's own."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mixz.data.build import build_galaxies
from mixz.data.data_set.galaxies_file import read_galaxies, read_provenance, write_galaxies
from mixz.data.split import split_by_id
from mixz.data.tables import read_table, write_table
from mixz.errors import MixzError
from mixz.galaxies import GalaxySet
from mixz.settings.file import load_config


def build(settings: dict[str, Any], write_config: Any) -> tuple[GalaxySet, list[dict[str, Any]]]:
    galaxies, ledger = build_galaxies(load_config(write_config(settings)))
    return galaxies, ledger.as_rows()


def test_two_tables_become_one_set(toy_settings: dict[str, Any], write_config: Any) -> None:
    galaxies, _ = build(toy_settings, write_config)
    assert len(galaxies) == 700
    assert galaxies.truths == ("many_band", "spec")
    assert galaxies.has("spec").sum() == 300
    assert set(galaxies.system[galaxies.has("spec")]) == {"wide"}
    assert galaxies.object_id[0] == "deep-0"


def test_the_ledger_adds_up(toy_settings: dict[str, Any], write_config: Any, tmp_path: Path) -> None:
    deep = read_table(tmp_path / "deep.parquet")
    deep.loc[:9, "z_many"] = np.nan
    deep.loc[5:19, "mag_g"] = 99.0
    deep.loc[20:24, "z_many"] = -1.0
    write_table(deep, tmp_path / "deep.parquet")
    toy_settings["cuts"] = [{"name": "bright", "column": "mag_i", "max": 23.5}]
    galaxies, entries = build(toy_settings, write_config)
    of_deep = [e for e in entries if e["table"] == "deep"]
    assert [(e["step"], e["rows_in"], e["rows_out"]) for e in of_deep[:2]] == [
        ("has_a_label", 400, 385),
        ("all_bands_measured", 385, 375),
    ]
    for table in ("deep", "wide"):
        mine = [e for e in entries if e["table"] == table]
        assert all(a["rows_out"] == b["rows_in"] for a, b in pairwise(mine))
    *_, joined = entries
    last = {e["table"]: e["rows_out"] for e in entries[:-1]}
    assert joined["rows_out"] == joined["train"] + joined["validation"] + joined["test"] == len(galaxies)
    assert sum(last.values()) == len(galaxies)
    assert galaxies.mag[:, 2].max() <= 23.5


def test_cuts_on_columns_that_only_the_table_has(
    toy_settings: dict[str, Any], write_config: Any, tmp_path: Path
) -> None:
    deep = read_table(tmp_path / "deep.parquet").assign(lp_type=lambda d: d["object_id"] % 2)
    write_table(deep, tmp_path / "deep.parquet")
    toy_settings["tables"][0]["cuts"] = [{"name": "galaxies_only", "column": "lp_type", "equals": 0}]
    galaxies, entries = build(toy_settings, write_config)
    assert galaxies.has("many_band").sum() == 200
    assert entries[2] == {"table": "deep", "step": "galaxies_only", "rows_in": 400, "rows_out": 200}


def test_label_cut_may_keep_galaxies_without_that_label(toy_settings: dict[str, Any], write_config: Any) -> None:
    toy_settings["tables"][1]["cuts"] = [{"name": "z_range", "column": "z_spec", "max": 0.8, "missing": "keep"}]
    galaxies, _ = build(toy_settings, write_config)
    assert galaxies.z["spec"][galaxies.has("spec")].max() <= 0.8


def test_a_cut_that_takes_all(toy_settings: dict[str, Any], write_config: Any) -> None:
    toy_settings["cuts"] = [{"name": "very_bright", "column": "mag_i", "max": 3}]
    with pytest.raises(MixzError, match="no galaxy is left after 'very_bright'.*has_a_label 400 -> 400"):
        build(toy_settings, write_config)


def test_equal_ids_are_refused_until_told_apart(toy_settings: dict[str, Any], write_config: Any) -> None:
    for table in toy_settings["tables"]:
        table.pop("id_prefix")
    with pytest.raises(MixzError, match="300 object ids occur more than once(?s:.*)id_prefix"):
        build(toy_settings, write_config)


def test_a_table_without_ids_counts_rows(toy_settings: dict[str, Any], write_config: Any, tmp_path: Path) -> None:
    write_table(read_table(tmp_path / "deep.parquet").drop(columns="object_id"), tmp_path / "deep.parquet")
    assert build(toy_settings, write_config)[0].object_id[3] == "deep-3"
    toy_settings["tables"][0]["columns"] = {"object_id": "ID"}
    with pytest.raises(MixzError, match="no column 'ID'"):
        build(toy_settings, write_config)


def test_magnitudes_mapped_band_by_band(toy_settings: dict[str, Any], write_config: Any, tmp_path: Path) -> None:
    renamed = {f"mag_{b}": f"{b.upper()}MAG" for b in "griz"}
    write_table(read_table(tmp_path / "deep.parquet").rename(columns=renamed), tmp_path / "deep.parquet")
    table = toy_settings["tables"][0]
    table["columns"] = {"mag": {"g": "GMAG", "r": "RMAG", "i": "IMAG", "z": "ZMAG"}, "mag_err": None}
    galaxies, _ = build(toy_settings, write_config)
    assert np.isnan(galaxies.mag_err[0]).all()
    del table["columns"]["mag"]["z"]
    with pytest.raises(MixzError, match="no column mapped for band z"):
        build(toy_settings, write_config)


def test_a_galaxy_may_have_several_truths(toy_settings: dict[str, Any], write_config: Any, tmp_path: Path) -> None:
    write_table(read_table(tmp_path / "deep.parquet").assign(zs=0.3), tmp_path / "deep.parquet")
    toy_settings["tables"][0]["truths"] = {"many_band": "z_many", "spec": "zs"}
    galaxies, _ = build(toy_settings, write_config)
    assert (galaxies.has("many_band") & galaxies.has("spec")).sum() == 400


def test_the_split_knows_only_the_id() -> None:
    ids = np.array([f"g{k}" for k in range(5000)])
    sides = split_by_id(ids)
    shuffled = np.random.default_rng(0).permutation(5000)
    np.testing.assert_array_equal(split_by_id(ids[shuffled]), sides[shuffled])
    np.testing.assert_array_equal(split_by_id(ids[:10]), sides[:10])
    assert (split_by_id(ids, seed=1) != sides).any()
    np.testing.assert_array_equal(split_by_id(np.arange(9)), split_by_id(np.array([str(k) for k in range(9)])))


def test_a_share_of_conformal_galaxies_moves_none_from_train_or_validation() -> None:
    ids = np.arange(5000)
    without, sides = split_by_id(ids), split_by_id(ids, conformal=0.05)
    moved = sides != without
    assert set(sides[moved]) == {"conformal"}
    assert set(without[moved]) == {"test"}
    assert moved.mean() == pytest.approx(0.05, abs=0.01)


def test_a_config_may_ask_for_a_conformal_side(toy_settings: dict[str, Any], write_config: Any) -> None:
    toy_settings["split"] = {"train": 0.6, "validation": 0.1, "conformal": 0.2, "test": 0.1}
    galaxies, ledger = build(toy_settings, write_config)
    assert ledger[-1]["conformal"] == (galaxies.split == "conformal").sum() > 0
    toy_settings["split"]["conformal"] = 0.3
    with pytest.raises(MixzError, match=r"conformal = 1.1; they must sum to 1"):
        build(toy_settings, write_config)


def test_the_split_never_changes() -> None:
    """Another hash would move galaxies between training and test of models that are already published."""
    assert split_by_id(np.array(list("abcdefgh"))).tolist() == [
        "train",
        "train",
        "train",
        "train",
        "train",
        "test",
        "validation",
        "train",
    ]


def test_galaxies_file_reads_back_equal(tmp_path: Path, toy: pd.DataFrame) -> None:
    ids = [f"t{k}" for k in range(len(toy))]
    mag = toy[["mag_g", "mag_i"]].to_numpy()
    galaxies = GalaxySet(ids, ("g", "i"), mag, mag * 0.01, {"spec": toy["z_true"]}, split_by_id(np.array(ids)))
    write_galaxies(galaxies, tmp_path / "g.parquet", provenance={"note": "toy"})
    back = read_galaxies(tmp_path / "g.parquet")
    for name in ("object_id", "mag", "mag_err", "split", "system"):
        np.testing.assert_array_equal(getattr(back, name), getattr(galaxies, name))
    np.testing.assert_array_equal(back.z["spec"], galaxies.z["spec"])
    assert read_provenance(tmp_path / "g.parquet")["note"] == "toy"


def test_what_is_no_galaxies_file(tmp_path: Path, toy: pd.DataFrame) -> None:
    with pytest.raises(MixzError, match="run `mixz build` first"):
        read_galaxies(tmp_path / "g.parquet")
    toy.to_parquet(tmp_path / "g.parquet")
    with pytest.raises(MixzError, match="is no galaxies file"):
        read_galaxies(tmp_path / "g.parquet")
    (tmp_path / "g.parquet").write_text("PAR1")
    with pytest.raises(MixzError, match="is no galaxies file"):
        read_galaxies(tmp_path / "g.parquet")
