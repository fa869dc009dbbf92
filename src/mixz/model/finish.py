"""From a trained ensemble to a finished model: calibrated by held-out galaxies, with intervals and its support.

Held out are the galaxies of the conformal side; of data sets without one, the validation galaxies.  A share of them is
kept apart for the intervals: training never looked at it, not even to choose an epoch, and the calibration is not
fitted to it, so that intervals keep the promise of split-conformal prediction.  The others are calibrated on.
Validation galaxies among these chose the epoch; next to that and the few numbers of a calibration they are many.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mixz.densities.calibration import FEWEST, Calibration
from mixz.densities.estimates import hsc_loss, zcore
from mixz.densities.intervals import FEWEST as FEWEST_OF_A_TRUTH
from mixz.densities.intervals import Intervals, draws, scores
from mixz.densities.quality import Risk, expected_loss, signs_among
from mixz.densities.support import Support
from mixz.model.heads import head_of
from mixz.model.seeds import HELD_OUT, derive_seed
from mixz.model.training.labels import CALIBRATION, INTERVALS, held_out_sides, kept_apart
from mixz.model.training.targets import labelled_and_usable, likelihood
from mixz.settings.bands import in_place_of_i
from mixz.settings.recipe import believed
from mixz.truths.known import KNOWN_TRUTHS
from mixz.truths.likelihood import allowed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mixz.arrays import Floats
    from mixz.densities.grid import Grid
    from mixz.galaxies import GalaxySet
    from mixz.model.ensemble import Ensemble
    from mixz.truths.truth import Truths

MOST = 15_000
"""Held-out galaxies that are used, at most: what is fitted has so few numbers that more tell nothing new."""


def finished(ensemble: Ensemble, galaxies: GalaxySet, *, truths: Truths = KNOWN_TRUTHS) -> Ensemble:
    """A trained ensemble made a finished model: calibrated, with intervals, and with its support.

    Densities are made honest by the labels of the held-out galaxies, and intervals learned from those of them that are
    kept apart; with too few they are not, and `held_out` says why.  Models without densities, and those
    whose network says ``calibrate: false``, have neither.  Support is where the training galaxies lie.  Galaxies count
    that have a label of a truth that some step of the ensemble believed; what it knew of earlier galaxies is forgotten.

    Parameters
    ----------
    ensemble
        What training made; not changed.
    galaxies
        Galaxies whose `split` says which train and which are held out.
    truths
        How wrong each truth's labels are; galaxies with exact ones are its spectra.

    Raises
    ------
    MixzError
        A side has no galaxy with such a label.
    """
    names = [name for name in believed(ensemble.steps) if name in galaxies.truths]
    bare = replace(ensemble, calibration=None, intervals=None, held_out={}, support=None, risk=None)
    bare = replace(bare, support=_support(bare, galaxies, names, truths))
    return _calibrated(bare, galaxies, names, truths)


def _support(ensemble: Ensemble, galaxies: GalaxySet, names: Sequence[str], truths: Truths) -> Support:
    """Where the training galaxies lie that have a label of these truths."""
    _, z_label, truth, photometry = labelled_and_usable(ensemble, galaxies, names, "train", truths)
    x = ensemble.in_common(ensemble.features(photometry)).numpy()
    return Support.fit(x, z_label, exact=np.isin(truth, truths.exact), seed=derive_seed(ensemble.seed, HELD_OUT))


def _calibrated(ensemble: Ensemble, galaxies: GalaxySet, names: Sequence[str], truths: Truths) -> Ensemble:
    """The ensemble with its calibration and intervals, where its networks are to have them."""
    grid = head_of(ensemble.network).grid
    if grid is None or not ensemble.network.calibrate:
        return ensemble
    seed = derive_seed(ensemble.seed, HELD_OUT)
    held_out = HeldOut.of(ensemble, galaxies, names, truths, grid, side=CALIBRATION, seed=seed)
    counts, why = held_out.counts(names), []
    account: dict[str, Any] = {"galaxies": counts, "calibrated": len(held_out) >= FEWEST}
    account["sides"] = held_out_sides(galaxies, names)
    if (note := in_place_of_i(ensemble.ref_band)) and not set(names) <= set(truths.exact):
        account["ref_band"] = note
    if len(held_out) < FEWEST:
        account["why"] = f"{len(held_out)} held-out galaxies; calibrating takes {FEWEST}"
        return replace(ensemble, held_out=account)
    calibration = Calibration.fit(held_out.mass, held_out.likelihood, held_out.mag_ref, system=held_out.system)
    honest = replace(held_out, mass=calibration(held_out.mass, held_out.mag_ref, held_out.system))
    risk = honest.risk(ensemble.support, truths, grid) if ensemble.support is not None else None
    ensemble = replace(ensemble, calibration=calibration, risk=risk)
    intervals = None
    kept = galaxies.rows(kept_apart(galaxies))
    # What was kept may have labels of other truths than the model's, a simulation's say.
    if sum(int(kept.has(name).sum()) for name in names) >= FEWEST_OF_A_TRUTH:
        apart = HeldOut.of(ensemble, galaxies, names, truths, grid, side=INTERVALS, seed=seed)
        account["intervals"] = apart.counts(names)
        why += [
            f"{name}: {count} galaxies were kept apart, too few to promise it an honest coverage of its own"
            for name, count in apart.counts(names).items()
            if count < FEWEST_OF_A_TRUTH
        ]
        intervals = apart.intervals(names, truths, grid, bins_by=held_out.mag_ref, seed=seed)
    else:
        why.append(f"no intervals: fewer than {FEWEST_OF_A_TRUTH} held-out galaxies could be kept apart for them")
    if why:
        account["why"] = "; ".join(why)
    return replace(ensemble, intervals=intervals, held_out=account)


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Held-out galaxies with their densities and labels.

    Parameters
    ----------
    mass
        Masses of the ensemble's densities, calibrated where it is, shape (galaxy, z).
    likelihood
        How likely the labels are, by where on the grid the redshift is, shape (galaxy, z).
    z_label
        The labels, shape (galaxy,).
    truth
        Names of their truths, shape (galaxy,).
    mag_ref
        Reference magnitudes, shape (galaxy,).
    system
        Numbers of photometric systems, shape (galaxy,).
    place
        Where they lie among the training galaxies, shape (galaxy, band).
    """

    mass: Floats
    likelihood: Floats
    z_label: Floats
    truth: NDArray[np.str_]
    mag_ref: Floats
    system: NDArray[np.int64]
    place: Floats

    @classmethod
    def of(
        cls,
        ensemble: Ensemble,
        galaxies: GalaxySet,
        names: Sequence[str],
        truths: Truths,
        grid: Grid,
        *,
        side: str,
        seed: int,
    ) -> HeldOut:
        """The galaxies of one side that an ensemble has a density of and that have a label; a sample of very many."""
        chosen, z_label, truth, _ = labelled_and_usable(ensemble, galaxies, names, side, truths)
        if len(chosen) > MOST:
            drawn = np.sort(np.random.default_rng(seed).permutation(len(chosen))[:MOST])
            chosen, z_label, truth = chosen.rows(drawn), z_label[drawn], truth[drawn]
        x, masses = ensemble.masses(chosen)
        mass, mag_ref = masses.numpy(), ensemble.mag_ref(chosen).numpy()
        common = ensemble.in_common(x).numpy()
        place = common if ensemble.support is None else np.asarray(ensemble.support.place(common))
        system = chosen.system_numbers(ensemble.systems)
        likely = likelihood(ensemble, chosen, truth, truths, grid)
        found = cls(mass, likely, z_label, truth, mag_ref, system, place)
        return found.rows(np.isfinite(mag_ref) & np.isfinite(mass).all(axis=1))

    def __len__(self) -> int:
        """Count the galaxies."""
        return len(self.mass)

    def rows(self, which: NDArray[Any]) -> HeldOut:
        """The galaxies that `which` (a mask or indices) selects."""
        return HeldOut(*(getattr(self, name)[which] for name in self.__dataclass_fields__))

    def counts(self, names: Sequence[str]) -> dict[str, int]:
        """How many have a label of each truth."""
        return {name: int((self.truth == name).sum()) for name in names}

    def risk(self, support: Support, truths: Truths, grid: Grid) -> Risk:
        """From the signs of a galaxy to these galaxies' losses; of noisy labels, to what they and densities allow."""
        z_core = zcore(self.mass, grid)
        exact = np.isin(self.truth, truths.exact)
        allowed_loss = expected_loss(allowed(self.mass, self.likelihood), z_core, grid)
        loss = np.where(exact, hsc_loss(z_phot=z_core, z_ref=self.z_label), allowed_loss)
        return Risk.fit(signs_among(z_core, expected_loss(self.mass, z_core, grid), self.place, support), loss)

    def intervals(self, names: Sequence[str], truths: Truths, grid: Grid, *, bins_by: Floats, seed: int) -> Intervals:
        """How far intervals of densities must reach to hold these galaxies' redshifts as often as they say."""
        scored = {}
        for number, name in enumerate(name for name, count in self.counts(names).items() if count):
            its = self.rows(self.truth == name)
            if truths[name].exact:
                z = its.z_label[:, None]
            else:
                z = draws(allowed(its.mass, its.likelihood), grid, seed=seed + number)
            scored[name] = scores(its.mass, z, grid), its.mag_ref
        return Intervals.fit(scored, bins_by=bins_by)
