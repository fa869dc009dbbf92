"""The paper's experiment at its own size, verb by verb: seconds, memory, and what 100 members would take.

    python benchmarks/paper.py            400,000 simulated galaxies, the six recipes, 3 members each
    python benchmarks/paper.py --epochs 2  the same with trainings cut short: what follows takes as long as ever
    python benchmarks/paper.py --quick    12,000 galaxies, base and fused, 2 members: minutes on 2 cores

`mixz mock` simulates, then `mixz build`, `train`, `evaluate` and `report` run in a process of their own each, whose CPU
time and peak memory are theirs.  Training scales with members; of evaluating, what scales is predicting and judging.
So judging is also measured by itself, one recipe on one sample with 100 members, on made-up estimates, beside the
definition by drawing rows, of which a few resamples tell the CPU time of all.  The last line is one line of JSON.
`paper_training.py` trains at this size on a GPU.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import yaml
from measure import peak_memory_mb, report

import mixz
from mixz.metrics.bins import POINT_BINS
from mixz.metrics.judged import Estimates, judge, metrics_along, resampled
from mixz.metrics.places import Sample, places
from mixz.metrics.residuals import Residuals

if TYPE_CHECKING:
    from collections.abc import Sequence

CONFIG = Path(__file__).parents[1] / "configs" / "transferz.yaml"
GALAXIES, TEST, MEMBERS = 400_000, 60_000, 100
VERBS = ("build", "train", "evaluate", "report")
RESAMPLES, DRAWN = 200, 4
"""Resamples of a range, and how many of them are drawn row by row for comparison."""

Figures = dict[str, float | str | None]


def main() -> None:
    """Simulate, run every verb, judge 100 members, and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="12,000 galaxies, two recipes, 2 members")
    parser.add_argument("--galaxies", type=int)
    parser.add_argument("--members", type=int)
    parser.add_argument("--epochs", type=int, help="at most so many in every step; what follows takes as long")
    parser.add_argument("--judge", type=int, help=argparse.SUPPRESS)  # what the process of its own is called with
    given = parser.parse_args()
    if given.judge:
        report(judging(given.judge))
        return
    galaxies = given.galaxies or (12_000 if given.quick else GALAXIES)
    members = given.members or (2 if given.quick else 3)
    figures: Figures = {"galaxies": float(galaxies), "members": float(members), "cores": float(os.cpu_count() or 1)}
    with tempfile.TemporaryDirectory(prefix="mixz-benchmark-") as name:
        config = make_config(Path(name), members, ["base", "fused"] if given.quick else None, given.epochs)
        command = [sys.executable, "-m", "mixz"]
        figures |= measured(
            "mock", [*command, "mock", "--galaxies", str(galaxies), "--out", str(Path(name) / "survey")]
        )
        for verb in VERBS:
            figures |= measured(verb, [*command, verb, str(config)])
        figures["report_mb"] = (Path(name) / "out" / "paper" / "report.html").stat().st_size / 1e6
    test = TEST // 10 if given.quick else TEST
    alone = subprocess.run(
        [sys.executable, __file__, "--judge", str(test)], stdout=subprocess.PIPE, text=True, check=True
    )
    figures |= json.loads(alone.stdout.splitlines()[-1])
    times = MEMBERS / members
    for verb in ("evaluate",) if given.epochs else ("train", "evaluate"):
        seconds = figures[f"{verb}_s"]
        assert isinstance(seconds, float)
        figures[f"{verb}_100_members_min_at_most"] = seconds * times / 60
    report(figures)


def make_config(folder: Path, members: int, recipes: Sequence[str] | None, epochs: int | None) -> Path:
    """Write the shipped config of the paper's data sets, of the simulated survey and so many members."""
    tree = yaml.safe_load(CONFIG.read_text().replace("../mock_survey", "survey"))
    tree |= {"name": "paper", "members": members, "out": str(folder / "out")} | (
        {"recipes": list(recipes)} if recipes else {}
    )
    if epochs:
        short = {
            name: mixz.RECIPES[name].changed(training={"epochs": epochs, "warm_up": 0}) for name in tree["recipes"]
        }
        tree["recipes"] = {
            name: [step.model_dump(mode="json", exclude_unset=True) for step in recipe.steps]
            for name, recipe in short.items()
        }
    path = folder / "paper.yaml"
    path.write_text(yaml.safe_dump(tree, sort_keys=False))
    return path


def measured(name: str, command: list[str]) -> Figures:
    """Run a command: its wall and CPU seconds and peak memory, and what it says while it runs."""
    begun = time.perf_counter()
    with subprocess.Popen(command) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{name} ended with {process.returncode}")
    figures: Figures = {
        f"{name}_s": time.perf_counter() - begun,
        f"{name}_cpu_s": used.ru_utime + used.ru_stime,
        f"{name}_peak_gb": used.ru_maxrss / 1024**2,
    }
    print(f"{name}: {figures[f'{name}_s']:.0f} s, {figures[f'{name}_peak_gb']:.2f} GB", flush=True)
    return figures


def judging(galaxies: int) -> Figures:
    """Judge 100 members on one sample, all ranges and bins; and a few resamples by drawing rows, to compare with."""
    rng = np.random.default_rng(1)
    z = rng.gamma(3.0, 0.3, galaxies).clip(0.02, 4)
    hard = 0.03 * rng.standard_t(2, galaxies)
    z_phot = z + (1 + z) * (hard + 0.015 * rng.standard_normal((MEMBERS, galaxies)))
    sample = Sample("spec", "test", z, rng.uniform(19, 25.5, galaxies))
    begun, wall = time.process_time(), time.perf_counter()
    judge(sample, Estimates(z_phot), bins=POINT_BINS, resamples=RESAMPLES, seed=1)
    cpu = time.process_time() - begun
    figures: Figures = {"judge_100_members_s": time.perf_counter() - wall, "judge_100_members_cpu_s": cpu}

    few = Residuals.of(z_phot[:4], z)
    begun = time.process_time()
    resampled(few, RESAMPLES, np.random.default_rng(1))
    ours = (time.process_time() - begun) / RESAMPLES
    begun = time.process_time()
    for _ in range(DRAWN):
        metrics_along(few.drawn(rng.integers(0, galaxies, (1, galaxies))))
    rows = (time.process_time() - begun) / DRAWN
    whole = sum(place.resamples(RESAMPLES) * (1 if place.bin is None else 1 / 8) for place in places(POINT_BINS))
    return figures | {
        "cpu_by_rows_over_by_counts": rows / ours,
        "judge_by_rows_cpu_s_would_be": rows * whole * MEMBERS / 4,
        "judge_peak_mb": peak_memory_mb(),
    }


if __name__ == "__main__":
    main()
