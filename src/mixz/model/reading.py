"""What an ensemble's densities say: made honest, then read off as point estimates and intervals, on every core."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch

from mixz.model.predict import PIECE
from mixz.model.training.devices import Machine

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mixz.model.calibration import Calibration
    from mixz.model.conformal import Conformal
    from mixz.model.grid import Grid


class Reading(NamedTuple):
    """What densities say.

    Parameters
    ----------
    points
        Point estimates by name, each of shape (galaxy,); NaN where there is no density.
    intervals
        By nominal coverage in percent the ends of each galaxy's interval, shape (galaxy, 2).
    pdf
        The densities at the nodes, shape (galaxy, z).
    """

    points: dict[str, torch.Tensor]
    intervals: dict[str, torch.Tensor]
    pdf: torch.Tensor


@torch.inference_mode()
def read_densities(
    mass: torch.Tensor,
    mag_i: torch.Tensor,
    grid: Grid,
    *,
    calibration: Calibration | None = None,
    conformal: Conformal | None = None,
) -> Reading:
    """Read densities off their masses, calibrated where there is a calibration; the masses are used up.

    Parameters
    ----------
    mass
        Masses, shape (galaxy, z); in their place in memory come the densities.
    mag_i
        Magnitudes of the galaxies in the band that says how wrong labels are, shape (galaxy,).
    grid
        Where the masses are.
    calibration, conformal
        What makes densities honest, and how far intervals reach; without `conformal` there are none.

    Examples
    --------
    >>> from mixz.model.grid import Grid
    >>> grid = Grid.even(nodes=200, z_max=4.0)
    >>> mass = torch.zeros(2, 200)
    >>> mass[:, 100] = 1.0
    >>> reading = read_densities(mass, torch.tensor([21.0, 22.0]), grid)
    >>> reading.points["zbest"], reading.intervals
    (tensor([1.2451, 1.2451]), {})
    """

    @torch.inference_mode()
    def read(here: slice) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
        some = mass[here] if calibration is None else calibration(mass[here], mag_i[here])
        unknown = some.sum(dim=1).isnan()
        points = {name: z.masked_fill_(unknown, torch.nan) for name, z in grid.estimates(some).items()}
        intervals = conformal.intervals(some, mag_i[here], grid) if conformal is not None else {}
        mass[here] = grid.density(some)
        return points, intervals

    points, intervals = zip(*Machine().in_pieces(read, galaxies=len(mass), piece=PIECE), strict=True)
    return Reading(_joined(points), _joined(intervals), mass)


def _joined(parts: Sequence[dict[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
    return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}
