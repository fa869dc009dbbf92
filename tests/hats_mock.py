"""Simulated galaxies as HATS catalogues, and models to ask about them, small enough for tests."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mixz.data.split import split_by_id
from mixz.galaxies import GalaxySet
from mixz.model.fit import fit
from mixz.model.folder import save_model
from mixz.settings.network import Network
from mixz.settings.recipe import Recipe, Step

BANDS = ("g", "r", "i")


def sky(galaxies: int, *, seed: int = 0) -> pd.DataFrame:
    """Simulate galaxies on a few square degrees, some without a magnitude."""
    rng = np.random.default_rng(seed)
    z = rng.uniform(0.1, 1.5, galaxies)
    frame = pd.DataFrame({"object_id": np.arange(galaxies) + 7_000_000_000})
    frame["ra"], frame["dec"] = rng.uniform(10, 20, galaxies), rng.uniform(-5, 5, galaxies)
    for band, slope in zip(BANDS, (2.0, 0.5, 0.0), strict=True):
        frame[f"mag_{band}"] = 22 + rng.normal(0, 1, galaxies) + slope * z
    frame.loc[::50, "mag_r"] = np.nan
    frame["z_true"] = z
    return frame


def write_hats(frame: pd.DataFrame, path: Path, *, rows: int = 200) -> Path:
    """Write a table as a HATS catalogue with partitions of so many rows."""
    import dask
    import lsdb

    with warnings.catch_warnings(), dask.config.set(scheduler="synchronous"):
        warnings.simplefilter("ignore")  # of other people's insides
        catalogue = lsdb.from_dataframe(
            frame, ra_column="ra", dec_column="dec", partition_rows=rows, margin_threshold=None
        )
        catalogue.write_catalog(path, as_collection=False, progress_bar=False)
    return path


def read_hats(path: Path) -> Any:
    """Read a HATS catalogue by LSDB, its rows in order of their ids."""
    import dask
    import lsdb

    with warnings.catch_warnings(), dask.config.set(scheduler="synchronous"):
        warnings.simplefilter("ignore")
        return lsdb.open_catalog(path).compute(progress_bar=False).sort_values("object_id").reset_index(drop=True)


def model(folder: Path, network: Network | None = None, *, galaxies: int = 300, whole: bool = False) -> Path:
    """Train a small model and save it; a whole one knows intervals and support too.

    It has no calibration, whose export takes longer than all else.
    """
    frame = sky(galaxies, seed=1).dropna()
    labelled = GalaxySet(
        np.arange(len(frame)),
        BANDS,
        frame[[f"mag_{b}" for b in BANDS]].to_numpy(),
        np.full((len(frame), 3), 0.05),
        {"spec": frame["z_true"].to_numpy()},
        split_by_id(np.arange(len(frame))),
    )
    network = network or Network(hidden=(8,), head="binned", nodes=30)
    step = Step(truths=("spec",), epochs=3, batch_size=32)
    ensemble = fit(labelled, Recipe(steps=(step,), network=network), members=2)
    if whole:
        ensemble = replace(ensemble, calibration=None)
    save_model(ensemble, folder)
    return folder
