"""The calibration of densities in operations that every ONNX runtime has, in float64 as the original.

The map is `mixz.model.calibration`'s: a density of cdf F becomes one of cdf Phi(h(Phi^-1(F))), h straight between knots
and changing with i magnitude.  ONNX knows no searches and no normal cdf of double precision, so h is written as a sum
of hinges, Phi by Chebyshev polynomials (fitted here to scipy's), and Phi^-1 by Wichura 1988 (Applied Statistics 37,
477: algorithm AS 241, to 1e-16).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from scipy.special import erfcx
from torch.nn.functional import pad

SMALLEST = 1e-30
"""No cdf is taken to be nearer to 0 or 1 than this, as in the original."""
TERMS = 28
"""Chebyshev terms for which Phi is exact to about 1e-12."""

CENTRE = (
    (
        2509.0809287301227,
        33430.57558358813,
        67265.7709270087,
        45921.95393154987,
        13731.69376550946,
        1971.5909503065513,
        133.14166789178438,
        3.3871328727963665,
    ),
    (
        5226.495278852854,
        28729.085735721943,
        39307.89580009271,
        21213.794301586597,
        5394.196021424751,
        687.1870074920579,
        42.31333070160091,
        1.0,
    ),
)
NEAR = (
    (
        0.0007745450142783414,
        0.022723844989269184,
        0.2417807251774506,
        1.2704582524523684,
        3.6478483247632045,
        5.769497221460691,
        4.630337846156546,
        1.4234371107496835,
    ),
    (
        1.0507500716444169e-09,
        0.0005475938084995345,
        0.015198666563616457,
        0.14810397642748008,
        0.6897673349851,
        1.6763848301838038,
        2.053191626637759,
        1.0,
    ),
)
FAR = (
    (
        2.0103343992922881e-07,
        2.7115555687434876e-05,
        0.0012426609473880784,
        0.026532189526576124,
        0.29656057182850487,
        1.7848265399172913,
        5.463784911164114,
        6.657904643501103,
    ),
    (
        2.0442631033899397e-15,
        1.421511758316446e-07,
        1.8463183175100548e-05,
        0.0007868691311456133,
        0.014875361290850615,
        0.1369298809227358,
        0.599832206555888,
        1.0,
    ),
)
"""AS 241's rational functions, highest power first: around the middle, in the wings, and far out."""


