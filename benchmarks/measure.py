"""What every benchmark measures with: the machine's own matrix-multiply peak, time, memory, and one line of JSON."""

from __future__ import annotations

import json
import resource
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Callable

SIDE, REPEATS = 1024, 8
CORES = torch.get_num_threads()
MATMUL_FLOP = 2 * CORES * REPEATS * 2 * SIDE**3
"""What `matmul_peak` multiplies in all, its first round included."""


def seconds(work: Callable[[], object]) -> float:
    """Time one call."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    begun = time.perf_counter()
    work()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - begun


def matmul_peak() -> float:
    """Measure float32 products per second of all cores, each multiplying large matrices by itself [FLOP/s]."""
    pairs = [(torch.rand(SIDE, SIDE), torch.empty(SIDE, SIDE)) for _ in range(CORES)]

    def multiply(pair: tuple[torch.Tensor, torch.Tensor]) -> None:
        for _ in range(REPEATS):
            torch.mm(pair[0], pair[0], out=pair[1])

    with ThreadPoolExecutor(CORES, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        list(pool.map(multiply, pairs))
        took = seconds(lambda: list(pool.map(multiply, pairs)))
    torch.set_num_threads(CORES)
    return CORES * REPEATS * 2 * SIDE**3 / took


def peak_memory_mb() -> float:
    """The most memory this process has held so far [MB]."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def report(figures: dict[str, float | str | None]) -> None:
    """Print each figure on a line, and all of them as the last line, in JSON."""
    for name, value in figures.items():
        print(f"{name:28s} {value:,.4g}" if isinstance(value, float) else f"{name:28s} {value}")
    print(json.dumps(figures))
