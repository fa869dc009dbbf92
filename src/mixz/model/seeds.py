"""Random numbers by name: every stream follows from the run's seed, the member, the step and the epoch alone.

No generator lives longer than an epoch.  So a member draws the same numbers in a stack of any size, on any worker, and
when training begins again at an epoch in the middle: there is no state to save.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

if TYPE_CHECKING:
    from collections.abc import Sequence

START, STEP, ORDER, NOISE, ADAPTER, DRAWS, EPOCHS, HELD_OUT = range(8)
"""What random numbers are for: first weights, a step as a whole, and within it the order of the galaxies, the noise of
Bayesian layers, the start of adapters; the weight draws of a prediction; what each epoch does to the galaxies; what is
drawn once training is done."""


def derive_seed(seed: int, *names: int) -> int:
    """Derive a seed from a seed and the names of what it is for.

    Examples
    --------
    >>> derive_seed(0, 3, START) == derive_seed(0, 3, START), derive_seed(0, 3, START) == derive_seed(0, 4, START)
    (True, False)
    """
    return int(np.random.SeedSequence([seed, *names]).generate_state(1)[0])


def generators(seeds: Sequence[int], *names: int, device: torch.device | str = "cpu") -> list[torch.Generator]:
    """Make one generator per member from its own seed and the names of what it is for."""
    return [torch.Generator(device).manual_seed(derive_seed(seed, *names)) for seed in seeds]
