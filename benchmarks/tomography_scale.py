"""n(z) of a HATS catalogue by size: the most memory that `mixz nz` and its workers hold, disk meanwhile, and time.

SIMULATED galaxies in 40 pieces of sky, however many they are, one in ten with a many-band label; written piece by
piece. `mixz nz` is asked for five bins of equal counts, and its processes are looked at five times a second: neither
memory nor disk may grow with the catalogue. The model is small (one hidden layer of 32, densities on 200 nodes, no
calibration, no intervals), since what is measured is what n(z) adds to predicting, which `sky.py` measures. Processor
time is told beside time, for a machine has other work too; what 4 billion galaxies would take is that of a row,
multiplied up.

    python benchmarks/tomography_scale.py --galaxies 300000 1000000 10000000 [--workers 2] [--members 1] [--home FOLDER]

needs mixz[train,hats] and psutil, which Dask brings.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
from simulated import magnitudes

LARGEST = 4_000_000_000
PIECES, ORDER, INDEX_ORDER = 40, 5, 29
LABELLED, SCATTER = 0.1, 0.02
LOOK_SECONDS, LOOKS_PER_WALK = 0.2, 10
BANDS = tuple("grizy")
COLUMNS = (
    *("galaxies", "s", "processor s", "MB, asking", "MB, a worker", "MB, all processes", "MB on disk meanwhile"),
    *("in the sample", "core hours for 4 billion"),
)


def write_catalogue(folder: Path, galaxies: int) -> None:
    """Write simulated galaxies as a HATS catalogue, a piece of sky at a time."""
    from mixz.data.hats_folder import HatsFolder, Pixel, finish, pixel_file

    counts = {}
    for number, rows in enumerate(np.diff(np.linspace(0, galaxies, PIECES + 1).astype(int)).tolist()):
        pixel = Pixel(ORDER, number)
        counts[pixel] = rows
        file = pixel_file(folder / "sky", pixel)
        file.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(galaxies_in(pixel, rows), file, row_group_size=50_000)
    finish(folder / "sky", counts, HatsFolder.open(template(folder)), name="sky", builder="benchmark")


def galaxies_in(pixel: tuple[int, int], rows: int) -> pa.Table:
    """Draw galaxies inside a piece of sky, in order of the sky."""
    from cdshealpix.nested import healpix_to_lonlat

    order, number = pixel
    rng = np.random.default_rng([number, 1])
    cells = 4 ** (INDEX_ORDER - order)
    index = np.sort(number * cells + rng.integers(0, cells, rows))
    lon, lat = healpix_to_lonlat(index.astype(np.uint64), INDEX_ORDER)
    z, mag = magnitudes(rows, seed=number)
    label = np.where(rng.random(rows) < LABELLED, z + SCATTER * (1 + z) * rng.normal(size=rows), np.nan)
    bands = {f"mag_{band}": mag[:, k].astype(np.float32) for k, band in enumerate(BANDS)}
    places = {"_healpix_29": index, "object_id": index, "ra": lon.deg, "dec": lat.deg}
    return pa.table({**places, **bands, "z_many_band": label})


def template(folder: Path) -> Path:
    """A catalogue of a few galaxies, as LSDB writes it."""
    import lsdb

    few = galaxies_in((ORDER, 0), 50).to_pandas().drop(columns="_healpix_29")
    made = lsdb.from_dataframe(few, ra_column="ra", dec_column="dec", margin_threshold=None)
    made.write_catalog(folder / "template", as_collection=False, progress_bar=False)
    return folder / "template"


def train(folder: Path, members: int) -> None:
    """Train a small model."""
    import mixz
    from mixz.model.folder import save_model
    from mixz.settings.network import Network
    from mixz.settings.recipe import Recipe, Step

    z, mag = magnitudes(4_000, seed=1_000)
    ids = np.arange(len(z))
    galaxies = mixz.GalaxySet(ids, BANDS, mag, np.full(mag.shape, 0.05), {"spec": z}, mixz.split_by_id(ids))
    step = Step(truths=("spec",), loss="label_likelihood", epochs=5, lr=2e-3, batch_size=256)
    network = Network(head="binned", inputs="whitened", hidden=(32,))
    made = mixz.fit(galaxies, Recipe(steps=(step,), network=network), members=members)
    save_model(replace(made, calibration=None, intervals=None, support=None), folder)


@dataclass
class Watched:
    """What was seen of a process and all that it started.

    Parameters
    ----------
    asking, worker, together
        The most memory [MB] of the process itself, of another, and of all of them at a time (pages that several share
        count for each).
    disk
        The most that lay in a folder [MB].
    seconds
        Processor time of each, by number.
    """

    asking: float = 0.0
    worker: float = 0.0
    together: float = 0.0
    disk: float = 0.0
    seconds: dict[int, float] = field(default_factory=dict)

    def look(self, process: psutil.Process) -> None:
        """Look at them now."""
        held = {}
        for one in [process, *process.children(recursive=True)]:
            try:
                held[one.pid] = one.memory_info().rss / 1e6
                self.seconds[one.pid] = sum(one.cpu_times()[:2])
            except psutil.Error:  # it has just ended
                continue
        own = held.pop(process.pid, 0.0)
        self.asking, self.worker = max(self.asking, own), max(self.worker, *held.values(), 0.0)
        self.together = max(self.together, own + sum(held.values()))

    def walk(self, folder: Path) -> None:
        """Look at a folder now."""
        sizes = 0
        for file in folder.rglob("*"):
            try:
                sizes += file.stat().st_size
            except OSError:  # it has just gone
                continue
        self.disk = max(self.disk, sizes / 1e6)


def measure(home: Path, workers: int) -> str:
    """Ask for n(z), and lay out what it took as a row of Markdown."""
    command = [sys.executable, "-m", "mixz", "nz", str(home / "model"), str(home / "sky"), "-o", str(home / "nz")]
    command += ["--bins", "5", "--resamples", "20"]
    begun, seen = time.perf_counter(), Watched()
    with (home / "said.txt").open("w") as said:
        process = psutil.Popen([*command, "--workers", str(workers)], stdout=said, stderr=said)
        looks = 0
        while process.poll() is None:
            seen.look(process)
            if looks % LOOKS_PER_WALK == 0:
                seen.walk(home / "nz.unfinished")
            looks += 1
            time.sleep(LOOK_SECONDS)
    seconds = time.perf_counter() - begun
    if process.returncode:
        raise SystemExit((home / "said.txt").read_text())
    record = json.loads((home / "nz" / "tomography.json").read_text())
    galaxies = sum(one["galaxies"] for one in record["bins"])
    sampled = next(note for note in record["notes"] if "sample of" in note).partition("sample of ")[2].split()[0]
    processor = sum(seen.seconds.values())
    hours = LARGEST / galaxies * processor / 3600
    numbers = (galaxies, seconds, processor, seen.asking, seen.worker, seen.together, seen.disk)
    return f"| {' | '.join(f'{number:,.0f}' for number in numbers)} | {sampled} | {hours:,.0f} |"


def main() -> None:
    """Measure every size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--galaxies", type=int, nargs="+", default=[10_000_000])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--members", type=int, default=1)
    parser.add_argument("--home", type=Path, help="folder to work in; else a temporary one")
    given = parser.parse_args()
    print(f"| {' | '.join(COLUMNS)} |\n|{'--:|' * len(COLUMNS)}", flush=True)
    with tempfile.TemporaryDirectory(dir=given.home) as folder:
        train(Path(folder) / "model", given.members)
        for galaxies in given.galaxies:
            home = Path(folder) / str(galaxies)
            home.mkdir()
            (home / "model").symlink_to(Path(folder) / "model")
            write_catalogue(home, galaxies)
            print(measure(home, given.workers), flush=True)
            shutil.rmtree(home)


if __name__ == "__main__":
    main()
