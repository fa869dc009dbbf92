"""A finished run, read back whole: from its config, or from its results folder alone."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from mixz.data.data_set.galaxies_file import read_galaxies, read_provenance
from mixz.errors import MixzError
from mixz.metrics.verdict import verdicts
from mixz.report.run import Run
from mixz.settings.config import Config
from mixz.settings.file import load_config
from mixz.settings.model_record import RECORD, read_record
from mixz.stages.store.results import FLOWCHART, Results, label_truths

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from mixz.galaxies import GalaxySet
    from mixz.metrics.verdict import Verdict


def read_run(config: Config) -> Run:
    """Read all that a report of a run shows.

    Raises
    ------
    MixzError
        ``galaxies.parquet``, ``photoz/``, ``metrics.json`` or a model is missing or of other settings; the message
        names the verb that makes it.
    """
    results = Results(config)
    galaxies = results.read_galaxies()
    for recipe in config.recipes:
        results.require_model(recipe)
    return _read(config.name, results, galaxies)


def read_run_folder(folder: Path) -> Run:
    """Read the same from a results folder, without its config.

    Raises
    ------
    MixzError
        It is no results folder, or something is missing in it.
    """
    results = results_of(folder)
    name = read_provenance(results.galaxies_path)["name"]
    return _read(name, results, read_galaxies(results.galaxies_path))


def results_of(folder: Path) -> Results:
    """A results folder as its verbs know it, with the settings that it records and the recipes that were judged.

    Raises
    ------
    MixzError
        As `read_run_folder`.
    """
    config = _config_of(folder, read_provenance(folder / "galaxies.parquet"))
    judged = dict.fromkeys(record["recipe"] for record in Results(config).read_records())
    recipes = {name: config.recipes[name] for name in judged if name in config.recipes}
    return Results(config.model_copy(update={"recipes": recipes}))


def read_runs(sources: Sequence[Path]) -> list[Run]:
    """Read runs from configs or results folders, and give each a name of its own."""
    runs = [read_run_folder(source) if source.is_dir() else read_run(load_config(source)) for source in sources]
    names = [run.name for run in runs]
    return [
        replace(run, name=f"{run.name} ({k})") if names.count(run.name) > 1 else run
        for k, run in enumerate(runs, start=1)
    ]


def verdicts_of(sources: Sequence[Path]) -> dict[str, list[Verdict]]:
    """The verdicts on runs, by name, from their configs or results folders."""
    return {run.name: verdicts(run.records, run.differences) for run in read_runs(sources)}


def _read(name: str, results: Results, galaxies: GalaxySet) -> Run:
    config = results.config
    records = results.read_records()
    test = galaxies.in_split("test")
    truths = results.truths()
    chart = results.figures_folder / f"{FLOWCHART}.svg"
    return Run(
        name=name,
        about=read_provenance(results.galaxies_path),
        galaxies=galaxies,
        photoz={recipe: results.read_photoz(recipe, test) for recipe in config.recipes},
        records=records,
        curves={recipe: results.read_curves(recipe) for recipe in config.recipes},
        truths=label_truths(galaxies, truths),
        ref_band=config.ref_band,
        known=truths,
        cards={recipe: results.model_card(results.model_path(recipe), records) for recipe in config.recipes},
        flowchart=chart.read_text(encoding="utf-8") if chart.is_file() else "",
        differences=results.read_differences(),
        estimates=results.read_estimates(),
        tomography=results.read_tomography(),
    )


def _config_of(folder: Path, about: dict[str, Any]) -> Config:
    """Make a config that finds what lies in a results folder: its settings as recorded, its recipes as trained."""
    models = sorted((folder / "models").glob(f"*/{RECORD}"))
    if not models:
        raise MixzError(f"no model in {folder / 'models'}", "models that `mixz train` wrote", "run `mixz train` first")
    told = {path.parent.name: read_record(path.parent) for path in models}
    tree = about["settings"] | {
        "recipes": {
            name: {"steps": [step.model_dump() for step in one.steps], "network": one.network.model_dump()}
            for name, one in told.items()
        },
        "networks": {},
    }
    try:
        config = Config.model_validate(tree)
    except ValidationError as error:
        raise MixzError(
            f"{folder} was made by another version of mixz ({about.get('mixz', 'unknown')})",
            "a results folder of this version",
            "run it again, or give its config",
        ) from error
    return config.model_copy(update={"out": folder.parent, "name": folder.name})
