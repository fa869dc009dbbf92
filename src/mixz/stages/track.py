"""`--mlflow`: a finished run into MLflow, for groups that keep their experiments there."""

from __future__ import annotations

import os
from importlib.metadata import version
from typing import TYPE_CHECKING

from mixz.data.provenance import is_simulated
from mixz.stages.results import Results

if TYPE_CHECKING:
    from mixz.config import Config


def track(config: Config) -> str:
    """Log a config's settings, metrics, models and figures as one MLflow run.

    It goes where the environment's ``MLFLOW_TRACKING_URI`` says, as all of MLflow does; else into ``mlruns`` in the
    folder of results, which `mlflow ui --backend-store-uri` shows.

    Returns
    -------
    str
        Where it went.

    Raises
    ------
    MixzError
        MLflow is not installed, nothing has been evaluated, or the store cannot be written to.
    """
    from mixz.bridges.mlflow_log import log_run

    results = Results(config)
    uri = os.environ.get("MLFLOW_TRACKING_URI") or (config.out / "mlruns").absolute().as_uri()
    log_run(
        uri,
        name=config.name,
        settings=config.model_dump(mode="json"),
        tags={"digest": config.digest(), "simulated": str(is_simulated(config)), "mixz": version("mixz")},
        records=results.read_records(),
        artifacts=[p for p in (results.metrics_path, config.folder / "models", results.figures_folder) if p.exists()],
    )
    return uri
