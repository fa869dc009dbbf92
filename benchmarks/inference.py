"""Prediction speed: galaxies per second by 1 and 10 members, as a share of the machine's own matrix-multiply peak.

    python benchmarks/inference.py --quick
    python benchmarks/inference.py --rivals     also RAIL's FlexZBoost and knn, minutes of training, where installed

Point output is one redshift per member; pdf output a density on 200 nodes, the members' mean, and its point estimates.
The rivals are asked about DC2 galaxies, ours about simulated ones of five bands: what is compared is work per galaxy,
not what comes out.  Memory: what a prediction needs beyond its galaxies and its estimates, for ten times as many
galaxies.
"""

from __future__ import annotations

import argparse
import statistics
from typing import TYPE_CHECKING

import numpy as np
import torch
from measure import matmul_peak, peak_memory_mb, report, seconds
from rivals import rival_speeds
from simulated import magnitudes

from mixz.galaxies import GalaxySet
from mixz.model.initial import untrained
from mixz.settings.network import Network
from mixz.settings.recipe import RECIPES, Recipe

if TYPE_CHECKING:
    from mixz.model.ensemble import Ensemble

CHUNK = 250_000


def galaxies(count: int) -> GalaxySet:
    """Simulate galaxies to ask about."""
    z, mag = magnitudes(count, seed=0)
    return GalaxySet(np.arange(count), tuple("grizy"), mag, np.full(mag.shape, 0.05), {"spec": z})


def model(head: str, members: int) -> Ensemble:
    """Make an untrained ensemble: it is as fast as a trained one."""
    few = galaxies(1_000)
    training = GalaxySet(few.object_id, few.bands, few.mag, few.mag_err, few.z, np.full(len(few), "train"))
    network = Network(head="binned" if head == "pdf" else "point")
    return untrained(training, Recipe(steps=RECIPES["spec"].steps, network=network), members=members)


def in_chunks(ensemble: Ensemble, chunks: int, chunk: GalaxySet) -> None:
    """Predict chunk after chunk, as `mixz predict` does with a table too big for memory."""
    for _ in range(chunks):
        ensemble.predict(chunk)


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--quick", action="store_true", help="under 50 s on 2 cores")
    arguments.add_argument("--rivals", action="store_true", help="against RAIL's estimators, where installed")
    given = arguments.parse_args()
    quick = given.quick
    count, rounds = (40_000, 3) if quick else (200_000, 5)
    asked = galaxies(count)
    figures: dict[str, float | str | None] = {"cores": float(torch.get_num_threads())}
    for members in (1, 10):
        for head in ("point", "pdf"):
            ensemble = model(head, members)
            ensemble.predict(asked.rows(np.arange(2_000)))
            peaks, speeds = [], []
            for _ in range(rounds):
                peaks.append(matmul_peak())
                speeds.append(count / seconds(lambda e=ensemble: e.predict(asked)))
            speed, peak = statistics.median(speeds), statistics.median(peaks)
            figures[f"galaxies_per_s_{head}_{members}"] = speed
            flop = 2 * sum(weight.numel() for weight in ensemble.weights.values())  # of all members, per galaxy
            figures[f"peak_share_{head}_{members}"] = speed * flop / peak
    figures["density_over_point_prediction"] = figures["galaxies_per_s_point_10"] / figures["galaxies_per_s_pdf_10"]
    if given.rivals:
        for name, theirs in rival_speeds(most=1_000 if quick else 20_000).items():
            figures[f"galaxies_per_s_{name}"] = theirs
            ours = figures["galaxies_per_s_pdf_10"]
            figures[f"speedup_{name}"] = ours / theirs if theirs and isinstance(ours, float) else None
    chunk = galaxies(CHUNK)
    one = model("point", 1)
    in_chunks(one, 1 if quick else 4, chunk)
    before = peak_memory_mb()
    in_chunks(one, 10 if quick else 40, chunk)
    figures |= {"peak_memory_mb": before, "peak_memory_growth_mb": peak_memory_mb() - before}
    figures["memory_galaxies"] = float(CHUNK * (10 if quick else 40))
    report(figures)


if __name__ == "__main__":
    main()
