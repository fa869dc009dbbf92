"""An Ensemble: networks from many random starts, trained by one recipe; fit, fine_tune, predict, save, load."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from pydantic import TypeAdapter, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from mixz.atomic import replacing
from mixz.config import Network
from mixz.errors import MixzError, nearest
from mixz.model.features import MinMaxScaler, magnitudes
from mixz.model.group import History, Rows, Weights, predict_rows
from mixz.model.nets import StackedNetwork, network_from_weights
from mixz.model.training import Progress, train_step
from mixz.recipes import Recipe, Step
from mixz.schema import GalaxySet, PhotoZ

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

FORMAT = 1
"""Version of the model folder; `Ensemble.load` refuses others."""

START, ORDER = 0, 1
"""Purposes of a member's random numbers: its first weights, and the order of its data in step 1, 2, ..."""


@dataclass(frozen=True, eq=False)
class Ensemble:
    """Trained networks that estimate redshifts from magnitudes; training gives a new one and never changes this.

    Parameters
    ----------
    bands
        The bands it needs, in the order of its inputs.
    network
        Shape of each member.
    weights
        Stacked weights, member axis first.
    scaler
        Scaling of the inputs, fitted on the first step's training galaxies.
    seed
        Seed of the random starts and data orders.
    recipe
        The steps it has been through.
    history
        Per step, what happened to each member.
    provenance
        Anything JSON can hold about where the model came from.

    Examples
    --------
    Recover a redshift that is written in one magnitude:

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
    scaler: MinMaxScaler
    seed: int
    recipe: Recipe = ()
    history: tuple[History, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def fit(
        cls,
        galaxies: GalaxySet,
        recipe: Recipe,
        *,
        network: Network | None = None,
        members: int = 10,
        seed: int = 0,
        exact: Sequence[str] = ("spec",),
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
            Shape, number and random seed of the networks.
        exact
            Truths believed before others where a galaxy has several.
        watch
            Called after every epoch.

        Raises
        ------
        MixzError
            A step's truth has no galaxies to train or validate on.
        """
        ensemble = cls.untrained(galaxies, recipe[0], network=network, members=members, seed=seed)
        for step in recipe:
            ensemble = ensemble.fine_tune(galaxies, step, exact=exact, watch=watch)
        return ensemble

    @classmethod
    def untrained(
        cls, galaxies: GalaxySet, first: Step, *, network: Network | None = None, members: int = 10, seed: int = 0
    ) -> Ensemble:
        """Start an ensemble at random weights, its inputs scaled by the training galaxies of the `first` step."""
        network = network or Network()
        scaler = MinMaxScaler.fit(_labelled(galaxies, first, "train", ())[0])
        starts = [torch.Generator().manual_seed(_member_seed(seed, k, START)) for k in range(members)]
        weights = StackedNetwork(len(galaxies.bands), network, starts).state_dict()
        return cls(galaxies.bands, network, dict(weights), scaler, seed)

    def fine_tune(
        self,
        galaxies: GalaxySet,
        step: Step,
        *,
        exact: Sequence[str] = ("spec",),
        watch: Callable[[Progress], None] | None = None,
    ) -> Ensemble:
        """Train every member for one more step, and give the result as a new ensemble.

        Raises
        ------
        MixzError
            The step's truths have no galaxies to train or validate on, or it freezes more layers than there are.
        """
        if step.freeze > len(self.network.hidden):
            layers = len(self.network.hidden)
            raise MixzError(f"freeze: {step.freeze}", f"0 to {layers} hidden layers", "freeze fewer layers")
        train, validation = (self._rows(galaxies, step, side, exact) for side in ("train", "validation"))
        order = [_member_seed(self.seed, k, ORDER + len(self.recipe)) for k in range(self.members)]
        weights, history = train_step(self.weights, self.network, step, train, validation, seeds=order, watch=watch)
        return replace(self, weights=weights, recipe=(*self.recipe, step), history=(*self.history, history))

    @property
    def members(self) -> int:
        """Number of networks."""
        return int(next(iter(self.weights.values())).shape[0])

    def predict(self, galaxies: GalaxySet) -> PhotoZ:
        """Estimate the redshift of every galaxy by every member; NaN for galaxies not measured in every band.

        Raises
        ------
        MixzError
            The galaxies lack one of the model's bands.
        """
        mag = magnitudes(galaxies)[:, self._band_order(galaxies.bands)]
        network = network_from_weights(self.network, self.weights)
        z = predict_rows(network, self.scaler(mag)).numpy()
        return PhotoZ(galaxies.object_id, z)

    def save(self, folder: str | Path) -> None:
        """Write the model folder: weights.safetensors, model.json, history.json; whole or not at all."""
        about = {
            "format": FORMAT,
            "bands": self.bands,
            "members": self.members,
            "seed": self.seed,
            "network": self.network.model_dump(mode="json"),
            "recipe": [step.model_dump(mode="json") for step in self.recipe],
            "provenance": self.provenance,
        }
        scaler = {"scaler.low": self.scaler.low, "scaler.high": self.scaler.high}
        with replacing(folder) as draft:
            draft.mkdir()
            save_file({k: v.contiguous() for k, v in (self.weights | scaler).items()}, draft / "weights.safetensors")
            (draft / "model.json").write_text(json.dumps(about, indent=2) + "\n")
            (draft / "history.json").write_text(json.dumps([asdict(h) for h in self.history]) + "\n")

    @classmethod
    def load(cls, folder: str | Path) -> Ensemble:
        """Read a model folder.

        Raises
        ------
        MixzError
            The folder is missing, damaged, or of another version.
        """
        folder = Path(folder)
        if not (folder / "model.json").is_file():
            raise MixzError(f"no model in {folder}", "a folder that `mixz train` wrote", "run `mixz train` first")
        try:
            about = json.loads((folder / "model.json").read_text())
            if about["format"] != FORMAT:
                raise MixzError(f"{folder} is of model format {about['format']}", f"format {FORMAT}", "train it again")
            weights = load_file(folder / "weights.safetensors")
            history = TypeAdapter(tuple[History, ...]).validate_json((folder / "history.json").read_text())
            return cls(
                bands=tuple(about["bands"]),
                network=Network(**about["network"]),
                scaler=MinMaxScaler(weights.pop("scaler.low"), weights.pop("scaler.high")),
                weights=weights,
                seed=about["seed"],
                recipe=tuple(Step(**step) for step in about["recipe"]),
                history=history,
                provenance=about["provenance"],
            )
        except (OSError, ValueError, KeyError, TypeError, ValidationError, SafetensorError) as error:
            raise MixzError(
                f"the model in {folder} is damaged: {error}", "a whole model folder", "train it again"
            ) from error

    def _rows(self, galaxies: GalaxySet, step: Step, side: str, exact: Sequence[str]) -> Rows:
        chosen, z_ref = _labelled(galaxies, step, side, exact)
        mag = magnitudes(chosen)[:, self._band_order(chosen.bands)]
        return Rows(self.scaler(mag), torch.tensor(z_ref, dtype=torch.float32))

    def _band_order(self, offered: tuple[str, ...]) -> list[int]:
        missing = [band for band in self.bands if band not in offered]
        if missing:
            hint = "".join(nearest(band, offered) for band in missing)
            raise MixzError(
                f"the galaxies have bands {', '.join(offered)}; the model needs {', '.join(missing)} too",
                f"bands: {', '.join(self.bands)}",
                f"map these bands, or use a model trained on yours{hint}",
            )
        return [offered.index(band) for band in self.bands]


def _labelled(
    galaxies: GalaxySet, step: Step, side: str, exact: Sequence[str]
) -> tuple[GalaxySet, np.ndarray[tuple[int, ...], np.dtype[np.floating[Any]]]]:
    """Select the measured galaxies of one side that carry a label the step believes, with that label."""
    chosen = galaxies.rows((galaxies.split == side) & galaxies.measured())
    z_ref, _ = chosen.reference(step.truths, exact=exact)
    has_label = np.isfinite(z_ref)
    if not has_label.any():
        raise MixzError(
            f"no {side} galaxy has a label of {' or '.join(step.truths)}",
            "at least one galaxy on each of train and validation",
            "name another truth, or give more galaxies (mixz.split_by_id sets the sides)",
        )
    return chosen.rows(has_label), z_ref[has_label]


def _member_seed(seed: int, member: int, purpose: int) -> int:
    """Derive a member's seed from nothing but the run's seed, the member's number and what it is for."""
    return int(np.random.SeedSequence([seed, member, purpose]).generate_state(1)[0])
