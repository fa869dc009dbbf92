"""Own bands: what one survey has and the other not is used where it is, and missed nowhere; every law holds."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from test_engine_laws import same

from mixz.bridges.onnx_export import export_onnx
from mixz.bridges.onnx_files import OnnxModel
from mixz.data.split import split_by_id
from mixz.errors import MixzError
from mixz.galaxies import GalaxySet
from mixz.model.distillation import distil
from mixz.model.fit import fine_tune, fit
from mixz.model.folder import load_model, save_model
from mixz.model.initial import untrained
from mixz.model.training.augmentation import augmentation
from mixz.model.training.devices import Machine
from mixz.model.training.targets import rows_of
from mixz.settings.model_record import RECORD, ModelRecord
from mixz.settings.network import Network
from mixz.settings.recipe import Recipe, Step
from mixz.truths.known import KNOWN_TRUTHS

if TYPE_CHECKING:
    from pathlib import Path

    from mixz.model.ensemble import Ensemble

BANDS = ("u", "g", "r", "i")
BOTH = Step(truths=("many_band", "spec"), epochs=2, batch_size=32, lr=3e-3)
NETWORKS = {
    "fused": Network(head="binned", nodes=30, hidden=(16, 12), inputs="whitened", systems=True, jitter=0.5),
    "periodic": Network(
        head="binned", nodes=30, hidden=(16, 12), inputs="whitened", systems=True, embedding="periodic"
    ),
    "everything": Network(
        head="binned", nodes=30, hidden=(16, 12), kind="bayesian", draws=2, asinh=True, drop_bands=0.2, errors="robust"
    ),
    "point": Network(hidden=(16, 12), skip=False),
}


def two_surveys(count: int = 300) -> GalaxySet:
    """A survey in g, r, i with many-band labels, and one with spectra that has u too, which tells redshifts best."""
    rng, ids = np.random.default_rng(5), np.arange(count)
    z = rng.uniform(0.1, 1.5, count)
    mag = 22 + rng.normal(0, 1, (count, 1)) + z[:, None] * [2.0, 0.1, 0.05, 0.0] + rng.normal(0, 0.05, (count, 4))
    err = np.full(mag.shape, 0.05)
    deep = ids % 2 == 0
    mag[deep, 0] = err[deep, 0] = np.nan
    mag[1::20, 0] = err[1::20, 0] = np.nan  # nor has every galaxy of the other survey one
    labels = {"many_band": np.where(deep, z, np.nan), "spec": np.where(deep, np.nan, z)}
    system = np.where(deep, "des", "egs")
    return GalaxySet(ids, BANDS, mag, err, labels, split_by_id(ids), system)


@pytest.fixture(scope="module")
def galaxies() -> GalaxySet:
    return two_surveys()


@pytest.fixture(params=NETWORKS)
def network(request: pytest.FixtureRequest) -> Network:
    return NETWORKS[request.param]


@pytest.fixture(scope="module")
def model(galaxies: GalaxySet) -> Ensemble:
    longer = BOTH.model_copy(update={"epochs": 60})
    return fit(galaxies, Recipe(steps=(longer,), network=NETWORKS["fused"]), members=2)


def test_they_are_the_bands_that_the_first_steps_galaxies_have_and_some_table_lacks(galaxies: GalaxySet) -> None:
    def of(*truths: str, **network: object) -> Ensemble:
        steps = tuple(Step(truths=(truth,), epochs=1) for truth in truths)
        return untrained(galaxies, Recipe(steps=steps, network=Network(**network)), members=1)

    both = untrained(galaxies, Recipe(steps=(BOTH,)), members=1)
    assert (both.bands, both.own_bands) == (("g", "r", "i", "u"), ("u",))
    assert of("spec", "many_band").own_bands == ("u",)
    assert of("many_band", "spec").own_bands == (), "the inputs of a first step without u are those of all its steps"
    assert of("many_band").bands == ("g", "r", "i")
    assert of("spec", own_bands=()).bands == ("g", "r", "i")
    assert of("spec", own_bands=("r", "u")).bands == ("g", "i", "r", "u"), "any band may be made one to do without"
    one_survey = galaxies.rows(galaxies.has("spec"))
    assert untrained(one_survey, Recipe(steps=(BOTH,)), members=1).own_bands == ()


def test_what_cannot_be_their_reference_or_is_no_band_is_refused(galaxies: GalaxySet) -> None:
    with pytest.raises(MixzError, match="bands that every table has: g, r, i"):
        untrained(galaxies, Recipe(steps=(BOTH,)), ref_band="u")
    with pytest.raises(MixzError, match="own_bands: y"):
        untrained(galaxies, Recipe(steps=(BOTH,), network=Network(own_bands=("y",))))
    u_only = np.where((galaxies.system == "egs")[:, None], [0, np.nan, np.nan, np.nan], 0)
    apart = replace(galaxies, mag=galaxies.mag + u_only)
    with pytest.raises(MixzError, match="use tables that share bands"):
        untrained(apart, Recipe(steps=(BOTH,)))


def test_a_network_begins_as_if_it_did_not_see_them(galaxies: GalaxySet, network: Network) -> None:
    model = untrained(galaxies, Recipe(steps=(BOTH,), network=replace_kind(network)), members=2)
    with_u, without = (model.predict(asked).z_phot_members for asked in (galaxies, galaxies.without(["u"])))
    np.testing.assert_array_equal(with_u, without)


def replace_kind(network: Network) -> Network:
    """The network with weights that do not scatter, so that nothing of a band that is not seen can come through."""
    return network.model_copy(update={"kind": "dense"})


def test_a_member_of_a_stack_equals_itself_alone(galaxies: GalaxySet, network: Network) -> None:
    start = untrained(galaxies, Recipe(steps=(BOTH,), network=network), members=3, seed=1)
    whole, alone = (fine_tune(e, galaxies, BOTH, machine=Machine(cores=1)) for e in (start, start.subset([2])))
    for name, weight in alone.weights.items():
        torch.testing.assert_close(weight[0], whole.weights[name][2], rtol=1e-3, atol=1e-4)


def test_what_is_saved_predicts_the_same_in_pieces(galaxies: GalaxySet, network: Network, tmp_path: Path) -> None:
    model = fit(galaxies, Recipe(steps=(BOTH,), network=network), members=2)
    save_model(model, tmp_path / "model")
    again = load_model(tmp_path / "model")
    assert same(model, again)
    assert (again.bands, again.own_bands) == (model.bands, ("u",))
    whole = model.predict(galaxies)
    np.testing.assert_array_equal(whole.z_phot_members, again.predict(galaxies).z_phot_members)
    pieces = [model.predict(galaxies.rows(rows)) for rows in np.array_split(np.arange(len(galaxies)), 7)]
    joined = np.concatenate([piece.z_phot_members for piece in pieces], axis=1)
    np.testing.assert_allclose(joined, whole.z_phot_members, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", ["fused", "everything"])
def test_as_onnx_it_says_the_same(galaxies: GalaxySet, name: str, tmp_path: Path) -> None:
    pytest.importorskip("onnxscript", reason="needs mixz[onnx]")
    # Own bands are inputs: what a graph makes of densities is no matter here, and takes longest to export.
    network = replace_kind(NETWORKS[name]).model_copy(update={"head": "point"})
    model = fit(galaxies, Recipe(steps=(BOTH,), network=network), members=1)
    export_onnx(model, tmp_path / "model.onnx")
    exported = OnnxModel.load(tmp_path / "model.onnx")
    assert exported.own_bands == ("u",)
    for asked in (galaxies, galaxies.without(["u"]), lacking_u(galaxies)):
        np.testing.assert_allclose(
            exported.predict(asked).z_phot_members, model.predict(asked).z_phot_members, atol=2e-4
        )


def lacking_u(galaxies: GalaxySet) -> GalaxySet:
    """The galaxies of a table that has no such column."""
    mag, err = galaxies.in_bands(("i", "r", "g"))
    return replace(galaxies, bands=("i", "r", "g"), mag=mag, mag_err=err)


def test_frozen_layers_hold_them_too(galaxies: GalaxySet, model: Ensemble) -> None:
    after = fine_tune(model, galaxies, Step(truths=("spec",), freeze=1, epochs=1, batch_size=32, lr=1e-2))
    assert torch.equal(after.weights["hidden.0.weight"], model.weights["hidden.0.weight"])
    assert not torch.equal(after.weights["hidden.1.weight"], model.weights["hidden.1.weight"])


def test_they_are_used_where_they_are_and_missed_nowhere(galaxies: GalaxySet, model: Ensemble) -> None:
    spec = galaxies.rows(galaxies.has("spec") & galaxies.measured(["u"]))

    def scatter(asked: GalaxySet) -> float:
        return float(np.median(np.abs(model.predict(asked).z_phot - spec.z["spec"])))

    assert scatter(spec) < 0.75 * scatter(spec.without(["u"]))
    everyone = model.predict(galaxies)
    assert np.isfinite(everyone.z_phot).all()
    assert everyone.support is not None
    assert np.mean(everyone.support > 0) > 0.9
    without, lacking = (model.predict(asked) for asked in (galaxies.without(["u"]), lacking_u(galaxies)))
    np.testing.assert_array_equal(without.z_phot_members, lacking.z_phot_members)


@pytest.mark.parametrize(("mag", "err"), [(23.0, 0.8), (45.0, 0.1), (5.0, 0.1)])
def test_absurd_values_count_as_missing(galaxies: GalaxySet, model: Ensemble, mag: float, err: float) -> None:
    spec = galaxies.rows(galaxies.has("spec"))
    mags, errors = np.array(spec.mag), np.array(spec.mag_err)
    mags[:, 0], errors[:, 0] = mag, err
    absurd = replace(spec, mag=mags, mag_err=errors)
    np.testing.assert_array_equal(
        model.predict(absurd).z_phot_members, model.predict(spec.without(["u"])).z_phot_members
    )


def test_unknown_errors_are_trusted(galaxies: GalaxySet, model: Ensemble) -> None:
    spec = galaxies.rows(galaxies.has("spec"))
    unsaid = replace(spec, mag_err=np.full(spec.mag.shape, np.nan))
    np.testing.assert_array_equal(model.predict(unsaid).z_phot_members, model.predict(spec).z_phot_members)


def test_asinh_networks_see_that_nothing_was_seen(galaxies: GalaxySet) -> None:
    model = untrained(galaxies, Recipe(steps=(BOTH,), network=Network(asinh=True)), members=1)
    spec = galaxies.rows(galaxies.has("spec") & galaxies.measured(["u"]))
    mag, err = np.array(spec.mag), np.array(spec.mag_err)
    mag[:, 0], err[:, 0] = np.nan, np.inf
    x = model.features(model.photometry(replace(spec, mag=mag, mag_err=err)))
    assert (x[:, -1] == 1).any()
    assert (x[:, -2][x[:, -1] == 1] > 0.5).all(), "fainter than most"


def test_each_epoch_drops_them_from_half_of_the_galaxies(galaxies: GalaxySet) -> None:
    model = untrained(galaxies, Recipe(steps=(BOTH,), network=Network()), members=1)
    spec = galaxies.rows(galaxies.has("spec"))
    photometry = model.photometry(spec)
    whole = model.features(photometry)
    renew = augmentation(model.features, photometry, torch.zeros(len(spec)), seed=1)
    assert renew is not None
    epochs = [renew(number) for number in range(20)]
    had = whole[:, -1] == 1
    kept = torch.stack([x[:, -1] for x in epochs])[:, had]
    assert kept.mean() == pytest.approx(0.5, abs=0.05)
    assert ((kept.mean(dim=0) > 0) & (kept.mean(dim=0) < 1)).all(), "others in each epoch"
    for x in epochs:
        torch.testing.assert_close(x[:, :3], whole[:, :3], rtol=0, atol=0)
        gone = x[:, -1] == 0
        assert (x[gone, -2] == 0).all()
        assert torch.equal(x[~gone], whole[~gone])


def test_what_judges_a_training_has_and_lacks_them_too_and_is_the_same_in_every_epoch(galaxies: GalaxySet) -> None:
    model = untrained(galaxies, Recipe(steps=(BOTH,), network=Network()), members=1)
    first, second = (rows_of(model, galaxies, BOTH, "validation", KNOWN_TRUTHS, None) for _ in range(2))
    assert torch.equal(first.x, second.x)
    assert first.renew is None
    seen = model.features(model.photometry(galaxies.in_split("validation")))[:, -1].sum()
    assert 0.2 * seen < first.x[:, -1].sum() < 0.8 * seen
    always = untrained(galaxies, Recipe(steps=(BOTH,), network=Network(drop_own=0.0)), members=1)
    assert rows_of(always, galaxies, BOTH, "train", KNOWN_TRUTHS, None).renew is None


def test_a_student_is_taught_with_and_without_them(galaxies: GalaxySet, model: Ensemble) -> None:
    step = BOTH.model_copy(update={"epochs": 60})
    student = distil(model, galaxies, step, hidden=(32, 32)).model
    assert student.own_bands == ("u",)
    for asked in (galaxies, galaxies.without(["u"])):
        apart = np.abs(student.predict(asked).z_phot - model.predict(asked).z_phot)
        assert np.median(apart) < 0.06


def test_a_record_in_which_they_do_not_fit_is_damaged(model: Ensemble, tmp_path: Path) -> None:
    save_model(model, tmp_path / "model")
    told = json.loads((tmp_path / "model" / RECORD).read_text())
    ModelRecord.model_validate(told)
    for change in ({"own_bands": ["g"]}, {"own_bands": ["y"]}, {"own_bands": ["u", "u"]}):
        with pytest.raises(ValueError, match="own_bands"):
            ModelRecord.model_validate(told | {"network": told["network"] | change})
