"""A run in a local MLflow store: settings, metrics, models."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("mlflow", reason="needs mixz[mlflow]")
pytest.importorskip("sqlalchemy", reason="needs mixz[mlflow]")
pytest.importorskip("alembic", reason="needs mixz[mlflow]")

from mixz import stages
from mixz.cli import main
from mixz.errors import MixzError
from mixz.settings.file import load_config

pytestmark = pytest.mark.filterwarnings("ignore")  # MLflow's own, of its own insides


def test_a_run_is_logged(
    toy_settings: dict[str, Any], write_config: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from mlflow.tracking import MlflowClient

    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    config = load_config(write_config(toy_settings | {"recipes": ["base"]}))
    with pytest.raises(MixzError, match="mixz evaluate"):
        stages.track(config)
    monkeypatch.setattr(sys, "argv", ["mixz", "run", str(tmp_path / "toy.yaml"), "--mlflow"])
    with pytest.raises(SystemExit) as stop:
        main()
    assert not stop.value.code
    client = MlflowClient(tracking_uri=f"sqlite:///{tmp_path / 'out' / 'mlruns' / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("toy")
    assert experiment is not None
    [run] = client.search_runs([experiment.experiment_id])
    assert run.info.status == "FINISHED"
    assert run.data.params["members"] == "2"
    assert run.data.params["training.epochs"] == "3"
    assert run.data.tags["digest"] == config.digest()
    records = stages.Results(config).read_records()
    bias = next(r for r in records if r["metric"] == "bias" and r["z_range"] == "all" and r["truth"] == "spec")
    assert run.data.metrics[f"base/spec/{bias['sample']}/all/{bias['estimate']}/bias"] == pytest.approx(bias["mean"])
    kept = {one.path for one in client.list_artifacts(run.info.run_id)}
    assert {"metrics.json", "models"} <= kept
    assert run.info.artifact_uri.startswith((tmp_path / "out" / "mlruns" / "artifacts").as_uri())


def test_a_store_that_cannot_be_written(
    toy_settings: dict[str, Any], write_config: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    config = load_config(write_config(toy_settings | {"recipes": ["base"]}))
    (tmp_path / "file").write_text("no folder")
    config.folder.mkdir(parents=True)
    (config.folder / "metrics.json").write_text("[]")
    stages.Results(config).digests.note("evaluate", [config.folder / "metrics.json"])
    monkeypatch.setenv("MLFLOW_TRACKING_URI", (tmp_path / "file").as_uri())
    with pytest.raises(MixzError, match="MLflow at file:"):
        stages.track(config)
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    (config.out / "mlruns").write_text("no folder")
    with pytest.raises(MixzError, match="no MLflow store in .*mlruns"):
        stages.track(config)
