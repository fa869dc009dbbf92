"""What a step teaches an ensemble: inputs, labels, weights and the likelihood of each label, a row per galaxy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from mixz.errors import MixzError
from mixz.galaxies import WEIGHT
from mixz.model.heads import head_of
from mixz.model.seeds import EPOCHS, derive_seed
from mixz.model.training.augmentation import as_training_sees, augmentation
from mixz.model.training.labels import labelled, own_weights
from mixz.model.training.rows import Rows
from mixz.truths.likelihood import Labels

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mixz.arrays import Floats
    from mixz.densities.grid import Grid
    from mixz.galaxies import GalaxySet
    from mixz.model.ensemble import Ensemble
    from mixz.model.inputs.features import Photometry
    from mixz.model.training.selection import Selection
    from mixz.settings.recipe import Step
    from mixz.truths.truth import Truths


def labelled_and_usable(
    ensemble: Ensemble, galaxies: GalaxySet, names: Sequence[str], side: str, truths: Truths
) -> tuple[GalaxySet, Floats, NDArray[np.str_], Photometry]:
    """Select galaxies of one side with a label of some truths that can be asked about; give label and truth."""
    apart = ensemble.network.has_density and ensemble.network.calibrate
    chosen, z_ref, truth = labelled(galaxies, names, side, truths.exact, apart=apart)
    photometry = ensemble.photometry(chosen)
    usable = photometry.usable(ensemble.network).numpy()
    if not usable.all():
        chosen, z_ref, truth = chosen.rows(usable), z_ref[usable], truth[usable]
        photometry = ensemble.photometry(chosen)
    if not len(chosen):
        raise MixzError(f"no {side} galaxy has every band", "one or more", "see cuts.json, or set drop_bands")
    return chosen, z_ref, truth, photometry


def rows_of(
    ensemble: Ensemble,
    galaxies: GalaxySet,
    step: Step,
    side: str,
    truths: Truths,
    selection: Selection | None,
) -> Rows:
    """What one side of the split teaches in a step."""
    chosen, z_ref, truth, photometry = labelled_and_usable(ensemble, galaxies, step.truths, side, truths)
    weight = None
    if step.weights:
        weight = torch.tensor([step.weight_of(name) for name in truth.tolist()])
    if WEIGHT in chosen.carried:
        own = torch.tensor(own_weights(chosen), dtype=torch.float32)
        weight = own if weight is None else weight * own
    if weight is not None:
        weight = weight / weight.mean()
    if selection is not None:
        towards = torch.from_numpy(selection.of_galaxies(chosen, inside=side == "train")).float()
        weight = towards if weight is None else weight * towards
        weight = weight / weight.mean()
    kind = torch.from_numpy(np.unique(truth, return_inverse=True)[1])
    seed = derive_seed(ensemble.seed, EPOCHS, len(ensemble.steps) + 1)
    x, renew = ensemble.features(photometry), None
    if side == "train":
        renew = augmentation(ensemble.features, photometry, kind, seed)
    else:
        x = as_training_sees(ensemble.features, photometry, kind, seed)
    grid, likely = head_of(ensemble.network).grid, None
    if grid is not None:
        face_value = step.loss == "head"
        likely = torch.from_numpy(likelihood(ensemble, chosen, truth, truths, grid, face_value=face_value))
    return Rows(x, torch.tensor(z_ref, dtype=torch.float32), weight, likely, renew)


def likelihood(
    ensemble: Ensemble,
    chosen: GalaxySet,
    truth: NDArray[np.str_],
    truths: Truths,
    grid: Grid,
    *,
    face_value: bool = False,
) -> NDArray[np.float32]:
    """The likelihood of each galaxy's label of its `truth`, shape (galaxy, z) (`mixz.truths.likelihood`)."""
    found = np.empty((len(chosen), len(grid)), dtype=np.float32)
    for name in np.unique(truth).tolist():
        its = truth == name
        labels = Labels.of(chosen.rows(its), truths[name], ref_band=ensemble.ref_band)
        found[its] = labels.likelihood(grid, face_value=face_value)
    return found
