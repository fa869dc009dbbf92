"""`mixz kernel`: how wrong labels are by the densities of a model, without spectra -> a table that configs can name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mixz.atomic import alone, replacing, require_place
from mixz.densities.grid import Grid
from mixz.errors import MixzError
from mixz.stages.store.results import Results
from mixz.truths.by_magnitude import MAG_BORDERS, corrected_kernel, fit_densities
from mixz.truths.likelihood import Labels
from mixz.truths.table import averaged, write_kernel_table

if TYPE_CHECKING:
    from pathlib import Path

    from mixz.galaxies import GalaxySet
    from mixz.settings.config import Config
    from mixz.truths.by_magnitude import BinCorrection
    from mixz.truths.truth import Truth, Truths

FEWEST = 200
"""Galaxies from which on a kernel is corrected (ours)."""


def kernel(config: Config, *, recipe: str, truth: str, output: Path | None = None) -> tuple[Path, list[BinCorrection]]:
    """Correct a truth's kernel by the likelihood of its labels under a model's densities, and write it as a table.

    The galaxies are those that only the intervals look at (`mixz.model.training.labels.kept_apart`), without an exact
    label: neither they nor the like made, stopped or calibrated the densities.

    Parameters
    ----------
    config
        The settings of a run that is trained.
    recipe
        The recipe whose densities are asked.
    truth
        The name of the labels.
    output
        The CSV file to write; ``kernels/<truth>.csv`` of the run if not given.

    Returns
    -------
    Path, list of BinCorrection
        The file, and the corrections per bin of `MAG_BORDERS`.

    Raises
    ------
    MixzError
        The truth is exact or unknown, the model gives no densities, or there are too few such galaxies.
    """
    results = Results(config)
    path = output or config.folder / "kernels" / f"{truth}.csv"
    require_place(path)
    with alone(config.folder):
        galaxies, truths = results.read_galaxies(), results.truths()
        label = _noisy(truths, truth, galaxies)
        photoz = results.read_model(recipe).predict(chosen := _unseen(galaxies, truths, truth))
        if photoz.pdf is None or photoz.z_grid is None:
            raise MixzError(f"recipe {recipe!r} gives no densities", "one whose head does", "name another recipe")
        known = np.flatnonzero(np.isfinite(photoz.z_phot))
        labels, grid = Labels.of(chosen.rows(known), label, ref_band=config.ref_band), Grid(photoz.z_grid)
        found = fit_densities(labels, grid.mass(photoz.pdf[known]), grid)
        corrected = corrected_kernel(label.kernel, [one.as_record() for one in found], MAG_BORDERS)
        table = averaged(corrected, z=photoz.z_phot[known], mag_ref=labels.mag_ref)
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as draft:
            write_kernel_table(
                table,
                draft,
                said=f"labels {truth} of {known.size:,} galaxies under the densities of {recipe}, run {config.name}, "
                f"config digest {config.digest()}",
            )
    return path, found


def _noisy(truths: Truths, name: str, galaxies: GalaxySet) -> Truth:
    """The truth of this name, whose labels may be wrong."""
    noisy = [one for one in galaxies.truths if not truths[one].exact and galaxies.has(one).any()]
    if name not in noisy:
        raise MixzError(
            f"{name!r} is no truth here whose labels may be wrong",
            f"one of: {', '.join(noisy)}" if noisy else "a run that has such labels",
            "name another truth",
        )
    if truths[name].kernel.uses_z_err:
        raise MixzError(
            f"truths.{name}: a table cannot hold a kernel that goes by each label's own error",
            "another kernel than `reported`",
            "correct it by galaxies with both labels: learn_kernel",
        )
    return truths[name]


def _unseen(galaxies: GalaxySet, truths: Truths, name: str) -> GalaxySet:
    """Galaxies with this label and no exact one, of which the densities know nothing."""
    from mixz.model.training.labels import kept_apart

    exact, _ = galaxies.reference([one for one in truths.exact if one in galaxies.truths])
    chosen = galaxies.rows(kept_apart(galaxies) & galaxies.has(name) & ~np.isfinite(exact))
    if len(chosen) < FEWEST:
        raise MixzError(
            f"{len(chosen):,} galaxies that have {name!r} alone are kept apart from training and calibration",
            f"{FEWEST} or more",
            "build from more galaxies, or give more of them to validation",
        )
    return chosen
