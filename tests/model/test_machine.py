"""Groups, precision and devices: what may change a result, and what may not."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from mixz.errors import MixzError
from mixz.model.fit import fine_tune, fit
from mixz.model.initial import untrained
from mixz.model.training.devices import Machine
from mixz.settings.recipe import FAST, RECIPES, Recipe, Step

if TYPE_CHECKING:
    from mixz.galaxies import GalaxySet
    from mixz.settings.choices import Precision
    from mixz.settings.network import Network

STEP = Step(**(FAST | {"truths": ("spec",), "epochs": 8, "batch_size": 32}))


@pytest.mark.parametrize("members", [1, 2, 7, 10, 100])
@pytest.mark.parametrize("batch_size", [1, 100, 512, 100_000])
@pytest.mark.parametrize("cores", [1, 2, 5])
def test_groups_hold_every_member_once(members: int, batch_size: int, cores: int) -> None:
    parts = Machine(cores=cores).parts(members, batch_size)
    assert [k for part in parts for k in range(part.start, part.stop)] == list(range(members))
    sizes = [part.stop - part.start for part in parts]
    assert max(sizes) - min(sizes) <= 1
    assert len(parts) >= min(members, cores)


def test_training_leaves_torchs_settings_alone(galaxies: GalaxySet) -> None:
    before = torch.get_num_threads(), torch.get_float32_matmul_precision()
    model = fit(galaxies, Recipe(steps=(Step(truths=("spec",), epochs=1, batch_size=32),)), members=2)
    model.predict(galaxies)
    assert (torch.get_num_threads(), torch.get_float32_matmul_precision()) == before


@pytest.mark.parametrize("cores", [None, 2])
def test_groups_train_side_by_side(cores: int | None) -> None:
    """Each task waits for the other: in a pool of one thread they would wait in vain."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        both = threading.Barrier(2, timeout=10)
        with Machine(cores=cores).pool() as pool:
            jobs = [pool.submit(both.wait) for _ in range(2)]
            assert sorted(job.result() for job in jobs) == [0, 1]
    finally:
        torch.set_num_threads(before)


def test_what_a_machine_lacks_is_refused(galaxies: GalaxySet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(MixzError, match="use --device cpu"):
        fine_tune(untrained(galaxies, RECIPES["spec"], members=1), galaxies, STEP, machine=Machine("cuda"))
    with pytest.raises(MixzError, match="tf32 on the CPU"):
        Machine(precision="tf32")


def test_cuda_graphs_are_off_unless_asked_for() -> None:
    assert not Machine("cuda").on_graph
    assert Machine("cuda", cuda_graphs=True).on_graph
    assert not Machine(cuda_graphs=True).on_graph, "there are none on a CPU"


def test_the_provenance_says_what_was_used(galaxies: GalaxySet) -> None:
    start = untrained(galaxies, RECIPES["spec"].changed(network={"hidden": (8,)}), members=1)
    made = fine_tune(start, galaxies, STEP, machine=Machine(precision="bfloat16"))
    assert (made.provenance["device"], made.provenance["precision"]) == ("cpu", "bfloat16")


def agree(galaxies: GalaxySet, network: Network, machine: Machine) -> None:
    """Check that a machine's ensemble differs from float32 on the CPU by less than its members scatter."""
    start = untrained(galaxies, Recipe(steps=(STEP,), network=network), members=6)
    exact, other = (fine_tune(start, galaxies, STEP, machine=m).predict(galaxies) for m in (Machine(), machine))
    scatter = np.median(exact.z_phot_std)
    assert np.median(np.abs(exact.z_phot - other.z_phot)) < scatter


def test_bfloat16_stays_within_the_scatter_of_members(galaxies: GalaxySet, network: Network) -> None:
    agree(galaxies, network, Machine(precision="bfloat16"))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("precision", ["float32", "tf32", "bfloat16"])
@pytest.mark.parametrize("graphs", [True, False])
def test_a_gpu_stays_within_the_scatter_of_members(
    galaxies: GalaxySet, network: Network, precision: Precision, graphs: bool
) -> None:
    agree(galaxies, network, Machine("cuda", precision, cuda_graphs=graphs))
