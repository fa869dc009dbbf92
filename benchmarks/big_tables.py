"""Tables predicted in pieces: galaxies per second, and the memory of ten times as many galaxies.

    python benchmarks/big_tables.py --quick          # 100,000 and 1 million galaxies
    python benchmarks/big_tables.py                  # 1 million and 10 million

Simulated grizy galaxies in a Parquet table are predicted by `mixz predict`'s own function into a Parquet table, each
number of galaxies in a process of its own, by an ensemble with densities (which such a table does not hold).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from measure import peak_memory_mb, report
from simulated import magnitudes

from mixz.bridges.model_columns import Asked
from mixz.bridges.models import open_model
from mixz.data.split import split_by_id
from mixz.galaxies import GalaxySet
from mixz.model.folder import save_model
from mixz.model.initial import untrained
from mixz.settings.network import Network
from mixz.settings.recipe import Recipe, Step
from mixz.stages.predict import write_photoz

BANDS = tuple("grizy")
MADE_ROWS = 500_000


def table(path: Path, galaxies: int) -> Path:
    """Write simulated galaxies, some at a time."""
    writer = None
    for first in range(0, galaxies, MADE_ROWS):
        _, mag = magnitudes(min(MADE_ROWS, galaxies - first), seed=first)
        columns = {f"mag_{band}": mag[:, k].astype(np.float32) for k, band in enumerate(BANDS)}
        frame = pd.DataFrame({"object_id": first + np.arange(len(mag)), **columns})
        rows = pa.Table.from_pandas(frame, preserve_index=False)
        writer = writer or pq.ParquetWriter(path, rows.schema)
        writer.write_table(rows)
    if writer is not None:
        writer.close()
    return path


def model(path: Path, members: int) -> Path:
    """Save an untrained ensemble that ends in densities on 200 nodes: it is as fast as a trained one."""
    z, mag = magnitudes(1_000, seed=0)
    ids = np.arange(len(z))
    galaxies = GalaxySet(ids, BANDS, mag, np.full(mag.shape, 0.05), {"spec": z}, split_by_id(ids))
    network = Network(head="binned", inputs="whitened")
    recipe = Recipe(steps=(Step(truths=("spec",)),), network=network)
    save_model(untrained(galaxies, recipe, members=members), path)
    return path


def one_run(model_path: str, table_path: str, output: str) -> None:
    """Predict one table in this process, and print how long it took and the most memory it held."""
    opened = open_model(model_path)
    begun = time.perf_counter()
    write_photoz(opened, Path(table_path), Path(output), Asked())
    print(json.dumps({"seconds": time.perf_counter() - begun, "memory_mb": peak_memory_mb()}))


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--quick", action="store_true", help="under 2 minutes on 2 cores")
    arguments.add_argument("--members", type=int, default=1)
    arguments.add_argument("--one-run", nargs=3, help=argparse.SUPPRESS)
    given = arguments.parse_args()
    if given.one_run:
        one_run(*given.one_run)
        return
    numbers = (100_000, 1_000_000) if given.quick else (1_000_000, 10_000_000)
    figures: dict[str, float | str | None] = {"galaxies": float(numbers[1]), "members": float(given.members)}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        saved = model(folder / "model", given.members)
        memory = []
        for galaxies, label in zip(numbers, ("few", "many"), strict=True):
            source = table(folder / f"{label}.parquet", galaxies)
            arguments_of_run = ["--one-run", str(saved), str(source), str(folder / f"{label}-z.parquet")]
            done = subprocess.run([sys.executable, __file__, *arguments_of_run], check=True, capture_output=True)
            found = json.loads(done.stdout)
            memory.append(found["memory_mb"])
            figures[f"galaxies_per_s_{label}"] = galaxies / found["seconds"]
            figures[f"peak_memory_mb_{label}"] = found["memory_mb"]
            assert pq.read_metadata(folder / f"{label}-z.parquet").num_rows == galaxies
        figures["peak_memory_ratio"] = memory[1] / memory[0]
    report(figures)


if __name__ == "__main__":
    main()
