"""The laws of training, tried on every recipe and every head."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from toys import ALL_RECIPES, HEADS

from mixz.model.embedding import BIAS, COLOURS, FREQUENCY, WEIGHT, embedded, embedded_width
from mixz.model.ensemble import Ensemble
from mixz.model.fit import fine_tune, fit
from mixz.model.folder import load_model, save_model
from mixz.model.heads import head_of
from mixz.model.initial import untrained
from mixz.model.nets import layer_names
from mixz.model.training.devices import Machine
from mixz.model.training.group import Group
from mixz.model.training.rows import Rows
from mixz.settings.recipe import RECIPES, Recipe, Step

if TYPE_CHECKING:
    from pathlib import Path

    from mixz.galaxies import GalaxySet
    from mixz.settings.network import Network

FIRST = Step(truths=("many_band",), epochs=2, batch_size=32)


def each_once(shift: int) -> pytest.MarkDecorator:
    """Every recipe and every head, in pairs; each law pairs them anew.

    Recipes say what is taught and heads what comes out, and neither knows the other: all pairs would find nothing more.
    """
    heads = list(HEADS)
    pairs = [(recipe, heads[(number + shift) % len(heads)]) for number, recipe in enumerate(ALL_RECIPES)]
    assert {head for _, head in pairs} == set(heads)
    return pytest.mark.parametrize(("recipe", "network"), pairs, indirect=True)


def same(a: Ensemble, b: Ensemble) -> bool:
    """Whether two ensembles have bit-identical weights."""
    return a.weights.keys() == b.weights.keys() and all(torch.equal(a.weights[k], b.weights[k]) for k in a.weights)


@each_once(0)
def test_the_same_seed_gives_the_same_weights(galaxies: GalaxySet, recipe: Recipe, network: Network) -> None:
    first, second = (fit(galaxies, Recipe(steps=recipe.steps, network=network), members=3, seed=7) for _ in range(2))
    other = fit(galaxies, Recipe(steps=recipe.steps, network=network), members=3, seed=8)
    assert same(first, second)
    assert not same(first, other)


@each_once(1)
def test_a_member_of_a_stack_equals_itself_alone(galaxies: GalaxySet, recipe: Recipe, network: Network) -> None:
    start = untrained(galaxies, Recipe(steps=recipe.steps, network=network), members=5, seed=1)
    whole, alone = start, start.subset([3])
    for step in recipe.steps:
        whole, alone = (fine_tune(e, galaxies, step, machine=Machine(cores=1)) for e in (whole, alone))
    for name, weight in alone.weights.items():
        torch.testing.assert_close(weight[0], whole.weights[name][3], rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(alone.history[-1].validation_loss[0], whole.history[-1].validation_loss[3], rtol=1e-3)


def test_frozen_weights_are_bit_identical(galaxies: GalaxySet, network: Network) -> None:
    before = fit(galaxies, Recipe(steps=(FIRST,), network=network), members=2)
    for freeze in range(3):
        after = fine_tune(before, galaxies, Step(truths=("spec",), freeze=freeze, epochs=2, batch_size=32, lr=1e-2))
        for number, layer in enumerate(layer_names(network)):
            for name in (name for name in before.weights if name.startswith(f"{layer}.")):
                unchanged = torch.equal(before.weights[name], after.weights[name])
                assert unchanged == (number < freeze), f"freeze={freeze}: {name}"


def test_gradients_reach_exactly_the_unfrozen(galaxies: GalaxySet, network: Network) -> None:
    ensemble = untrained(galaxies, Recipe(steps=RECIPES["spec"].steps, network=network), members=2)
    step = Step(truths=("spec",), freeze=1, epochs=1)
    group = Group(ensemble.weights, ensemble.network, step, seeds=[1, 2], machine=Machine())
    grid = head_of(ensemble.network).grid
    says = None if grid is None else torch.rand(2, 9, len(grid.z))
    rows = Rows(torch.rand(2, 9, ensemble.features.width), torch.rand(2, 9), likelihood=says)
    noises = [torch.Generator() for _ in range(2)]
    group._objective(rows, noises, 9).sum().backward()
    assert {name for name, w in group.trainable.items() if w.grad is not None and w.grad.abs().sum() > 0} == {
        name for name in ensemble.weights if not name.startswith(("hidden.0.", "embedding.", "colours."))
    }
    assert not any(w.requires_grad for w in group.fixed.values())


def test_the_embedding_comes_before_every_layer(galaxies: GalaxySet) -> None:
    before = fit(galaxies, Recipe(steps=(FIRST,), network=HEADS["periodic"]), members=2)
    for freeze in (0, 1):
        after = fine_tune(before, galaxies, Step(truths=("spec",), freeze=freeze, epochs=2, batch_size=32, lr=1e-2))
        for name in (FREQUENCY, WEIGHT, BIAS):
            assert torch.equal(before.weights[name], after.weights[name]) == (freeze > 0), f"freeze={freeze}: {name}"
        assert torch.equal(before.weights[COLOURS], after.weights[COLOURS])


def test_colours_are_those_of_magnitudes(galaxies: GalaxySet) -> None:
    ensemble = untrained(galaxies, Recipe(steps=(FIRST,), network=HEADS["periodic"]), members=2)
    x = ensemble.features(ensemble.photometry(galaxies)).expand(2, -1, -1)
    seen = embedded(ensemble.weights, x)
    assert seen.shape[-1] == ensemble.weights["hidden.0.weight"].shape[1] == embedded_width(ensemble.network, 3, 3)
    train = galaxies.has("many_band") & (galaxies.split == "train")
    colour = galaxies.mag[:, :2] - galaxies.mag[:, 1:]
    expected = (colour - colour[train].mean(axis=0)) / colour[train].std(axis=0)
    np.testing.assert_allclose(seen[1, :, 3:5], expected, atol=2e-3)


def test_adapters_move_hidden_layers_by_their_rank(galaxies: GalaxySet, network: Network) -> None:
    before = fit(galaxies, Recipe(steps=(FIRST,), network=network), members=2)
    step = Step(truths=("spec",), adapter_rank=2, epochs=2, batch_size=32, lr=1e-2)
    after = fine_tune(before, galaxies, step)
    for name in ("hidden.0.weight", "hidden.1.weight"):
        ranks = torch.linalg.matrix_rank(after.weights[name] - before.weights[name], atol=1e-5)
        assert ranks.tolist() == [2, 2]
        assert torch.equal(
            after.weights[name.replace("weight", "bias")], before.weights[name.replace("weight", "bias")]
        )
    assert not torch.equal(after.weights["output.weight"], before.weights["output.weight"])


def test_a_strong_pull_holds_the_weights(galaxies: GalaxySet) -> None:
    before = fit(galaxies, Recipe(steps=(FIRST,)), members=1)
    moved = []
    for pull in (0.0, 1.0, 100.0):
        step = Step(truths=("spec",), pull=pull, epochs=3, batch_size=32)
        after = fine_tune(before, galaxies, step)
        moved.append(sum(float((after.weights[k] - w).square().sum()) for k, w in before.weights.items()))
    assert moved[0] > moved[1] > moved[2] > 0


@each_once(2)
def test_saving_loses_nothing(galaxies: GalaxySet, recipe: Recipe, network: Network, tmp_path: Path) -> None:
    model = fit(galaxies, Recipe(steps=recipe.steps, network=network), members=2)
    save_model(model, tmp_path / "model")
    again = load_model(tmp_path / "model")
    assert same(model, again)
    assert (again.steps, again.history, again.numbers) == (model.steps, model.history, model.numbers)
    before, after = model.predict(galaxies), again.predict(galaxies)
    np.testing.assert_array_equal(before.z_phot_members, after.z_phot_members)
    if before.z_sigma_members is not None and after.z_sigma_members is not None:
        np.testing.assert_array_equal(before.z_sigma_members, after.z_sigma_members)


def test_predicting_in_chunks_changes_nothing(galaxies: GalaxySet, network: Network) -> None:
    model = untrained(galaxies, Recipe(steps=RECIPES["spec"].steps, network=network), members=3)
    whole = model.predict(galaxies)
    chunks = [model.predict(galaxies.rows(rows)) for rows in np.array_split(np.arange(len(galaxies)), 7)]
    joined = np.concatenate([chunk.z_phot_members for chunk in chunks], axis=1)
    np.testing.assert_allclose(joined, whole.z_phot_members, rtol=1e-5, atol=1e-6)


def test_empty_in_empty_out(galaxies: GalaxySet, network: Network) -> None:
    model = untrained(galaxies, Recipe(steps=RECIPES["spec"].steps, network=network), members=3)
    assert model.predict(galaxies.rows(np.zeros(len(galaxies), bool))).z_phot_members.shape == (3, 0)


def test_heads_with_a_width_keep_it(galaxies: GalaxySet, network: Network) -> None:
    model = untrained(galaxies, Recipe(steps=RECIPES["spec"].steps, network=network), members=3)
    photoz = model.predict(galaxies)
    assert (photoz.z_sigma is None) == (network.head_name == "point")
    if photoz.z_sigma is not None:
        assert (photoz.z_sigma > 0).all()


@each_once(3)
def test_nothing_changes_its_callers_arrays(galaxies: GalaxySet, recipe: Recipe, network: Network) -> None:
    kept = replace(galaxies, mag=galaxies.mag.copy(), z={k: v.copy() for k, v in galaxies.z.items()})
    model = untrained(galaxies, Recipe(steps=recipe.steps, network=network), members=2)
    weights = {name: w.clone() for name, w in model.weights.items()}
    trained = model
    for step in recipe.steps:
        trained = fine_tune(trained, galaxies, step)
    trained.predict(galaxies)
    assert all(torch.equal(model.weights[name], w) for name, w in weights.items())
    np.testing.assert_array_equal(kept.mag, galaxies.mag)
    for truth, labels in kept.z.items():
        np.testing.assert_array_equal(labels, galaxies.z[truth])


@pytest.mark.parametrize("cores", [1, 2, 3])
def test_cores_do_not_change_the_result(galaxies: GalaxySet, cores: int) -> None:
    step = Step(truths=("spec",), epochs=2, batch_size=32)
    one, some = (
        fine_tune(untrained(galaxies, Recipe(steps=(step,)), members=5), galaxies, step, machine=Machine(cores=n))
        for n in (1, cores)
    )
    for name, weight in one.weights.items():
        torch.testing.assert_close(some.weights[name], weight, rtol=1e-3, atol=1e-4)
