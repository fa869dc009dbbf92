"""HATS catalogues: galaxies per second, memory of workers, and what 4 billion and 20 billion galaxies would take.

    python benchmarks/sky.py --quick
    python benchmarks/sky.py                     # 10 million simulated galaxies

Simulated grizy galaxies in pieces of sky are predicted by `mixz predict`'s own function on local Dask workers, one
core each, with densities and without, by one network (what `mixz distill` leaves) and by an ensemble of ten.  Networks
are trained for a few epochs on such galaxies, so that their densities pack as real ones do.  `writing_share`: the
processor time that the model takes to predict, of what reading, predicting and writing take; `network_share`: that of
the bare network, without calibration, intervals and support.  Both in one process: other work changes them little.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from dataclasses import replace
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING

import lsdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from cdshealpix.nested import healpix_to_lonlat
from measure import report
from simulated import magnitudes

from mixz.bridges.dask_members import dask_client
from mixz.bridges.hats.catalogue import predict_hats
from mixz.bridges.hats.parts import CHUNK_ROWS, Job, parts_of, predict_part
from mixz.bridges.model_columns import Asked
from mixz.bridges.models import open_model
from mixz.data.hats_folder import SKY_INDEX, HatsFolder, Pixel, finish, pixel_file
from mixz.data.split import split_by_id
from mixz.galaxies import GalaxySet
from mixz.model.ensemble import Ensemble
from mixz.model.fit import fit
from mixz.model.folder import save_model
from mixz.settings.network import Network
from mixz.settings.recipe import Recipe, Step

if TYPE_CHECKING:
    from collections.abc import Callable

BANDS = tuple("grizy")
ORDER, INDEX_ORDER = 5, 29
SURVEYS = {"4e9": 4e9, "2e10": 2e10}
"""Round numbers: a sample of LSST's, and the galaxies its catalogue is expected to hold (arXiv:2505.02928)."""
NAMES = {"one": 1, "ten": 10}
SHARE_ROWS = CHUNK_ROWS


def catalogue(folder: Path, galaxies: int, rows: int) -> Path:
    """Write simulated galaxies as a HATS catalogue of partitions of so many rows."""
    template = folder / "template"
    few = _rows(Pixel(ORDER, 0), 50, seed=0)
    made = lsdb.from_dataframe(few.drop(columns=SKY_INDEX), ra_column="ra", dec_column="dec", margin_threshold=None)
    made.write_catalog(template, as_collection=False, progress_bar=False)
    counts = {}
    for number, first in enumerate(range(0, galaxies, rows)):
        pixel = Pixel(ORDER, number)
        counts[pixel] = min(rows, galaxies - first)
        file = pixel_file(folder / "sky", pixel)
        file.parent.mkdir(parents=True, exist_ok=True)
        frame = _rows(pixel, counts[pixel], seed=number).assign(object_id=first + np.arange(counts[pixel]))
        pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), file, row_group_size=50_000)
    finish(folder / "sky", counts, HatsFolder.open(template), name="sky", builder="benchmark")
    return folder / "sky"


def model(folder: Path, members: int) -> Path:
    """Save an ensemble that ends in densities on 200 nodes."""
    z, mag = magnitudes(20_000, seed=0)
    ids = np.arange(len(z))
    galaxies = GalaxySet(ids, BANDS, mag, np.full(mag.shape, 0.05), {"spec": z}, split_by_id(ids))
    step = Step(truths=("spec",), loss="label_likelihood", epochs=5, lr=2e-3, batch_size=256)
    network = Network(head="binned", inputs="whitened")
    path = folder / f"model-{members}"
    save_model(fit(galaxies, Recipe(steps=(step,), network=network), members=members), path)
    return path


