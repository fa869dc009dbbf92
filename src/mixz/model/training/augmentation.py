"""What each epoch does to the training galaxies: noise and missing bands, as another look might have had them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from mixz.model.inputs.asinh import POGSON

if TYPE_CHECKING:
    from mixz.model.inputs.features import Features, Photometry

NEIGHBOURS = 10
"""Errors are borrowed from one of so many galaxies of the nearest magnitudes (ours)."""
FAINTEST = 0.5
"""Fluxes seen anew are at least this times their noise: a magnitude must be left (ours)."""
MOST_JITTER = 0.5
"""No magnitude is shaken as if its error were larger than this [mag]: beyond it errors say little (ours)."""


@dataclass(frozen=True, eq=False)
class Augmentation:
    """Training galaxies as another look might have seen them: fresh inputs for every epoch.

    With robust errors each galaxy is observed with the largest flux noise, band by band, among its own and that of one
    galaxy like it from every other truth.  Errors and colours of galaxies of like magnitudes are then spread alike: the
    largest of one draw from each truth is the same whichever of them was one's own.
    With `jitter`, magnitudes are shaken by so many of their own errors.  With `drop_bands`, that share of the galaxies
    loses some of its bands, and with `drop_own` that one all its own bands.

    Parameters
    ----------
    features
        The map to inputs.
    photometry
        The training galaxies.
    seed
        Seed of all epochs.
    donors
        Per truth, for every galaxy the galaxies like it that the truth labelled, shape (truth, galaxy, neighbour);
        its own truth's are itself.
    """

    features: Features
    photometry: Photometry
    seed: int
    donors: torch.Tensor

    def __call__(self, epoch: int) -> torch.Tensor:
        """The inputs of an epoch, shape (galaxy, input)."""
        source, network = torch.Generator().manual_seed(self.seed + epoch), self.features.network
        photometry = self.photometry
        if network.errors == "robust":
            photometry = _as_noisy_as_others(photometry, self.donors, source)
        if network.jitter:
            photometry = _shaken(photometry, network.jitter, source)
        if network.drop_bands:
            photometry = _without_some_bands(photometry, network.drop_bands, source)
        if network.drop_own:
            photometry = without_own_bands(photometry, network.drop_own, source)
        return self.features(photometry)


def augmentation(features: Features, photometry: Photometry, truth: torch.Tensor, seed: int) -> Augmentation | None:
    """What renews a network's training inputs, or None where they stay what they are.

    `truth` numbers the truth that labelled each galaxy, shape (galaxy,).
    """
    network = features.network
    drops = network.drop_bands or (network.own and network.drop_own)
    if network.errors != "robust" and not drops and not network.jitter:
        return None
    return Augmentation(features, photometry, seed, _donors(features, photometry, truth))


def as_training_sees(features: Features, photometry: Photometry, truth: torch.Tensor, seed: int) -> torch.Tensor:
    """Inputs of what judges a training: with its errors where they are to be robust, and its share of own bands."""
    source = torch.Generator().manual_seed(seed)
    if features.network.errors == "robust":
        photometry = _as_noisy_as_others(photometry, _donors(features, photometry, truth), source)
    return features(without_own_bands(photometry, features.network.drop_own, source))


def _donors(features: Features, photometry: Photometry, truth: torch.Tensor) -> torch.Tensor:
    """Find galaxies of like magnitudes among those of every truth, shape (truth, galaxy, neighbour)."""
    itself = torch.arange(len(truth))[:, None].expand(-1, NEIGHBOURS)
    numbers = torch.unique(truth).tolist()
    if features.network.errors != "robust" or len(numbers) < 2:
        return itself[None][:0]
    from scipy.spatial import cKDTree

    # Whatever the inputs, in magnitudes: bands that are missing as the others say, wholly unseen galaxies at the mean.
    filled = features.filled(photometry.mag, photometry.mag.isnan())
    mag = torch.where(filled.isnan(), features.mean, filled).double().numpy()
    donors = []
    for number in numbers:
        rows = (truth == number).nonzero()[:, 0]
        _, near = cKDTree(mag[rows.numpy()]).query(mag, k=min(NEIGHBOURS, len(rows)))
        found = rows[torch.from_numpy(near).reshape(len(mag), -1)]
        found = found[:, torch.arange(NEIGHBOURS) % found.shape[1]]
        donors.append(torch.where((truth == number)[:, None], itself, found))
    return torch.stack(donors)


def _as_noisy_as_others(photometry: Photometry, donors: torch.Tensor, source: torch.Generator) -> Photometry:
    """Observe galaxies anew with the largest flux noise among their own and their donors'.

    In fluxes, so that errors and magnitudes go together as in any survey: f' = f + sqrt(s'^2 - s^2) N(0, 1),
    s' = max(s, donors' s), and the magnitude error is that of s' / f'.
    """
    if not len(donors):
        return photometry
    mag, err = photometry.mag, photometry.mag_err
    # Relative to the galaxy's own flux, and to 1 where it has none to speak of.
    own = err / POGSON
    wanted = own
    for likes in donors:
        which = torch.randint(NEIGHBOURS, (len(mag), 1), generator=source)
        likes = likes.gather(1, which)[:, 0]
        other = err[likes] / POGSON * 10 ** (0.4 * (mag - mag[likes]))
        wanted = torch.where(other.isfinite() & (other > wanted), other, wanted)
    noise = (wanted.square() - own.square()).clamp_min(0).sqrt() * torch.randn(mag.shape, generator=source)
    flux = (1 + noise.nan_to_num(0.0, 0.0, 0.0)).maximum(
        FAINTEST * wanted.nan_to_num(0.0, 0.0, 0.0).clamp_max(1 / FAINTEST)
    )
    changed = wanted > own
    return photometry._replace(
        mag=torch.where(changed, mag - 2.5 * torch.log10(flux), mag),
        mag_err=torch.where(changed, POGSON * wanted / flux, err),
    )


def _shaken(photometry: Photometry, jitter: float, source: torch.Generator) -> Photometry:
    shaken = photometry._replace(mag=_moved(photometry.mag, photometry.mag_err, jitter, source))
    if photometry.own is None or photometry.own_err is None:
        return shaken
    return shaken._replace(own=_moved(photometry.own, photometry.own_err, jitter, source))


def _moved(mag: torch.Tensor, err: torch.Tensor, jitter: float, source: torch.Generator) -> torch.Tensor:
    err = err.nan_to_num(0.0, 0.0, 0.0).clamp(0.0, MOST_JITTER)
    return mag + jitter * err * torch.randn(err.shape, generator=source)


def without_own_bands(photometry: Photometry, share: float, source: torch.Generator) -> Photometry:
    """Take a share of the galaxies all their own bands, as if theirs were a survey that does not have them."""
    if photometry.own is None or photometry.own_err is None:
        return photometry
    gone = torch.rand(len(photometry.own), 1, generator=source) < share
    return photometry._replace(
        own=photometry.own.masked_fill(gone, torch.nan), own_err=photometry.own_err.masked_fill(gone, torch.nan)
    )


def _without_some_bands(photometry: Photometry, share: float, source: torch.Generator) -> Photometry:
    count, bands = photometry.mag.shape
    chosen = torch.rand(count, 1, generator=source) < share
    lost = torch.randint(1, max(2, bands), (count, 1), generator=source)
    # The bands of the lowest random numbers go, so that every set of a size is as likely; one always stays.
    rank = torch.rand(count, bands, generator=source).argsort(dim=1).argsort(dim=1)
    gone = chosen & (rank < lost)
    still = ~(photometry.mag.isnan() | gone).all(dim=1, keepdim=True)
    gone &= still
    return photometry._replace(
        mag=photometry.mag.masked_fill(gone, torch.nan), mag_err=photometry.mag_err.masked_fill(gone, torch.nan)
    )
