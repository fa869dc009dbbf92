"""Members spread over real worker processes have the weights that one process gives them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from mixz.bridges.dask_members import dask_client, fine_tune_on
from mixz.data.split import split_by_id
from mixz.errors import MixzError
from mixz.galaxies import GalaxySet
from mixz.model.ensemble import Ensemble
from mixz.model.training.devices import Machine
from mixz.settings.recipe import Step

if TYPE_CHECKING:
    from typing import Any

pytest.importorskip("distributed", reason="needs mixz[dask]")
dask = pytest.importorskip("dask", reason="needs mixz[dask]")


def galaxies() -> GalaxySet:
    rng, ids = np.random.default_rng(0), np.arange(300)
    z = rng.uniform(0.1, 1.5, 300)
    mag = 22 + z[:, None] * np.array([2.0, 0.5]) + rng.normal(0, 0.05, (300, 2))
    return GalaxySet(ids, ("g", "r"), mag, np.full(mag.shape, 0.05), {"spec": z}, split_by_id(ids))


STEP = Step(truths=("spec",), epochs=4, batch_size=64)


def test_workers_give_the_same_weights(client: Any) -> None:
    start = Ensemble.untrained(galaxies(), STEP, members=5)
    here = start.fine_tune(galaxies(), STEP, machine=Machine(cores=2))
    told: list[tuple[int, int]] = []
    there = fine_tune_on(client, start, galaxies(), STEP, tell=lambda done, of: told.append((done, of)))
    assert told == [(1, 2), (2, 2)]
    assert there.history == here.history
    assert all(torch.equal(there.weights[name], w) for name, w in here.weights.items())


def test_an_error_on_a_worker_comes_back_as_it_is(client: Any) -> None:
    start = Ensemble.untrained(galaxies(), STEP, members=2)
    with pytest.raises(MixzError, match="batch_size: 5,000"):
        fine_tune_on(client, start, galaxies(), STEP.model_copy(update={"batch_size": 5000}))


def test_nobody_answering_is_said() -> None:
    with pytest.raises(MixzError, match="nosuch://x"), dask_client("nosuch://x"):
        pass
    assert dask.config.get("scheduler", None) is None, "other work of the process goes on where it went"