def shares(path: Path, source: Path, draft: Path, *, densities: bool) -> dict[str, float]:
    """Processor time of the model's, and of the bare network's, predictions over that of all: read, predict, write."""
    torch.set_num_threads(1)  # as a worker has it
    found = open_model(path)
    assert isinstance(found, Ensemble)
    bare = replace(found, calibration=None, intervals=None, support=None)
    parts = parts_of(HatsFolder.open(source), part_rows=SHARE_ROWS)
    job = Job(path, source, draft, Asked(), densities=densities)
    every = cycle(parts)
    z, mag = magnitudes(SHARE_ROWS, seed=0)
    some = GalaxySet(np.arange(len(z)), BANDS, mag, np.full(mag.shape, 0.05))
    whole = _time_per_galaxy(lambda: predict_part(job, next(every)).rows)
    return {
        "writing": _time_per_galaxy(lambda: len(found.predict(some))) / whole,
        "network": _time_per_galaxy(lambda: len(bare.predict(some))) / whole,
    }


def _time_per_galaxy(work: Callable[[], int], rounds: int = 3) -> float:
    """Processor time per galaxy of work that says how many galaxies it did, after a first round."""
    work()
    begun = time.process_time()
    done = sum(work() for _ in range(rounds))
    return (time.process_time() - begun) / done


def bytes_of(folder: Path) -> int:
    """Add the sizes of all files up."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--quick", action="store_true", help="under 90 s on 2 cores")
    arguments.add_argument("--galaxies", type=int, default=10_000_000)
    arguments.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    given = arguments.parse_args()
    galaxies, rows = (60_000, 15_000) if given.quick else (given.galaxies, 250_000)
    with tempfile.TemporaryDirectory() as name:
        figures = measured(Path(name), galaxies, rows, given.workers)
    report(figures)


def measured(folder: Path, galaxies: int, rows: int, workers: int) -> dict[str, float | str | None]:
    """Predict the catalogue in every way, a tenth of it by the ensemble of ten."""
    figures: dict[str, float | str | None] = {"galaxies": float(galaxies), "workers": float(workers)}
    large = catalogue(folder, galaxies, rows)
    (folder / "part").mkdir()
    small = catalogue(folder / "part", max(galaxies // 10, rows), rows)
    with dask_client(workers=workers) as client:
        warm = {name: model(folder, members) for name, members in NAMES.items()}
        for label, members, source, densities in (
            ("one", "one", large, True),
            ("one_points", "one", large, False),
            ("ten", "ten", small, True),
        ):
            output = folder / f"out-{label}"
            begun = time.perf_counter()
            outcome = predict_hats(warm[members], source, output, client, asked=Asked(), densities=densities)
            speed = outcome.galaxies / (time.perf_counter() - begun)
            figures[f"galaxies_per_s_{label}"] = speed
            for name, share in shares(warm[members], source, folder / f"share-{label}", densities=densities).items():
                figures[f"{name}_share_{label}"] = share
            figures[f"bytes_per_galaxy_{label}"] = bytes_of(output) / outcome.galaxies
            figures[f"peak_worker_memory_mb_{label}"] = outcome.memory_mb
            for survey, count in SURVEYS.items():
                figures[f"core_days_{survey}_{label}"] = count / speed * workers / 86_400
                figures[f"terabytes_{survey}_{label}"] = count * bytes_of(output) / outcome.galaxies / 1e12
    return figures


def _rows(pixel: Pixel, count: int, *, seed: int) -> pd.DataFrame:
    """Draw galaxies inside a piece of sky, in order of the sky."""
    rng = np.random.default_rng([seed, 1])
    cells = 4 ** (INDEX_ORDER - pixel.order)
    index = np.sort(pixel.number * cells + rng.integers(0, cells, count))
    lon, lat = healpix_to_lonlat(index.astype(np.uint64), INDEX_ORDER)
    _, mag = magnitudes(count, seed=seed)
    columns = {f"mag_{band}": mag[:, k].astype(np.float32) for k, band in enumerate(BANDS)}
    return pd.DataFrame({SKY_INDEX: index, "object_id": index, "ra": lon.deg, "dec": lat.deg, **columns})


if __name__ == "__main__":
    main()
