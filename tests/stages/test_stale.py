"""Nothing stale passes for new and nothing damaged for whole: whoever reads is told which verb to run."""

from __future__ import annotations

import io
import json
import shutil
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
import yaml
from rich.console import Console

from damage import damaged
from mixz import stages
from mixz.atomic import alone
from mixz.bridges.onnx_files import OnnxModel
from mixz.data.build import build_galaxies
from mixz.data.data_set.inputs import input_states, inputs_as_read
from mixz.digest import OPEN_SEAL, seal, seal_of
from mixz.errors import MixzError
from mixz.settings.file import load_config
from mixz.stages.runs import read_run, read_run_folder
from mixz.stages.store.digests import DIGESTS
from mixz.stages.store.results import Results
from mixz.stages.verify import verify
from toy_survey import toy_survey

if TYPE_CHECKING:
    from collections.abc import Callable

    from mixz.settings.config import Config


def quiet() -> Console:
    return Console(file=io.StringIO())


def run(config: Config) -> None:
    stages.build(config)
    stages.train(config, quiet())
    stages.evaluate(config, quiet(), resamples=0)
    stages.report(config, quiet())


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a survey and a whole run on it."""
    home = tmp_path_factory.mktemp("finished")
    survey = toy_survey(home) | {"recipes": ["base", "fused"], "networks": {"fused": {"nodes": 40}}, "out": "out"}
    (home / "toy.yaml").write_text(yaml.safe_dump(survey))
    run(config_of(home))
    return home


def config_of(home: Path, **changes: Any) -> Config:
    told = yaml.safe_load((home / "toy.yaml").read_text())
    (home / "changed.yaml").write_text(yaml.safe_dump(told | changes))
    return load_config(home / "changed.yaml").model_copy(update={"out": home / "out"})


@pytest.fixture
def home(finished: Path, tmp_path: Path) -> Path:
    """A copy of it, to do with as one likes."""
    return shutil.copytree(finished, tmp_path / "home")


def change_table(home: Path) -> None:
    table = pd.read_csv(home / "wide.csv")
    table["z_spec"] += 0.01
    table.to_csv(home / "wide.csv", index=False)


def refused(read: Callable[[], object], *words: str) -> None:
    with pytest.raises(MixzError) as told:
        read()
    for word in words:
        assert word in str(told.value)


def test_a_changed_table_asks_for_a_build_and_then_for_training(home: Path) -> None:
    config = config_of(home)
    change_table(home)
    for verb in (stages.train, stages.evaluate, stages.report):
        refused(partial(verb, config, quiet()), "wide.csv has changed", "run `mixz build`")
    stages.build(config)
    for verb in (stages.evaluate, stages.report):
        refused(partial(verb, config, quiet()), "other galaxies than lie there", "run `mixz train`")
    stages.train(config, quiet())
    refused(lambda: stages.report(config, quiet()), "is stale", "run `mixz evaluate`")
    stages.evaluate(config, quiet(), resamples=0)
    stages.report(config, quiet())
    assert verify(config.folder).wrong == []


def test_another_learning_rate_asks_for_training_and_then_for_metrics(home: Path) -> None:
    config = config_of(home, training={"epochs": 3, "batch_size": 50, "lr": 0.002})
    refused(lambda: stages.report(config, quiet()), "other settings than the config says", "run `mixz train`")
    stages.train(config, quiet(), recipes=["base"])
    only = config.model_copy(update={"recipes": {"base": config.recipes["base"]}})
    refused(
        lambda: stages.report(only, quiet()),
        "photoz/base.parquet is stale: it was made from another",
        "run `mixz evaluate`",
    )
    refused(lambda: read_run_folder(config.folder), "run `mixz evaluate`")
    stale = "\n".join(verify(config.folder).wrong)
    for name in ("photoz/base.parquet", "metrics.json", "differences.json", "estimates.json", "report.html"):
        assert f"{config.folder / name} " in stale
    assert "photoz/fused.parquet" not in stale, "its model is as it was"


def test_a_touched_table_is_the_same_table(home: Path) -> None:
    content = (home / "wide.csv").read_bytes()
    (home / "wide.csv").unlink()
    (home / "wide.csv").write_bytes(content)
    stages.evaluate(config_of(home), quiet(), resamples=0)


def test_a_table_changed_in_the_tick_of_its_reading_is_seen(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Clocks of disks tick: what was written a moment ago may be written again unseen, and is read again."""
    config = config_of(home)
    for tick, known in ((10**20, False), (-(10**20), True)):
        monkeypatch.setattr("mixz.digest.TICK", tick)
        assert {bool(one.state) for one in inputs_as_read(config, input_states(config))} == {known}


