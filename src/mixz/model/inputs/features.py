"""What the networks see of a galaxy: its magnitudes, which of them are missing, how sure they are, whose they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import torch

from mixz.errors import MixzError
from mixz.model.inputs.asinh import POGSON, asinh_mag, typical_noise
from mixz.model.inputs.error_ranks import ErrorRanks
from mixz.model.inputs.own import OwnBands

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

    from mixz.galaxies import GalaxySet
    from mixz.settings.network import Network

NARROWEST_MAG = 1e-3
"""Whitening blows no direction up whose spread is below this [mag]: it holds nothing but rounding."""
FITTED = ("offset", "matrix", "mean", "covariance", "softening", "error_mean", "error_spread")
"""The numbers of `Features` that are fitted, and stored with the weights."""


class Photometry(NamedTuple):
    """What was measured, as tensors.

    Parameters
    ----------
    mag, mag_err
        Shape (galaxy, band); NaN where not measured.  Where a band was observed and nothing seen, `mag` is NaN and
        `mag_err` infinite.
    system
        Number of each galaxy's photometric system, shape (galaxy,).
    own, own_err
        The same of own bands, which not every survey has, shape (galaxy, own band); None where there are none.
    """

    mag: torch.Tensor
    mag_err: torch.Tensor
    system: torch.Tensor
    own: torch.Tensor | None = None
    own_err: torch.Tensor | None = None

    @classmethod
    def of(cls, galaxies: GalaxySet, bands: Sequence[str], *, systems: Sequence[str], own: Sequence[str] = ()) -> Self:
        """Take some `bands`, the last of which may be `own` ones; the galaxies' own arrays stay untouched.

        Raises
        ------
        MixzError
            The galaxies lack one of the others, or a galaxy's photometric system is not among `systems` where there
            are several.
        """
        mag, err = (torch.tensor(a, dtype=torch.float32) for a in galaxies.in_bands(bands, optional=own))
        return cls.parted(mag, err, torch.from_numpy(galaxies.system_numbers(systems)), own=len(own))

    @classmethod
    def parted(cls, mag: torch.Tensor, mag_err: torch.Tensor, system: torch.Tensor, *, own: int) -> Self:
        """Part the last bands, the `own` ones, from those that every galaxy has."""
        if not own:
            return cls(mag, mag_err, system)
        return cls(mag[:, :-own], mag_err[:, :-own], system, mag[:, -own:], mag_err[:, -own:])

    def usable(self, network: Network) -> torch.Tensor:
        """Which galaxies a network can be asked about, shape (galaxy,)."""
        seen = self.mag.isfinite()
        if network.asinh:
            seen |= self.mag_err.isinf()
        if network.errors != "none":
            seen &= ~self.mag_err.isnan()
        return seen.any(dim=1) if network.drop_bands else seen.all(dim=1)


@dataclass(frozen=True, eq=False)
class Features:
    """Map photometry to inputs: [(mag - offset) matrix, which bands are missing, ln errors, own bands, which system].

    It is fitted once, on the first step's training galaxies, and travels with the weights: refining on other galaxies
    must not move the inputs.

    Parameters
    ----------
    offset, matrix
        The map of magnitudes, shapes (band,) and (band, band).
    mean, covariance
        Of the training magnitudes: a missing band is filled with what the others say it should be, its mean given them.
    softening
        Magnitude of the typical flux error in each band, shape (band,): asinh magnitudes bend there.
    error_mean, error_spread
        Of ln(mag_err), shape (band,).
    systems
        Names of the photometric systems; the first is the common one.
    network
        Which of these parts the networks see.
    own
        How own bands are seen; None where there are none.
    ranks
        How errors become ranks; None where networks do not see them so.
    """

    offset: torch.Tensor
    matrix: torch.Tensor
    mean: torch.Tensor
    covariance: torch.Tensor
    softening: torch.Tensor
    error_mean: torch.Tensor
    error_spread: torch.Tensor
    systems: tuple[str, ...]
    network: Network
    own: OwnBands | None = None
    ranks: ErrorRanks | None = None

    @classmethod
    def fit(
        cls, photometry: Photometry, network: Network, systems: Sequence[str] = ("",), *, ref_place: int = 0
    ) -> Self:
        """Fit the maps to training galaxies.

        - ``minmax``: each band's range onto [0, 1], as in the paper group's public example.
        - ``whitened``: uncorrelated inputs of mean 0 and spread 1 (ours).  Magnitudes of one galaxy nearly follow each
          other, so min-max inputs hide its colours in small differences, which take many updates to find; the
          networks that can be reached are the same.

        Own bands are seen against the band in the place `ref_place`.

        Examples
        --------
        >>> from mixz.settings.network import Network
        >>> mag = torch.tensor([[20.0, 21.0], [25.0, 25.0], [21.0, 23.0]])
        >>> seen = Photometry(mag, torch.full_like(mag, 0.1), torch.zeros(3, dtype=torch.long))
        >>> Features.fit(seen, Network(inputs="minmax"))(seen)
        tensor([[0.0000, 0.0000],
                [1.0000, 1.0000],
                [0.2000, 0.5000]])
        >>> x = Features.fit(seen, Network(inputs="whitened"))(seen)
        >>> torch.allclose(x.T @ x / 3, torch.eye(2), atol=1e-4)
        True
        """
        detected = photometry.mag.isfinite().all(dim=1)
        if not detected.any():
            raise MixzError("no training galaxy is measured in every band", "at least one", "check the bands")
        softening = typical_noise(photometry.mag, photometry.mag_err)
        mag = photometry.mag[detected]
        seen = photometry.mag_err[detected].isfinite().all(dim=1)
        if network.asinh:
            mag = asinh_mag(mag, photometry.mag_err[detected], softening)
        offset, matrix = (_minmax if network.inputs == "minmax" else _whitened)(mag)
        if network.errors != "none" and not seen.any():
            raise MixzError(
                f"network errors: {network.errors}, but the galaxies have none",
                "magnitude errors in every band",
                "name the columns with mag_err, or set errors: none",
            )
        # Of errors that nobody knows nothing is looked at; NaN would travel with the weights.
        known = photometry.mag_err[detected][seen] if seen.any() else torch.ones_like(mag[:1])
        errors = known.clamp_min(1e-4).log()
        spread = errors.std(dim=0, correction=0).clamp_min(1e-3)
        return cls(
            offset,
            matrix,
            mag.mean(dim=0),
            _covariance(mag),
            softening,
            errors.mean(dim=0),
            spread,
            tuple(systems),
            network,
            _own(photometry, network, softening, ref_place=ref_place),
            _ranks(photometry, network, systems),
        )

    @property
    def width(self) -> int:
        """How many inputs the first layer sees: all but the columns that name the system."""
        parts = 1 + (self.network.drop_bands > 0) + (self.network.errors != "none")
        return parts * len(self.offset) + 2 * len(self.network.own)

    def __call__(self, photometry: Photometry) -> torch.Tensor:
        """Map photometry to inputs, shape (galaxy, input); NaN for galaxies that the networks cannot be asked about."""
        mag, err = photometry.mag, photometry.mag_err
        if self.network.asinh:
            mag = asinh_mag(mag, err, self.softening)
        missing = mag.isnan()
        whole = self.filled(mag, missing) if self.network.drop_bands else mag
        columns = [(whole - self.offset) @ self.matrix]
        if self.network.drop_bands:
            columns.append(missing.float())
        if self.ranks is not None:
            columns.append(self.ranks(photometry.mag, err, photometry.system))
        elif self.network.errors != "none":
            # Beyond the error of a flux as large as its noise there is nothing to tell.
            sure = (err.clamp(1e-4, POGSON).log() - self.error_mean) / self.error_spread
            # Where bands may be missing, so may errors: an unknown one counts as a typical one.
            columns.append(torch.where(err.isnan() & (self.network.drop_bands > 0), 0.0, sure))
        if self.own is not None and photometry.own is not None and photometry.own_err is not None:
            columns.append(self.own(photometry.own, photometry.own_err, whole))
        others = range(1, len(self.systems))
        columns += [(photometry.system == number).float()[:, None] for number in others]
        return torch.cat(columns, dim=1)

    def slope(self, absent: torch.Tensor) -> torch.Tensor:
        """The regression of absent bands on the others, shape (others, absent), in float64."""
        covariance = self.covariance.double()
        within, between = covariance[~absent][:, ~absent], covariance[~absent][:, absent]
        noise = NARROWEST_MAG**2 * torch.eye(len(within), dtype=torch.float64)
        slope: torch.Tensor = torch.linalg.solve(within + noise, between)
        return slope

    def filled(self, mag: torch.Tensor, missing: torch.Tensor) -> torch.Tensor:
        """Fill missing magnitudes with their mean given the others, as if all were jointly Gaussian."""
        filled = mag.clone()
        exact = mag.double()  # so that other libraries' order of sums gives the same float32 number
        patterns, which = torch.unique(missing, dim=0, return_inverse=True)
        for number, absent in enumerate(patterns):
            if not absent.any() or absent.all():
                continue
            rows, there = which == number, ~absent
            known = exact[rows][:, there] - self.mean[there]
            said = self.mean[absent] + known @ self.slope(absent)
            filled[rows.nonzero(), absent.nonzero().T] = said.float()
        return filled


def _own(photometry: Photometry, network: Network, softening: torch.Tensor, *, ref_place: int) -> OwnBands | None:
    """How own bands are seen, by the training galaxies that have them; None where there are none."""
    if photometry.own is None or photometry.own_err is None:
        return None
    shared = asinh_mag(photometry.mag, photometry.mag_err, softening) if network.asinh else photometry.mag
    return OwnBands.fit(photometry.own, photometry.own_err, shared, ref_place=ref_place, asinh=network.asinh)


def _ranks(photometry: Photometry, network: Network, systems: Sequence[str]) -> ErrorRanks | None:
    """How errors become ranks, by the training galaxies of each system; None where they do not."""
    if network.errors != "relative":
        return None
    return ErrorRanks.fit(photometry.mag, photometry.mag_err, photometry.system, systems)


def _minmax(mag: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    low, high = mag.amin(dim=0), mag.amax(dim=0)
    # A band without spread carries nothing; it maps to 0 instead of dividing by zero.
    return low, torch.diag(1 / torch.where(high > low, high - low, 1.0))


def _whitened(mag: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    variance, directions = torch.linalg.eigh(_covariance(mag).double())
    # The symmetric square root: of all whitenings the one that leaves each input closest to its band.
    matrix = directions @ torch.diag(variance.clamp_min(NARROWEST_MAG**2).rsqrt()) @ directions.T
    return mag.double().mean(dim=0).float(), matrix.float()


def _covariance(mag: torch.Tensor) -> torch.Tensor:
    away = mag.double() - mag.double().mean(dim=0)
    return (away.T @ away / len(away)).float()
