"""The paper's training at its own size: base, tl and combo, 100 members each, on 116k + 286k simulated galaxies.

    python benchmarks/paper_training.py --device cuda --precision tf32
    python benchmarks/paper_training.py --quick

Needs torch, numpy and small pure-Python packages only, so that it runs on a bare GPU machine.
"""

from __future__ import annotations

import argparse
import statistics

import torch
from measure import peak_memory_mb, report, seconds
from simulated import rows

from mixz.model.nets import Weights, initial_weights
from mixz.model.seeds import START, STEP, derive_seed, generators
from mixz.model.training.devices import Machine
from mixz.model.training.engine import train_step
from mixz.model.training.rows import Rows
from mixz.settings.network import Network
from mixz.settings.recipe import FAST, RECIPES, Recipe

NETWORK = Network()
TRAIN, VALIDATION = 0.70, 0.15  # shares of GalaxiesML


def sample(share: float, many_band: int, spec: int, *, seed: int) -> dict[tuple[str, ...], Rows]:
    """Simulate one side of the split: scattered labels, spectra of brighter galaxies, and both together."""
    a = rows(int(share * many_band), seed=seed, label_error=0.03)
    b = rows(int(share * spec), seed=seed + 1, faint=26.0)
    both = Rows(torch.cat([a.x, b.x]), torch.cat([a.z_ref, b.z_ref]))
    return {("many_band",): a, ("spec",): b, ("many_band", "spec"): both}


def train_recipe(
    recipe: Recipe, members: int, sides: list[dict[tuple[str, ...], Rows]], machine: Machine
) -> tuple[float, int]:
    """Train a recipe; give the median best validation loss of its last step, and the epochs of its longest member."""
    numbers = list(range(members))
    starts = generators([derive_seed(0, k) for k in numbers], START)
    weights: Weights = initial_weights(5, 1, NETWORK, starts)
    epochs, best = 0, 0.0
    for number, step in enumerate(recipe.steps, start=1):
        train, validation = (side[step.truths] for side in sides)
        seeds = [derive_seed(0, k, STEP, number) for k in numbers]
        trained = train_step(weights, NETWORK, step, train, validation, members=numbers, seeds=seeds, machine=machine)
        weights = trained.weights
        epochs += max(map(len, trained.history.validation_loss))
        best = statistics.median(map(min, trained.history.validation_loss))
    return best, epochs


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    arguments.add_argument("--precision", choices=["float32", "tf32", "bfloat16"], default="float32")
    arguments.add_argument("--schedule", choices=["fast", "paper"], default="fast")
    arguments.add_argument("--cuda-graphs", action="store_true", help="record updates as CUDA graphs")
    arguments.add_argument("--members", type=int, default=100)
    arguments.add_argument("--quick", action="store_true", help="4 members, 2k + 4k galaxies: under 50 s on 2 cores")
    given = arguments.parse_args()
    members, many_band, spec = (4, 2_000, 4_000) if given.quick else (given.members, 116_000, 286_000)
    machine = Machine(given.device, given.precision, cuda_graphs=given.cuda_graphs)
    sides = [sample(share, many_band, spec, seed=seed) for share, seed in ((TRAIN, 1), (VALIDATION, 3))]
    figures: dict[str, float | str | None] = {
        "device": torch.cuda.get_device_name() if given.device == "cuda" else "cpu",
        "precision": given.precision,
        "schedule": given.schedule,
        "members": float(members),
        "galaxies": float(many_band + spec),
    }
    settings = FAST if given.schedule == "fast" else {}
    total = 0.0
    for name in ("base", "tl", "combo"):
        recipe = RECIPES[name].over(training=settings)
        result: list[tuple[float, int]] = []
        took = seconds(lambda r=recipe, into=result: into.append(train_recipe(r, members, sides, machine)))
        total += took
        figures |= {f"{name}_s": took, f"{name}_loss": result[0][0], f"{name}_epochs": float(result[0][1])}
    figures |= {"total_s": total, "peak_memory_mb": peak_memory_mb()}
    if given.device == "cuda":
        figures["gpu_memory_mb"] = torch.cuda.max_memory_allocated() / 1e6
    report(figures)


if __name__ == "__main__":
    main()
