"""Small catalogues as other people's tools write them, and the galaxies that mixz builds of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import yaml
from astropy.table import Table

from mixz.data.build import build_galaxies
from mixz.settings.file import load_config

if TYPE_CHECKING:
    from mixz.data.cuts import Ledger
    from mixz.galaxies import GalaxySet

BANDS = ("g", "r", "i")
SIZE = 30


def catalogue(size: int = SIZE, *, seed: int = 3) -> pd.DataFrame:
    """Galaxies with names, magnitudes, errors and a redshift ``zs``; no number repeats."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"object_id": np.arange(size) * 7 + 1000})
    for band in BANDS:
        frame[f"mag_{band}"] = rng.uniform(20, 24, size)
        frame[f"mag_err_{band}"] = rng.uniform(0.01, 0.1, size)
    return frame.assign(zs=rng.uniform(0.1, 1.5, size))


def fluxes(frame: pd.DataFrame, zero_point: float) -> pd.DataFrame:
    """The same galaxies as fluxes ``f_{band}`` with errors ``e_{band}``."""
    found = frame[["object_id", "zs"]].copy()
    for band in BANDS:
        found[f"f_{band}"] = 10 ** (0.4 * (zero_point - frame[f"mag_{band}"]))
        found[f"e_{band}"] = found[f"f_{band}"] * frame[f"mag_err_{band}"] * np.log(10) / 2.5
    return found


FLUXES = {"mag": None, "flux": "f_{band}", "flux_err": "e_{band}"}


def _hdf5(frame: pd.DataFrame, path: Path) -> None:
    with h5py.File(path, "w") as file:
        for name in frame:
            column = frame[name]
            is_text = column.dtype == object or pd.api.types.is_string_dtype(column)
            file[str(name)] = (
                [v if isinstance(v, str | bytes) else "" for v in column] if is_text else column.to_numpy()
            )


WRITERS: dict[str, Any] = {
    "parquet": lambda frame, path: frame.to_parquet(path),
    "feather": lambda frame, path: pyarrow.feather.write_feather(pa.Table.from_pandas(frame), path),
    "csv": lambda frame, path: frame.to_csv(path, index=False),
    "tsv": lambda frame, path: frame.to_csv(path, index=False, sep="\t"),
    "csv.gz": lambda frame, path: frame.to_csv(path, index=False),
    "txt": lambda frame, path: Table.from_pandas(frame).write(path, format="ascii.commented_header"),
    "fits": lambda frame, path: Table.from_pandas(frame).write(path),
    "fits.gz": lambda frame, path: Table.from_pandas(frame).write(path),
    "ecsv": lambda frame, path: Table.from_pandas(frame).write(path),
    "tbl": lambda frame, path: Table.from_pandas(frame).write(path, format="ascii.ipac"),
    "mrt": lambda frame, path: Table.from_pandas(frame).write(path, format="ascii.mrt"),
    "vot": lambda frame, path: Table.from_pandas(frame).write(path, format="votable"),
    "hdf5": _hdf5,
}
"""Per ending how its field's own tool writes a frame."""
TYPED = ("parquet", "feather", "fits", "ecsv", "vot")
"""Endings whose files know missing whole numbers."""


def written(frame: pd.DataFrame, folder: Path, ending: str, *, name: str = "t") -> Path:
    """Write a frame by its field's own tool."""
    path = folder / f"{name}.{ending}"
    path.unlink(missing_ok=True)
    WRITERS[ending](frame, path)
    return path


def built(path: Path, *, settings: dict[str, Any] | None = None, **table: Any) -> tuple[GalaxySet, Ledger]:
    """Build a catalogue with labels ``zs``; galaxies may lack bands."""
    return built_of([{"path": str(path), "truths": {"spec": "zs"}} | table], path.parent, **(settings or {}))


def built_of(tables: list[dict[str, Any]], folder: Path, **settings: Any) -> tuple[GalaxySet, Ledger]:
    """Build several."""
    config = {
        "name": "t",
        "bands": list(BANDS),
        "recipes": ["spec"],
        "incomplete": "keep",
        "network": {"drop_bands": 0.2, "asinh": True},
        "tables": tables,
    }
    place = folder / "config.yaml"
    place.write_text(yaml.safe_dump(config | settings))
    return build_galaxies(load_config(place))


def taken(ledger: Ledger) -> dict[tuple[str, str], int]:
    """What a build took for missing: per column and reason how many values."""
    return {(row["column"], row["reason"]): row["values"] for row in ledger.missing}
