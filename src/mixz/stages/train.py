"""`mixz train`: galaxies -> model folders."""

from __future__ import annotations

import platform
from contextlib import nullcontext
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from mixz.atomic import alone, remove
from mixz.data.data_set.galaxies_file import read_provenance
from mixz.data.data_set.provenance import is_simulated
from mixz.data.zero_points import zero_points
from mixz.galaxies import GalaxySet
from mixz.progress import busy, duration, progress_bar
from mixz.stages.store.results import Results

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from rich.console import Console

    from mixz.galaxies import GalaxySet
    from mixz.model.ensemble import Ensemble
    from mixz.model.training.devices import Machine
    from mixz.model.training.history import Progress
    from mixz.model.training.selection import Balance
    from mixz.progress import Bar
    from mixz.settings.choices import Device, Precision
    from mixz.settings.config import Config
    from mixz.settings.network import Network
    from mixz.settings.recipe import Step
    from mixz.truths.truth import Truths


def train(
    config: Config,
    console: Console,
    *,
    recipes: Sequence[str] = (),
    device: Device = "cpu",
    precision: Precision = "float32",
    restart: bool = False,
    dask: str | None = None,
    workers: int | None = None,
) -> list[Path]:
    """Train the config's recipes (or only some) and write a model folder for each.

    Steps that recipes have in common are trained once: the first step of `tl` is `base`.  After every epoch what is
    done is saved under ``checkpoints/``; a run that was interrupted goes on from there, and a run that ends removes it.

    Parameters
    ----------
    config, console
        The settings, and where to tell of progress.
    recipes
        Names of the recipes to train; all of the config's if empty.
    device, precision
        Where to train, and how exactly to multiply.
    restart
        Throw away what an interrupted run left, and begin anew.
    dask, workers
        Spread members over the workers of the Dask scheduler at this address, or over so many processes here.  Then a
        step that is interrupted begins anew: checkpoints stay on one machine.

    Raises
    ------
    MixzError
        The galaxies are missing or were built from other settings, or a recipe cannot be trained on them.
    """
    from mixz.model.training.devices import Machine

    machine = Machine(device, precision)
    if dask is None and workers is None:
        machine.require_device()
    with alone(config.folder):
        results = Results(config)
        galaxies = results.read_galaxies()
        names = list(recipes or config.recipes)
        for name in names:
            config.recipe(name)  # an unknown one is told before any is trained
        if restart:
            remove(results.checkpoints_folder)
        elif results.checkpoints_folder.is_dir():
            console.print(f"going on from {results.checkpoints_folder}", soft_wrap=True, highlight=False)
        paths = [results.model_path(name) for name in names]
        with _client(dask, workers) as client:
            _tell_dashboard(client, console)
            work = _Work(results, galaxies, console, machine, client, {}, {})
            work.tell_forecast(names)
            for name, path in zip(names, paths, strict=True):
                results.write_model(_with_provenance(work.train(name), work, name), path)
                results.digests.note("train", [path], [results.galaxies_path])
        remove(results.checkpoints_folder)
        return paths


