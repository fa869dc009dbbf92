"""An Ensemble: networks from many random starts, trained by one recipe; fit, fine_tune, predict, save, load."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, overload

import numpy as np
import torch

from mixz.densities.support import Support
from mixz.errors import MixzError
from mixz.galaxies import GalaxySet
from mixz.model.features import Photometry
from mixz.model.folder import read_model_folder, write_model_folder
from mixz.model.heads import head_of
from mixz.model.held_out import HeldOut, mend
from mixz.model.initial import default_ref_band, filled_in, first_features, random_weights
from mixz.model.nets import Weights, in_common_system
from mixz.model.predict import predict_rows, read_rows
from mixz.model.seeds import HELD_OUT, derive_seed
from mixz.model.training.history import History, Lost, Progress
from mixz.model.training.step import refined
from mixz.model.training.targets import labelled_and_usable
from mixz.photoz import PhotoZ
from mixz.settings.network import Network
from mixz.settings.recipe import believed
from mixz.truths.known import KNOWN_KERNELS, exact_truths

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from mixz.densities.calibration import Calibration
    from mixz.densities.intervals import Intervals
    from mixz.model.features import Features
    from mixz.model.training.devices import Machine
    from mixz.settings.recipe import Recipe, Step
    from mixz.truths.kernel import Kernel


@dataclass(frozen=True, eq=False)
class Ensemble:
    """Trained networks that estimate redshifts from magnitudes; training gives a new one and never changes this.

    Parameters
    ----------
    bands
        The bands it needs, in the order of its inputs.
    network
        What each member is.
    weights
        Stacked weights, member axis first.
    features
        Map from photometry to inputs, fitted on the first step's training galaxies.
    ref_band
        The band whose magnitude says how wrong labels are: i, or what stands for it.
    seed
        Seed of all its random numbers.
    numbers
        The members' numbers; their random numbers follow from them.
    recipe
        The steps it has been through.
    history
        Per step, what happened to each member.
    lost
        Members that are left out because their loss was no longer a number.
    provenance
        Anything JSON can hold about where the model came from.
    calibration, intervals, held_out
        How held-out galaxies mend the densities, how far intervals reach, and an account of it (`calibrated`); of these
        members and weights, so that subsets and refined ensembles are without.
    support
        Where the training galaxies lie (`with_support`); refined ensembles are without.

    Examples
    --------
    Recover a redshift that is written in one magnitude:

    >>> import numpy as np
    >>> from mixz.data.split import split_by_id
    >>> from mixz.settings.recipe import Step
    >>> z = np.linspace(0.1, 1.0, 600)
    >>> galaxies = GalaxySet(np.arange(600), ("r",), 20 + z[:, None], np.full((600, 1), 0.01),
    ...                      z={"spec": z}, split=split_by_id(np.arange(600)))
    >>> step = Step(truths=("spec",), epochs=20, batch_size=20)
    >>> model = Ensemble.fit(galaxies, (step,), network=Network(hidden=(20,)), members=2, seed=0)
    >>> photoz = model.predict(galaxies.in_split("test"))
    >>> dz = photoz.z_phot - galaxies.in_split("test").z["spec"]
    >>> bool(np.abs(dz).max() < 0.05)
    True
    """

    bands: tuple[str, ...]
    network: Network
    weights: Weights
    features: Features
    ref_band: str
    seed: int
    numbers: tuple[int, ...]
    recipe: Recipe = ()
    history: tuple[History, ...] = ()
    lost: tuple[Lost, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=dict)
    calibration: Calibration | None = None
    intervals: Intervals | None = None
    held_out: Mapping[str, Any] = field(default_factory=dict)
    support: Support | None = None

    @classmethod
    def fit(
        cls,
        galaxies: GalaxySet,
        recipe: Recipe,
        *,
        network: Network | None = None,
        members: int = 10,
        seed: int = 0,
        ref_band: str = "",
        kernels: Mapping[str, Kernel] = KNOWN_KERNELS,
        machine: Machine | None = None,
        watch: Callable[[Progress], None] | None = None,
    ) -> Ensemble:
        """Train an ensemble from random starts through every step of a recipe.

        Parameters
        ----------
        galaxies
            Galaxies whose `split` says which train and which validate.
        recipe
            The steps, e.g. ``mixz.RECIPES["tl"]``.
        network, members, seed
            Kind, number and random seed of the networks.
        ref_band
            The band whose magnitude says how wrong labels are; ``i`` where there is one, else the last.
        kernels
            How wrong each truth's labels are; exact ones are believed before others where a galaxy has several.
        machine
            Where to train; float32 on the CPU if not given.
        watch
            Called after every epoch.

        Raises
        ------
        MixzError
            A step's truth has no galaxies to train or validate on.
        """
        ensemble = cls.untrained(galaxies, recipe[0], network=network, members=members, seed=seed, ref_band=ref_band)
        for step in recipe:
            ensemble = ensemble.fine_tune(galaxies, step, kernels=kernels, machine=machine, watch=watch)
        return ensemble

    @classmethod
    def untrained(
        cls,
        galaxies: GalaxySet,
        first: Step,
        *,
        network: Network | None = None,
        members: int = 10,
        seed: int = 0,
        ref_band: str = "",
    ) -> Ensemble:
        """Start an ensemble at random weights, its inputs fitted to the training galaxies of the `first` step.

        What the network leaves open is filled in from all training galaxies: where the grid of densities ends, and
        which photometric systems there are (the common one is that without colour terms, or of most galaxies).

        Raises
        ------
        MixzError
            There are no members.
        """
        if members < 1:
            raise MixzError(f"members: {members}", "1 or more", "set members to 5, say")
        network = filled_in(network or Network(), galaxies)
        features = first_features(galaxies, first, network)
        bands, numbers = galaxies.bands, tuple(range(members))
        weights = random_weights(network, features, bands, [derive_seed(seed, k) for k in numbers])
        return cls(bands, network, weights, features, ref_band or default_ref_band(bands), seed, numbers)

    def fine_tune(
        self,
        galaxies: GalaxySet,
        step: Step,
        *,
        kernels: Mapping[str, Kernel] = KNOWN_KERNELS,
        machine: Machine | None = None,
        checkpoint: Path | None = None,
        watch: Callable[[Progress], None] | None = None,
    ) -> Ensemble:
        """Train every member for one more step, and give the result as a new ensemble.

        A member whose loss is no longer a number is left out of the result, and named in its `lost`; the others go on.

        Parameters
        ----------
        galaxies
            Galaxies whose `split` says which train and which validate.
        step
            What to do.
        kernels
            How wrong each truth's labels are; exact ones are believed before others where a galaxy has several.
        machine
            Where to train; float32 on the CPU if not given.
        checkpoint
            Folder to save in after every epoch; training goes on from what an earlier try left there.
        watch
            Called after every epoch.

        Raises
        ------
        MixzError
            The step's truths have no galaxies to train or validate on, its batches are larger than the data, it freezes
            more layers than there are, every member was lost, or the checkpoint is of other settings.
        """
        trained = refined(self, galaxies, step, kernels=kernels, machine=machine, checkpoint=checkpoint, watch=watch)
        return Ensemble.joined([trained])

    @property
    def members(self) -> int:
        """Number of networks."""
        return len(self.numbers)

    @property
    def systems(self) -> tuple[str, ...]:
        """Names of the photometric systems it tells apart; a single one where it knows of none."""
        return self.features.systems

    @property
    def has_density(self) -> bool:
        """Say whether it gives a density of each galaxy's redshift."""
        return self.network.has_density

    @property
    def needs_errors(self) -> bool:
        """Say whether it cannot be asked without magnitude errors."""
        return self.network.errors != "none"

    @property
    def sees_undetected(self) -> bool:
        """Say whether it tells bands in which nothing was seen from those that were not observed."""
        return self.network.asinh

    def subset(self, numbers: Sequence[int]) -> Ensemble:
        """Give the ensemble of some members, by their numbers."""
        places = [self.numbers.index(number) for number in numbers]
        return replace(
            self,
            numbers=tuple(numbers),
            weights={name: w[places] for name, w in self.weights.items()},
            history=tuple(history.only(numbers) for history in self.history),
            calibration=None,
            intervals=None,
            held_out={},
        )

    @classmethod
    def joined(cls, parts: Sequence[Ensemble]) -> Ensemble:
        """Put ensembles that differ only in their members together.

        Raises
        ------
        MixzError
            No member is left.
        """
        first = parts[0]
        lost = tuple(dict.fromkeys(one for part in parts for one in part.lost))
        numbers = tuple(number for part in parts for number in part.numbers)
        if not numbers:
            raise MixzError(
                f"no member is left: {lost[0]}" + (f", and {len(lost) - 1} others" if len(lost) > 1 else ""),
                "finite losses",
                "lower the learning rate, or look for extreme magnitudes",
            )
        return replace(
            first,
            numbers=numbers,
            weights={name: torch.cat([part.weights[name] for part in parts]) for name in first.weights},
            history=tuple(History.joined(histories) for histories in zip(*(p.history for p in parts), strict=True)),
            lost=lost,
        )

    def calibrated(self, galaxies: GalaxySet, *, kernels: Mapping[str, Kernel] = KNOWN_KERNELS) -> Ensemble:
        """Make the ensemble's densities honest by the labels of held-out galaxies, and learn how far intervals reach.

        Models without densities, and those whose network says ``calibrate: false``, stay as they are; with too few
        validation galaxies they do too, and `held_out` says why.

        Parameters
        ----------
        galaxies
            Galaxies whose `split` says which validate; those with a label that the recipe believes are used.
        kernels
            How wrong each truth's labels are.
        """
        grid = head_of(self.network).grid
        if grid is None or not self.network.calibrate:
            return self
        truths, seed = believed(self.recipe), derive_seed(self.seed, HELD_OUT)
        held_out = HeldOut.of(replace(self, calibration=None), galaxies, truths, kernels, grid)
        mended = mend(held_out, grid, exact=exact_truths(kernels), truths=truths, seed=seed)
        return replace(self, calibration=mended.calibration, intervals=mended.intervals, held_out=mended.account)

    def with_support(self, galaxies: GalaxySet, *, kernels: Mapping[str, Kernel] = KNOWN_KERNELS) -> Ensemble:
        """Remember where the training galaxies lie, so that predictions say which galaxies training covered.

        Parameters
        ----------
        galaxies
            Galaxies whose `split` says which train; those with a label that the recipe believes are remembered.
        kernels
            Truths of exact labels among these count as spectra.
        """
        _, _, whose, photometry = labelled_and_usable(self, galaxies, believed(self.recipe), "train", kernels)
        exact = np.isin(whose, exact_truths(kernels))
        x = self.in_common(self.features(photometry)).numpy()
        return replace(self, support=Support.fit(x, exact=exact, seed=derive_seed(self.seed, HELD_OUT)))

    @overload
    def predict(self, galaxies: GalaxySet) -> PhotoZ: ...

    @overload
    def predict(self, galaxies: Any) -> Any: ...

    def predict(self, galaxies: Any) -> Any:
        """Estimate the redshift of every galaxy by every member; NaN for galaxies that lack a band the model needs.

        Where the ensemble is calibrated, its density, the point estimates read off it and the intervals are; what
        single members say is not.

        Tables of other kinds (astropy, pandas, pyarrow, dictionaries, arrays) go through `mixz.predict_table`, which
        gives the same kind back and can be told how columns are named.

        Raises
        ------
        MixzError
            The galaxies lack one of the model's bands, or are of a photometric system that the model does not know.
        """
        if not isinstance(galaxies, GalaxySet):
            from mixz.bridges.any_table import predict_table

            return predict_table(self, galaxies)
        x = self.features(self.photometry(galaxies))
        found = predict_rows(self.weights, self.network, x, self.weight_seeds())
        sigma, z_rms = (None if t is None else t.numpy() for t in (found.sigma, found.z_rms))
        grid = head_of(self.network).grid
        covered = self.support(self.in_common(x).numpy()) if self.support is not None else None
        if grid is None or found.mass is None:
            return PhotoZ(galaxies.object_id, found.z.numpy(), sigma, support=covered)
        read = read_rows(
            found.mass, self.mag_ref(galaxies), grid, calibration=self.calibration, intervals=self.intervals
        )
        return PhotoZ(
            galaxies.object_id,
            found.z.numpy(),
            sigma,
            z_grid=grid.z,
            pdf=read.pdf.numpy(),
            points={name: z.numpy() for name, z in read.points.items()},
            z_rms_members=z_rms,
            intervals={level: ends.numpy() for level, ends in read.intervals.items()},
            support=covered,
        )

    def save(self, folder: str | Path) -> None:
        """Write the model folder: weights.safetensors, model.json, history.json; whole or not at all."""
        write_model_folder(self, folder)

    @classmethod
    def load(cls, folder: str | Path) -> Ensemble:
        """Read a model folder.

        Raises
        ------
        MixzError
            The folder is missing, damaged, or of another version.
        """
        return cls(**read_model_folder(folder))

    def masses(self, galaxies: GalaxySet) -> tuple[torch.Tensor, torch.Tensor]:
        """Give the networks' inputs, shape (galaxy, input), and the masses of the (calibrated) density, (galaxy, z)."""
        x = self.features(self.photometry(galaxies))
        mass = predict_rows(self.weights, self.network, x, self.weight_seeds()).mass
        if mass is None:
            raise MixzError(f"the model ends in a {self.network.head_name}", "a head with densities", "see networks")
        return x, mass if self.calibration is None else self.calibration(mass, self.mag_ref(galaxies))

    def photometry(self, galaxies: GalaxySet) -> Photometry:
        """Give the photometry of galaxies in the order of the model's bands and systems."""
        return Photometry.of(galaxies, order=galaxies.band_places(self.bands), systems=self.features.systems)

    def mag_ref(self, galaxies: GalaxySet) -> torch.Tensor:
        """Give the magnitudes in the band that says how wrong labels are, shape (galaxy,)."""
        return torch.tensor(galaxies.mag[:, galaxies.bands.index(self.ref_band)])

    def in_common(self, x: torch.Tensor) -> torch.Tensor:
        """Carry inputs into the common photometric system, as the members do on average; magnitudes only."""
        members = {name: w for name, w in self.weights.items() if name.startswith("system.")}
        mean = {name: w.mean(dim=0, keepdim=True) for name, w in members.items()}
        return in_common_system(mean, x[None])[0, :, : len(self.bands)]

    def weight_seeds(self) -> list[int]:
        """Give the seed of each member's weight draws, where its weights have a spread."""
        return [derive_seed(self.seed, number) for number in self.numbers]
