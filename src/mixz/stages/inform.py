"""A table with labels -> a finished model that gives densities: what RAIL and the DESC challenge ask for."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from mixz.data.split import sides_without_test
from mixz.errors import MixzError
from mixz.settings.recipe import DEFAULT_RECIPE, FAST, named_recipe, wrong_setting

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
    """A finished model by `mixz.fit` on all galaxies of a table, less those that validate.

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
        The band whose magnitude says how wrong labels are; i where there is one, else the last.
    columns
        How the table named its columns, which the model remembers: `mixz predict` reads tables like it.
    watch
        Called after every epoch.

    Raises
    ------
    MixzError
        A setting is wrong, the recipe is unknown, or too few galaxies have redshifts.
    """
    from mixz.model.fit import fit

    if not any(galaxies.has(truth).any() for truth in galaxies.truths):
        raise MixzError(
            "no galaxy of the table has a redshift", "some hundreds of them", "name the column of redshifts"
        )
    sides = sides_without_test(galaxies.object_id, validation=validation, seed=seed)
    whole = recipe_for(
        galaxies, recipe, network=dict(network or {}), training={"epochs": epochs} | dict(training or {})
    )
    made = fit(replace(galaxies, split=sides), whole, members=members, seed=seed, ref_band=ref_band, watch=watch)
    told = {"recipe": recipe, "columns": [one.model_dump(mode="json") for one in columns]}
    return replace(made, provenance={**made.provenance, **told})


def recipe_for(galaxies: GalaxySet, recipe: str, *, network: Mapping[str, Any], training: Mapping[str, Any]) -> Recipe:
    """A named recipe for a table, short where it leaves that open, with some settings changed.

    Where galaxies lack one of the truths that `fused` believes together, it believes the others.

    Raises
    ------
    MixzError
        The recipe is unknown, or a setting is not allowed.
    """
    there = tuple(truth for truth in galaxies.truths if galaxies.has(truth).any())
    known = named_recipe(recipe)
    if recipe == DEFAULT_RECIPE:
        believed = tuple(truth for truth in known.steps[0].truths if truth in there)
        training = {"truths": believed or known.steps[0].truths} | dict(training)
    try:
        changed = known.over(network=NETWORK, training=FAST).changed(network=network, training=training)
    except ValidationError as error:
        raise wrong_setting(error) from error
    return changed.in_batches_for(len(galaxies))
