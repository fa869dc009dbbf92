"""n(z) of tomographic bins of cosmoDC2's galaxies with RAIL's own selections and label errors: every method's error.

SIMULATED, and small: the 20,000 galaxies that RAIL's wheel brings.  10,000 of them are the target, i < 25.3; of the
others RAIL's spectroscopic selections take some, and 5,000 have many-band labels as wrong as RAIL's model of COSMOS2020
has them.  The model is trained on three quarters of these, and n(z)
of the target's bins is found

    own     with many-band labels of the target itself, as wrong;
    other   without them, from the labelled galaxies of the others.

    python benchmarks/tomography_rail.py [--seeds 3]

needs mixz[train,rail].
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch

import mixz
from mixz.bridges.rail_mock import many_band_labels, simulated_task_set_3
from mixz.surveys.desc_challenge import MANY_BAND, SPEC
from tomography import MEMBERS, Pair, found, table

if TYPE_CHECKING:
    from numpy.typing import NDArray

BANDS = ("g", "r", "i", "z", "y")


def survey(*, seed: int) -> tuple[mixz.GalaxySet, NDArray[np.bool_]]:
    """The galaxies, and which of them bins are of."""
    training, test = simulated_task_set_3(seed=seed)
    test = test.assign(**{MANY_BAND: many_band_labels(test, seed=seed)})
    both = pd.concat([training, test], ignore_index=True)
    mag = both[[f"mag_{band}_lsst" for band in BANDS]].to_numpy()
    both = both[np.isfinite(mag).all(axis=1)].reset_index(drop=True)
    ids = both["object_id"].to_numpy()
    target = np.isin(ids, test["object_id"])
    redshift = both[SPEC].to_numpy()
    galaxies = mixz.GalaxySet(
        ids,
        BANDS,
        both[[f"mag_{band}_lsst" for band in BANDS]].to_numpy(),
        both[[f"mag_{band}_lsst_err" for band in BANDS]].to_numpy(),
        {
            "many_band": both[MANY_BAND].to_numpy(),
            "spec": np.where(target, np.nan, redshift),
            "true": np.where(target, redshift, np.nan),
        },
        np.where(target, "test", mixz.split_by_id(ids, train=0.75, validation=0.25, seed=seed)),
    )
    return galaxies, target


def main() -> None:
    """Train, find n(z), and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    given = parser.parse_args()
    torch.set_num_threads(1)
    results: dict[str, list[Pair]] = {"own": [], "other": []}
    for seed in range(1, 1 + given.seeds):
        begun = time.perf_counter()
        galaxies, target = survey(seed=seed)
        hidden = {name: np.where(target, np.nan, galaxies.z[name]) for name in ("many_band", "spec")}
        model = mixz.fit(replace(galaxies, z=hidden), mixz.RECIPES["fused"], members=MEMBERS, seed=seed)
        photoz = model.predict(galaxies)
        for kind, several in results.items():
            by_neighbours, by_cells = (
                found(photoz, galaxies, target, own=kind == "own", seed=seed, stand_ins=how)
                for how in ("neighbours", "cells")
            )
            several.append((by_neighbours, by_cells))
        print(
            f"<!-- seed {seed}: {target.sum():,} galaxies in bins, {time.perf_counter() - begun:.0f} s -->", flush=True
        )
    print("\nSIMULATED galaxies of cosmoDC2; errors in units of .001 (1 + z), by bin for the first seed.\n")
    for kind, several in results.items():
        for quantity in ("mean", "width"):
            print(table(several, quantity, f"{quantity}, {kind} labels"), end="\n\n")


if __name__ == "__main__":
    main()
