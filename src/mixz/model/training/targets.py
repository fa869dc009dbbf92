"""What a step teaches an ensemble: inputs, labels, weights, and what each label says, a row per galaxy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from mixz.errors import MixzError
from mixz.galaxies import WEIGHT
from mixz.model.heads import head_of
from mixz.model.label_likelihood import says_exactly, says_through
from mixz.model.seeds import EPOCHS, derive_seed
from mixz.model.training.augmentation import as_noisy_as_others, augmentation
from mixz.model.training.labels import labelled, own_weights
from mixz.model.training.rows import Rows
from mixz.truths.known import exact_truths

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from mixz.arrays import Floats
    from mixz.densities.grid import Grid
    from mixz.galaxies import GalaxySet
    from mixz.model.ensemble import Ensemble
    from mixz.model.features import Photometry
    from mixz.model.training.selection import Selection
    from mixz.settings.recipe import Step
    from mixz.truths.kernel import Kernel


def labelled_and_usable(
    ensemble: Ensemble, galaxies: GalaxySet, truths: Sequence[str], side: str, kernels: Mapping[str, Kernel]
) -> tuple[GalaxySet, Floats, NDArray[np.str_], Photometry]:
    """Select galaxies of one side with a label of some truths that can be asked about; give label and truth."""
    chosen, z_ref, whose = labelled(galaxies, truths, side, exact_truths(kernels))
    photometry = ensemble.photometry(chosen)
    usable = photometry.usable(ensemble.network).numpy()
    if not usable.all():
        chosen, z_ref, whose = chosen.rows(usable), z_ref[usable], whose[usable]
        photometry = ensemble.photometry(chosen)
    if not len(chosen):
        raise MixzError(f"no {side} galaxy has every band", "one or more", "see cuts.json, or set drop_bands")
    return chosen, z_ref, whose, photometry


def rows_of(
    ensemble: Ensemble,
    galaxies: GalaxySet,
    step: Step,
    side: str,
    kernels: Mapping[str, Kernel],
    selection: Selection | None,
) -> Rows:
    """Give what one side of the split teaches in a step."""
    chosen, z_ref, whose, photometry = labelled_and_usable(ensemble, galaxies, step.truths, side, kernels)
    weight = None
    if step.weights:
        weight = torch.tensor([step.weight_of(truth) for truth in whose.tolist()])
    if WEIGHT in chosen.carried:
        own = torch.tensor(own_weights(chosen), dtype=torch.float32)
        weight = own if weight is None else weight * own
    if weight is not None:
        weight = weight / weight.mean()
    if selection is not None:
        towards = torch.from_numpy(selection.of_galaxies(chosen, inside=side == "train")).float()
        weight = towards if weight is None else weight * towards
        weight = weight / weight.mean()
    truth = torch.from_numpy(np.unique(whose, return_inverse=True)[1])
    seed = derive_seed(ensemble.seed, EPOCHS, len(ensemble.recipe) + 1)
    x, renew = ensemble.features(photometry), None
    if side == "train":
        renew = augmentation(ensemble.features, photometry, truth, seed)
    else:
        x = as_noisy_as_others(ensemble.features, photometry, truth, seed)
    grid, says = head_of(ensemble.network).grid, None
    if grid is not None:
        exactly = step.loss == "head"
        says = says_exactly(z_ref, grid) if exactly else says_of(ensemble, chosen, z_ref, whose, kernels, grid)
    return Rows(x, torch.tensor(z_ref, dtype=torch.float32), weight, says, renew)


def says_of(
    ensemble: Ensemble,
    chosen: GalaxySet,
    z_ref: Floats,
    whose: NDArray[np.str_],
    kernels: Mapping[str, Kernel],
    grid: Grid,
) -> torch.Tensor:
    """Give what each galaxy's label says of its redshift."""
    says = torch.empty(len(chosen), len(grid.z))
    mag_i = ensemble.mag_ref(chosen).numpy().astype(float)
    for truth in np.unique(whose).tolist():
        its = whose == truth
        z_err = chosen.z_err[truth][its] if truth in chosen.z_err else None
        says[torch.from_numpy(its)] = says_through(kernels[truth], z_ref[its], mag_i[its], grid, z_err)
    return says
