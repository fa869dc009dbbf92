"""The typed config tree: what a run can be told, checked, resolved, and named by digests."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, PrivateAttr, ValidationError, ValidationInfo, field_validator, model_validator

from mixz.densities.grid import FARTHEST
from mixz.digest import digest_of_settings
from mixz.errors import MixzError, nearest
from mixz.settings.agreement import (
    check_bands,
    check_colour_terms,
    check_errors_are_used,
    check_own_bands,
    check_pairs,
    check_step,
    shared_bands,
)
from mixz.settings.bands import reference_band
from mixz.settings.choices import MOST_MEMBERS
from mixz.settings.network import Network
from mixz.settings.recipe import DEFAULT_RECIPE, RECIPES, SCHEDULES, Recipe, believed
from mixz.settings.split import Split
from mixz.settings.tables import Overlap, Table
from mixz.settings.tomography import TomographySettings
from mixz.settings.truths import KNOWN_SETTINGS, TruthSettings
from mixz.strict import Strict
from mixz.surveys.columns import Cut, Name
from mixz.truths.truth import Truths


class Config(Strict):
    """Everything one run needs.  `load_config` reads it from YAML; `digest` names it.

    Parameters
    ----------
    name
        Results go to ``out/<name>/``.
    bands, ref_band
        All bands that some table has; the reference band (magnitude limits and kernels), which every table has, by
        default i (``i`` or ``I``) where there is one and the last of those that all tables have elsewhere.
    tables, cuts
        The input tables; cuts for all of them.
    incomplete
        Galaxies without a magnitude in some band that every table has: ``drop`` leaves them out; ``undetected`` keeps
        those that were observed there and not seen (networks need asinh or drop_bands); ``keep`` keeps all that are
        measured in any such band (networks need drop_bands).
    overlap
        What happens to galaxies that are in two tables.
    truths
        Kinds of labels beyond ``spec``, ``many_band`` and ``true`` (the truth of a simulation), or other settings
        for these.
    split, network, members, seed
        How galaxies are divided, what each network is, how many there are, and the seed of their random starts.
    networks
        Per recipe what its networks have different from `network` and the recipe's own, e.g.
        ``{tl: {kind: bayesian}}``.  ``bnn`` is Bayesian unless this says otherwise.
    training
        Settings for every step that does not say otherwise: ``paper`` (the default), ``fast``, or a mapping such as
        ``{patience: 30}``.  Known recipes give way to it.
    recipes
        Names of known recipes, or new ones as lists of steps or whole, ``{steps: [...], network: {...}}``; ``fused`` if
        left out.  Once checked, each is whole: its steps, and its network with all that was said of it.
    tomography
        Which tomographic bins' n(z) `mixz run` makes (docs/tomography.md); none if left out.
    out
        Folder for results; relative to where the command runs.
    """

    name: Name
    bands: Annotated[tuple[Name, ...], Field(min_length=1, max_length=1000)]
    ref_band: str = ""
    tables: Annotated[tuple[Table, ...], Field(min_length=1)]
    cuts: tuple[Cut, ...] = ()
    incomplete: Literal["drop", "undetected", "keep"] = "drop"
    overlap: Overlap | None = None
    truths: dict[Name, TruthSettings] = Field(default_factory=dict)
    split: Split = Split()
    network: Network = Network()
    networks: dict[Name, dict[str, Any]] = Field(default_factory=dict)
    training: dict[str, Any] = Field(default_factory=dict)
    recipes: dict[Name, Recipe] = Field(
        default_factory=lambda: {DEFAULT_RECIPE: None}, min_length=1, validate_default=True
    )
    members: Annotated[int, Field(ge=1, le=MOST_MEMBERS)] = 10
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    tomography: TomographySettings | None = None
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
        for name, written in value.items():
            if written is None and name not in RECIPES:
                raise ValueError(f"no recipe is called {name!r}; known: {', '.join(RECIPES)}{nearest(name, RECIPES)}")
        return {name: _recipe(name, written, info.data) for name, written in value.items()}

    @model_validator(mode="before")
    @classmethod
    def _fill_defaults(cls, data: Any) -> Any:
        if (
            isinstance(data, dict)
            and not data.get("ref_band")
            and isinstance(data.get("bands"), list | tuple)
            and data["bands"]
            and all(isinstance(band, str) for band in data["bands"])
        ):
            data = data | {"ref_band": reference_band(_of_all_tables(data["bands"], data.get("tables")))}
        return data

    @field_validator("recipes")
    @classmethod
    def _fill_in_training_and_network(cls, value: dict[str, Recipe], info: ValidationInfo) -> dict[str, Recipe]:
        network, networks = info.data.get("network", Network()), info.data.get("networks", {})
        defaults = network.model_dump(include=network.model_fields_set)
        whole = {}
        for name, recipe in value.items():
            filled = recipe.over(training=info.data.get("training", {}))
            try:
                whole[name] = filled.over(network=defaults).changed(network=networks.get(name))
            except ValidationError as error:
                message = error.errors()[0]["msg"].removeprefix("Value error, ")
                raise ValueError(f"networks.{name}: {message}") from None
        return whole

    @model_validator(mode="after")
    def _names_agree(self) -> Config:
        if len(set(self.bands)) != len(self.bands):
            raise ValueError(f"bands {list(self.bands)}: name each band once")
        if self.ref_band not in self.bands:
            raise ValueError(f"ref_band {self.ref_band!r} is not one of the bands {list(self.bands)}")
        check_bands(self.bands, self.ref_band, self.tables)
        settings = self.truth_settings()
        offered = {truth for table in self.tables for truth in table.all_truths()}
        for truth in sorted(offered - set(settings)):
            raise ValueError(f"truth {truth!r} is new: say how wrong it can be under `truths:`, e.g. {{kernel: exact}}")
        reported = {truth for table in self.tables for s in (table, *table.match) for truth in s.truth_errors}
        for truth in sorted(offered - reported):
            if settings[truth].kernel == "reported":
                raise ValueError(f"truths.{truth}: kernel: reported needs truth_errors of {truth} in a table")
        check_errors_are_used(self.tables, self.cuts, settings)
        check_pairs(self.pair_tables(), settings, offered)
        for name, recipe in self.recipes.items():
            for truth in (truth for truth in believed(recipe.steps) if truth not in offered):
                only = all(settings[one].simulated for one in offered)
                hint = ", which only judges: call it spec to learn from it too" if only else ""
                raise ValueError(f"recipe {name!r} trains on truth {truth!r}; the tables offer {sorted(offered)}{hint}")
            for number, step in enumerate(recipe.steps, start=1):
                check_step(name, number, step, recipe.network)
                targets = [*sorted(offered), *(table.title for table in self.tables)]
                if step.target is not None and step.target not in targets:
                    raise ValueError(
                        f"recipe {name!r} step {number} has target {step.target!r}; truths and tables are "
                        f"{', '.join(targets)}{nearest(step.target, targets)}"
                    )
            check_colour_terms(recipe.network, self.bands, self.tables)
            check_own_bands(name, recipe.network, self.bands, self.ref_band)
            network = recipe.network
            if self.incomplete == "undetected" and not (network.asinh or network.drop_bands):
                raise ValueError(f"incomplete: undetected: networks of {name!r} need asinh: true or drop_bands above 0")
            if self.incomplete == "keep" and not network.drop_bands:
                raise ValueError(f"incomplete: keep: networks of {name!r} need drop_bands above 0, e.g. 0.2")
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

    @property
    def shared_bands(self) -> tuple[str, ...]:
        """The bands that every table has."""
        return shared_bands(self.bands, self.tables)

    def recipe(self, name: str) -> Recipe:
        """The recipe of that name, whole: its steps, and its network with all that this config says of it.

        Raises
        ------
        MixzError
            It is not in this config.
        """
        if name not in self.recipes:
            known = ", ".join(self.recipes)
            raise MixzError(f"recipe {name!r} is not in the config", f"recipes: {known}", "name one of these")
        return self.recipes[name]

    def truth_settings(self) -> dict[str, TruthSettings]:
        """The settings of every truth that this config may speak of."""
        return KNOWN_SETTINGS | self.truths

    def pair_tables(self) -> dict[str, Table]:
        """The tables that kernels are learned from in place of the training galaxies, by truth."""
        return {name: settings.learn_from for name, settings in self.truths.items() if settings.learn_from is not None}

    def known_truths(self) -> Truths:
        """Every truth that this config may speak of, without what kernels may learn (`Results.truths` has that too)."""
        return Truths(tuple(settings.truth(name) for name, settings in self.truth_settings().items()))

    @property
    def folder(self) -> Path:
        """The folder of this run's results."""
        return self.out / self.name

    def z_end(self) -> float:
        """The largest redshift on every recipe's grid of densities that the config gives an end."""
        return min((r.network.z_max for r in self.recipes.values() if r.network.z_max is not None), default=FARTHEST)

    def build_digest(self) -> str:
        """Name what decides the galaxies: bands, tables, cuts, truths and split, and where grids of densities end.

        Truths count whether a config says how wrong they are or leaves it to mixz, which has changed its mind before.
        """
        named = self._digest({"bands", "ref_band", "tables", "cuts", "incomplete", "overlap", "truths", "split"})
        known = {name: settings.kernel for name, settings in KNOWN_SETTINGS.items() if name not in self.truths}
        named = digest_of_settings([named, known])
        return named if self.z_end() == FARTHEST else digest_of_settings([named, self.z_end()])

    def train_digest(self, recipe: str) -> str:
        """Name what decides one recipe's weights: the galaxies, the recipe, the network, members and seed."""
        whole = self.recipe(recipe).model_dump(mode="json")
        return digest_of_settings([self.build_digest(), whole["network"], self.members, self.seed, whole["steps"]])

    def located(self, home: Path) -> Config:
        """The same config with its tables' relative paths starting at `home`, the config file's folder."""
        tables = tuple(table.located(home) for table in self.tables)
        truths = {truth: settings.located(home) for truth, settings in self.truths.items()}
        config = self.model_copy(update={"tables": tables, "truths": truths})
        config._home = home
        return config

    def digest(self) -> str:
        """Name the whole config but for where results go; asking for no n(z) is asking for nothing."""
        return self._digest(set(type(self).model_fields) - {"out"} - ({"tomography"} if not self.tomography else set()))

    def _digest(self, fields: set[str]) -> str:
        """Name some settings; tables count under their paths as written, wherever the config file lies."""
        settings = _as_written(self.model_dump(mode="json", include=fields), f"{self._home}/")
        # A kernel's table counts by what is in it: it is a setting, though it has a file of its own.
        tables = {name: truth.error_kernel() for name, truth in self.truths.items() if truth.table}
        return digest_of_settings(
            [settings, {name: repr(kernel) for name, kernel in tables.items()}] if tables else settings
        )


