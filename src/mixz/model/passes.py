"""A dense stack's passes forward and backward by hand, in memory that every update uses again.

Torch's own passes ask for new memory at each product.  On a CPU that memory is out of the caches, and often given back
to the system in between, and both take time.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import torch

from mixz.model.nets import in_common_system, layer_names

if TYPE_CHECKING:
    from mixz.config import Network
    from mixz.model.nets import Weights


class Workspace:
    """Memory by name, kept from one update to the next; what `take` gives is good until the name is taken again.

    Examples
    --------
    >>> workspace = Workspace()
    >>> first, again = workspace.take("h", (2, 3)), workspace.take("h", (3, 1))
    >>> first.data_ptr() == again.data_ptr()
    True
    """

    def __init__(self) -> None:
        self.kept: dict[object, torch.Tensor] = {}

    def take(self, name: object, shape: tuple[int, ...]) -> torch.Tensor:
        """Give memory of a shape, whatever is in it; a name's memory grows with the largest shape asked for."""
        size = math.prod(shape)
        kept = self.kept.get(name)
        if kept is None or kept.numel() < size:
            kept = self.kept[name] = torch.empty(size)
        return kept[:size].view(shape)


def outputs_in(workspace: Workspace, weights: Weights, x: torch.Tensor, shape: Network) -> torch.Tensor:
    """Give what `nets.outputs` gives, float32 on the CPU, with a backward pass in the same memory.

    One forward pass at a time: the next one overwrites what the backward pass of the last one needs.

    Examples
    --------
    >>> from mixz.config import Network
    >>> from mixz.model.nets import initial_weights
    >>> shape = Network(hidden=(8,))
    >>> weights = initial_weights(5, 1, shape, [torch.Generator() for _ in range(3)])
    >>> outputs_in(Workspace(), weights, torch.zeros(3, 7, 5), shape).shape
    torch.Size([3, 7, 1])
    """
    x = in_common_system(weights, x)
    flat = [weights[f"{name}.{kind}"] for name in layer_names(shape) for kind in ("weight", "bias")]
    out: torch.Tensor = _Passes.apply(workspace, shape.skip, x, *flat)  # type: ignore[no-untyped-call]
    return out


class _Passes(torch.autograd.Function):
    """The network as one function of its inputs and weights.  Layers count from 1; layer 0 is the inputs."""

    @staticmethod
    def forward(ctx: Any, workspace: Workspace, skip: bool, x: torch.Tensor, *flat: torch.Tensor) -> torch.Tensor:
        layers = list(zip(flat[::2], flat[1::2], strict=True))
        h = [x]
        for number, (weight, bias) in enumerate(layers[:-1], start=1):
            space = workspace.take(number, (*x.shape[:2], weight.shape[2]))
            h.append(torch.relu_(torch.baddbmm(bias, h[-1], weight, out=space)))
        ctx.workspace, ctx.skip, ctx.weights, ctx.h = workspace, skip, flat[::2], h
        (weight, bias), width = layers[-1], h[-1].shape[2]
        out = _forth(h[-1], weight[:, :width]).add_(bias)
        return out.baddbmm_(x, weight[:, width:]) if skip else out

    @staticmethod
    def backward(ctx: Any, *slopes: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        (slope,), workspace, weights, h = slopes, ctx.workspace, ctx.weights, ctx.h
        x, last = h[0], h[-1]
        asked = [ctx.needs_input_grad[2], *(any(ctx.needs_input_grad[k : k + 2]) for k in range(3, 3 + 2 * len(h), 2))]
        lowest = asked.index(True)
        to_x = torch.bmm(slope, weights[-1][:, last.shape[2] :].mT) if ctx.skip and lowest == 0 else 0
        found = [slope.sum(dim=1, keepdim=True), _to_output(slope, [last, x] if ctx.skip else [last])]
        if lowest < len(h):
            slope = _back(slope, weights[-1][:, : last.shape[2]], workspace.take(len(h), last.shape))
        for number in range(len(h) - 1, max(lowest, 1) - 1, -1):
            below, weight = h[number - 1], weights[number - 1]
            # In place: no slope where ReLU gave 0.
            torch.ops.aten.threshold_backward.grad_input(slope, h[number], 0, grad_input=slope)
            space = workspace.take(("weight", number), weight.shape)
            found += [slope.sum(dim=1, keepdim=True), torch.bmm(below.mT, slope, out=space)]
            if number > lowest:
                # What this layer gave is needed no more: its memory takes the slope of the layer below.
                slope = _back(slope, weight, workspace.take(number, below.shape))
        nothing = [None] * (2 * len(h) - len(found))
        return (None, None, slope + to_x if lowest == 0 else None, *nothing, *reversed(found))


def _forth(h: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Multiply activations by weights; into a single column a matrix product is slower than what it stands for."""
    return torch.linalg.vecdot(h, weight.mT).unsqueeze(2) if weight.shape[2] == 1 else torch.bmm(h, weight)


def _back(slope: torch.Tensor, weight: torch.Tensor, space: torch.Tensor) -> torch.Tensor:
    """Multiply slopes by transposed weights, into `space`; from a single column as in `_forth`."""
    return (torch.mul if weight.shape[2] == 1 else torch.bmm)(slope, weight.mT, out=space)


def _to_output(slope: torch.Tensor, inputs: list[torch.Tensor]) -> torch.Tensor:
    """Give the slope of the output layer's weights, whose inputs stand side by side."""
    return torch.cat([torch.bmm(slope.mT, h).mT for h in inputs], dim=1)
