"""How long training will take: counted from galaxies, epochs and members, and about what it then takes."""

from __future__ import annotations

import time

import numpy as np
import pytest

from mixz.galaxies import GalaxySet
from mixz.model.initial import untrained
from mixz.model.training import forecast as forecasts
from mixz.model.training.devices import Machine
from mixz.model.training.forecast import forecast
from mixz.model.training.step import train_one_step
from mixz.settings.recipe import RECIPES, Recipe
from mixz.truths import KNOWN_TRUTHS

N = 3_000
SMALL = {"hidden": (30,)}


def galaxies(n: int = N) -> GalaxySet:
    rng = np.random.default_rng(1)
    z = rng.uniform(0.1, 1.5, n)
    mag = 20 + z[:, None] * np.array([1.0, 0.5, 0.2]) + rng.normal(0, 0.05, (n, 3))
    split = np.where(np.arange(n) % 10 < 7, "train", np.where(np.arange(n) % 10 < 8, "validation", "test"))
    return GalaxySet(
        np.arange(n), ("g", "r", "i"), mag, np.full((n, 3), 0.02), z={"spec": z, "many_band": z}, split=split
    )


def recipe(name: str, epochs: int) -> Recipe:
    training = {"epochs": epochs, "patience": epochs, "batch_size": 50}
    return RECIPES[name].changed(network=SMALL, training=training)


def test_the_forecast_is_about_the_time_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Within a factor of 10, which none of galaxies, epochs and members would leave: other people use machines too."""
    monkeypatch.setattr(forecasts, "WORTH", 1)
    made = forecast(
        galaxies(900), [recipe("spec", 10)], members=6, ref_band="i", truths=KNOWN_TRUTHS, machine=Machine(cores=1)
    )
    assert made is not None
    assert not made.may_stop
    begun = time.perf_counter()
    start = untrained(galaxies(900), recipe("spec", 10), members=6)
    train_one_step(start, galaxies(900), recipe("spec", 10).steps[0], machine=Machine(cores=1))
    assert made.seconds / 10 < time.perf_counter() - begun < made.seconds * 10


def test_it_grows_with_what_there_is_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second for every epoch of what is timed; a step that two recipes share counts once."""
    monkeypatch.setattr(forecasts._Probe, "seconds", lambda *_: 1.0)

    def check(names: list[str], members: int, steps: int, seconds: float) -> None:
        recipes = [recipe(name, 200) for name in names]
        made = forecast(
            galaxies(), recipes, members=members, ref_band="i", truths=KNOWN_TRUTHS, machine=Machine(cores=1)
        )
        assert made is not None
        assert made.steps == steps
        assert made.seconds == pytest.approx(seconds)

    # 2,100 training galaxies, of which 6 updates of 50 are timed, by 2 members: 7 s an epoch.
    check(["spec"], 2, 1, 200 * 7)
    check(["base"], 2, 1, 200 * 7)
    check(["base", "tl"], 2, 2, 400 * 7)
    check(["spec"], 200, 1, 200 * 7 * 200 / 20)  # 20 at a time


def test_little_to_do_has_no_forecast() -> None:
    made = forecast(galaxies(300), [recipe("spec", 3)], members=2, ref_band="i", truths=KNOWN_TRUTHS, machine=Machine())
    assert made is None


def test_what_cannot_be_trained_is_left_to_training() -> None:
    some = galaxies()
    bare = GalaxySet(some.object_id, some.bands, some.mag, some.mag_err, z={}, split=some.split)
    assert (
        forecast(bare, [recipe("spec", 900)], members=1, ref_band="i", truths=KNOWN_TRUTHS, machine=Machine()) is None
    )
