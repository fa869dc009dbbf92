"""Runs logged with MLflow: settings, metrics, models (needs the extra ``mlflow``)."""

from __future__ import annotations

import math
import re
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from mixz.errors import MixzError, not_installed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from mixz.metrics.summary import Record

LONGEST_VALUE = 500
"""MLflow's limit on the text of a parameter."""
AT_ONCE = 100
"""MLflow's limit on the parameters of one call."""

DATABASES = ("sqlite", "postgresql", "mysql", "mssql")
"""How addresses of stores in a database begin."""
DATABASE_PACKAGES = ("sqlalchemy", "alembic")

PARTS = ("recipe", "truth", "sample", "z_range", "estimate", "metric")
"""What names a metric, as far as a record has it."""
STRANGE = re.compile(r"[^A-Za-z0-9_\-. /:]")
"""What MLflow allows in no name."""


def log_run(
    uri: str,
    *,
    name: str,
    settings: Mapping[str, Any],
    tags: Mapping[str, str],
    records: Sequence[Record],
    artifacts: Iterable[Path],
    kept_at: str | None = None,
) -> str:
    """Log a finished run; it appears in MLflow whole, or marked as failed.

    Parameters
    ----------
    uri
        Where: a database (``sqlite:////...``), or the address of a tracking server.
    name
        The experiment.
    settings
        The config, nested; keys are joined by points.
    tags
        Further text: the digest, say.
    records
        What `mixz evaluate` found; each becomes a metric ``recipe/truth/sample/z_range/estimate/metric``.
    artifacts
        Files and folders to keep with it.
    kept_at
        Where a new experiment keeps them, as an address; the store decides if not given.

    Returns
    -------
    str
        MLflow's id of the run.

    Raises
    ------
    MixzError
        MLflow is not installed, or the store cannot be written to.
    """
    try:
        from mlflow.entities import Metric, Param, RunTag
        from mlflow.exceptions import MlflowException
        from mlflow.tracking import MlflowClient
    except ImportError as error:
        raise not_installed("MLflow is not installed", "mlflow") from error
    require_database(uri)
    try:
        client = MlflowClient(tracking_uri=uri)
        known = client.get_experiment_by_name(name)
        experiment = known.experiment_id if known else client.create_experiment(name, kept_at)
        run = client.create_run(experiment, tags={"mlflow.runName": name}).info
        try:
            params = [Param(key, value) for key, value in flat(settings).items()]
            metrics = [Metric(key, value, run.start_time, 0) for key, value in numbers(records).items()]
            labels = [RunTag(key, value) for key, value in tags.items()]
            for first in range(0, max(len(params), 1), AT_ONCE):
                client.log_batch(run.run_id, params=params[first : first + AT_ONCE], tags=labels if not first else [])
            for first in range(0, len(metrics), AT_ONCE):
                client.log_batch(run.run_id, metrics=metrics[first : first + AT_ONCE])
            for path in artifacts:
                client.log_artifact(run.run_id, path, path.name if path.is_dir() else None)
        except BaseException:
            client.set_terminated(run.run_id, "FAILED")
            raise
        client.set_terminated(run.run_id, "FINISHED")
    except ImportError as error:
        raise not_installed(f"MLflow at {uri} needs {error.name}", "mlflow") from error
    except (MlflowException, OSError) as error:
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise MixzError(
            f"MLflow at {uri}: {reason}", "a database, or a tracking server that answers", "check MLFLOW_TRACKING_URI"
        ) from error
    return str(run.run_id)


def require_database(uri: str) -> None:
    """Refuse a store in a database where the packages that MLflow keeps it with are missing, which it does not say.

    Raises
    ------
    MixzError
        As said.
    """
    missing = [package for package in DATABASE_PACKAGES if find_spec(package) is None]
    if missing and uri.startswith(DATABASES):
        raise not_installed(f"MLflow at {uri} needs {', '.join(missing)}", "mlflow")


def flat(settings: Mapping[str, Any], before: str = "") -> dict[str, str]:
    """Write nested settings as MLflow's parameters: keys joined by points, values as text.

    Examples
    --------
    >>> flat({"members": 3, "split": {"train": 0.7}, "tables": [{"path": "a.csv"}]})
    {'members': '3', 'split.train': '0.7', 'tables.0.path': 'a.csv'}
    """
    found: dict[str, str] = {}
    for key, value in settings.items():
        place = f"{before}{key}"
        if isinstance(value, dict):
            found |= flat(value, f"{place}.")
        elif isinstance(value, list | tuple) and any(isinstance(one, dict) for one in value):
            found |= flat({str(number): one for number, one in enumerate(value)}, f"{place}.")
        else:
            found[place] = str(value)[:LONGEST_VALUE]
    return found


def numbers(records: Iterable[Record]) -> dict[str, float]:
    """Name the mean of every record; those that are no number are left out, for MLflow's charts cannot show them.

    Examples
    --------
    >>> record = {"recipe": "tl", "truth": "spec", "sample": "test", "z_range": "i<24", "metric": "bias", "mean": 0.01}
    >>> numbers([record])
    {'tl/spec/test/i_24/bias': 0.01}
    """
    found = {}
    for record in records:
        value = record.get("mean")
        if isinstance(value, int | float) and math.isfinite(value):
            key = "/".join(str(record[part]) for part in PARTS if part in record)
            found[STRANGE.sub("_", key)] = float(value)
    return found
