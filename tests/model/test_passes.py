"""The passes by hand give what torch's own give, for every network and every choice of what moves."""

from __future__ import annotations

import pytest
import torch

from mixz.config import Network
from mixz.model.nets import Weights, initial_weights, outputs
from mixz.model.passes import Workspace, outputs_in

WIDTHS = ((12, 12), (20, 6), (6, 20), (9,))
NAMES = ("hidden.0.weight", "hidden.0.bias")


def leaves(weights: Weights, fixed: set[str]) -> Weights:
    """Copy weights; all but the `fixed` ask for gradients."""
    return {name: w.clone().requires_grad_(name not in fixed) for name, w in weights.items()}


@pytest.mark.parametrize("hidden", WIDTHS)
@pytest.mark.parametrize("skip", [True, False])
@pytest.mark.parametrize("n_out", [1, 2])
@pytest.mark.parametrize("frozen", ["nothing", "a weight", "a layer", "all but the output"])
@pytest.mark.parametrize("inputs_move", [True, False])
def test_gradients_are_torchs(
    hidden: tuple[int, ...], skip: bool, n_out: int, frozen: str, *, inputs_move: bool
) -> None:
    shape = Network(hidden=hidden, skip=skip)
    weights = initial_weights(3, n_out, shape, [torch.Generator().manual_seed(k) for k in range(2)])
    below = {name for name in weights if not name.startswith("output")}
    fixed = {"nothing": set(), "a weight": {NAMES[0]}, "a layer": set(NAMES), "all but the output": below}[frozen]
    workspace = Workspace()
    for galaxies in (17, 9, 17):  # a last batch is smaller; the memory is the same
        x = torch.rand(2, galaxies, 3)
        found = []
        for by_hand in (True, False):
            here, moving = x.clone().requires_grad_(inputs_move), leaves(weights, fixed)
            out = outputs_in(workspace, moving, here, shape) if by_hand else outputs(moving, here, shape)
            out.sin().sum().backward()  # type: ignore[no-untyped-call]
            found.append({"out": out.detach(), "x": here.grad} | {name: w.grad for name, w in moving.items()})
        assert {k for k, v in found[0].items() if v is None} == {k for k, v in found[1].items() if v is None}
        for name, value in found[1].items():
            if value is not None:
                torch.testing.assert_close(found[0][name], value)


def test_updates_use_the_same_memory() -> None:
    shape = Network(hidden=(8, 8))
    weights = leaves(initial_weights(3, 1, shape, [torch.Generator()]), set())
    workspace, places = Workspace(), []
    for _ in range(2):
        for w in weights.values():
            w.grad = None
        outputs_in(workspace, weights, torch.rand(1, 5, 3), shape).sum().backward()  # type: ignore[no-untyped-call]
        grad = weights["hidden.1.weight"].grad
        assert grad is not None
        places.append((grad.data_ptr(), {name: kept.data_ptr() for name, kept in workspace.kept.items()}))
    assert places[0] == places[1]
