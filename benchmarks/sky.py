"""HATS catalogues: galaxies per second, memory of workers, and what 4 billion and 20 billion galaxies would take.

    python benchmarks/sky.py --quick
    python benchmarks/sky.py                     # 10 million simulated galaxies

Simulated grizy galaxies in pieces of sky are predicted by `mixz predict`'s own function on local Dask workers, one
core each, with densities and without, by one network (what `mixz distill` leaves) and by an ensemble of ten.  Networks
are trained for a few epochs on such galaxies, so that their densities pack as real ones do.  `writing_share`: of the
speed at which the same workers, at the same time each, ask the bare network for densities, without calibration,
intervals, support, reading and writing.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import lsdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from cdshealpix.nested import healpix_to_lonlat
from measure import report
from simulated import magnitudes

from mixz.bridges.dask_members import dask_client
from mixz.bridges.hats.catalogue import predict_hats
from mixz.bridges.hats.parts import CHUNK_ROWS
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

BANDS = tuple("grizy")
ORDER, INDEX_ORDER = 5, 29
SURVEYS = {"4e9": 4e9, "2e10": 2e10}
"""Round numbers: a sample of LSST's, and the galaxies its catalogue is expected to hold (arXiv:2505.02928)."""
NAMES = {"one": 1, "ten": 10}


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


def network_alone(path: Path, galaxies: GalaxySet, rounds: int = 5) -> float:
    """Galaxies per second of the network without all that is done for its users, on a worker."""
    found = open_model(path, threads=1)
    assert isinstance(found, Ensemble)
    bare = replace(found, calibration=None, intervals=None, support=None)
    bare.predict(galaxies)
    begun = time.perf_counter()
    for _ in range(rounds):
        bare.predict(galaxies)
    return rounds * len(galaxies) / (time.perf_counter() - begun)


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
    _, mag = magnitudes(CHUNK_ROWS, seed=0)
    some = GalaxySet(np.arange(CHUNK_ROWS), BANDS, mag, np.full(mag.shape, 0.05))
    with dask_client(workers=workers) as client:
        warm = {name: model(folder, members) for name, members in NAMES.items()}
        for label, members, source, densities in (
            ("one", "one", large, True),
            ("one_points", "one", large, False),
            ("ten", "ten", small, True),
        ):
            output = folder / f"out-{label}"
            alone = sum(client.run(network_alone, warm[members], some).values())
            begun = time.perf_counter()
            outcome = predict_hats(warm[members], source, output, client, asked=Asked(), densities=densities)
            speed = outcome.galaxies / (time.perf_counter() - begun)
            figures[f"galaxies_per_s_{label}"] = speed
            figures[f"network_galaxies_per_s_{label}"] = alone
            figures[f"writing_share_{label}"] = speed / alone
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
