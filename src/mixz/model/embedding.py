"""Colours and periodic embeddings: what networks see of magnitudes besides the magnitudes, after the adapters.

q = [x, c] are a galaxy's whitened magnitudes in the common photometric system and its standardised colours there.  Each
feature is seen through F learned frequencies f, and all of them through one dense layer:
e = ReLU([sin 2 pi f q, cos 2 pi f q] W + b).  The layers, and the skip to the output, then meet [x, c, e].

Dense networks learn the sharp turns of redshift along a colour, where a break leaves a band, slowly; sines of several
scales hold them from the start.  Periodic embeddings of tables are those of Gorishniy, Rubachev & Babenko 2022
(arXiv:2203.05556); that they stand behind the adapters, so that every system's colours mean the same, is ours.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mixz.model.inputs.features import Features
    from mixz.settings.network import Network

COLOURS = "colours.weight"
"""The weights that make colours of inputs, shape (member, band, colour); the same for every member, and never moved."""
FREQUENCY, WEIGHT, BIAS = "embedding.frequency", "embedding.weight", "embedding.bias"
"""Learned: f, shape (member, feature, frequency), W and b."""
FREQUENCIES = 6
SPREAD = 0.15
"""Standard deviation of the first frequencies, in cycles per standard deviation of a feature (ours)."""
WIDTH = 8
"""Outputs of the embedding, per feature."""


def embedding_shapes(network: Network, bands: int) -> dict[str, tuple[int, ...]]:
    """The shape of each of the embedding's weights, without the member axis; none where there is no embedding.

    Examples
    --------
    >>> from mixz.settings.network import Network
    >>> embedding_shapes(Network(inputs="whitened", embedding="periodic"), 4)[WEIGHT]
    (84, 56)
    """
    if network.embedding == "none":
        return {}
    features = 2 * bands - 1
    return {
        COLOURS: (bands, bands - 1),
        FREQUENCY: (features, FREQUENCIES),
        WEIGHT: (2 * FREQUENCIES * features, WIDTH * features),
        BIAS: (1, WIDTH * features),
    }


def embedded_width(network: Network, inputs: int, bands: int) -> int:
    """How many numbers the first layer sees, of so many inputs that begin with the magnitudes of so many bands.

    Examples
    --------
    >>> from mixz.settings.network import Network
    >>> embedded_width(Network(inputs="whitened", embedding="periodic"), 4, 4), embedded_width(Network(), 4, 4)
    (63, 4)
    """
    shapes = embedding_shapes(network, bands)
    return inputs + (shapes[COLOURS][1] + shapes[BIAS][1] if shapes else 0)


def embedding_weights(
    network: Network, features: Features, starts: Sequence[torch.Generator]
) -> dict[str, torch.Tensor]:
    """The first weights of each member's embedding, from its own generator; none where there is no embedding."""
    shapes = embedding_shapes(network, len(features.offset))
    if not shapes:
        return {}
    limit = math.sqrt(6 / sum(shapes[WEIGHT]))
    frequencies = [SPREAD * torch.randn(shapes[FREQUENCY], generator=g) for g in starts]
    drawn = [torch.rand(shapes[WEIGHT], generator=g) * (2 * limit) - limit for g in starts]
    return {
        COLOURS: _colours(features).repeat(len(starts), 1, 1),
        FREQUENCY: torch.stack(frequencies),
        WEIGHT: torch.stack(drawn),
        BIAS: torch.zeros(len(starts), *shapes[BIAS]),
    }


def _colours(features: Features) -> torch.Tensor:
    """The map of whitened magnitudes to colours of neighbouring bands, of spread 1 over the training galaxies."""
    bands = len(features.offset)
    difference = torch.eye(bands, dtype=torch.float64)[:, :-1] - torch.eye(bands, dtype=torch.float64)[:, 1:]
    spread = torch.einsum("bc,bd,dc->c", difference, features.covariance.double(), difference).sqrt()
    inverse = torch.linalg.inv(features.matrix.double())
    colours: torch.Tensor = (inverse @ difference / spread.clamp_min(1e-3)).float()
    return colours


def embedded(weights: Mapping[str, torch.Tensor], x: torch.Tensor) -> torch.Tensor:
    """Join colours and the periodic embedding to inputs of shape (member, galaxy, input), magnitudes first.

    Examples
    --------
    >>> weights = {COLOURS: torch.tensor([[[1.0], [-1.0]]]), FREQUENCY: torch.zeros(1, 3, 1)}
    >>> weights |= {WEIGHT: torch.ones(1, 6, 2), BIAS: torch.zeros(1, 1, 2)}
    >>> embedded(weights, torch.tensor([[[0.5, 0.2]]]))
    tensor([[[0.5000, 0.2000, 0.3000, 3.0000, 3.0000]]])
    """
    if COLOURS not in weights:
        return x
    mag = x[..., : weights[COLOURS].shape[1]]
    colours = torch.bmm(mag, weights[COLOURS])
    seen = torch.cat([mag, colours], dim=-1)
    turns = (2 * math.pi * seen[..., None] * weights[FREQUENCY][:, None]).flatten(2)
    waves = torch.cat([turns.sin(), turns.cos()], dim=-1)
    return torch.cat([x, colours, torch.relu(torch.baddbmm(weights[BIAS], waves, weights[WEIGHT]))], dim=-1)
