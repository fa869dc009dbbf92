"""An Ensemble: networks from many random starts, trained by one recipe; fit, fine_tune, predict, save, load."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, overload

import numpy as np
import torch

from mixz.config import Network
from mixz.errors import MixzError
from mixz.model import calibration, conformal, support
from mixz.model.bayes import with_spread
from mixz.model.beginning import default_ref_band, filled_in, systems_of
from mixz.model.calibration import Calibration
from mixz.model.checkpoint import Checkpoint
from mixz.model.colour_terms import adapter_starts
from mixz.model.conformal import Conformal
from mixz.model.devices import Machine
from mixz.model.features import FITTED, Features, Photometry
from mixz.model.heads import head_of
from mixz.model.held_out import HeldOut, mend
from mixz.model.history import History, Lost, Progress
from mixz.model.labels import labelled
from mixz.model.lessons import labelled_and_usable, rows_of, says_of
from mixz.model.model_folder import damaged, read_model_folder, write_model_folder
from mixz.model.nets import Weights, in_common_system, initial_weights, with_adapters
from mixz.model.predict import predict_rows
from mixz.model.seeds import HELD_OUT, START, STEP, derive_seed, generators
from mixz.model.selection import Selection
from mixz.model.support import Support
from mixz.model.training import train_step
from mixz.recipes import Recipe, Step
from mixz.schema import GalaxySet, PhotoZ
from mixz.truths import KNOWN_KERNELS, exact_truths

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from mixz.model.rows import Rows
    from mixz.truths import Kernel

FITTED_AFTERWARDS: Mapping[str, tuple[type[Any], tuple[str, ...]]] = {
    "calibration": (Calibration, calibration.FITTED),
    "conformal": (Conformal, conformal.FITTED),
    "support": (Support, support.FITTED),
}
"""What is fitted to a trained ensemble, and the names of its numbers: they are stored with the weights."""


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
    calibration, conformal, held_out
        How held-out galaxies mend the densities, how far intervals reach, and an account of it (`calibrated`); of these
        members and weights, so that subsets and refined ensembles are without.
    support
        Where the training galaxies lie (`with_support`); refined ensembles are without.

    Examples
    --------
    Recover a redshift that is written in one magnitude:

    >>> import numpy as np
    >>> from mixz.data.split import split_by_id
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
    conformal: Conformal | None = None
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
        """
        network = filled_in(network or Network(), galaxies)
        bands = galaxies.bands
        systems = systems_of(galaxies, network) if network.systems else ("",)
        chosen = labelled(galaxies, first.truths, "train", ())[0]
        features = Features.fit(
            Photometry.of(chosen, order=range(len(bands)), systems=systems), network, systems=systems
        )
        numbers = tuple(range(members))
        starts = generators([derive_seed(seed, k) for k in numbers], START)
        weights = initial_weights(features.width, head_of(network).outputs, network, starts)
        known = adapter_starts(network, features, bands)
        weights = with_adapters(weights, bands=len(bands), systems=len(systems), starts=known)
        if network.kind == "bayesian":
            weights = with_spread(weights, network)
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
        return Ensemble.joined(
            [self.refine(galaxies, step, kernels=kernels, machine=machine, checkpoint=checkpoint, watch=watch)]
        )

    def refine(
        self,
        galaxies: GalaxySet,
        step: Step,
        *,
        kernels: Mapping[str, Kernel] = KNOWN_KERNELS,
        machine: Machine | None = None,
        checkpoint: Path | None = None,
        watch: Callable[[Progress], None] | None = None,
    ) -> Ensemble:
        """Do as `fine_tune`, but where every member is lost give an ensemble of none: what one of many workers does."""
        number = len(self.recipe) + 1
        selection = Selection.of(galaxies, step, exact_truths(kernels))
        train, validation = (
            rows_of(self, galaxies, step, side, kernels, selection) for side in ("train", "validation")
        )
        _check_step(step, number, self.network, len(train))
        machine = machine or Machine()
        save_to = Checkpoint(checkpoint, self._settings(step, train, validation, machine)) if checkpoint else None
        trained = train_step(
            self.weights,
            self.network,
            step,
            train,
            validation,
            members=self.numbers,
            seeds=self._seeds(STEP, number),
            number=number,
            machine=machine,
            checkpoint=save_to,
            watch=watch,
        )
        kept = self.subset(trained.history.members)
        return replace(
            kept,
            weights=trained.weights,
            recipe=(*self.recipe, step),
            history=(*kept.history, trained.history),
            lost=(*self.lost, *trained.lost),
            support=None,
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
            conformal=None,
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
        truths, exact = _truths(self.recipe), exact_truths(kernels)
        chosen, z_ref, whose, _ = labelled_and_usable(self, galaxies, truths, "validation", kernels)
        _, mass = replace(self, calibration=None).masses(chosen)
        says = says_of(self, chosen, z_ref, whose, kernels, grid)
        z_label = torch.tensor(z_ref, dtype=torch.float32)
        held_out = HeldOut(mass, says, z_label, whose, self.mag_ref(chosen))
        mended = mend(held_out, grid, exact=exact, truths=truths, seed=derive_seed(self.seed, HELD_OUT))
        return replace(self, calibration=mended.calibration, conformal=mended.conformal, held_out=mended.account)

    def with_support(self, galaxies: GalaxySet, *, kernels: Mapping[str, Kernel] = KNOWN_KERNELS) -> Ensemble:
        """Remember where the training galaxies lie, so that predictions say which galaxies training covered.

        Parameters
        ----------
        galaxies
            Galaxies whose `split` says which train; those with a label that the recipe believes are remembered.
        kernels
            Truths of exact labels among these count as spectra.
        """
        _, _, whose, photometry = labelled_and_usable(self, galaxies, _truths(self.recipe), "train", kernels)
        exact = torch.from_numpy(np.isin(whose, exact_truths(kernels)))
        x = self._common(self.features(photometry))
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
        covered = self.support(self._common(x)) if self.support is not None else None
        if grid is None or found.mass is None:
            return PhotoZ(galaxies.object_id, found.z.numpy(), sigma, support=covered)
        mass, mag_i = found.mass, self.mag_ref(galaxies)
        if self.calibration is not None:
            mass = self.calibration(mass, mag_i)
        unknown = mass.isnan().any(dim=1)
        points = {name: z.masked_fill(unknown, torch.nan).numpy() for name, z in grid.estimates(mass).items()}
        intervals = self.conformal.intervals(mass, mag_i, grid) if self.conformal is not None else {}
        return PhotoZ(
            galaxies.object_id,
            found.z.numpy(),
            sigma,
            z_grid=grid.z.numpy(),
            pdf=grid.density(mass).numpy(),
            points=points,
            z_rms_members=z_rms,
            intervals={level: ends.numpy() for level, ends in intervals.items()},
            support=covered,
        )

    def save(self, folder: str | Path) -> None:
        """Write the model folder: weights.safetensors, model.json, history.json; whole or not at all."""
        about: dict[str, Any] = {
            "bands": self.bands,
            "ref_band": self.ref_band,
            "systems": self.features.systems,
            "members": self.members,
            "numbers": self.numbers,
            "lost": [asdict(one) for one in self.lost],
            "seed": self.seed,
            "network": self.network.model_dump(mode="json"),
            "recipe": [step.model_dump(mode="json") for step in self.recipe],
            "provenance": self.provenance,
            "held_out": self.held_out,
            "fitted": [part for part in FITTED_AFTERWARDS if getattr(self, part) is not None],
        }
        tensors = self.weights | {f"inputs.{name}": getattr(self.features, name) for name in FITTED}
        for part in about["fitted"]:
            tensors |= {f"{part}.{name}": getattr(getattr(self, part), name) for name in FITTED_AFTERWARDS[part][1]}
        write_model_folder(folder, about=about, tensors=tensors, history=self.history)

    @classmethod
    def load(cls, folder: str | Path) -> Ensemble:
        """Read a model folder.

        Raises
        ------
        MixzError
            The folder is missing, damaged, or of another version.
        """
        about, weights, history = read_model_folder(folder)
        try:
            network = Network(**about["network"])
            fitted = {name: weights.pop(f"inputs.{name}") for name in FITTED}
            afterwards = {}
            for part in about["fitted"]:
                kind, names = FITTED_AFTERWARDS[part]
                afterwards[part] = kind(**{name: weights.pop(f"{part}.{name}") for name in names})
            return cls(
                bands=tuple(about["bands"]),
                network=network,
                features=Features(**fitted, systems=tuple(about["systems"]), network=network),
                ref_band=about["ref_band"],
                weights=weights,
                seed=about["seed"],
                numbers=tuple(about["numbers"]),
                lost=tuple(Lost(**one) for one in about["lost"]),
                recipe=tuple(Step(**step) for step in about["recipe"]),
                history=history,
                provenance=about["provenance"],
                held_out=about["held_out"],
                **afterwards,
            )
        except (KeyError, TypeError, ValueError) as error:
            raise damaged(folder, error) from error

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

    def _common(self, x: torch.Tensor) -> torch.Tensor:
        """Carry inputs into the common photometric system, as the members do on average; magnitudes only."""
        members = {name: w for name, w in self.weights.items() if name.startswith("system.")}
        mean = {name: w.mean(dim=0, keepdim=True) for name, w in members.items()}
        return in_common_system(mean, x[None])[0, :, : len(self.bands)]

    def weight_seeds(self) -> list[int]:
        """Give the seed of each member's weight draws, where its weights have a spread."""
        return self._seeds()

    def _seeds(self, *names: int) -> list[int]:
        return [derive_seed(self.seed, number, *names) for number in self.numbers]

    def _settings(self, step: Step, train: Rows, validation: Rows, machine: Machine) -> dict[str, Any]:
        """Name everything that decides what the step makes of the members."""
        parts = [t for rows in (train, validation) for t in (rows.x, rows.z_ref, rows.weight, rows.says)]
        tensors = [t for t in parts if t is not None]
        return {
            "step": step.model_dump(mode="json"),
            "number": len(self.recipe) + 1,
            "network": self.network.model_dump(mode="json"),
            "members": self.numbers,
            "seed": self.seed,
            "galaxies": _digest(tensors),
            "weights": _digest(self.weights.values()),
            "device": machine.device,
            "precision": machine.precision,
            "torch": torch.__version__,
        }


def _truths(recipe: Recipe) -> tuple[str, ...]:
    """Name every truth that some step of a recipe believes."""
    return tuple(dict.fromkeys(truth for step in recipe for truth in step.truths))


def _check_step(step: Step, number: int, network: Network, galaxies: int) -> None:
    """Refuse what a step cannot do with this network and so many training galaxies."""
    layers = len(network.hidden)
    if step.freeze > layers:
        raise MixzError(f"step {number}, freeze: {step.freeze}", f"0 to {layers} hidden layers", "freeze fewer layers")
    if step.loss == "label_likelihood" and not network.has_density:
        raise MixzError(
            f"step {number}, loss: label_likelihood, but the networks end in a {network.head_name}",
            "networks with head: binned or mixture",
            'give them, e.g. network=mixz.named_network("fused")',
        )
    if step.batch_size > galaxies:
        raise MixzError(
            f"step {number}, batch_size: {step.batch_size:,}, but only {galaxies:,} training galaxies have its labels",
            f"1 to {galaxies:,}",
            "set a smaller batch_size (`training: {batch_size: ...}` for all steps)",
        )


def _digest(tensors: Iterable[torch.Tensor]) -> str:
    """Name the content of some tensors."""
    name = hashlib.blake2b(digest_size=6)
    for tensor in tensors:
        name.update(tensor.contiguous().numpy().tobytes())
    return name.hexdigest()
