"""What `mixz build` releases: a data set that says what it is, the same bytes each time, in the formats asked for."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from astropy.table import Table

from mixz import cli, stages
from mixz.data.data_set.galaxies_file import read_galaxies, read_provenance
from mixz.errors import MixzError
from mixz.settings.config import Config
from mixz.settings.file import load_config
from mixz.stages.store.results import Results

if TYPE_CHECKING:
    from pathlib import Path

CONFIG = """
name: two_fields
bands: [g, i]
tables:
  - path: COSMOS2020_CLASSIC_R1_v2.1_p3.parquet
    id_prefix: c-
    system: aper
    truths: {many_band: zl}
    cuts: [{name: bright, column: mag_i, max: 24}]
  - path: 5x127x127_training_with_morphology.csv
    id_prefix: g-
    system: cmodel
    truths: {spec: zs}
recipes: [base, tl]
"""


def two_fields(folder: Path) -> Config:
    """Write two small tables of surveys, and a config of both."""
    rng = np.random.default_rng(2)
    frame = pd.DataFrame({"object_id": np.arange(200), "mag_err_g": 0.1, "mag_err_i": 0.1})
    frame = frame.assign(mag_g=rng.uniform(20, 26, 200), mag_i=rng.uniform(20, 26, 200), zl=0.5, zs=0.7)
    frame.to_parquet(folder / "COSMOS2020_CLASSIC_R1_v2.1_p3.parquet")
    frame[:80].to_csv(folder / "5x127x127_training_with_morphology.csv", index=False)
    (folder / "config.yaml").write_text(CONFIG)
    return load_config(folder / "config.yaml").model_copy(update={"out": folder / "out"})


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return two_fields(tmp_path)


def test_the_file_says_where_it_comes_from(config: Config) -> None:
    ledger = stages.build(config)
    about = read_provenance(Results(config).galaxies_path)
    galaxies = read_galaxies(Results(config).galaxies_path)
    assert (about["build_digest"], about["config_digest"]) == (config.build_digest(), config.digest())
    assert about["ledger"] == ledger.as_rows()
    assert about["simulated"] is False
    assert set(about["libraries"]) >= {"numpy", "pyarrow"}
    for truth in ("spec", "many_band"):
        sides = galaxies.split[galaxies.has(truth)]
        assert about["counts"][truth] == {side: int(np.sum(sides == side)) for side in ("train", "validation", "test")}
    assert sum(about["counts"]["galaxies"].values()) == len(galaxies)
    assert about["sources"] == ["5x127x127_training_with_morphology.csv", "COSMOS2020_CLASSIC_R1_v2.1_p3.parquet"]


def test_no_folder_of_this_machine_is_released(config: Config, tmp_path: Path) -> None:
    stages.build(config, ["fits", "galaxiesml-hdf5"])
    for path in config.folder.rglob("*"):
        if path.is_file():
            assert str(tmp_path).encode() not in path.read_bytes()


def test_the_same_settings_give_the_same_bytes(config: Config) -> None:
    written = []
    for _ in range(2):
        stages.build(config, ["fits", "galaxiesml-hdf5"])
        written.append({path: content(path) for path in sorted(config.folder.rglob("*")) if path.is_file()})
        del written[-1][config.folder / "digests.json"]  # of the PDF too
    assert written[0] == written[1]


def content(path: Path) -> object:
    """The bytes of a file; of a PDF how many, since its writer lists fonts in any order."""
    return path.stat().st_size if path.suffix == ".pdf" else path.read_bytes()


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """A build of both tables, for those who only look at it."""
    config = two_fields(tmp_path_factory.mktemp("two_fields"))
    stages.build(config)
    return Results(config)


class TestCard:
    """The data card in words."""

    @pytest.fixture
    def card(self, results: Results) -> str:
        return results.card_path.read_text(encoding="utf-8")

    def test_it_counts_per_truth_and_side(self, card: str, results: Results) -> None:
        counts = read_provenance(results.galaxies_path)["counts"]["spec"]
        assert f"| with a label of spec | {counts['train']} | {counts['validation']} | {counts['test']} | 80 |" in card

    def test_it_shows_the_ledger(self, card: str, results: Results) -> None:
        for entry in read_provenance(results.galaxies_path)["ledger"]:
            taken = entry["rows_in"] - entry["rows_out"]
            row = f"| {entry['table']} | {entry['step']} | {entry['rows_in']} | {entry['rows_out']} | {taken} |"
            assert row in card

    def test_it_gives_every_column_with_unit_and_meaning(self, card: str, results: Results) -> None:
        for column in Table.read(results.galaxies_path).colnames:
            assert f"| `{column}` |" in card
        assert "| `mag_i` | mag | AB magnitude in band i; NaN where not measured |" in card

    def test_it_names_kernels_split_and_limits(self, card: str) -> None:
        for words in (
            "exact: Gaussian of width 0.0005 (1 + z)",
            "(0.7/0.15/0.15, seed 0) goes by the hash of the object id",
            "several photometric systems (aper, cmodel)",
            "COSMOS2020-like labels scatter",
        ):
            assert words in card
        assert "SIMULATED" not in card

    def test_it_cites_the_surveys_it_knows_and_says_which_it_does_not(self, card: str) -> None:
        assert card.count("@misc{Do2024") == 1
        assert "@misc{two_fields" in card
        assert "yours to add: where COSMOS2020_CLASSIC_R1_v2.1_p3.parquet came from" in card

    def test_every_table_has_as_many_cells_in_each_row(self, card: str) -> None:
        for block in card.split("\n\n"):
            rows = [line for line in block.splitlines() if line.startswith("|")]
            assert len({row.count("|") for row in rows}) <= 1


def test_a_simulation_is_called_one(config: Config, tmp_path: Path) -> None:
    text = CONFIG.replace("{spec: zs}", '{spec: zs, "true": zs}')
    (tmp_path / "simulated.yaml").write_text(text)
    simulated = load_config(tmp_path / "simulated.yaml").model_copy(update={"out": config.out})
    stages.build(simulated)
    card = Results(simulated).card_path.read_text(encoding="utf-8")
    assert "**SIMULATED: no galaxy in it is real.**" in card
    assert "the truth of a simulation: no error" in card


def test_further_formats_are_written_when_asked_and_kept_up_to_date(config: Config) -> None:
    results = Results(config)
    stages.build(config)
    plain = results.built_paths()
    assert plain[:2] == [results.galaxies_path, results.card_path]
    stages.build(config, ["fits"])
    assert results.built_paths()[len(plain) :] == [config.folder / "galaxies.fits"]
    (config.folder / "galaxies.fits").write_bytes(b"of an earlier build")
    stages.build(config)
    assert len(Table.read(config.folder / "galaxies.fits")) == len(results.read_galaxies())


def test_a_wrong_format_stops_before_the_build(config: Config) -> None:
    with pytest.raises(MixzError, match="format 'hdf5'"):
        stages.build(config, ["hdf5"])
    assert not config.folder.exists()


def test_the_command_line_names_what_it_wrote(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["build", str(tmp_path / "config.yaml"), "--out", str(config.out)]
    monkeypatch.setattr(sys, "argv", ["mixz", *arguments, "--format", "fits", "--format", "galaxiesml-hdf5"])
    with pytest.raises(SystemExit, match="0"):
        cli.main()
    printed = capsys.readouterr().out
    for path in ("galaxies.parquet", "DATA_CARD.md", "galaxies.fits", "galaxiesml"):
        assert f"data set: {config.folder / path}\n" in printed
