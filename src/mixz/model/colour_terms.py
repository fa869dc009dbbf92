"""Colour terms known beforehand: where the adapters of photometric systems start, and what they are held to.

A colour term carries a band of one system into another: m' = m + slope (m_1 - m_2) + offset.  Computed from the two
systems' filter curves it is a better guess than that both are the same; training then finds what the curves do not
know, such as zero points and how fluxes were measured.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mixz.model.inputs.features import Features
    from mixz.model.nets import Weights
    from mixz.settings.network import Network


def adapter_starts(
    network: Network, features: Features, bands: Sequence[str]
) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Where each adapter starts, A and b of x' = x + x A + b, for every system but the first.

    With m' = m T + t in magnitudes and x = (m - offset) M as networks see them, A = M^-1 T M - 1 and
    b = (offset T + t - offset) M.  (Asinh magnitudes of faint galaxies follow this only roughly.)

    Parameters
    ----------
    network
        Its colour terms; a system or band without any starts at the identity.  Without any at all there are no starts.
    features
        The map to inputs, and the names of the systems.
    bands
        The bands, in the order of the inputs.

    Returns
    -------
    list of pairs
        Shapes (band, band) and (band,).
    """
    if not network.colour_terms:
        return []
    starts = []
    for system in features.systems[1:]:
        turn, shift = torch.eye(len(bands), dtype=torch.float64), torch.zeros(len(bands), dtype=torch.float64)
        for term in (term for term in network.colour_terms if term.system == system):
            into, (first, second) = bands.index(term.band), (bands.index(band) for band in term.colour)
            turn[first, into] += term.slope
            turn[second, into] -= term.slope
            shift[into] += term.offset
        offset, matrix = features.offset.double(), features.matrix.double()
        there = torch.linalg.solve(matrix, turn @ matrix) - torch.eye(len(bands), dtype=torch.float64)
        starts.append((there.float(), ((offset @ turn + shift - offset) @ matrix).float()))
    return starts


def magnitudes_in_common(weights: Weights, features: Features, mag: torch.Tensor, system: int) -> torch.Tensor:
    """Carry magnitudes as every member's adapter of a system does, shape (member, galaxy, band): to look at it.

    Parameters
    ----------
    weights, features
        Of a model.
    mag
        Magnitudes in the system, shape (galaxy, band).
    system
        The system's number; 0, the common one, changes nothing.
    """
    x = (mag - features.offset) @ features.matrix
    x = x.expand(next(iter(weights.values())).shape[0], *x.shape)
    if system:
        name = f"system.{system}"
        x = x + torch.baddbmm(weights[f"{name}.bias"], x, weights[f"{name}.weight"])
    carried: torch.Tensor = x @ torch.linalg.inv(features.matrix) + features.offset
    return carried
