"""RAIL's FlexZBoost and k nearest neighbours, where they are installed: how many galaxies they estimate in a second.

Both train on the simulated DC2 galaxies that come with pz-rail-base, and estimate galaxies of the same files.
"""

from __future__ import annotations

import importlib.util
import os
import tempfile
from pathlib import Path
from typing import Any

from measure import seconds

RIVALS = {
    "flexzboost": ("rail.estimation.algos.flexzboost", "FlexZBoost"),
    "knn": ("rail.estimation.algos.k_nearneigh", "KNearNeigh"),
}
TRAINING, ASKED = "test_dc2_training_9816.hdf5", "test_dc2_validation_9816.hdf5"


def rival_speeds(*, most: int) -> dict[str, float | None]:
    """Measure galaxies per second of each rival on `most` galaxies; None where it is not installed."""
    here = Path.cwd()
    with tempfile.TemporaryDirectory(prefix="mixz-benchmark-") as folder:
        os.chdir(folder)  # where RAIL leaves its models
        try:
            return {name: _speed(name, most) for name in RIVALS}
        finally:
            os.chdir(here)


def _speed(rival: str, most: int) -> float | None:
    """Train a rival with its own settings, and time its estimates."""
    module, name = RIVALS[rival]
    try:
        if importlib.util.find_spec(module) is None:
            return None
    except ModuleNotFoundError:
        return None
    import tables_io
    from rail.core.data import TableHandle
    from rail.utils.path_utils import find_rail_file

    algorithm = importlib.import_module(module)
    files = [tables_io.read(find_rail_file(f"examples_data/testdata/{file}")) for file in (TRAINING, ASKED)]
    training, asked = (dict(file["photometry"]) for file in files)
    asked = {column: values[:most] for column, values in asked.items()}
    common: dict[str, Any] = {"hdf5_groupname": "", "model": f"{Path.cwd() / rival}.pkl"}
    informer = getattr(algorithm, f"{name}Informer").make_stage(name=f"inform_{rival}", **common)
    informer.inform(TableHandle(f"training_{rival}", data=training))
    estimator = getattr(algorithm, f"{name}Estimator").make_stage(name=f"estimate_{rival}", **common)
    table = TableHandle(f"asked_{rival}", data=asked)
    return len(asked["redshift"]) / seconds(lambda: estimator.estimate(table))