@dataclass(frozen=True, eq=False)
class TracedCalibration:
    """The same map as a `Calibration` of these numbers.

    Parameters
    ----------
    mag, knots, height
        As `Calibration` has them: shapes (m,), (knot,), (m, knot).

    Examples
    --------
    A density that claims half its true width is widened:

    >>> z = torch.linspace(0, 2, 401)
    >>> mass = torch.exp(-((z - 1) ** 2) / (2 * 0.05**2))
    >>> mass = mass / mass.sum()
    >>> knots = torch.tensor([-1.0, 0.0, 1.0])
    >>> honest = TracedCalibration(torch.tensor([22.0]), knots, knots[None] / 2)(mass[None], torch.tensor([22.0]))
    >>> round(float((honest * (z - 1) ** 2).sum().sqrt()), 3), round(float(honest.sum()), 6)
    (0.1, 1.0)
    """

    mag: torch.Tensor
    knots: torch.Tensor
    height: torch.Tensor

    def __call__(self, mass: torch.Tensor, mag_i: torch.Tensor) -> torch.Tensor:
        """Give the masses of honest densities, shape (galaxy, z), for the i magnitudes, shape (galaxy,)."""
        mag, knots, height = self.mag.double(), self.knots.double(), self.height.double()
        known = torch.where(mag_i.isfinite(), mag_i.double(), mag[len(mag) // 2])
        x = _bent(_standard(mass.double()), knots, _shares(known, mag) @ height)
        below, above = normal_cdf(x), normal_cdf(-x)
        below, above = pad(pad(below, (1, 0)), (0, 1), value=1.0), pad(pad(above, (1, 0), value=1.0), (0, 1))
        lower = below[..., 1:] < above[..., 1:]
        return torch.where(lower, below[..., 1:] - below[..., :-1], above[..., :-1] - above[..., 1:]).float()


def normal_cdf(x: torch.Tensor) -> torch.Tensor:
    """Give Phi(x) in float64, exact far into the lower wing.

    Examples
    --------
    >>> x = torch.linspace(-12, 8, 500, dtype=torch.float64)
    >>> bool((normal_cdf(x) / (torch.erfc(-x / math.sqrt(2)) / 2) - 1).abs().max() < 1e-9)
    True
    """
    wing = x.abs() / math.sqrt(2)
    t = 2 / (2 + wing)
    series = _erfcx_series()
    u = 4 * t - 2
    high, higher = torch.zeros_like(t), torch.zeros_like(t)
    for term in reversed(series[1:]):
        high, higher = u * high - higher + term, high
    outside = 0.5 * t * (-wing * wing + 0.5 * u * high - higher + series[0]).exp()
    return torch.where(x < 0, outside, 1 - outside)


def normal_quantile(p: torch.Tensor) -> torch.Tensor:
    """Give Phi^-1(p) in float64 for 0 < p <= 0.9.

    Examples
    --------
    >>> p = torch.logspace(-30, -0.05, 500, dtype=torch.float64)
    >>> bool((normal_quantile(p) - torch.special.ndtri(p)).abs().max() < 1e-9)
    True
    """
    q = p - 0.5
    middle = q * _ratio(CENTRE, 0.180625 - q * q)
    r = (-p.log()).clamp_min(0).sqrt()
    wing = -torch.where(r <= 5, _ratio(NEAR, r - 1.6), _ratio(FAR, r - 5))
    return torch.where(q.abs() <= 0.425, middle, torch.where(q < 0, wing, middle))


def _ratio(parts: tuple[tuple[float, ...], tuple[float, ...]], x: torch.Tensor) -> torch.Tensor:
    """Give a rational function by Horner's rule."""
    above, below = (torch.zeros_like(x) + part[0] for part in parts)
    for a, b in zip(parts[0][1:], parts[1][1:], strict=True):
        above, below = above * x + a, below * x + b
    return above / below


@lru_cache(maxsize=1)
def _erfcx_series() -> tuple[float, ...]:
    """Fit ln(erfcx(w) / t), t = 2 / (2 + w), by Chebyshev polynomials in 2 t - 1."""
    nodes = np.cos(np.pi * (np.arange(4 * TERMS) + 0.5) / (4 * TERMS))
    t = (nodes + 1) / 2
    values = np.log(erfcx(2 / t - 2) / t)
    return tuple(np.polynomial.chebyshev.chebfit(nodes, values, TERMS).tolist())


def _shares(mag_i: torch.Tensor, mag: torch.Tensor) -> torch.Tensor:
    """Say how much of each fitted magnitude's map holds for a galaxy, shape (galaxy, m)."""
    if len(mag) == 1:
        return torch.ones_like(mag_i)[:, None]
    passed = ((mag_i[:, None] - mag[:-1]) / mag.diff()).clamp(0, 1)
    return pad(passed, (1, 0), value=1.0) - pad(passed, (0, 1))


def _standard(mass: torch.Tensor) -> torch.Tensor:
    """Give Phi^-1(F) between the nodes, shape (galaxy, z - 1); exact in both wings."""
    below = mass.cumsum(dim=-1)[..., :-1]
    above = mass.flip(-1).cumsum(dim=-1).flip(-1)[..., 1:]
    lower = normal_quantile(below.clamp(SMALLEST, 0.75))
    upper = -normal_quantile(above.clamp(SMALLEST, 0.75))
    return torch.where(below < above, lower, upper)


def _bent(x: torch.Tensor, knots: torch.Tensor, height: torch.Tensor) -> torch.Tensor:
    """Give h(x), shape (galaxy, z - 1): a straight line, and a hinge at every inner knot."""
    slope = height.diff(dim=-1) / knots.diff()
    found = height[:, :1] + slope[:, :1] * (x - knots[0])
    for k in range(1, len(knots) - 1):
        found = found + (slope[:, k : k + 1] - slope[:, k - 1 : k]) * (x - knots[k]).clamp_min(0)
    return found
