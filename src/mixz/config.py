"""The typed config tree: what a run can be told, checked, resolved, and named by digests."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, PrivateAttr, ValidationError, ValidationInfo, field_validator, model_validator

from mixz.columns import Columns, Cut, Name, Positive
from mixz.errors import nearest
from mixz.recipes import DEFAULT_RECIPE, RECIPES, SCHEDULES, Recipe, Step, Strict
from mixz.sources import Match, Overlap, Table
from mixz.truths import KERNELS, GaussianKernel, Kernel

__all__ = [
    "KNOWN_TRUTHS",
    "Columns",
    "Config",
    "Cut",
    "Device",
    "Match",
    "Network",
    "Overlap",
    "Precision",
    "Split",
    "Table",
    "TruthSettings",
]

Device = Literal["cpu", "cuda"]
Precision = Literal["float32", "tf32", "bfloat16"]
"""Where to train and how exactly to multiply: choices of a run, not of its config, but recorded with the model."""


class TruthSettings(Strict):
    """What is known about a kind of label.

    Parameters
    ----------
    kernel
        ``exact``, ``cosmos2020`` or ``gaussian`` (then `sigma` says how wide, in units of 1 + z).
    simulated
        The label is the truth of a simulation: never trained on unless a recipe names it, and used to judge every
        other truth's test galaxies against what they really are.
    """

    kernel: Literal["exact", "cosmos2020", "gaussian"] = "exact"
    sigma: Positive | None = None
    simulated: bool = False

    @model_validator(mode="after")
    def _sigma_goes_with_gaussian(self) -> TruthSettings:
        if (self.kernel == "gaussian") != (self.sigma is not None):
            raise ValueError("sigma goes with kernel: gaussian, and only with it")
        return self

    def error_kernel(self) -> Kernel:
        """Build the kernel that these settings name."""
        return KERNELS[self.kernel] if self.sigma is None else GaussianKernel(self.sigma)


KNOWN_TRUTHS = {
    "spec": TruthSettings(kernel="exact"),
    "many_band": TruthSettings(kernel="cosmos2020"),
    "true": TruthSettings(kernel="exact", simulated=True),
}


class Split(Strict):
    """How galaxies are divided into train, validation and test.

    Parameters
    ----------
    train, validation, test
        Their shares (GalaxiesML: 70/15/15).
    by
        ``object_id``: each galaxy by the hash of its id; ``sky_patch``: all galaxies of a patch together, so that
        neighbours in the large-scale structure are not on both sides.
    patch_deg
        Side of the patches [deg].
    seed
        Another seed of the hash gives another split.
    """

    train: Positive = 0.70
    validation: Positive = 0.15
    test: Positive = 0.15
    by: Literal["object_id", "sky_patch"] = "object_id"
    patch_deg: Annotated[float, Field(gt=0, le=90)] = 0.25
    seed: int = 0

    @model_validator(mode="after")
    def _sums_to_one(self) -> Split:
        total = self.train + self.validation + self.test
        if abs(total - 1) > 1e-9:
            raise ValueError(f"train + validation + test = {total:g}; they must sum to 1")
        return self


class Network(Strict):
    """What each member is: dense ReLU layers, the input joined again before the output (`skip`), and a head.

    The default is the network of the public GalaxiesML example: 122,006 weights with five bands.

    Parameters
    ----------
    hidden, skip
        Widths of the hidden layers, and whether the input is joined again before the output.
    inputs
        ``minmax``, each band's training range onto [0, 1] as in that example, or ``whitened``, uncorrelated inputs
        of mean 0 and spread 1 (ours), from which networks learn in far fewer updates.
    kind
        ``dense``, or ``bayesian``: a Gaussian over every weight, as in jones2024 (arXiv:2306.13179).
    head
        ``point``, one redshift trained on the HSC loss; ``gaussian``, a mean and a width trained on the negative
        log-likelihood; ``binned``, a density of any shape on a grid, or ``mixture``, one made of Gaussians (ours).
        Left open: gaussian for a Bayesian network, point for others.
    nodes, z_max, components
        Of densities: nodes of the grid in ln(1 + z), its upper end (left open: a little above the highest label), and
        how many Gaussians a mixture has.
    systems, system_spread
        Whether galaxies of several photometric systems are carried into one by small learned adapters, and how far
        apart systems may be, in units of the inputs' spread (the width of a Gaussian prior).
    asinh
        See magnitudes as asinh magnitudes, which are finite for bands in which nothing was detected.
    drop_bands
        The share of training galaxies that lose some of their bands in each epoch, so that the networks can be asked
        about galaxies with missing bands; 0: every band is needed.
    errors
        Whether networks see the magnitude errors: ``none``; ``robust``, with noise added in training until errors tell
        little of the survey; ``plain``, as they are (a trap where truths and surveys coincide: see LOG.md).
    draws, kl_weight
        Of a Bayesian network: weight draws that a prediction is the mean of, and the factor before the divergence
        from the prior (1 is Bayes' theorem).
    """

    hidden: Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(min_length=1)] = (200, 200, 200, 200)
    skip: bool = True
    inputs: Literal["minmax", "whitened"] = "minmax"
    kind: Literal["dense", "bayesian"] = "dense"
    head: Literal["point", "gaussian", "binned", "mixture"] | None = None
    nodes: Annotated[int, Field(ge=10, le=2000)] = 200
    z_max: Annotated[float, Field(gt=0, le=20)] | None = None
    components: Annotated[int, Field(ge=1, le=50)] = 5
    systems: bool = False
    system_spread: Annotated[float, Field(gt=0)] = 0.3
    asinh: bool = False
    drop_bands: Annotated[float, Field(ge=0, lt=1)] = 0.0
    errors: Literal["none", "plain", "robust"] = "none"
    draws: Annotated[int, Field(ge=1)] = 20
    kl_weight: Annotated[float, Field(ge=0)] = 1.0

    @model_validator(mode="after")
    def _bayesian_needs_a_likelihood(self) -> Network:
        if self.kind == "bayesian" and self.head == "point":
            raise ValueError("a Bayesian network needs a likelihood: head: gaussian (or leave head out)")
        return self

    @property
    def has_density(self) -> bool:
        """Say whether it ends in a density of any shape."""
        return self.head in ("binned", "mixture")

    @property
    def head_name(self) -> Literal["point", "gaussian", "binned", "mixture"]:
        """Name the head, given or implied."""
        return self.head or ("gaussian" if self.kind == "bayesian" else "point")


KNOWN_NETWORKS: dict[str, dict[str, Any]] = {
    "bnn": {"kind": "bayesian"},
    "fused": {"head": "binned", "inputs": "whitened", "systems": True},
}
"""What the networks of a named recipe have different from the run's."""


class Config(Strict):
    """Everything one run needs.  `load_config` reads it from YAML; `digest` names it.

    Parameters
    ----------
    name
        Results go to ``out/<name>/``.
    bands, ref_band
        The bands every galaxy is measured in; the reference band (magnitude limits and kernels), by default ``i``
        where there is one and the last band elsewhere.
    tables, cuts
        The input tables; cuts for all of them.
    overlap
        What happens to galaxies that are in two tables.
    truths
        Kinds of labels beyond ``spec``, ``many_band`` and ``true`` (the truth of a simulation), or other settings
        for these.
    split, network, members, seed
        How galaxies are divided, what each network is, how many there are, and the seed of their random starts.
    networks
        Per recipe what its networks have different from `network`, e.g. ``{tl: {kind: bayesian}}``.  ``bnn`` is
        Bayesian unless this says otherwise.
    training
        Settings for every step that does not say otherwise: ``paper`` (the default), ``fast``, or a mapping such as
        ``{patience: 30}``.  Known recipes give way to it.
    recipes
        Names of known recipes, or new ones as lists of steps; ``fused`` if left out.
    out
        Folder for results; relative to where the command runs.
    """

    name: Name
    bands: Annotated[tuple[Name, ...], Field(min_length=1)]
    ref_band: str = ""
    tables: Annotated[tuple[Table, ...], Field(min_length=1)]
    cuts: tuple[Cut, ...] = ()
    overlap: Overlap | None = None
    truths: dict[Name, TruthSettings] = Field(default_factory=dict)
    split: Split = Split()
    network: Network = Network()
    networks: dict[Name, dict[str, Any]] = Field(default_factory=dict)
    training: dict[str, Any] = Field(default_factory=dict)
    recipes: dict[Name, Recipe] = Field(
        default_factory=lambda: {DEFAULT_RECIPE: None}, min_length=1, validate_default=True
    )
    members: Annotated[int, Field(ge=1)] = 10
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    out: Path = Path("out")

    _home: Path = PrivateAttr(default=Path())
    """The config file's folder, where the tables' relative paths start."""

    @field_validator("training", mode="before")
    @classmethod
    def _names_stand_for_known_schedules(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        if value not in SCHEDULES:
            raise ValueError(f"no settings are called {value!r}; known: {', '.join(SCHEDULES)}")
        return SCHEDULES[value]

    @field_validator("recipes", mode="before")
    @classmethod
    def _names_stand_for_known_recipes(cls, value: Any, info: ValidationInfo) -> Any:
        if isinstance(value, list):
            if not all(isinstance(name, str) for name in value):
                raise ValueError("list names of recipes, or map new names to lists of steps")
            value = dict.fromkeys(value)
        if not isinstance(value, dict):
            return value
        for name, steps in value.items():
            if steps is None and name not in RECIPES:
                raise ValueError(f"no recipe is called {name!r}; known: {', '.join(RECIPES)}{nearest(name, RECIPES)}")
        return {name: _named(name, info.data) if steps is None else steps for name, steps in value.items()}

    @field_validator("recipes")
    @classmethod
    def _every_recipe_has_steps(cls, value: dict[str, Recipe]) -> dict[str, Recipe]:
        for name, steps in value.items():
            if not steps:
                raise ValueError(f"recipe {name!r} has no step")
        return value

    @model_validator(mode="before")
    @classmethod
    def _fill_defaults(cls, data: Any) -> Any:
        if (
            isinstance(data, dict)
            and not data.get("ref_band")
            and isinstance(data.get("bands"), list | tuple)
            and data["bands"]
        ):
            data = data | {"ref_band": "i" if "i" in data["bands"] else data["bands"][-1]}
        return data

    @field_validator("recipes")
    @classmethod
    def _fill_in_training(cls, value: dict[str, Recipe], info: ValidationInfo) -> dict[str, Recipe]:
        training = info.data.get("training", {})
        return {name: tuple(_with_defaults(step, training) for step in steps) for name, steps in value.items()}

    @model_validator(mode="after")
    def _names_agree(self) -> Config:
        if len(set(self.bands)) != len(self.bands):
            raise ValueError(f"bands {list(self.bands)}: name each band once")
        if self.ref_band not in self.bands:
            raise ValueError(f"ref_band {self.ref_band!r} is not one of the bands {list(self.bands)}")
        settings = self.truth_settings()
        offered = {truth for table in self.tables for truth in table.all_truths()}
        for truth in sorted(offered - set(settings)):
            raise ValueError(f"truth {truth!r} is new: say how wrong it can be under `truths:`, e.g. {{kernel: exact}}")
        for name, steps in self.recipes.items():
            for truth in (truth for step in steps for truth in step.truths if truth not in offered):
                raise ValueError(f"recipe {name!r} trains on truth {truth!r}; the tables offer {sorted(offered)}")
            for number, step in enumerate(steps, start=1):
                _check_step(name, number, step, self.network_of(name))
        for name in self.networks:
            if name not in self.recipes:
                raise ValueError(f"networks: recipe {name!r} is not in this config{nearest(name, self.recipes)}")
        return self

    @model_validator(mode="after")
    def _tables_can_be_told_apart(self) -> Config:
        titles = [table.title for table in self.tables]
        if len(set(titles)) < len(titles):
            raise ValueError(f"tables are called {titles}: give each a name of its own")
        if self.overlap is not None:
            if self.overlap.keep not in titles:
                raise ValueError(f"overlap keeps {self.overlap.keep!r}; the tables are {titles}")
            without = [t.title for t in self.tables if t.columns.ra is None]
            if self.overlap.radius_arcsec is not None and without:
                raise ValueError(f"overlap needs positions of {without}: name ra and dec, or set radius_arcsec: null")
        without = [t.title for t in self.tables if t.columns.ra is None and t.path is not None]
        if self.split.by == "sky_patch" and without:
            raise ValueError(f"split by sky_patch needs positions of {without}: name the columns ra and dec")
        return self

    def network_of(self, recipe: str) -> Network:
        """Say what each member of a recipe is."""
        changes = KNOWN_NETWORKS.get(recipe, {}) | self.networks.get(recipe, {})
        try:
            return Network(**(self.network.model_dump(include=self.network.model_fields_set) | changes))
        except ValidationError as error:
            raise ValueError(f"networks.{recipe}: {error.errors()[0]['msg'].removeprefix('Value error, ')}") from None

    def truth_settings(self) -> dict[str, TruthSettings]:
        """Give the settings of every truth that this config may speak of."""
        return KNOWN_TRUTHS | self.truths

    def kernels(self) -> dict[str, Kernel]:
        """Give the error kernel of every truth that this config may speak of."""
        return {truth: settings.error_kernel() for truth, settings in self.truth_settings().items()}

    @property
    def folder(self) -> Path:
        """The folder of this run's results."""
        return self.out / self.name

    def build_digest(self) -> str:
        """Name what decides the galaxies: bands, tables, cuts, truths and split."""
        return self._digest({"bands", "ref_band", "tables", "cuts", "overlap", "truths", "split"})

    def train_digest(self, recipe: str) -> str:
        """Name what decides one recipe's weights: the galaxies, the recipe, the network, members and seed."""
        steps = [step.model_dump(mode="json") for step in self.recipes[recipe]]
        network = self.network_of(recipe).model_dump(mode="json")
        return _digest([self.build_digest(), network, self.members, self.seed, steps])

    def located(self, home: Path) -> Config:
        """Give the same config with its tables' relative paths starting at `home`, the config file's folder."""
        config = self.model_copy(update={"tables": tuple(table.located(home) for table in self.tables)})
        config._home = home
        return config

    def digest(self) -> str:
        """Name the whole config but for where results go."""
        return self._digest(set(type(self).model_fields) - {"out"})

    def _digest(self, fields: set[str]) -> str:
        """Name some settings; tables count under their paths as written, wherever the config file lies."""
        return _digest(_as_written(self.model_dump(mode="json", include=fields), f"{self._home}/"))


def _named(name: str, settings: dict[str, Any]) -> Recipe:
    """Give a known recipe as this config's `training` changes it; the default one believes all labels on offer."""
    known = KNOWN_TRUTHS | settings.get("truths", {})
    offered = [truth for table in settings.get("tables", ()) for truth in table.all_truths()]
    labels = tuple(dict.fromkeys(t for t in offered if t not in known or not known[t].simulated))
    changes = settings.get("training", {})
    if name == DEFAULT_RECIPE and labels:
        changes = changes | {"truths": labels}
    return tuple(Step(**(step.model_dump(include=step.model_fields_set) | changes)) for step in RECIPES[name])


def _with_defaults(step: Step, training: dict[str, Any]) -> Step:
    """Fill the settings a step leaves open from `training`."""
    return Step(**(training | step.model_dump(include=step.model_fields_set)))


def _check_step(name: str, number: int, step: Step, network: Network) -> None:
    if step.loss == "imitate":
        raise ValueError(f"recipe {name!r} step {number}: loss: imitate is for distillation (`mixz distill`)")
    if step.loss == "label_likelihood" and not network.has_density:
        raise ValueError(
            f"recipe {name!r} step {number} has loss: label_likelihood, but its networks end in a {network.head_name}; "
            f"set networks: {{{name}: {{head: binned}}}}"
        )
    layers = len(network.hidden)
    if step.freeze > layers:
        raise ValueError(
            f"recipe {name!r} step {number} freezes {step.freeze} layers; the network has {layers} hidden layers"
        )


def _as_written(tree: Any, home: str) -> Any:
    """Take the config's own folder off every path again."""
    if isinstance(tree, dict):
        return {key: _as_written(value, home) for key, value in tree.items()}
    if isinstance(tree, list):
        return [_as_written(value, home) for value in tree]
    return tree.removeprefix(home) if isinstance(tree, str) else tree


def _digest(tree: Any) -> str:
    text = json.dumps(tree, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:12]
