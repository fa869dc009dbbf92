"""Bad tables and bad places: `mixz predict` says what is wrong, leaves no half of a file, and loses nothing good."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from mixz.data.tables import read_table
from mixz.errors import MixzError
from mixz.galaxies import GalaxySet
from mixz.model.folder import load_model, save_model
from mixz.model.initial import untrained
from mixz.settings.recipe import RECIPES
from mixz.stages import export, predict

QUIET = Console(quiet=True)
TABLE = pd.DataFrame({"object_id": ["a", "b", "c"], "mag_g": [21.0, 22.0, 23.0], "mag_r": [20.0, 21.5, 22.0]})


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    galaxies = GalaxySet(
        [1, 2], ("g", "r"), [[21, 20], [23, 22]], [[0.1, 0.1]] * 2, {"spec": [0.1, 0.7]}, ["train"] * 2
    )
    path = tmp_path_factory.mktemp("models") / "ein Modell ü"
    save_model(untrained(galaxies, RECIPES["spec"].changed(network={"hidden": (4,)}), members=1), path)
    return path


@pytest.mark.parametrize(
    ("column", "words"),
    [
        (pd.to_datetime(["2020-01-01"] * 3), "holds datetime64"),
        ([[21.0, 1.0], [22.0], [23.0]], "'mag_g' holds a list"),
        ([21.0, "bright", 22.0], "'bright'"),
        ([1e4, 2e4, 3e4], "holds no AB magnitudes"),
        ([-21.0, -22.0, -23.0], "holds no AB magnitudes"),
        ([True, False, True], "holds no AB magnitudes"),
    ],
)
def test_columns_that_hold_no_magnitudes(model: Path, column: Any, words: str, tmp_path: Path) -> None:
    frame = TABLE.assign(mag_g=column)
    table = tmp_path / ("t.csv" if "bright" in words else "t.parquet")
    frame.to_csv(table, index=False) if table.suffix == ".csv" else frame.to_parquet(table)
    with pytest.raises(MixzError, match=words):
        predict(model, table, tmp_path / "z.csv", QUIET)
    assert [path.name for path in tmp_path.iterdir()] == [table.name]


def test_numbers_that_stand_for_nothing_give_no_redshift(model: Path, tmp_path: Path) -> None:
    marks = [99.0, -99.0, -999.0, -9999.0, np.nan, np.inf, 1e20, 9999.0]
    mag = [*marks, *np.linspace(20, 24, 40)]
    pd.DataFrame({"mag_g": mag, "mag_r": 21.0}).to_parquet(tmp_path / "t.parquet")
    assert predict(model, tmp_path / "t.parquet", tmp_path / "z.parquet", QUIET) == len(marks)
    assert np.isfinite(read_table(tmp_path / "z.parquet")["z_phot"]).tolist() == [False] * len(marks) + [True] * 40


def test_nothing_good_is_lost(model: Path, tmp_path: Path) -> None:
    TABLE.to_parquet(tmp_path / "t.parquet")
    before = (tmp_path / "t.parquet").read_bytes()
    (tmp_path / "mine.csv").mkdir()
    (tmp_path / "mine.csv" / "data.txt").write_text("dear")
    for place, words in (
        ("t.parquet", "is the input itself"),
        ("mine.csv", "is a folder"),
        ("t.parquet/z.csv", "a file"),
    ):
        with pytest.raises(MixzError, match=words):
            predict(model, tmp_path / "t.parquet", tmp_path / place, QUIET)
    with pytest.raises(MixzError, match="is a folder"):
        export(model, tmp_path / "mine.csv")
    with pytest.raises(MixzError, match="holds other things"):
        save_model(load_model(model), tmp_path / "mine.csv")
    assert (tmp_path / "t.parquet").read_bytes() == before
    assert (tmp_path / "mine.csv" / "data.txt").read_text() == "dear"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.csv", "t.parquet"]


def test_a_model_folder_as_the_file_that_rail_reads(model: Path, tmp_path: Path) -> None:
    packed = export(model, tmp_path / "model.mixz")
    TABLE.to_parquet(tmp_path / "t.parquet")
    for one, name in ((model, "a.parquet"), (packed, "b.parquet")):
        predict(one, tmp_path / "t.parquet", tmp_path / name, QUIET)
    assert read_table(tmp_path / "a.parquet").equals(read_table(tmp_path / "b.parquet"))


def test_a_folder_is_no_table(model: Path, tmp_path: Path) -> None:
    with pytest.raises(MixzError, match="is a folder"):
        predict(model, tmp_path, tmp_path / "z.csv", QUIET)


def test_names_that_the_format_cannot_hold(model: Path, tmp_path: Path) -> None:
    TABLE.assign(object_id=["é", None, "c"]).to_parquet(tmp_path / "t.parquet")
    with pytest.raises(MixzError, match="cannot hold this table"):
        predict(model, tmp_path / "t.parquet", tmp_path / "z.fits", QUIET)
    assert not (tmp_path / "z.fits").exists()


def test_spaces_and_letters_of_all_kinds_in_paths(model: Path, tmp_path: Path) -> None:
    home = tmp_path / "Daten mit ü 星"
    home.mkdir()
    TABLE.to_csv(home / "meine Tafel.csv", index=False)
    assert predict(model, home / "meine Tafel.csv", home / "neu" / "z 星.hdf5", QUIET) == 0
    assert read_table(home / "neu" / "z 星.hdf5")["object_id"].tolist() == ["a", "b", "c"]
