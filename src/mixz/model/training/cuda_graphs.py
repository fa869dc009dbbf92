"""CUDA graphs: one update recorded once and replayed, so that a GPU never waits for Python.

A stack's update is some fifty small kernels; launching them costs more than running them.  Nothing here is ever
needed on a CPU.  No GPU was at hand when this was written: it has not been run yet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Callable

WARM_UP = 3
"""Updates that run before recording, so that libraries have set themselves up; they are real updates."""


class RecordedUpdate:
    """An update of fixed batch size: the first few run as they are, then one is recorded, and the rest replay it.

    Parameters
    ----------
    update
        Does one update for indices of shape (member, galaxy) that lie on the GPU; the optimiser behind it takes its
        learning rate from a tensor.
    """

    def __init__(self, update: Callable[[torch.Tensor], None]) -> None:
        self.update = update
        self.batch: torch.Tensor | None = None
        self.graph: torch.cuda.CUDAGraph | None = None
        self.done = 0

    def __call__(self, batch: torch.Tensor) -> None:
        """Do the update for this batch; a batch of another size (an epoch's last) is not recorded."""
        if self.batch is not None and batch.shape != self.batch.shape:
            self.update(batch)
            return
        if self.batch is None:
            self.batch = batch.clone()
        self.batch.copy_(batch)
        if self.graph is None and self.done < WARM_UP:
            self._on_side_stream(self.batch)
        else:
            if self.graph is None:
                self.graph = torch.cuda.CUDAGraph()
                with torch.cuda.graph(self.graph):
                    self.update(self.batch)
            self.graph.replay()
        self.done += 1

    def _on_side_stream(self, batch: torch.Tensor) -> None:
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            self.update(batch)
        torch.cuda.current_stream().wait_stream(side)
