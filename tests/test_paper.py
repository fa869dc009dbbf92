"""The paper's experiment in two commands, rehearsed on simulated files from a local server that answers like Zenodo."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
import yaml

from mixz import cli
from mixz.data.data_set.galaxies_file import read_galaxies
from mixz.data.fetching.registry import load_registry
from mixz.model.folder import load_model
from mixz.report.held_against.beside_paper import ONLY_SIMULATED, held_against
from mixz.report.held_against.claims import CLAIMS, LSTM_MDN
from mixz.settings.file import load_config
from mixz.stages.runs import read_run_folder
from mixz.surveys.galaxiesml_photometry import GALAXIESML_PHOTOMETRY, POSITIONS
from mixz.surveys.transferz import TRANSFERZ

if TYPE_CHECKING:
    from local_server import Server

CONFIGS = Path(__file__).parents[1] / "configs"
TITLES = {16541823: TRANSFERZ, 10145347: GALAXIESML_PHOTOMETRY}


def mixz(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    monkeypatch.setattr(sys, "argv", ["mixz", *arguments])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert not stop.value.code


@pytest.fixture
def clone(tmp_path: Path, folder: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder like a fresh clone with the shipped config made short, and a mirror that serves the mock's files."""
    for number, survey in TITLES.items():
        server.serve_record(number, {name: (folder / name).read_bytes() for name in survey.parts.values()})
    server.serve("mock.json", (folder / "mock.json").read_bytes())
    known = load_registry().model_dump(mode="json", exclude_none=True)
    data_sets = {name: known["data_sets"][name] for name in known["groups"]["paper"]["data_sets"]}
    for data_set in data_sets.values():
        data_set["record"] = server.url(data_set["record"].removeprefix("https://zenodo.org/"))
    # What says that files are simulated comes along with them.
    about = {"files": [{"name": "mock.json", "url": server.url("mock.json")}]}
    data_sets["mock"] = dict.fromkeys(("title", "purpose", "page", "licence", "citation", "note"), "m") | about
    mirror = {"data_sets": data_sets, "groups": {"paper": {"purpose": "p", "data_sets": list(data_sets)}}}
    (tmp_path / "mirror.yaml").write_text(yaml.safe_dump(mirror))
    settings = yaml.safe_load((CONFIGS / "paper.yaml").read_text())
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "paper.yaml").write_text(yaml.safe_dump(settings | {"training": {"epochs": 2}}))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_two_commands(clone: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    mixz(monkeypatch, "fetch", "paper", "--registry", "mirror.yaml")
    fetched = {path.name for path in (clone / "data").iterdir()}
    assert {name for survey in TITLES.values() for name in survey.parts.values()} < fetched
    assert "Soriano2024" in capsys.readouterr().out

    mixz(monkeypatch, "run", "configs/paper.yaml", "--members", "2")
    assert "SIMULATED" in capsys.readouterr().out
    out = clone / "out" / "paper"
    galaxies = read_galaxies(out / "galaxies.parquet")
    both = galaxies.has("spec") & galaxies.has("many_band")
    entry = next(e for e in json.loads((out / "cuts.json").read_text()) if e["step"] == "not_in_galaxiesml_photometry")
    assert entry["same_id"] == both.sum() > 3
    assert set(galaxies.table[both]) == {"galaxiesml_photometry"}
    conformal = galaxies.in_split("conformal")
    assert len(conformal) > 50
    assert set(conformal.table) == {"transferz"}
    judged = {(r["recipe"], r["truth"]) for r in json.loads((out / "metrics.json").read_text())}
    recipes = ("base", "spec", "tl", "combo", "bnn", "fused")
    assert judged >= {(recipe, truth) for recipe in recipes for truth in ("spec", "many_band")}
    page = (out / "report.html").read_text()
    assert "SIMULATED" in page
    assert page.count(ONLY_SIMULATED.why) == len(CLAIMS)
    run = read_run_folder(out)
    for claim in CLAIMS:
        measured, judgement = held_against(run, claim)
        assert measured, f"{claim.words}: {judgement.words}"
    assert LSTM_MDN.name in page
    for recipe in recipes:
        model = load_model(out / "models" / recipe)
        assert model.members == 2
        assert model.provenance["simulated"] is True
    card = (out / "models" / "fused" / "MODEL_CARD.md").read_text()
    assert "| train | validation | conformal | test |" in card
    many_band = galaxies.has("many_band") & (galaxies.split == "conformal")
    assert f"{many_band.sum():,} of the conformal side" in card
    held = galaxies.split == "conformal"
    held |= (galaxies.split == "validation") & (galaxies.table == "galaxiesml_photometry")
    assert sum(model.held_out["galaxies"].values()) + sum(model.held_out.get("intervals", {}).values()) == held.sum()


def test_ours_is_the_same_experiment_but_for_inputs_and_schedule() -> None:
    ours, papers = (load_config(CONFIGS / f"{name}.yaml") for name in ("paper_fast", "paper"))
    assert ours.build_digest() == papers.build_digest()
    assert (ours.members, ours.seed, list(ours.recipes)) == (papers.members, papers.seed, list(papers.recipes))
    assert papers.recipe("base").network.inputs == "minmax"
    assert ours.recipe("base").network.inputs == "whitened"
    assert papers.recipe("tl").steps[0].schedule == "constant"
    assert ours.recipe("tl").steps[0].schedule == "one_cycle"


def test_the_mock_writes_the_papers_files(folder: Path) -> None:
    tables = {
        survey.name: {side: pd.read_csv(folder / name) for side, name in survey.parts.items()}
        for survey in TITLES.values()
    }
    transferz, galaxiesml = (pd.concat(sides.values()) for sides in tables.values())
    assert tuple(galaxiesml) == POSITIONS
    assert list(transferz) == ["hsc_id", *TRANSFERZ_COLUMNS, "z"]
    assert transferz["hsc_id"].is_unique
    assert galaxiesml["object_id"].is_unique
    assert len(np.intersect1d(transferz["hsc_id"], galaxiesml["object_id"])) > 3
    shares = [len(side) / len(transferz) for side in tables["transferz"].values()]
    np.testing.assert_allclose(shares, [0.7, 0.1, 0.1, 0.1], atol=0.05)
    rows = json.loads((folder / "mock.json").read_text())["rows"]
    assert rows["transferz_CONFORMAL.csv"] == len(tables["transferz"]["conformal"])


TRANSFERZ_COLUMNS = [f"{band}_cmodel_{kind}" for kind in ("mag", "magsigma") for band in "grizy"]
