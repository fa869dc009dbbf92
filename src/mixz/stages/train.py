"""`mixz train`: galaxies -> model folders."""

from __future__ import annotations

import platform
from dataclasses import replace
from importlib.metadata import version
from typing import TYPE_CHECKING

from mixz.errors import MixzError
from mixz.progress import progress_bar
from mixz.schema import SPLITS, GalaxySet
from mixz.stages.results import Results

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from rich.console import Console

    from mixz.config import Config
    from mixz.model.ensemble import Ensemble
    from mixz.model.training import Progress
    from mixz.progress import Bar
    from mixz.recipes import Recipe, Step


def train(config: Config, console: Console, *, recipes: Sequence[str] = ()) -> list[Path]:
    """Train the config's recipes (or only some) and write a model folder for each.

    Steps that recipes have in common are trained once: the first step of `tl` is `base`.

    Raises
    ------
    MixzError
        The galaxies are missing or were built from other settings, or a recipe cannot be trained on them.
    """
    from mixz.model.ensemble import Ensemble

    results = Results(config)
    galaxies = results.read_galaxies()
    trained: dict[Recipe, Ensemble] = {}
    paths = []
    for name in recipes or config.recipes:
        steps = _recipe(config, name)
        ensemble = Ensemble.untrained(
            galaxies, steps[0], network=config.network, members=config.members, seed=config.seed
        )
        for number, step in enumerate(steps, start=1):
            if steps[:number] not in trained:
                title = f"train {name}, step {number} of {len(steps)}"
                trained[steps[:number]] = _train_step(ensemble, galaxies, step, config, title, console)
            ensemble = trained[steps[:number]]
        paths.append(results.model_path(name))
        _with_provenance(ensemble, galaxies, config, name).save(paths[-1])
    return paths


def _recipe(config: Config, name: str) -> Recipe:
    if name not in config.recipes:
        known = ", ".join(config.recipes)
        raise MixzError(f"recipe {name!r} is not in the config", f"recipes: {known}", "name one of these")
    return config.recipes[name]


def _train_step(
    ensemble: Ensemble, galaxies: GalaxySet, step: Step, config: Config, title: str, console: Console
) -> Ensemble:
    with progress_bar(title, console) as bar:
        return ensemble.fine_tune(galaxies, step, exact=config.exact_truths(), watch=_watch(bar))


def _watch(bar: Bar) -> Callable[[Progress], None]:
    """Turn news of the training into a bar of epochs; the time left is the least it can be."""

    def tell(news: Progress) -> None:
        words = f"{news.stopped}/{news.members} members done, validation loss {news.best_loss:.4f}"
        bar(news.epochs_done, news.epochs_due, words)

    return tell


def _with_provenance(ensemble: Ensemble, galaxies: GalaxySet, config: Config, recipe: str) -> Ensemble:
    counts = {
        truth: {side: int((galaxies.has(truth) & (galaxies.split == side)).sum()) for side in SPLITS}
        for truth in galaxies.truths
    }
    provenance = {
        "config": config.name,
        "recipe": recipe,
        "train_digest": config.train_digest(recipe),
        "simulated": config.simulated,
        "galaxies": counts,
        "columns": [table.columns.model_dump(mode="json") for table in config.tables],
        "versions": {"mixz": version("mixz"), "torch": version("torch"), "python": platform.python_version()},
    }
    return replace(ensemble, provenance=provenance)