def test_without_its_tables_a_run_goes_on(home: Path) -> None:
    (home / "wide.csv").unlink()
    stages.evaluate(config_of(home), quiet(), resamples=0)


def test_a_table_written_to_during_a_build_is_refused(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def read_and_change(config: Config, **how: Any) -> Any:
        made = build_galaxies(config, **how)
        change_table(home)
        return made

    monkeypatch.setattr(import_module("mixz.stages.build"), "build_galaxies", read_and_change)
    refused(lambda: stages.build(config_of(home)), "wide.csv was written to while it was read")


def test_every_file_names_what_it_was_made_from(finished: Path) -> None:
    folder = finished / "out" / "toy"
    files = json.loads((folder / "digests.json").read_text())["files"]
    galaxies, model, photoz = (
        files["galaxies.parquet"]["content"],
        files["models/base/model.json"]["sha256"],
        files["photoz/base.parquet"]["sha256"],
    )
    assert files["models/base/weights.safetensors"]["made_from"] == {"galaxies.parquet": galaxies}
    assert files["photoz/base.parquet"]["made_from"] == {"galaxies.parquet": galaxies, "models/base/model.json": model}
    assert files["metrics.json"]["made_from"]["photoz/base.parquet"] == photoz
    assert files["report.html"]["made_from"]["metrics.json"] == files["metrics.json"]["sha256"]
    assert json.loads((folder / "models/base/model.json").read_text())["provenance"]["galaxies_digest"] == galaxies
    card = (folder / "DATA_CARD.md").read_text()
    assert galaxies in card
    assert "| wide.csv | `" in card
    assert set(files) == {
        p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file() and p.name != "digests.json"
    }


def test_any_changed_byte_of_any_file_is_found(home: Path) -> None:
    folder = home / "out" / "toy"
    assert (verify(folder).wrong, verify(folder).unknown) == ([], [])
    for seed, path in enumerate(sorted(p for p in folder.rglob("*") if p.is_file())):
        whole, ways = path.read_bytes(), list(damaged(path.read_bytes(), seed=seed))
        for what, content in [ways[k] for k in np.random.default_rng(seed).choice(len(ways), 3, replace=False)]:
            path.write_bytes(content)
            if path.name == "digests.json":
                refused(lambda: verify(folder), "digests.json", "run `mixz run`")
            else:
                assert str(path) in " ".join(verify(folder).wrong), (path.name, what)
        path.write_bytes(whole)
    (folder / "photoz" / "base.parquet").unlink()
    assert any("photoz/base.parquet is missing" in line for line in verify(folder).wrong)


@pytest.mark.parametrize(
    ("name", "verb"),
    [
        ("galaxies.parquet", "build"),
        ("models/base/model.json", "train"),
        ("models/base/weights.safetensors", "train"),
        ("models/fused/history.json", "train"),
        ("photoz/base.parquet", "evaluate"),
        ("metrics.json", "evaluate"),
        ("differences.json", "evaluate"),
        ("estimates.json", "evaluate"),
        ("digests.json", "run"),
    ],
)
def test_no_reader_takes_a_damaged_file(name: str, verb: str, home: Path) -> None:
    config, path = config_of(home), home / "out" / "toy" / name
    for _, content in list(damaged(path.read_bytes(), seed=3))[::4]:
        path.write_bytes(content)
        refused(lambda: read_run(config), path.name if verb != "train" else "models")


def test_what_is_lost_is_made_again_by_the_next_report(home: Path) -> None:
    """A model without its card, say, after a verb was killed."""
    config, names = config_of(home), ("models/base/MODEL_CARD.md", "report.html", "figures/redshifts.png")
    before = [(config.folder / name).read_bytes() for name in names]
    for name in names:
        (config.folder / name).unlink()
    assert all(f"{config.folder / name} is missing" in " ".join(verify(config.folder).wrong) for name in names)
    stages.report(config, quiet())
    assert [(config.folder / name).read_bytes() for name in names] == before
    assert verify(config.folder).wrong == []


def test_a_model_and_its_card_come_together(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = config_of(home, seed=5)
    before = {p: p.read_bytes() for p in (config.folder / "models" / "base").iterdir()}

    def killed(*_: Any) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(stages.Results, "model_card", killed)
    with pytest.raises(KeyboardInterrupt):
        stages.train(config, quiet(), recipes=["base"])
    assert {p: p.read_bytes() for p in (config.folder / "models" / "base").iterdir()} == before


def test_checkpoints_are_of_their_galaxies_only(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = config_of(home, seed=6, recipes=["base"], networks={})

    def killed(*_: Any) -> str:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(stages.Results, "write_model", killed)
        with pytest.raises(KeyboardInterrupt):
            stages.train(config, quiet())
    deep = pd.read_parquet(home / "deep.parquet")
    deep["mag_err_g"] = 0.03  # which no network here looks at
    deep.to_parquet(home / "deep.parquet")
    stages.build(config)
    refused(lambda: stages.train(config, quiet()), "is of other settings", "galaxies: ", "mixz train --restart")
    stages.train(config, quiet(), restart=True)


def test_two_at_once_are_told(home: Path) -> None:
    config = config_of(home)
    with alone(config.folder):
        for verb in (stages.train, stages.evaluate, stages.report):
            refused(partial(verb, config, quiet()), "is being written to by process")
        refused(lambda: stages.build(config), "is being written to by process")


def test_models_and_strangers_are_verified_too(home: Path) -> None:
    folder = home / "out" / "toy"
    model = folder / "models" / "fused"
    assert [path.name for path in verify(model).whole] == [
        "model.json",
        "weights.safetensors",
        "history.json",
        "MODEL_CARD.md",
    ]
    stages.export(model, home / "a.mixz")
    assert verify(home / "a.mixz").whole == [home / "a.mixz"]
    assert verify(folder / "galaxies.parquet").whole == [folder / "galaxies.parquet"]
    (model / "notes.txt").write_text("mine")
    assert verify(model).unknown == verify(folder).unknown == [model / "notes.txt"]
    content = bytearray((model / "MODEL_CARD.md").read_bytes())
    content[100] ^= 1
    (model / "MODEL_CARD.md").write_bytes(content)
    assert len(verify(model).wrong) == len(verify(folder).wrong) == 1
    refused(lambda: verify(home), "nothing that can be verified")


def test_an_exported_model_with_a_changed_bit_is_refused(home: Path) -> None:
    path = stages.export(home / "out" / "toy" / "models" / "base")
    assert seal_of(path, do="") is not None
    assert verify(home / "out" / "toy").whole.count(path) == 1
    for _, content in damaged(path.read_bytes(), seed=1):
        path.write_bytes(content)
        refused(lambda: OnnxModel.load(path), path.name)
    assert any("model.onnx" in line for line in verify(home / "out" / "toy").wrong)


@pytest.mark.parametrize("rows", ['{"recipe": 1}', "[3]", "7", "null", "[" * 100_000])
def test_metrics_of_another_shape_are_told(rows: str, home: Path) -> None:
    results = Results(config_of(home))
    results.metrics_path.write_text(rows)
    results.digests.note("evaluate", [results.metrics_path])
    refused(results.read_records, "cannot be read", "mixz evaluate")


def forge(home: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    """Change the record of a run's files, and seal it again; the run's folder."""
    path = config_of(home).folder / DIGESTS
    record = json.loads(path.read_text())
    change(record["files"])
    path.write_text(json.dumps(record | {"seal": OPEN_SEAL}))
    seal(path)
    return path.parent


@pytest.mark.parametrize("place", ["../elsewhere.json", "/etc/passwd", "a" * 300, "a/" * 3000 + "b", "nul\0", ""])
def test_a_record_names_files_of_its_folder_only(place: str, home: Path) -> None:
    run_folder = forge(home, lambda files: files.update({place: files["metrics.json"]}))
    refused(lambda: verify(run_folder), f"{DIGESTS} cannot be read")
    source = forge(home, lambda files: (files.pop(place), files["metrics.json"]["made_from"].update({place: "0" * 64})))
    refused(lambda: verify(source), f"{DIGESTS} cannot be read")


def test_nothing_is_made_from_itself(home: Path) -> None:
    run_folder = forge(home, lambda files: files["galaxies.parquet"]["made_from"].update({"metrics.json": "0" * 64}))
    assert any("no longer there" in line for line in verify(run_folder).wrong)
