"""n(z) of a HATS catalogue by size: time and the most memory that the asking process and its workers hold.

SIMULATED galaxies all over a stripe of sky, as a HATS catalogue, a small model, and `sum_hats` with five bins of equal
counts; then what 4 billion galaxies would take at the same rate.  Memory must not grow with the catalogue.

    python benchmarks/tomography_scale.py [--galaxies 10000000] [--workers 2] [--members 3]

needs mixz[train,hats].  Each size runs in a process of its own; give several to compare them.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

BANDS = ("g", "r", "i", "z", "y")
LARGEST = 4_000_000_000
ROWS_AT_ONCE = 500_000


def simulate(galaxies: int, *, seed: int) -> pd.DataFrame:
    """Galaxies with magnitudes that follow their redshift, on a stripe of sky."""
    rng = np.random.default_rng(seed)
    z = rng.gamma(3, 0.3, galaxies).clip(0.02, 3)
    frame = pd.DataFrame({"object_id": np.arange(galaxies)})
    frame["ra"], frame["dec"] = rng.uniform(0, 360, galaxies), rng.uniform(-15, 5, galaxies)
    bright = rng.normal(22.5, 1, galaxies)
    for k, band in enumerate(BANDS):
        frame[f"mag_{band}"] = bright + (2 - k) * np.sin(2 * z + 0.4 * k) + rng.normal(0, 0.05, galaxies)
    frame["z_true"] = z
    return frame


def write_catalogue(folder: Path, galaxies: int) -> None:
    """Write them as LSDB does."""
    import dask
    import lsdb

    with warnings.catch_warnings(action="ignore"), dask.config.set(scheduler="synchronous"):
        made = lsdb.from_dataframe(
            simulate(galaxies, seed=1),
            ra_column="ra",
            dec_column="dec",
            partition_rows=ROWS_AT_ONCE,
            margin_threshold=None,
        )
        made.write_catalog(folder, as_collection=False, progress_bar=False)


def train(folder: Path, members: int) -> None:
    """Train a small model of the usual size of networks."""
    import mixz
    from mixz.model.folder import save_model

    frame = simulate(3_000, seed=2)
    galaxies = mixz.GalaxySet(
        frame["object_id"].to_numpy(),
        BANDS,
        frame[[f"mag_{band}" for band in BANDS]].to_numpy(),
        np.full((len(frame), len(BANDS)), 0.05),
        {"spec": frame["z_true"].to_numpy()},
        mixz.split_by_id(np.arange(len(frame)), train=0.8, validation=0.2),
    )
    recipe = mixz.RECIPES["fused"].changed(training={"epochs": 3, "truths": ("spec",)})
    save_model(mixz.fit(galaxies, recipe, members=members), folder)


def measure(home: Path, workers: int) -> None:
    """Sum the catalogue up, and print a row of Markdown."""
    from mixz.bridges.dask_members import dask_client
    from mixz.bridges.model_columns import Asked
    from mixz.bridges.nz.hats import sum_hats
    from mixz.stages.nz import truths_of

    with dask_client(workers=workers) as client:
        begun = time.perf_counter()
        truths = truths_of(home / "sky")
        found = sum_hats(home / "model", home / "sky", client, bins=5, asked=Asked(), truths=truths)
        seconds = time.perf_counter() - begun
    galaxies = int(found.sums.galaxies(found.bins).sum())
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    hours = LARGEST / galaxies * seconds * workers / 3600
    print(
        f"| {galaxies:,} | {seconds:.0f} | {own:,.0f} | {found.memory_mb:,.0f} | {len(found.sample.mag):,} "
        f"| {found.sums.summed.nbytes / 1e6:,.0f} | {hours:,.0f} |",
        flush=True,
    )


def main() -> None:
    """Measure every size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--galaxies", type=int, nargs="+", default=[10_000_000])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--members", type=int, default=3)
    parser.add_argument("--home", type=Path, help="(of the process that measures)")
    given = parser.parse_args()
    if given.home is not None:
        measure(given.home, given.workers)
        return
    print("| galaxies | s | MB, asking | MB, a worker | in the sample | MB of sums | core hours for 4 billion |")
    print("|--:|--:|--:|--:|--:|--:|--:|", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        train(Path(folder) / "model", given.members)
        for galaxies in given.galaxies:
            home = Path(folder) / str(galaxies)
            home.mkdir()
            (home / "model").symlink_to(Path(folder) / "model")
            write_catalogue(home / "sky", galaxies)
            command = [sys.executable, __file__, "--home", str(home), "--workers", str(given.workers)]
            subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
