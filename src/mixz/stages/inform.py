"""A table with labels -> a trained ensemble that gives densities: what RAIL and the DESC challenge ask for."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from mixz.data.split import split_by_id
from mixz.errors import MixzError
from mixz.settings.network import KNOWN_NETWORKS, Network
from mixz.settings.recipe import DEFAULT_RECIPE, FAST, Step, named_recipe

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from mixz.galaxies import GalaxySet
    from mixz.model.ensemble import Ensemble
    from mixz.model.training.history import Progress
    from mixz.settings.recipe import Recipe
    from mixz.surveys.columns import Columns

NETWORK: dict[str, Any] = {"head": "binned", "inputs": "whitened", "asinh": True, "drop_bands": 0.1}
"""Networks for tables in which bands may be missing or nothing may be seen in them (ours)."""
MEMBERS = 5
EPOCHS = 60


def inform(
    galaxies: GalaxySet,
    *,
    recipe: str = DEFAULT_RECIPE,
    members: int = MEMBERS,
    epochs: int = EPOCHS,
    seed: int = 0,
    validation: float = 0.15,
    network: Mapping[str, Any] | None = None,
    training: Mapping[str, Any] | None = None,
    ref_band: str = "",
    columns: Sequence[Columns] = (),
    watch: Callable[[Progress], None] | None = None,
) -> Ensemble:
    """Train an ensemble on all galaxies of a table, less those that decide when to stop.

    Parameters
    ----------
    galaxies
        Galaxies with labels; how they are split does not matter.
    recipe
        A named recipe; ``fused`` makes do with the truths there are.
    members, epochs, seed
        Random starts, passes over the data of each step, seed of all random numbers.
    validation
        Share of galaxies that validate, chosen by the hash of their names.
    network, training
        What networks and steps have different from what is good for such tables.
    ref_band
        The band whose magnitude says how wrong labels are; ``i`` where there is one, else the last.
    columns
        How the table named its columns, which the model remembers: `mixz predict` reads tables like it.
    watch
        Called after every epoch.

    Raises
    ------
    MixzError
        A setting is wrong, the recipe is unknown, or too few galaxies have redshifts.
    """
    from mixz.model.ensemble import Ensemble

    if not 0 < validation < 1:
        raise MixzError(f"validation: {validation:g}", "a share between 0 and 1", "0.15 is a good choice")
    if not any(galaxies.has(truth).any() for truth in galaxies.truths):
        raise MixzError(
            "no galaxy of the table has a redshift", "some hundreds of them", "name the column of redshifts"
        )
    sides = split_by_id(galaxies.object_id, train=1 - validation, validation=validation, seed=seed)
    try:
        shape = Network(**(NETWORK | KNOWN_NETWORKS.get(recipe, {}) | dict(network or {})))
        steps = steps_for(recipe, galaxies, {"epochs": epochs} | dict(training or {}))
    except ValidationError as error:
        wrong = error.errors()[0]
        place = ".".join(map(str, wrong["loc"]))
        raise MixzError(f"{place}: {wrong['msg']}", "settings as in a config", "see docs/config.md") from error
    made = Ensemble.fit(
        replace(galaxies, split=sides), steps, network=shape, members=members, seed=seed, ref_band=ref_band, watch=watch
    )
    return replace(made, provenance={"recipe": recipe, "columns": [one.model_dump(mode="json") for one in columns]})


def steps_for(recipe: str, galaxies: GalaxySet, training: Mapping[str, Any]) -> Recipe:
    """Give the steps of a named recipe, changed by `training`, and short where it leaves that open.

    Where galaxies lack one of the truths that `fused` believes together, it believes the others.
    """
    there = [truth for truth in galaxies.truths if galaxies.has(truth).any()]
    steps = []
    for step in named_recipe(recipe):
        settings = FAST | step.model_dump(include=step.model_fields_set) | dict(training)
        settings["batch_size"] = max(1, min(settings["batch_size"], len(galaxies) // 4))
        if recipe == DEFAULT_RECIPE:
            settings["truths"] = tuple(truth for truth in step.truths if truth in there) or step.truths
        steps.append(Step(**settings))
    return tuple(steps)
