"""The machine a stack is trained on: CPU or GPU, how exactly it multiplies, and how much of it at once."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import torch

from mixz.errors import MixzError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mixz.settings.choices import Device, Precision

T = TypeVar("T")

UPDATE_ROWS = 2048
"""Galaxies times members in one update that keep a CPU core busy and still lie in its caches (measured)."""

MOST_MEMBERS = 20
"""Members in a group of small batches; beyond it there is nothing left to share."""

PIECE_ROWS = {"cpu": 2_048, "cuda": 4_194_304}
"""Galaxies times members pushed through at once outside training; bounds memory, and on a CPU fits its caches."""


def cards() -> list[str]:
    """The GPUs that this torch sees, by name and memory; none where it was built without CUDA."""
    found = []
    for number in range(torch.cuda.device_count() if torch.cuda.is_available() else 0):
        card = torch.cuda.get_device_properties(number)
        found.append(f"{card.name}, {card.total_memory / 1e9:.0f} GB")
    return found


@dataclass(frozen=True)
class Machine:
    """Where to train, and how.  The default, float32 on the CPU, gives the same weights every time.

    Parameters
    ----------
    device
        ``cpu`` or ``cuda``.
    precision
        ``float32``; ``tf32`` (CUDA: inputs of products rounded to 10 bits); ``bfloat16`` (activations and products in
        8 bits of mantissa; weights, optimiser, head and loss stay float32).
    cores
        CPU cores to use, one group of members on each; all that torch may use if not given.
    cuda_graphs
        On a GPU, record an update as a CUDA graph and replay it (dense networks only).  Off unless asked for: no GPU
        has passed the laws with it yet.

    Raises
    ------
    MixzError
        The device has no such precision.

    Examples
    --------
    >>> Machine().parts(members=10, batch_size=512)[0]
    slice(0, ..., None)
    """

    device: Device = "cpu"
    precision: Precision = "float32"
    cores: int | None = None
    cuda_graphs: bool = False

    def __post_init__(self) -> None:
        if self.precision == "tf32" and self.device != "cuda":
            raise MixzError("precision: tf32 on the CPU", "float32, bfloat16", "tf32 is a CUDA device's")

    def require_device(self) -> None:
        """Refuse to work where the device is not: a machine may be named here and be a worker's elsewhere.

        Raises
        ------
        MixzError
            It is not there.
        """
        if self.device == "cuda" and not torch.cuda.is_available():
            raise MixzError("device: cuda", "cpu (this torch sees no CUDA device)", "use --device cpu")

    @property
    def torch_device(self) -> torch.device:
        """The device as torch names it."""
        return torch.device(self.device)

    @property
    def on_graph(self) -> bool:
        """Whether updates are recorded and replayed."""
        return self.cuda_graphs and self.device == "cuda"

    @property
    def workers(self) -> int:
        """How many groups train side by side."""
        return 1 if self.device == "cuda" else self.cores or torch.get_num_threads()

    def parts(self, members: int, batch_size: int) -> list[slice]:
        """Divide members into groups: all at once on a GPU; on a CPU small enough for its caches, some for each core.

        Examples
        --------
        >>> Machine(cores=2).parts(members=10, batch_size=100)
        [slice(0, 5, None), slice(5, 10, None)]
        >>> len(Machine(cores=2).parts(members=100, batch_size=512))
        26
        """
        if self.device == "cuda":
            return [slice(0, members)]
        most = max(1, min(MOST_MEMBERS, UPDATE_ROWS // batch_size))
        rounds = math.ceil(members / (most * self.workers))
        return shares(members, rounds * self.workers)

    def piece(self, members: int) -> int:
        """How many galaxies to push through `members` networks at once outside training."""
        return max(1, PIECE_ROWS[self.device] // members)

    def in_pieces(self, work: Callable[[slice], T], *, galaxies: int, piece: int) -> list[T]:
        """Do some work for every `piece` of so many galaxies, on every core; give what it gives, in their order.

        Examples
        --------
        >>> Machine().in_pieces(lambda here: here.stop - here.start, galaxies=250, piece=100)
        [100, 100, 50]
        """
        pieces = [slice(start, min(start + piece, galaxies)) for start in range(0, max(galaxies, 1), piece)]
        if len(pieces) == 1:
            return [work(pieces[0])]
        with self.pool() as pool:
            return list(pool.map(work, pieces))

    @contextmanager
    def pool(self) -> Iterator[ThreadPoolExecutor]:
        """Threads that each use one core, with torch set up for the precision; put it back afterwards."""
        threads, products = torch.get_num_threads(), torch.get_float32_matmul_precision()
        workers = self.workers  # asked before torch is told to use one thread, which is how it counts cores
        torch.set_num_threads(1)
        torch.set_float32_matmul_precision("high" if self.precision == "tf32" else "highest")
        try:
            with ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,)) as pool:
                yield pool
        finally:
            torch.set_num_threads(threads)
            torch.set_float32_matmul_precision(products)


def shares(members: int, count: int) -> list[slice]:
    """Members divided into so many groups of about equal size, or into one each where there are fewer.

    Examples
    --------
    >>> shares(members=5, count=2)
    [slice(0, 2, None), slice(2, 5, None)]
    """
    count = min(members, count)
    return [slice(members * k // count, members * (k + 1) // count) for k in range(count)]
