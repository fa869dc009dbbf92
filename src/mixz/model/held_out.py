"""What held-out galaxies tell of a trained model: how its densities must be mended, and how far intervals reach.

Held out are the validation galaxies.  Early stopping looked at them too, to choose an epoch; next to that and the few
numbers fitted here they are many, so the same ones serve for the calibration and for the intervals.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from mixz.densities.calibration import FEWEST, Calibration
from mixz.densities.intervals import FEWEST as FEWEST_OF_A_TRUTH
from mixz.densities.intervals import Intervals, draws, scores
from mixz.model.training.targets import labelled_and_usable, says_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from numpy.typing import NDArray

    from mixz.arrays import Floats
    from mixz.densities.grid import Grid
    from mixz.galaxies import GalaxySet
    from mixz.model.ensemble import Ensemble
    from mixz.truths.kernel import Kernel

MOST = 15_000
"""Held-out galaxies that are used, at most: what is fitted has so few numbers that more tell nothing new."""


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Held-out galaxies with their densities and labels.

    Parameters
    ----------
    mass
        Masses of the ensemble's densities, shape (galaxy, z).
    says
        What the labels say of the redshift, shape (galaxy, z).
    z_label
        The labels, shape (galaxy,).
    truth
        Whose they are, shape (galaxy,).
    mag_i
        i magnitudes, shape (galaxy,).
    """

    mass: Floats
    says: Floats
    z_label: Floats
    truth: NDArray[np.str_]
    mag_i: Floats

    @classmethod
    def of(
        cls,
        ensemble: Ensemble,
        galaxies: GalaxySet,
        truths: Sequence[str],
        kernels: Mapping[str, Kernel],
        grid: Grid,
    ) -> HeldOut:
        """Ask an ensemble about the validation galaxies that have a label of some truths."""
        chosen, z_ref, whose, _ = labelled_and_usable(ensemble, galaxies, truths, "validation", kernels)
        says = says_of(ensemble, chosen, z_ref, whose, kernels, grid)
        mass = ensemble.masses(chosen)[1].numpy()
        return cls(mass, says.numpy(), np.asarray(z_ref), whose, ensemble.mag_ref(chosen).numpy())

    def rows(self, which: NDArray[Any]) -> HeldOut:
        """Give the galaxies that `which` (a mask or indices) selects."""
        return HeldOut(*(getattr(self, name)[which] for name in self.__dataclass_fields__))


class Mended(NamedTuple):
    """What was fitted (None where there were too few galaxies), and an account of it for the model's file."""

    calibration: Calibration | None
    intervals: Intervals | None
    account: dict[str, Any]


def mend(held_out: HeldOut, grid: Grid, *, exact: Collection[str], truths: Collection[str], seed: int) -> Mended:
    """Fit the calibration, and the intervals of what it makes of the densities.

    Parameters
    ----------
    held_out, grid
        Densities and labels on their grid.
    exact
        Truths whose labels are the redshift.
    truths
        Truths that the model was trained on: the account says of each how many galaxies were held out.
    seed
        Seed of all that is drawn.
    """
    known = np.isfinite(held_out.mag_i) & np.isfinite(held_out.mass).all(axis=1)
    drawn = np.random.default_rng(seed).permutation(np.flatnonzero(known))[:MOST]
    used = held_out.rows(np.sort(drawn))
    counts = {truth: int((used.truth == truth).sum()) for truth in truths}
    account: dict[str, Any] = {"galaxies": counts, "calibrated": len(drawn) >= FEWEST}
    if len(drawn) < FEWEST:
        account["why"] = f"{len(drawn)} held-out galaxies; calibrating takes {FEWEST}"
        return Mended(None, None, account)
    few = {truth: count for truth, count in counts.items() if count < FEWEST_OF_A_TRUTH}
    if few:
        account["why"] = "; ".join(
            f"{truth}: {count} held-out galaxies, too few to promise it an honest coverage of its own"
            for truth, count in few.items()
        )
    calibration = Calibration.fit(used.mass, used.says, used.mag_i)
    honest = calibration(used.mass, used.mag_i)
    judged = {}
    for number, truth in enumerate(truth for truth in counts if counts[truth]):
        its = used.truth == truth
        if truth in exact:
            z = used.z_label[its, None]
        else:
            z = draws(_normalised(honest[its] * used.says[its]), grid, seed=seed + number)
        judged[truth] = scores(honest[its], z, grid), used.mag_i[its]
    return Mended(calibration, Intervals.fit(judged), account)


def _normalised(mass: Floats) -> Floats:
    return np.asarray(mass / mass.sum(axis=1, keepdims=True))
