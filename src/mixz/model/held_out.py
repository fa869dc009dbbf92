"""What held-out galaxies tell of a trained model: how its densities must be corrected, and how far intervals reach.

Held out are the validation galaxies.  Early stopping looked at them too, to choose an epoch; next to that and the few
numbers fitted here they are many, so the same ones serve for the calibration and for the intervals.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from mixz.densities.calibration import FEWEST, Calibration
from mixz.densities.intervals import FEWEST as FEWEST_OF_A_TRUTH
from mixz.densities.intervals import Intervals, draws, scores
from mixz.densities.support import Support
from mixz.model.heads import head_of
from mixz.model.seeds import HELD_OUT, derive_seed
from mixz.model.training.targets import labelled_and_usable, says_of
from mixz.settings.bands import in_place_of_i
from mixz.settings.recipe import believed
from mixz.truths.known import KNOWN_KERNELS, exact_truths

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


def finished(ensemble: Ensemble, galaxies: GalaxySet, *, kernels: Mapping[str, Kernel] = KNOWN_KERNELS) -> Ensemble:
    """A trained ensemble made a finished model: calibrated, with intervals, and with its support.

    Densities are made honest by the labels of the validation galaxies, and intervals learned; with too few of them
    they are not, and `held_out` says why.  Models without densities, and those whose network says
    ``calibrate: false``, have neither.  Support is where the training galaxies lie.  Galaxies count that have a label
    of a truth that some step of the ensemble believed; what it knew of earlier galaxies is forgotten.

    Parameters
    ----------
    ensemble
        What training made; not changed.
    galaxies
        Galaxies whose `split` says which train and which validate.
    kernels
        How wrong each truth's labels are; galaxies with exact ones are its spectra.

    Raises
    ------
    MixzError
        A side has no galaxy with such a label.
    """
    truths = [truth for truth in believed(ensemble.steps) if truth in galaxies.truths]
    bare = replace(ensemble, calibration=None, intervals=None, held_out={}, support=None)
    calibrated = _calibrated(bare, galaxies, truths, kernels)
    return replace(calibrated, support=_support(bare, galaxies, truths, kernels))


def _calibrated(
    ensemble: Ensemble, galaxies: GalaxySet, truths: Sequence[str], kernels: Mapping[str, Kernel]
) -> Ensemble:
    """The ensemble with its calibration and intervals, where its networks are to have them."""
    grid = head_of(ensemble.network).grid
    if grid is None or not ensemble.network.calibrate:
        return ensemble
    exact, seed = exact_truths(kernels), derive_seed(ensemble.seed, HELD_OUT)
    held_out = HeldOut.of(ensemble, galaxies, truths, kernels, grid)
    mended = mend(held_out, grid, exact=exact, truths=truths, seed=seed)
    account = dict(mended.account)
    if (note := in_place_of_i(ensemble.ref_band)) and not set(truths) <= set(exact):
        account["ref_band"] = note
    return replace(ensemble, calibration=mended.calibration, intervals=mended.intervals, held_out=account)


def _support(ensemble: Ensemble, galaxies: GalaxySet, truths: Sequence[str], kernels: Mapping[str, Kernel]) -> Support:
    """Where the training galaxies lie that have a label of these truths."""
    _, _, truth, photometry = labelled_and_usable(ensemble, galaxies, truths, "train", kernels)
    exact = np.isin(truth, exact_truths(kernels))
    x = ensemble.in_common(ensemble.features(photometry)).numpy()
    return Support.fit(x, exact=exact, seed=derive_seed(ensemble.seed, HELD_OUT))


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
