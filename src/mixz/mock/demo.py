"""The embedded demo: a small simulated survey that shows what spectra repair in a network trained on many-band labels.

Run it as ``python -m mixz.mock.demo OUT.parquet``.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from mixz.atomic import replacing
from mixz.mock import hsc
from mixz.mock.survey import simulate

if TYPE_CHECKING:
    import pandas as pd

SEED = 2411
GALAXIES = 29_600
COSMOS_SHARE = 0.595  # 12 k of the COSMOS field remain after the magnitude limit, and 12 k have spectra
I_LIMIT = 25.0  # Rubin's requirements end here (LPM-17, sec. 2.1)


def demo_galaxies(*, seed: int = SEED) -> pd.DataFrame:
    """Simulate the demo's galaxies: about 12,000 with many-band labels and 12,000 with spectra, 1 % with both.

    Columns: object_id (int64); mag_{b} and mag_err_{b} in grizy (float32, NaN where not detected); z_true (simulated
    truth), z_many_band and z_spec (float32, NaN where a galaxy has none).
    """
    table = simulate(GALAXIES, seed=seed, cosmos_share=COSMOS_SHARE).galaxies
    table = table[(table["mag_i"] < I_LIMIT) | table["z_spec"].notna()].sort_values("object_id")
    numbers = [f"{kind}_{b}" for kind in ("mag", "mag_err") for b in hsc.BANDS] + ["z_true", "z_many_band", "z_spec"]
    return table[["object_id", *numbers]].astype(dict.fromkeys(numbers, np.float32)).reset_index(drop=True)


def make_demo(path: str | Path, *, seed: int = SEED) -> None:
    """Write the demo's galaxies as Parquet; the file says that they are simulated, from which seed and by what command.

    Parameters
    ----------
    path
        The file to write.
    seed
        The same seed gives the same galaxies.

    Raises
    ------
    MixzError
        An optional package is missing.
    """
    says = {
        "simulated": "true",
        "seed": str(seed),
        "made_by": f"python -m mixz.mock.demo OUT --seed {seed}",
        "about": "Simulated galaxies of mixz's mock survey; not observed ones.",
    }
    table = pa.Table.from_pandas(demo_galaxies(seed=seed), preserve_index=False)
    with replacing(path) as draft:
        pq.write_table(table.replace_schema_metadata(says), draft, compression="zstd")


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Write the demo survey of simulated galaxies.")
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=SEED)
    given = parser.parse_args()
    make_demo(given.out, seed=given.seed)


if __name__ == "__main__":
    main()
