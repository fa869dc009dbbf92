"""Training that is killed and begun again gives the weights of an undisturbed run, bit for bit."""

from __future__ import annotations

import resource
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from toys import toy_galaxies

from mixz.errors import MixzError
from mixz.model.ensemble import Ensemble
from mixz.model.fit import fine_tune
from mixz.model.folder import load_model, save_model
from mixz.model.initial import untrained
from mixz.model.training.devices import Machine
from mixz.settings.network import Network
from mixz.settings.recipe import RECIPES, Recipe, Step

if TYPE_CHECKING:
    from mixz.galaxies import GalaxySet
    from mixz.model.training.history import Progress

STEP = Step(truths=("spec",), epochs=6, batch_size=16, patience=2, lr=3e-3)


class Interrupted(Exception):  # noqa: N818  # stands for Ctrl-C
    pass


def interrupt_after(epochs: int) -> object:
    """Watch a training and break it off."""

    def watch(news: Progress) -> None:
        if news.epochs_done >= epochs:
            raise Interrupted

    return watch


def test_it_goes_on_where_it_was(galaxies: GalaxySet, network: Network, tmp_path: Path) -> None:
    start = untrained(galaxies, Recipe(steps=(STEP,), network=network), members=5)
    whole = fine_tune(start, galaxies, STEP)
    for epochs in (1, 3, 5):
        place = tmp_path / f"after {epochs}"
        with pytest.raises(Interrupted):
            fine_tune(start, galaxies, STEP, checkpoint=place, watch=interrupt_after(epochs))  # type: ignore[arg-type]
        heard: list[Progress] = []
        again = fine_tune(start, galaxies, STEP, checkpoint=place, watch=heard.append)
        assert heard[0].epochs_done >= 1
        assert all(torch.equal(again.weights[name], w) for name, w in whole.weights.items()), epochs
        assert again.history == whole.history
    finished: list[Progress] = []
    fine_tune(start, galaxies, STEP, checkpoint=place, watch=finished.append)
    assert len(finished) <= len(whole.history[0].best_epoch), "what is finished is told once a group, not trained again"


def test_another_trainings_checkpoint_is_refused_with_the_difference(galaxies: GalaxySet, tmp_path: Path) -> None:
    start = untrained(galaxies, Recipe(steps=(STEP,)), members=2)
    fine_tune(start, galaxies, STEP, checkpoint=tmp_path / "c")
    faster = STEP.model_copy(update={"lr": 0.01})
    with pytest.raises(MixzError, match=r"of other settings \(there, here\):\n  step.lr: 0.003, 0.01\n"):
        fine_tune(start, galaxies, faster, checkpoint=tmp_path / "c")


def test_a_damaged_checkpoint_is_refused(galaxies: GalaxySet, tmp_path: Path) -> None:
    start = untrained(galaxies, Recipe(steps=(STEP,)), members=2)
    fine_tune(start, galaxies, STEP, checkpoint=tmp_path / "c")
    for path in (tmp_path / "c").glob("*.safetensors"):
        path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(MixzError, match=r"is damaged.*\n.*\n  do: begin anew: mixz train --restart"):
        fine_tune(start, galaxies, STEP, checkpoint=tmp_path / "c")


def test_a_full_disk_leaves_the_last_checkpoint_whole(galaxies: GalaxySet, tmp_path: Path) -> None:
    start = untrained(galaxies, Recipe(steps=(STEP,)), members=1)
    with pytest.raises(Interrupted):
        fine_tune(start, galaxies, STEP, checkpoint=tmp_path / "c", watch=interrupt_after(2))  # type: ignore[arg-type]
    before = {path: path.read_bytes() for path in (tmp_path / "c").iterdir()}
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limits[1]))
    try:
        with pytest.raises(MixzError, match=r"members-000-000\.safetensors cannot be written: File too large"):
            fine_tune(start, galaxies, STEP, checkpoint=tmp_path / "c")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert {path: path.read_bytes() for path in (tmp_path / "c").iterdir()} == before


SCRIPT = f"""
import sys
from pathlib import Path
sys.path.insert(0, {str(Path(__file__).parent)!r})
from test_resume import train_tl
train_tl(Path(sys.argv[1]))
"""


def train_tl(folder: Path) -> Ensemble:
    """Train both steps of `tl`, saving after every epoch; give what an undisturbed run gives."""
    galaxies = toy_galaxies(600)
    training = {"batch_size": 25, "epochs": 24, "patience": 24}
    recipe = RECIPES["tl"].changed(network={"hidden": (32, 32)}, training=training)
    model = untrained(galaxies, recipe, members=4)
    for number, step in enumerate(recipe.steps):
        model = fine_tune(model, galaxies, step, machine=Machine(cores=2), checkpoint=folder / str(number))
    save_model(model, folder / "model")
    return model


def test_killed_at_any_moment_it_gives_the_same_weights(tmp_path: Path) -> None:
    whole = train_tl(tmp_path / "whole")
    command = [sys.executable, "-c", SCRIPT, str(tmp_path / "killed")]
    progress = tmp_path / "killed" / "0" / "members-000-001.safetensors"
    moments = np.random.default_rng().uniform(0.05, 0.4, 2)
    for moment in moments:
        before = progress.stat().st_mtime_ns if progress.exists() else 0
        with subprocess.Popen(command) as child:
            while child.poll() is None and not (progress.exists() and progress.stat().st_mtime_ns > before):
                time.sleep(0.01)
            time.sleep(moment)
            child.send_signal(signal.SIGKILL)
    subprocess.run(command, check=True)
    killed = load_model(tmp_path / "killed" / "model")
    assert all(torch.equal(killed.weights[name], w) for name, w in whole.weights.items()), f"killed after {moments} s"
    assert killed.history == whole.history
