"""Members spread over real worker processes have the weights that one process gives them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from mixz.bridges.dask_members import dask_client, train_step_on
from mixz.data.split import split_by_id
from mixz.errors import MixzError
from mixz.galaxies import GalaxySet
from mixz.model.fit import fine_tune
from mixz.model.initial import untrained
from mixz.model.training.devices import Machine
from mixz.settings.recipe import Recipe, Step

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
    start = untrained(galaxies(), Recipe(steps=(STEP,)), members=5)
    here = fine_tune(start, galaxies(), STEP, machine=Machine(cores=2))
    told: list[tuple[int, int]] = []
    there = train_step_on(client, start, galaxies(), STEP, tell=lambda done, of: told.append((done, of)))
    assert told == [(1, 2), (2, 2)]
    assert there.history == here.history
    assert all(torch.equal(there.weights[name], w) for name, w in here.weights.items())


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs workers without a CUDA device")
def test_workers_train_on_the_device_that_was_asked_for(client: Any) -> None:
    start = untrained(galaxies(), Recipe(steps=(STEP,)), members=2)
    with pytest.raises(MixzError, match="device: cuda"):
        train_step_on(client, start, galaxies(), STEP, machine=Machine("cuda"))


def test_the_provenance_is_the_workers_own(client: Any) -> None:
    start = untrained(galaxies(), Recipe(steps=(STEP,)), members=2)
    made = train_step_on(client, start, galaxies(), STEP, machine=Machine(precision="bfloat16"))
    assert (made.provenance["device"], made.provenance["precision"]) == ("cpu", "bfloat16")


def test_an_error_on_a_worker_comes_back_as_it_is(client: Any) -> None:
    start = untrained(galaxies(), Recipe(steps=(STEP,)), members=2)
    with pytest.raises(MixzError, match="batch_size: 5,000"):
        train_step_on(client, start, galaxies(), STEP.model_copy(update={"batch_size": 5000}))


def test_nobody_answering_is_said() -> None:
    with pytest.raises(MixzError, match="nosuch://x"), dask_client("nosuch://x"):
        pass
    assert dask.config.get("scheduler", None) is None, "other work of the process goes on where it went"
