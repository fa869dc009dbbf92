"""How long and how much memory `mixz build` takes at the surveys' real size.

    python benchmarks/build.py            1.7 million rows of COSMOS2020 (100 columns) against 3 million of HSC
    python benchmarks/build.py --quick    a tenth of it, in under 50 seconds

The inputs are a small mock survey repeated side by side on the sky, written to a temporary folder and removed again.
The build runs in a process of its own, so that its peak memory is its own.  The last line is one line of JSON.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import yaml
from astropy.io import fits

from mixz.data.tables import write_table
from mixz.mock.cosmos2020 import CLASSIC_FILE, classic
from mixz.mock.hsc_tables import hsc_table
from mixz.mock.survey import simulate

if TYPE_CHECKING:
    import pandas as pd

COSMOS_ROWS, HSC_ROWS, COLUMNS = 1_700_000, 3_000_000, 100
MAX_GB, MAX_SECONDS = 4.0, 180.0
QUICK = 10
CONFIG = Path(__file__).parents[1] / "configs" / "transferz.yaml"

# Ours: COSMOS2020's rows lie on 2 square degrees, HSC's here on the field around them.
FIELD_RA, FIELD_DEC = (149.30, 150.79), (1.60, 2.81)


def main() -> None:
    """Make the inputs, build in a process of its own, and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the rows")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--build", type=Path, help=argparse.SUPPRESS)  # what the process of its own is called with
    given = parser.parse_args()
    if given.build:
        run_build(given.build)
        return
    scale = QUICK if given.quick else 1
    with tempfile.TemporaryDirectory(prefix="mixz-benchmark-") as folder:
        started = time.perf_counter()
        make_inputs(Path(folder), COSMOS_ROWS // scale, HSC_ROWS // scale, seed=given.seed)
        size_gb = sum(path.stat().st_size for path in Path(folder).iterdir()) / 1e9
        print(f"inputs: {size_gb:.2f} GB, made in {time.perf_counter() - started:.0f} s")
        command = [sys.executable, __file__, "--build", folder]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    figures = json.loads(done.stdout.splitlines()[-1]) | {"quick": given.quick, "input_gb": round(size_gb, 3)}
    seconds, peak_gb = figures["build_seconds"], figures["peak_gb"]
    print(f"build: {seconds:.1f} s (limit {MAX_SECONDS:.0f}), {peak_gb:.2f} GB (limit {MAX_GB:g})")
    figures["passes"] = seconds < MAX_SECONDS and peak_gb < MAX_GB
    print(json.dumps(figures))


def run_build(folder: Path) -> None:
    """Build the shipped config's TransferZ from the files in `folder`, and print what it took as JSON."""
    from mixz import stages
    from mixz.settings.file import load_config

    settings = yaml.safe_load(CONFIG.read_text().replace("../mock_survey", str(folder)))
    settings |= {"tables": settings["tables"][:1], "recipes": ["base"], "out": str(folder / "out")}
    del settings["overlap"]
    (folder / "config.yaml").write_text(yaml.safe_dump(settings, sort_keys=False))
    started = time.perf_counter()
    ledger = stages.build(load_config(folder / "config.yaml"))
    seconds = time.perf_counter() - started
    match = next(e for e in ledger.entries if "labels_in" in e.details)
    figures = {
        "build_seconds": round(seconds, 2),
        "cpu_seconds": round(sum(resource.getrusage(resource.RUSAGE_SELF)[:2]), 2),
        "peak_gb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6, 3),
        "cosmos_rows": ledger.entries[0].rows_in,
        "hsc_rows": next(e.rows_in for e in ledger.entries if e.step.startswith("near_")),
        "pairs": match.rows_out,
        "false_matches": match.details["false_matches"],
        "galaxies": ledger.entries[-1].rows_out,
        "cores": os.cpu_count(),
    }
    print(json.dumps(figures))


def make_inputs(folder: Path, cosmos_rows: int, hsc_rows: int, *, seed: int) -> None:
    """Write mock COSMOS2020 CLASSIC, with about a hundred columns, and a mock HSC table of the same sky."""
    survey = simulate(40_000, seed=seed, cosmos_share=0.9)
    objects = survey.cosmos
    catalogue = classic(objects, survey.systematics, seed=seed).reset_index(drop=True)
    table = hsc_table(objects, seed=seed).reset_index(drop=True)
    for k in range(COLUMNS - len(catalogue.columns)):
        catalogue[f"IB{k:03d}_FLUX_AUTO"] = np.float32(k)
    tiles = math.ceil(math.sqrt(cosmos_rows / len(catalogue)))
    write_tiled(catalogue, folder / CLASSIC_FILE, cosmos_rows, tiles, names=("ID", "ALPHA_J2000", "DELTA_J2000"))
    write_tiled(table, folder / "hsc_pdr2_wide.fits", hsc_rows, tiles, names=("object_id", "ra", "dec"))


def write_tiled(frame: pd.DataFrame, path: Path, rows: int, tiles: int, *, names: tuple[str, str, str]) -> None:
    """Repeat a table on a grid of `tiles` by `tiles` shrunken copies of its field, and beyond it for what is left."""
    write_table(frame, path)
    with fits.open(path) as hdus:
        small = np.array(hdus[1].data)
        header = hdus[1].header
    header["NAXIS2"] = rows
    with path.open("wb") as file:
        fits.PrimaryHDU().writeto(file)
        file.write(header.tostring().encode())
        for copy in range(math.ceil(rows / len(small))):
            chunk = small[: min(len(small), rows - copy * len(small))].copy()
            place(chunk, copy, tiles, names)
            file.write(chunk.tobytes())
        file.write(bytes(-file.tell() % 2880))


def place(chunk: Any, copy: int, tiles: int, names: tuple[str, str, str]) -> None:
    """Number a copy's rows anew and move them to its cell of the field, or, past the last, to the field next door."""
    number, ra, dec = names
    chunk[number] = np.arange(len(chunk)) + copy * 10**6
    row, column = divmod(copy, tiles)
    for name, cell, (low, high) in ((ra, column, FIELD_RA), (dec, row, FIELD_DEC)):
        chunk[name] = low + (chunk[name] - low + cell * (high - low)) / tiles


if __name__ == "__main__":
    main()
