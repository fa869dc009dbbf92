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
from mixz.model.training.devices import Machine
from mixz.settings.network import Network
from mixz.settings.recipe import RECIPES, Step

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


@pytest.mark.parametrize("epochs", [1, 3, 5])
def test_it_goes_on_where_it_was(galaxies: GalaxySet, network: Network, tmp_path: Path, epochs: int) -> None:
    start = Ensemble.untrained(galaxies, STEP, network=network, members=5)
    whole = start.fine_tune(galaxies, STEP)
    with pytest.raises(Interrupted):
        start.fine_tune(galaxies, STEP, checkpoint=tmp_path / "c", watch=interrupt_after(epochs))  # type: ignore[arg-type]
    heard: list[Progress] = []
    again = start.fine_tune(galaxies, STEP, checkpoint=tmp_path / "c", watch=heard.append)
    assert heard[0].epochs_done >= 1
    assert all(torch.equal(again.weights[name], w) for name, w in whole.weights.items())
    assert again.history == whole.history
    finished: list[Progress] = []
    start.fine_tune(galaxies, STEP, checkpoint=tmp_path / "c", watch=finished.append)
    assert len(finished) <= len(whole.history[0].best_epoch), "what is finished is told once a group, not trained again"


def test_another_trainings_checkpoint_is_refused_with_the_difference(galaxies: GalaxySet, tmp_path: Path) -> None:
    start = Ensemble.untrained(galaxies, STEP, members=2)
    start.fine_tune(galaxies, STEP, checkpoint=tmp_path / "c")
    faster = STEP.model_copy(update={"lr": 0.01})
    with pytest.raises(MixzError, match=r"of other settings \(there, here\):\n  step.lr: 0.003, 0.01\n"):
        start.fine_tune(galaxies, faster, checkpoint=tmp_path / "c")


def test_a_damaged_checkpoint_is_refused(galaxies: GalaxySet, tmp_path: Path) -> None:
    start = Ensemble.untrained(galaxies, STEP, members=2)
    start.fine_tune(galaxies, STEP, checkpoint=tmp_path / "c")
    for path in (tmp_path / "c").glob("*.safetensors"):
        path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(MixzError, match=r"is damaged: .*\n.*\n  do: begin anew: mixz train --restart"):
        start.fine_tune(galaxies, STEP, checkpoint=tmp_path / "c")


def test_a_full_disk_leaves_the_last_checkpoint_whole(galaxies: GalaxySet, tmp_path: Path) -> None:
    start = Ensemble.untrained(galaxies, STEP, members=1)
    with pytest.raises(Interrupted):
        start.fine_tune(galaxies, STEP, checkpoint=tmp_path / "c", watch=interrupt_after(2))  # type: ignore[arg-type]
    before = {path: path.read_bytes() for path in (tmp_path / "c").iterdir()}
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limits[1]))
    try:
        with pytest.raises(MixzError, match=r"members-000-000\.safetensors cannot be written: File too large"):
            start.fine_tune(galaxies, STEP, checkpoint=tmp_path / "c")
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
    recipe = [step.model_copy(update={"batch_size": 25, "epochs": 40, "patience": 40}) for step in RECIPES["tl"]]
    model = Ensemble.untrained(galaxies, recipe[0], network=Network(hidden=(32, 32)), members=4)
    for number, step in enumerate(recipe):
        model = model.fine_tune(galaxies, step, machine=Machine(cores=2), checkpoint=folder / str(number))
    model.save(folder / "model")
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
    killed = Ensemble.load(tmp_path / "killed" / "model")
    assert all(torch.equal(killed.weights[name], w) for name, w in whole.weights.items()), f"killed after {moments} s"
    assert killed.history == whole.history