@dataclass(frozen=True)
class _Work:
    """One run of `train`: what all recipes need, the steps trained so far, and what weights did in them."""

    results: Results
    galaxies: GalaxySet
    console: Console
    machine: Machine
    client: Any
    trained: dict[tuple[Network, tuple[Step, ...]], Ensemble]
    balances: dict[Step, Balance]

    def tell_forecast(self, names: Sequence[str]) -> None:
        """Say how long the training takes at most on this machine, where that is worth saying."""
        if self.client is not None:
            return
        from mixz.model.training.forecast import forecast

        config = self.results.config
        with busy("timing a few updates", self.console):
            found = forecast(
                self.galaxies,
                [config.recipe(name) for name in names],
                members=config.members,
                ref_band=config.ref_band,
                truths=self.results.truths(),
                machine=self.machine,
            )
        if found is not None:
            what = f"{found.steps} step{'s' * (found.steps > 1)}, {config.members} member{'s' * (config.members > 1)}"
            earlier = "; members that no longer improve stop earlier" if found.may_stop else ""
            words = f"training takes at most about {duration(found.seconds)} on this machine ({what}){earlier}"
            self.console.print(words, highlight=False, soft_wrap=True)

    def train(self, name: str) -> Ensemble:
        """Train a recipe from random starts, or from the steps it has in common with an earlier one, and finish it."""
        from mixz.model.fit import fit

        config = self.results.config
        model = fit(
            self.galaxies,
            config.recipe(name),
            members=config.members,
            seed=config.seed,
            ref_band=config.ref_band,
            truths=self.results.truths(),
            trainer=lambda ensemble, step: self._trained(ensemble, step, name),
        )
        if not model.held_out.get("calibrated", True):
            self.console.print(f"not calibrated: {model.held_out['why']}", style="yellow", highlight=False)
        return model

    def _trained(self, ensemble: Ensemble, step: Step, name: str) -> Ensemble:
        """An ensemble of the recipe `name` trained for one more step, unless another recipe has been already."""
        key = ensemble.network, (*ensemble.steps, step)
        if key not in self.trained:
            self._tell_balance(step, f"train {name}, step {len(key[1])}")
            after = self._step(ensemble, step, name)
            for lost in after.lost[len(ensemble.lost) :]:
                words = f"train {name}: {lost}; {after.members} members go on"
                self.console.print(words, style="yellow", highlight=False)
            self.trained[key] = after
        return self.trained[key]

    def _tell_balance(self, step: Step, where: str) -> None:
        """What the weights of a step towards its target do, where it has one."""
        if step.target is None:
            return
        if step not in self.balances:
            self.balances[step] = _balance(self.galaxies, step, self.results.truths())
        self.console.print(f"{where}: {self.balances[step]}", highlight=False, soft_wrap=True)

    def _step(self, ensemble: Ensemble, step: Step, name: str) -> Ensemble:
        """Train one step, here or on Dask's workers, with a bar of how far it is."""
        from mixz.model.training.step import train_one_step

        number, steps = len(ensemble.steps) + 1, len(self.results.config.recipe(name).steps)
        with progress_bar(f"train {name}, step {number} of {steps}", self.console) as bar:
            if self.client is not None:
                from mixz.bridges.dask_members import train_step_on

                return train_step_on(
                    self.client,
                    ensemble,
                    self.galaxies,
                    step,
                    truths=self.results.truths(),
                    machine=self.machine,
                    tell=_tell_groups(bar),
                )
            return train_one_step(
                ensemble,
                self.galaxies,
                step,
                truths=self.results.truths(),
                machine=self.machine,
                checkpoint=self.results.checkpoints_folder / name / f"step-{number}",
                watch=watch_epochs(bar),
            )


def _balance(galaxies: GalaxySet, step: Step, truths: Truths) -> Balance:
    """What the weights of a step towards its target do."""
    from mixz.model.training.labels import labelled
    from mixz.model.training.selection import Selection

    selection = Selection.of(galaxies, step, truths.exact)
    assert selection is not None
    return selection.balance(labelled(galaxies, step.truths, "train", truths.exact)[0])


def _client(address: str | None, workers: int | None) -> AbstractContextManager[Any]:
    """Connect to Dask where it was asked for."""
    if address is None and workers is None:
        return nullcontext()
    from mixz.bridges.dask_members import dask_client

    return dask_client(address, workers=workers or 1)


def _tell_dashboard(client: Any, console: Console) -> None:
    """Say where a browser sees what Dask's workers do, where there are any."""
    if client is None:
        return
    from mixz.bridges.dask_members import dashboard

    if address := dashboard(client):
        console.print(f"Dask dashboard: {address}", highlight=False, soft_wrap=True)


def _tell_groups(bar: Bar) -> Callable[[int, int], None]:
    return lambda done, groups: bar(done, groups, f"{done} of {groups} groups of members done")


def watch_epochs(bar: Bar) -> Callable[[Progress], None]:
    """Turn news of the training into a bar of epochs; the time left is the least it can be."""

    def tell(news: Progress) -> None:
        spread = f" ± {news.spread:.4f}" if news.members > 1 else ""  # of one member there is none
        loss = f"validation loss {news.best_loss:.4f}{spread}"
        words = f"epoch {news.epoch}, {news.stopped}/{news.members} members done, {loss}"
        bar(news.epochs_done, news.epochs_due, words)

    return tell


def _with_provenance(ensemble: Ensemble, work: _Work, recipe: str) -> Ensemble:
    config, galaxies = work.results.config, work.galaxies
    built = read_provenance(work.results.galaxies_path)
    counts = {
        truth: {side: int((galaxies.has(truth) & (galaxies.split == side)).sum()) for side in galaxies.sides}
        for truth in galaxies.truths
    }
    provenance = {
        "config": config.name,
        "recipe": recipe,
        "train_digest": config.train_digest(recipe),
        "simulated": is_simulated(config),
        "galaxies": counts,
        "kernels": built["kernels"],
        "kernel_scales": built["kernel_scales"],
        "kernel_corrections": built.get("kernel_corrections", {}),
        "selection": [b.as_record() for step, b in work.balances.items() if step in ensemble.steps],
        "columns": [table.columns.model_dump(mode="json") for table in config.tables],
        "column_systems": [table.system for table in config.tables],
        "zero_points": [found.as_record() for found in zero_points(galaxies, seed=config.seed)],
        "versions": {"mixz": version("mixz"), "torch": version("torch"), "python": platform.python_version()},
    }
    return replace(ensemble, provenance={**ensemble.provenance, **provenance})
