"""`--mlflow`: a finished run into MLflow, for groups that keep their experiments there."""

from __future__ import annotations

import os
from importlib.metadata import version
from typing import TYPE_CHECKING

from mixz.data.data_set.provenance import is_simulated
from mixz.errors import MixzError
from mixz.stages.store.results import Results

if TYPE_CHECKING:
    from mixz.settings.config import Config


def track(config: Config) -> str:
    """Log a config's settings, metrics, models and figures as one MLflow run.

    It goes where the environment's ``MLFLOW_TRACKING_URI`` says, as all of MLflow does; else into a database
    in ``mlruns`` in the folder of results, which `mlflow ui --backend-store-uri` shows.

    Returns
    -------
    str
        Where it went.

    Raises
    ------
    MixzError
        MLflow is not installed, nothing has been evaluated, or the store cannot be written to.
    """
    from mixz.bridges.mlflow_log import log_run, require_database

    results = Results(config)
    records = results.read_records()
    uri, kept_at = os.environ.get("MLFLOW_TRACKING_URI"), None
    if not uri:
        require_database("sqlite")
        uri, kept_at = _own_store(config)
    log_run(
        uri,
        name=config.name,
        settings=config.model_dump(mode="json"),
        tags={"digest": config.digest(), "simulated": str(is_simulated(config)), "mixz": version("mixz")},
        records=records,
        kept_at=kept_at,
        artifacts=[p for p in (results.metrics_path, config.folder / "models", results.figures_folder) if p.exists()],
    )
    return uri


def _own_store(config: Config) -> tuple[str, str]:
    """Make room for a store among the results: its database, and where that keeps files (MLflow refuses folders)."""
    folder = (config.out / "mlruns").absolute()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise MixzError(
            f"no MLflow store in {folder}: {error.strerror}",
            "a folder",
            "move it, or set MLFLOW_TRACKING_URI",
        ) from error
    return f"sqlite:///{folder / 'mlflow.db'}", (folder / "artifacts").as_uri()
