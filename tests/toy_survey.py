"""A toy survey that every test can afford: four bands, redshifts written into the colours, two truths."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

BANDS = ("g", "r", "i", "z")


def toy_frame(galaxies: int, *, seed: int, faint: float = 24.0) -> pd.DataFrame:
    """Make galaxies whose colours tell their redshift, with noise: a caricature, not a mock survey."""
    rng = np.random.default_rng(seed)
    z = rng.uniform(0.05, 1.6, galaxies)
    i = rng.uniform(20, faint, galaxies)
    colours = {"g": 2.0 * z, "r": 0.9 * np.sin(2 * z) + z, "i": 0 * z, "z": -0.5 * z}
    frame = pd.DataFrame({"object_id": np.arange(galaxies)})
    for band in BANDS:
        frame[f"mag_{band}"] = i + colours[band] + rng.normal(0, 0.02, galaxies)
        frame[f"mag_err_{band}"] = 0.02
    frame["z_true"] = z
    frame["z_label"] = z + rng.normal(0, 0.02, galaxies) * (1 + z)
    return frame


def toy_survey(folder: Path, *, deep: int = 400) -> dict[str, Any]:
    """Write two toy tables, and give the settings of a run on them that takes a second."""
    many = toy_frame(deep, seed=1).rename(columns={"z_label": "z_many"})
    spec = toy_frame(300, seed=2, faint=22.5).rename(columns={"z_true": "z_spec"})
    spec["mag_g"] += 0.05  # another photometric system
    many.drop(columns="z_true").to_parquet(folder / "deep.parquet")
    spec.drop(columns="z_label").to_csv(folder / "wide.csv", index=False)
    return {
        "name": "toy",
        "bands": list(BANDS),
        "members": 2,
        "network": {"hidden": [16, 16, 16]},
        "training": {"epochs": 3, "batch_size": 50},
        "recipes": ["base", "spec", "tl", "combo"],
        "tables": [
            {"path": "deep.parquet", "id_prefix": "deep-", "truths": {"many_band": "z_many"}},
            {"path": "wide.csv", "id_prefix": "wide-", "system": "wide", "truths": {"spec": "z_spec"}},
        ],
        "out": str(folder / "out"),
    }
