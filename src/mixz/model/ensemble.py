"""An Ensemble: networks from many random starts, trained by one recipe, with what was learned of them afterwards.

A value: `mixz.model.fit` makes it, `mixz.model.folder` keeps it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import torch

from mixz.densities.estimates import DEFAULT
from mixz.densities.quality import risk_of
from mixz.errors import MixzError
from mixz.galaxies import GalaxySet
from mixz.model.heads import head_of
from mixz.model.inputs.features import Photometry
from mixz.model.nets import Weights, in_common_system
from mixz.model.predict import predict_rows, read_rows
from mixz.model.seeds import derive_seed
from mixz.model.training.history import History
from mixz.notebook.facts import Facts, counted
from mixz.photoz import PhotoZ

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mixz.densities.calibration import Calibration
    from mixz.densities.intervals import Intervals
    from mixz.densities.quality import Risk
    from mixz.densities.support import Support
    from mixz.model.inputs.features import Features
    from mixz.model.training.history import Lost
    from mixz.settings.network import Network
    from mixz.settings.recipe import Step


@dataclass(frozen=True, eq=False)
class Ensemble:
    """Trained networks that estimate redshifts from magnitudes; training makes a new one and never changes this.

    Parameters
    ----------
    bands
        The bands it looks at, in the order of its inputs; the last are its own bands, which galaxies may lack.
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
    steps
        The steps it has been through.
    history
        Per step, what happened to each member.
    lost
        Members that are left out because their loss was no longer a number.
    provenance
        Anything JSON can hold about where the model came from.
    calibration, intervals, held_out
        How held-out galaxies correct the densities, how far intervals reach, and an account of it
        (`mixz.model.finish.finished`); of these members and weights, so that subsets are without.
    support
        Where the training galaxies lie.
    risk
        How far off galaxies like one were, among the held-out ones; of these members, as `calibration`.
    """

    bands: tuple[str, ...]
    network: Network
    weights: Weights
    features: Features
    ref_band: str
    seed: int
    numbers: tuple[int, ...]
    steps: tuple[Step, ...] = ()
    history: tuple[History, ...] = ()
    lost: tuple[Lost, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=dict)
    calibration: Calibration | None = None
    intervals: Intervals | None = None
    held_out: Mapping[str, Any] = field(default_factory=dict)
    support: Support | None = None
    risk: Risk | None = None

    def __repr__(self) -> str:
        """Say in a line what it is."""
        return self._facts().line()

    def _repr_html_(self) -> str:
        return self._facts().html()

    def _facts(self) -> Facts:
        hidden = " x ".join(map(str, self.network.hidden))
        learned = {"calibrated": self.calibration, "intervals": self.intervals, "support": self.support}
        return Facts(
            f"Ensemble of {counted(self.members, 'network')}",
            {
                "bands": ", ".join(self.bands),
                "head": self.network.head_name,
                "hidden layers": hidden,
                "trained on": ", then ".join(" + ".join(step.truths) for step in self.steps) or "nothing yet",
                "knows": ", ".join(name for name, value in learned.items() if value is not None),
                "systems": ", ".join(filter(None, self.systems)),
                "lost": counted(len(self.lost), "member") if self.lost else "",
            },
        )

    @property
    def members(self) -> int:
        """Number of networks."""
        return len(self.numbers)

    @property
    def systems(self) -> tuple[str, ...]:
        """Names of the photometric systems it tells apart; a single one where it knows of none."""
        return self.features.systems

    @property
    def own_bands(self) -> tuple[str, ...]:
        """The bands that it uses where galaxies have them, and does without elsewhere."""
        return self.network.own

    @property
    def has_density(self) -> bool:
        """Whether it gives a density of each galaxy's redshift."""
        return self.network.has_density

    @property
    def needs_errors(self) -> bool:
        """Whether it cannot be asked without magnitude errors."""
        return self.network.errors != "none"

    @property
    def sees_undetected(self) -> bool:
        """Whether it tells bands in which nothing was seen from those that were not observed."""
        return self.network.asinh

    def subset(self, numbers: Sequence[int]) -> Ensemble:
        """The ensemble of some members, by their numbers."""
        places = [self.numbers.index(number) for number in numbers]
        return replace(
            self,
            numbers=tuple(numbers),
            weights={name: w[places] for name, w in self.weights.items()},
            history=tuple(history.only(numbers) for history in self.history),
            calibration=None,
            intervals=None,
            held_out={},
            risk=None,
        )

    @classmethod
    def joined(cls, parts: Sequence[Ensemble]) -> Ensemble:
        """Ensembles that differ only in their members as one.

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

    def predict(self, galaxies: GalaxySet) -> PhotoZ:
        """Redshift estimates of every galaxy by every member; NaN for galaxies that lack a band the model needs.

        Own bands are used where galaxies have them, and not needed.

        Where the ensemble is calibrated, its density, the point estimates read off it and the intervals are; what
        single members say is not.

        Raises
        ------
        MixzError
            The galaxies lack one of the model's bands, are of a photometric system that the model does not know, or
            are a table of another kind (astropy, pandas, pyarrow, dictionary, array): `mixz.predict_table` takes these.
        """
        if not isinstance(galaxies, GalaxySet):
            raise MixzError(
                f"Ensemble.predict of a {type(galaxies).__name__}",
                "a mixz.GalaxySet",
                "mixz.predict_table(model, table) takes tables of other kinds and gives the same kind back",
            )
        photometry = self.photometry(galaxies)
        x = self.features(photometry)
        found = predict_rows(self.weights, self.network, x, self.weight_seeds())
        sigma, z_rms = (None if t is None else t.numpy() for t in (found.sigma, found.z_rms))
        grid = head_of(self.network).grid
        place = self.support.place(self.in_common(x).numpy()) if self.support is not None else None
        covered = self.support.flags(place) if self.support is not None and place is not None else None
        if grid is None or found.mass is None:
            return PhotoZ(galaxies.object_id, found.z.numpy(), sigma, support=covered)
        read = read_rows(
            found.mass,
            self.mag_ref(galaxies),
            grid,
            system=photometry.system,
            calibration=self.calibration,
            intervals=self.intervals,
        )
        z_core, loss = read.points[DEFAULT].numpy(), read.loss.numpy()
        return PhotoZ(
            galaxies.object_id,
            found.z.numpy(),
            sigma,
            z_grid=grid.z,
            pdf=read.pdf.numpy(),
            points={name: z.numpy() for name, z in read.points.items()},
            z_rms_members=z_rms,
            intervals={level: ends.numpy() for level, ends in read.intervals.items()},
            odds=read.odds.numpy(),
            risk=risk_of(z_core, loss, place, self.support, self.risk),
            support=covered,
        )

    def masses(self, galaxies: GalaxySet) -> tuple[torch.Tensor, torch.Tensor]:
        """The networks' inputs, shape (galaxy, input), and the masses of the (calibrated) density, (galaxy, z)."""
        photometry = self.photometry(galaxies)
        x = self.features(photometry)
        mass = predict_rows(self.weights, self.network, x, self.weight_seeds()).mass
        if mass is None:
            raise MixzError(f"the model ends in a {self.network.head_name}", "a head with densities", "see networks")
        return x, mass if self.calibration is None else self.calibration(
            mass, self.mag_ref(galaxies), photometry.system
        )

    def photometry(self, galaxies: GalaxySet) -> Photometry:
        """The photometry of galaxies in the order of the model's bands and systems."""
        return Photometry.of(galaxies, self.bands, systems=self.features.systems, own=self.own_bands)

    def mag_ref(self, galaxies: GalaxySet) -> torch.Tensor:
        """The magnitudes in the band that says how wrong labels are, shape (galaxy,)."""
        return torch.tensor(galaxies.mag[:, galaxies.bands.index(self.ref_band)])

    def in_common(self, x: torch.Tensor) -> torch.Tensor:
        """Carry inputs into the common photometric system, as the members do on average; magnitudes only."""
        members = {name: w for name, w in self.weights.items() if name.startswith("system.")}
        mean = {name: w.mean(dim=0, keepdim=True) for name, w in members.items()}
        return in_common_system(mean, x[None])[0, :, : len(self.bands) - len(self.own_bands)]

    def weight_seeds(self) -> list[int]:
        """The seed of each member's weight draws, where its weights have a spread."""
        return [derive_seed(self.seed, number) for number in self.numbers]
