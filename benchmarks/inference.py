"""Prediction speed: galaxies per second by 1 and 10 members, as a share of the machine's own matrix-multiply peak.

    python benchmarks/inference.py --quick
    python benchmarks/inference.py --rivals     also RAIL's FlexZBoost and knn, minutes of training, where installed

Point output is one redshift per member; pdf output a density on 200 nodes, the members' mean, and its point estimates.
`calibrated_over_raw` is the speed of a calibrated model with intervals as a share of the same without, in turn.
The rivals are asked about DC2 galaxies, ours about simulated ones of five bands: what is compared is work per galaxy,
not what comes out.  Memory: what a prediction needs beyond its galaxies and its estimates, for ten times as many
galaxies.
"""

from __future__ import annotations

import argparse
import statistics
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
import torch
from measure import matmul_peak, peak_memory_mb, report, seconds
from rivals import rival_speeds
from simulated import magnitudes

from mixz.bridges.onnx_export import export_onnx
from mixz.bridges.onnx_files import OnnxModel
from mixz.densities.calibration import KNOTS, Calibration
from mixz.densities.intervals import Intervals
from mixz.galaxies import GalaxySet
from mixz.model.initial import untrained
from mixz.settings.network import Network
from mixz.settings.recipe import RECIPES, Recipe

if TYPE_CHECKING:
    from mixz.model.ensemble import Ensemble

if TYPE_CHECKING:
    from collections.abc import Callable

CHUNK = 250_000


def galaxies(count: int) -> GalaxySet:
    """Simulate galaxies to ask about."""
    z, mag = magnitudes(count, seed=0)
    return GalaxySet(np.arange(count), tuple("grizy"), mag, np.full(mag.shape, 0.05), {"spec": z})


def calibrated(ensemble: Ensemble) -> Ensemble:
    """The ensemble with a calibration and intervals: any are as fast as fitted ones."""
    knots, mag = np.array(KNOTS), np.linspace(21, 24, 6)
    height = (knots * np.linspace(0.8, 1.2, len(mag))[:, None])[None]
    reach = np.linspace([0.6, 0.85, 0.9], [0.7, 0.92, 0.96], len(mag) + 1)
    return replace(ensemble, calibration=Calibration(mag, knots, height), intervals=Intervals(mag, reach))


def alternating(works: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Time several works in turn, so that what else the machine does is the same for all; the least of each [s]."""
    took: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            took[name].append(seconds(work))
    return {name: min(times) for name, times in took.items()}


def as_onnx(ensemble: Ensemble, folder: Path, name: str) -> OnnxModel:
    """Export an ensemble and read it back."""
    export_onnx(ensemble, folder / name)
    return OnnxModel.load(folder / name)


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
    with TemporaryDirectory() as home:
        for members in (1, 10):
            raw = model("pdf", members)
            both = {"raw": raw, "calibrated": calibrated(raw)}
            exported = {name: as_onnx(one, Path(home), f"{name}-{members}.onnx") for name, one in both.items()}
            for kind, models in (("", both), ("onnx_", exported)):
                least = alternating({n: lambda m=m: m.predict(asked) for n, m in models.items()}, rounds)
                figures[f"{kind}calibrated_over_raw_{members}"] = least["raw"] / least["calibrated"]
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
