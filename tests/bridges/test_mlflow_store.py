"""What MLflow's store needs is asked for by name, before anything is made."""

from __future__ import annotations

import re
from typing import Any

import pytest

from mixz import stages
from mixz.bridges import mlflow_log
from mixz.errors import MixzError, pip_install
from mixz.settings.file import load_config


def test_a_database_needs_its_packages(
    toy_settings: dict[str, Any], write_config: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = load_config(write_config(toy_settings | {"recipes": ["base"]}))
    config.folder.mkdir(parents=True)
    (config.folder / "metrics.json").write_text("[]")
    stages.Results(config).digests.note("evaluate", [config.folder / "metrics.json"])
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setattr(mlflow_log, "find_spec", lambda _: None)
    with pytest.raises(MixzError, match=r"needs sqlalchemy, alembic[\s\S]*" + re.escape(pip_install("mlflow"))):
        stages.track(config)
    assert not (config.out / "mlruns").exists()
    mlflow_log.require_database("https://tracking.example.org")  # a server has its own
