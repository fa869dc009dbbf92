"""The conformal side: calibration and intervals use it alone, training never sees it, and the promise is exact."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from toys import HEADS, toy_galaxies

from mixz.data.joined import concatenate
from mixz.data.split import split_by_id
from mixz.galaxies import CONFORMAL, GalaxySet
from mixz.model.ensemble import Ensemble
from mixz.model.fit import fit
from mixz.model.training.labels import held_out, kept_apart
from mixz.settings.recipe import Recipe, Step

RECIPE = Recipe(
    steps=(Step(truths=("many_band", "spec"), loss="label_likelihood", epochs=2, batch_size=64, lr=2e-3),),
    network=HEADS["binned"],
)


@pytest.fixture(scope="module")
def four_sides() -> GalaxySet:
    toys = toy_galaxies(5000)
    sides = split_by_id(toys.object_id, train=0.2, validation=0.1, conformal=0.2)
    return replace(toys, split=sides)


@pytest.fixture(scope="module")
def model(four_sides: GalaxySet) -> Ensemble:
    return fit(four_sides, RECIPE, members=1)


def moved(galaxies: GalaxySet, which: np.ndarray) -> GalaxySet:
    """The same galaxies, but for the labels of some of them."""
    return replace(galaxies, z={name: np.where(which, z + 0.3, z) for name, z in galaxies.z.items()})


def test_held_out_are_the_conformal_galaxies_alone(four_sides: GalaxySet, model: Ensemble) -> None:
    conformal, apart = four_sides.split == CONFORMAL, kept_apart(four_sides)
    np.testing.assert_array_equal(held_out(four_sides), conformal)
    assert model.held_out["calibrated"]
    assert sum(model.held_out["intervals"].values()) == apart.sum() > 100
    assert sum(model.held_out["galaxies"].values()) == (conformal & ~apart).sum()


def test_training_never_looks_at_them(four_sides: GalaxySet, model: Ensemble) -> None:
    """Neither weights nor the epoch that was best hang on their labels, nor on whether they are there at all."""
    other = fit(moved(four_sides, four_sides.split == CONFORMAL), RECIPE, members=1)
    without = fit(four_sides.rows(four_sides.split != CONFORMAL), RECIPE, members=1)
    for name, weight in model.weights.items():
        assert (weight == other.weights[name]).all()
    assert model.history[0].validation_loss == other.history[0].validation_loss
    assert model.calibration is not None
    assert other.calibration is not None
    assert not np.array_equal(model.calibration.height, other.calibration.height)
    # Without them a third of the validation galaxies is kept apart, so that fewer choose the epoch.
    assert without.held_out["intervals"].keys() == model.held_out["intervals"].keys()
    assert sum(without.held_out["galaxies"].values()) < (four_sides.split == "validation").sum()


def test_calibration_and_intervals_look_at_nothing_else(four_sides: GalaxySet) -> None:
    """The labels of validation galaxies choose the epoch; with one epoch there is nothing to choose."""
    one = RECIPE.changed(training={"epochs": 1})
    base, other = (
        fit(galaxies, one, members=1) for galaxies in (four_sides, moved(four_sides, four_sides.split == "validation"))
    )
    for fitted in ("calibration", "intervals"):
        a, b = getattr(base, fitted), getattr(other, fitted)
        for name in vars(a):
            np.testing.assert_array_equal(getattr(a, name), getattr(b, name))


def test_intervals_and_calibration_share_no_galaxy(four_sides: GalaxySet, model: Ensemble) -> None:
    other = fit(moved(four_sides, kept_apart(four_sides)), RECIPE, members=1)
    assert model.calibration is not None
    assert other.calibration is not None
    np.testing.assert_array_equal(model.calibration.height, other.calibration.height)
    assert model.intervals is not None
    assert other.intervals is not None
    np.testing.assert_array_equal(model.intervals.edges, other.intervals.edges)
    assert (other.intervals.reach > model.intervals.reach).all()


def test_the_promise_holds_on_exchangeable_galaxies(four_sides: GalaxySet, model: Ensemble) -> None:
    """At least the nominal share of test spectra lies inside, but for what counting allows."""
    test = four_sides.in_split("test")
    test = test.rows(test.has("spec"))
    kept = model.held_out["intervals"]["spec"]
    for percent, ends in model.predict(test).intervals.items():
        level = int(percent) / 100
        inside = (test.z["spec"] >= ends[:, 0]) & (test.z["spec"] <= ends[:, 1])
        by_counting = np.sqrt(level * (1 - level) * (1 / len(test) + 1 / kept))
        assert inside.mean() >= level - 2.5 * by_counting


def test_a_table_without_a_conformal_side_gives_validation_galaxies(four_sides: GalaxySet) -> None:
    """TransferZ has one, GalaxiesML has none: each holds out what it has."""
    first = replace(four_sides, table=np.full(len(four_sides), "first"))
    second = toy_galaxies(2000, seed=1)
    second = replace(second, object_id=second.object_id + 10_000, table=np.full(len(second), "second"))
    both = concatenate([first, second])
    expected = np.where(both.table == "first", both.split == CONFORMAL, both.split == "validation")
    np.testing.assert_array_equal(held_out(both), expected)
