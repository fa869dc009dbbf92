"""The simulated task set 3 of the DESC challenge: mixz `fused` beside RAIL's FlexZBoost and k nearest neighbours.

    python benchmarks/challenge.py --out out/challenge

Every entry learns from the same rows and is judged on the same test galaxies by `mixz challenge score`.  RAIL's
estimators get the usual single label: the spectrum, and where there is none the many-band redshift.  Needs
``pip install 'mixz[rail]' pz-rail-flexzboost pz-rail-sklearn``; entries whose package is missing are left out.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mixz.data.tables import read_table
from mixz.report.scores import scores_markdown
from mixz.stages import challenge
from mixz.surveys.desc_challenge import BANDS, MANY_BAND, SPEC

if TYPE_CHECKING:
    import pandas as pd

Z_MAX = 3.0
HALF = 0.5
"""In the weighted entry a many-band label counts this much, a spectrum 1 (ours)."""

RAIL = {
    "hdf5_groupname": "",
    "nondetect_val": math.nan,
    "err_bands": [f"mag_{band}_lsst_err" for band in BANDS],
    "zmax": Z_MAX,
    "output_mode": "return",
}


def one_label(training: pd.DataFrame) -> dict[str, Any]:
    """Fill missing spectra with many-band redshifts, as `nan_filled` entries of the challenge do."""
    label = training[SPEC].fillna(training[MANY_BAND])
    kept = training[label.between(0.0, Z_MAX, inclusive="right")]
    columns = {name: kept[name].to_numpy(float, copy=True) for name in kept if str(name).startswith("mag_")}
    weight = np.where(kept[SPEC].notna(), 1.0, HALF)
    return columns | {"redshift": label[kept.index].to_numpy(), "weight": weight}


def by_rail(informer: Any, estimator: Any, training: Path, test: Path, output: Path, **options: Any) -> None:
    """Train one of RAIL's estimators and write its densities, with object_id and zmode."""
    table, asked = one_label(read_table(training)), read_table(test)
    name = output.stem
    model = informer.make_stage(name=f"inform_{name}", **(RAIL | options)).inform(table)
    known = {key: value for key, value in (RAIL | options).items() if key in estimator.config_options}
    known |= {"nzbins": 301, "calculated_point_estimates": ["zmode"], "chunk_size": 100_000}
    stage = estimator.make_stage(name=f"estimate_{name}", model=model, **known)
    columns = {name: asked[name].to_numpy(float, copy=True) for name in asked if str(name).startswith("mag_")}
    ensemble = stage.estimate(columns).data
    ensemble.ancil["object_id"] = asked["object_id"].to_numpy()
    ensemble.write_to(str(output))


def entries() -> dict[str, Any]:
    """What can be run here: per entry a function of the training table, the test table and the output."""
    found: dict[str, Any] = {"fused": challenge.run_taskset_3_training_and_estimation}
    try:
        from rail.estimation.algos.flexzboost import FlexZBoostEstimator, FlexZBoostInformer
    except ImportError:
        print("no pz-rail-flexzboost here: its entries are left out")
    else:
        boost = (FlexZBoostInformer, FlexZBoostEstimator)
        found["flexzboost"] = lambda *files: by_rail(*boost, *files)
        weighted = {"use_weights": True, "weights_column": "weight"}
        found["flexzboost_weighted"] = lambda *files: by_rail(*boost, *files, **weighted)
    try:
        from rail.estimation.algos.k_nearneigh import KNearNeighEstimator, KNearNeighInformer
    except ImportError:
        print("no pz-rail-sklearn here: its entry is left out")
    else:
        found["knn"] = lambda *files: by_rail(KNearNeighInformer, KNearNeighEstimator, *files)
    return found


def main() -> None:
    """Make the mock, run every entry, and print the table."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--out", type=Path, default=Path("out/challenge"))
    arguments.add_argument("--seed", type=int, default=1, help="seed of the mock")
    arguments.add_argument("--only", nargs="*", help="only these entries; what lies there of others is scored too")
    chosen = arguments.parse_args()
    training, test, truth = challenge.mock(chosen.out, seed=chosen.seed)
    seconds: dict[str, float] = {}
    scores = {}
    for name, run in entries().items():
        output = chosen.out / f"{name}.hdf5"
        if chosen.only is None or name in chosen.only:
            begun = time.perf_counter()
            run(training, test, output)
            seconds[name] = time.perf_counter() - begun
        if output.exists():
            scores[name] = challenge.score(output, truth)
    print(scores_markdown(scores))
    figures = {f"{name}_{metric}": value for name, one in scores.items() for metric, value in one.items()}
    print(json.dumps(figures | {f"{name}_seconds": value for name, value in seconds.items()}))


if __name__ == "__main__":
    main()
