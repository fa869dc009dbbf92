"""Training speed: mixz against a plain PyTorch loop and against Keras, and against the machine's own peak.

    python benchmarks/training.py --quick

Everything is measured in this one run, in turn, so that the ratios mean something on a busy machine too.  Equal
epochs: galaxies x members per second.  Same loss: wall time per member to the plain loop's best validation loss, which
has the paper's schedule and min-max inputs there, the fast schedule and whitened inputs here.  The plain loop is one
member and at most 60 (--quick) or 100 epochs.  Growth: one epoch, 10 times the members and 10 times the galaxies.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import statistics
import time
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from measure import MATMUL_FLOP, matmul_peak, peak_memory_mb, report, seconds
from simulated import rows

from mixz.densities.estimates import hsc_loss
from mixz.model.heads import head_of
from mixz.model.inputs.features import Features, Photometry
from mixz.model.nets import Weights, initial_weights
from mixz.model.seeds import START, derive_seed, generators
from mixz.model.training.engine import Trained, train_step
from mixz.model.training.rows import Rows
from mixz.settings.network import Network
from mixz.settings.recipe import FAST, Step
from mixz.truths import KNOWN_TRUTHS, Labels

if TYPE_CHECKING:
    from mixz.model.training.devices import Machine

NETWORK = Network()
PAPER = Step(truths=("spec",))
FLOP_PER_GALAXY = 6 * 122_006 - 2 * 5 * 200  # forward, and backward to weights and (but for the first layer) inputs


@cache
def start(members: int) -> Weights:
    """Draw first weights of some members, once."""
    return initial_weights(5, 1, NETWORK, generators([derive_seed(0, k) for k in range(members)], START))


def ours(step: Step, members: int, train: Rows, validation: Rows, machine: Machine | None = None) -> Trained:
    """Train members with mixz."""
    seeds = list(range(members))
    return train_step(start(members), NETWORK, step, train, validation, members=seeds, seeds=seeds, machine=machine)


class Timed(NamedTuple):
    """Seconds, and validation losses."""

    seconds: float
    losses: list[float]


class Plain(torch.nn.Module):
    """The network as a person would write it."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden = torch.nn.ModuleList(torch.nn.Linear(a, 200) for a in (5, 200, 200, 200))
        self.last = torch.nn.Linear(205, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = x
        for layer in self.hidden:
            h = torch.relu(layer(h))
        z: torch.Tensor = self.last(torch.cat([h, x], dim=1)).squeeze(1)
        return z


def plain_loop(train: Rows, validation: Rows, *, seed: int, epochs: int, patience: int) -> list[float]:
    """Train one member as a person would write it: the paper group's schedule; give its validation losses."""
    torch.manual_seed(seed)
    net = Plain()
    adam = torch.optim.Adam(net.parameters(), lr=PAPER.lr)
    losses: list[float] = []
    for _ in range(epochs):
        for batch in torch.randperm(len(train)).split(PAPER.batch_size):
            adam.zero_grad()
            hsc_loss(z_phot=net(train.x[batch]), z_ref=train.z_ref[batch]).mean().backward()
            adam.step()
        with torch.no_grad():
            losses.append(float(hsc_loss(z_phot=net(validation.x), z_ref=validation.z_ref).mean()))
        if losses.index(min(losses)) <= len(losses) - 1 - patience:
            break
    return losses


def plain_threads(train: Rows) -> int:
    """Find with how many threads the plain loop is faster: on a busy machine threads that share products wait."""
    some, all_threads = train.take(slice(0, 1_000)), torch.get_num_threads()
    taken: dict[int, list[float]] = {1: [], all_threads: []}
    for threads in (1, all_threads) * 4:
        taken[threads].append(timed_plain(some, some, threads, seed=0, epochs=1, patience=1).seconds)
    return min(taken, key=lambda threads: statistics.median(taken[threads][1:]))  # the first ones set libraries up


def timed_plain(train: Rows, validation: Rows, threads: int, *, seed: int, epochs: int, patience: int) -> Timed:
    """Time the plain loop at its best number of threads."""
    before, losses = torch.get_num_threads(), []
    torch.set_num_threads(threads)
    took = seconds(lambda: losses.extend(plain_loop(train, validation, seed=seed, epochs=epochs, patience=patience)))
    torch.set_num_threads(before)
    return Timed(took, losses)


def keras_speed(train: Rows, epochs: int) -> float | None:
    """Measure Keras on the same network, galaxies per second; None where it is not installed."""
    if importlib.util.find_spec("tensorflow") is None:
        return None
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import keras
    from keras import ops

    def loss(z_ref, z_phot):  # type: ignore[no-untyped-def]
        return 1 - 1 / (1 + ops.square((z_phot - z_ref) / (1 + z_ref) / 0.15))

    x = h = keras.Input((5,))
    for _ in range(4):
        h = keras.layers.Dense(200, activation="relu")(h)
    model = keras.Model(x, keras.layers.Dense(1)(keras.layers.Concatenate()([h, x])))
    model.compile(optimizer=keras.optimizers.Adam(PAPER.lr), loss=loss)
    data = train.x.numpy(), train.z_ref.numpy()[:, None]
    model.fit(*data, batch_size=PAPER.batch_size, epochs=1, verbose=0)  # builds its graph
    took = seconds(lambda: model.fit(*data, batch_size=PAPER.batch_size, epochs=epochs, verbose=0))
    return len(train) * epochs / took


def equal_epochs(galaxies: int, members: int, epochs: int, rounds: int) -> dict[str, float | None]:
    """Compare galaxies x members per second, all in turn, median over rounds."""
    train, validation = rows(galaxies, seed=1), rows(200, seed=2)
    fast = FAST_STEP.model_copy(update={"epochs": epochs})
    paper = PAPER.model_copy(update={"epochs": epochs, "patience": epochs})
    names = ("ours", "ours_cpu", "ours_batch_100", "plain", "peak", "peak_cpu")
    taken: dict[str, list[float]] = {name: [] for name in names}
    threads = plain_threads(train)
    ours(fast, members, train.take(slice(0, 500)), validation)  # libraries set themselves up
    for _ in range(rounds):
        begun = time.process_time()
        taken["peak"].append(matmul_peak())
        taken["peak_cpu"].append(MATMUL_FLOP / (time.process_time() - begun))
        work = galaxies * epochs
        plain = timed_plain(train, validation, threads, seed=0, epochs=epochs, patience=epochs)
        taken["plain"].append(work / plain.seconds)
        begun = time.process_time()
        taken["ours"].append(members * work / seconds(lambda: ours(fast, members, train, validation)))
        taken["ours_cpu"].append(members * work / (time.process_time() - begun))
        taken["ours_batch_100"].append(members * work / seconds(lambda: ours(paper, members, train, validation)))
    speed = {name: statistics.median(values) for name, values in taken.items()}
    keras = keras_speed(train, epochs)
    return {
        "galaxies_per_s": speed["ours"],
        "galaxies_per_s_batch_100": speed["ours_batch_100"],
        "plain_threads": float(threads),
        "plain_galaxies_per_s": speed["plain"],
        "keras_galaxies_per_s": keras,
        "speedup_equal_epochs": speed["ours"] / speed["plain"],
        "speedup_equal_updates": speed["ours_batch_100"] / speed["plain"],
        "speedup_equal_epochs_keras": speed["ours"] / keras if keras else None,
        "matmul_peak_gflops": speed["peak"] / 1e9,
        "peak_share": speed["ours"] * FLOP_PER_GALAXY / speed["peak"],
        # Per second of processor time on both sides: what is left of the share when others use the machine too.
        "peak_share_cpu_time": speed["ours_cpu"] * FLOP_PER_GALAXY / speed["peak_cpu"],
    }


def same_loss(galaxies: int, members: int, count: int, most_epochs: int) -> dict[str, float | None]:
    """Compare wall time per member to the same validation loss: the median of the best of `count` plain loops.

    Ours is the shortest of the fast schedules of 5, 10 and 20 epochs that gets there.
    """
    train, validation = rows(galaxies, seed=3), rows(max(500, galaxies // 5), seed=4)
    seen = [
        Photometry(side.x, torch.zeros_like(side.x), torch.zeros(len(side), dtype=torch.long))
        for side in (train, validation)
    ]
    whiten = Features.fit(seen[0], Network(inputs="whitened"))
    white = [Rows(whiten(photometry), side.z_ref) for photometry, side in zip(seen, (train, validation), strict=True)]
    threads, patience = plain_threads(train), PAPER.patience_epochs
    loops = [
        timed_plain(train, validation, threads, seed=k, epochs=most_epochs, patience=patience) for k in range(count)
    ]
    plain, took = [loop.losses for loop in loops], sum(loop.seconds for loop in loops)
    target = statistics.median(min(losses) for losses in plain)
    for epochs in (5, 10, FAST_STEP.epochs):
        step, runs = FAST_STEP.model_copy(update={"epochs": epochs}), []
        here = seconds(lambda s=step, into=runs: into.append(ours(s, members, *white)))
        best = statistics.median(map(min, runs[0].history.validation_loss))
        if best <= target:
            break
    return {
        "plain_loss": target,
        "plain_epochs": statistics.median(map(len, plain)),
        "our_loss": best,
        "our_epochs": float(epochs),
        "plain_s_per_member": took / count,
        "our_s_per_member": here / members,
        "speedup_same_loss": took / count / (here / members) if best <= target else None,
    }


def spectra(side: Rows) -> Labels:
    """Take the redshifts of some rows for spectra."""
    return Labels(KNOWN_TRUTHS["spec"], side.z_ref.double().numpy(), np.full(len(side), np.nan))


def densities(galaxies: int, members: int, rounds: int) -> dict[str, float | None]:
    """Compare the time of an epoch of networks that end in a density (`fused`) with that of points (`combo`)."""
    train, validation = rows(galaxies, seed=5), rows(200, seed=6)
    ends = {"point": NETWORK, "density": NETWORK.model_copy(update={"head": "binned", "z_max": 4.5})}
    step, taken = FAST_STEP.model_copy(update={"epochs": 1}), {name: [0.0][:0] for name in ends}
    for _ in range(rounds + 1):
        for name, network in ends.items():
            grid, seeds = head_of(network).grid, list(range(members))
            sides = [
                side if grid is None else replace(side, likelihood=torch.from_numpy(spectra(side).likelihood(grid)))
                for side in (train, validation)
            ]
            first = initial_weights(5, head_of(network).outputs, network, generators(seeds, START))
            taken[name].append(
                seconds(lambda w=first, n=network, s=sides, k=seeds: train_step(w, n, step, *s, members=k, seeds=k))
            )
    point, density = (statistics.median(times[1:]) for times in taken.values())
    return {"density_over_point_training": density / point}


def growth(few: int, many: int, galaxies: int) -> dict[str, float | None]:
    """Measure how the cost grows: 1 is linear."""
    validation = rows(200, seed=2)
    small, large = rows(galaxies, seed=1), rows(10 * galaxies, seed=1)
    step = FAST_STEP.model_copy(update={"epochs": 1})
    ours(step, many, small.take(slice(0, 500)), validation)
    ours(step, few, small, validation)
    a, b, c = (
        seconds(lambda n=n, r=r: ours(step, n, r, validation)) for n, r in ((few, small), (many, small), (few, large))
    )
    return {"growth_members": b / a * few / many, "growth_galaxies": c / a / 10}


FAST_STEP = Step(truths=("spec",), **FAST)


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--quick", action="store_true", help="under 50 s on 2 cores")
    quick = arguments.parse_args().quick
    figures: dict[str, float | str | None] = {"cores": float(torch.get_num_threads())}
    figures |= equal_epochs(6_000, 8, 1, 3) if quick else equal_epochs(20_000, 10, 2, 5)
    figures |= (
        same_loss(3_000, 4, count=1, most_epochs=60) if quick else same_loss(20_000, 10, count=1, most_epochs=100)
    )
    figures |= densities(4_000, 8, 3) if quick else densities(20_000, 10, 5)
    figures |= growth(4, 40, 2_000) if quick else growth(10, 100, 30_000)
    figures["peak_memory_mb"] = peak_memory_mb()
    report(figures)


if __name__ == "__main__":
    main()