def _of_all_tables(bands: Sequence[str], tables: Any) -> Sequence[str]:
    """The bands that every table has, of a config that is not checked yet; all of them where that makes no sense."""
    told = [t.get("bands") for t in tables if isinstance(t, dict)] if isinstance(tables, list | tuple) else []
    named = [bands_of for bands_of in told if isinstance(bands_of, list | tuple)]
    return [band for band in bands if all(band in bands_of for bands_of in named)] or bands


def _recipe(name: str, written: Any, settings: dict[str, Any]) -> Any:
    """What stands under the name of a recipe, to be checked: of a known name the steps, or the network, may be left."""
    if written is None:
        return _named(name, settings)
    if name in RECIPES and isinstance(written, list | tuple):
        return {"steps": written, "network": RECIPES[name].network}
    return written


def _named(name: str, settings: dict[str, Any]) -> Recipe:
    """A known recipe as this config's `training` changes it; the default one believes all labels on offer."""
    known = KNOWN_SETTINGS | settings.get("truths", {})
    offered = [truth for table in settings.get("tables", ()) for truth in table.all_truths()]
    labels = tuple(dict.fromkeys(t for t in offered if t not in known or not known[t].simulated))
    changes = settings.get("training", {})
    if name == DEFAULT_RECIPE and labels:
        changes = changes | {"truths": labels}
    return RECIPES[name].changed(training=changes)


def _as_written(tree: Any, home: str) -> Any:
    """Take the config's own folder off every path again."""
    if isinstance(tree, dict):
        return {key: _as_written(value, home) for key, value in tree.items()}
    if isinstance(tree, list):
        return [_as_written(value, home) for value in tree]
    return tree.removeprefix(home) if isinstance(tree, str) else tree
