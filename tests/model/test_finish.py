"""Finished models: what they keep, give and refuse, and what they learn anew when they are fine-tuned."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from toys import HEADS, toy_galaxies

from mixz.errors import MixzError
from mixz.galaxies import GalaxySet
from mixz.model.ensemble import Ensemble
from mixz.model.finish import finished
from mixz.model.fit import fine_tune, fit
from mixz.model.folder import load_model, save_model
from mixz.model.training.labels import kept_apart
from mixz.settings.recipe import Recipe, Step

STEP = Step(truths=("many_band", "spec"), loss="label_likelihood", epochs=3, batch_size=64, lr=2e-3)
HIGH = 21.0
"""Beyond any magnitude of the toys."""


@pytest.fixture(scope="module")
def many() -> GalaxySet:
    return toy_galaxies(4000)


@pytest.fixture(scope="module", params=["binned", "mixture"])
def model(request: pytest.FixtureRequest, many: GalaxySet) -> Ensemble:
    return fit(many, Recipe(steps=(STEP,), network=HEADS[request.param]), members=2)


def test_calibration_changes_densities_and_what_is_read_off_them(model: Ensemble, many: GalaxySet) -> None:
    assert model.held_out["calibrated"]
    apart = kept_apart(many)
    assert (many.split[apart] == "validation").all()
    assert sum(model.held_out["intervals"].values()) == apart.sum() > 100
    assert sum(model.held_out["galaxies"].values()) == (many.split == "validation").sum() - apart.sum()
    bare = replace(model, calibration=None).predict(many)
    photoz = model.predict(many)
    assert photoz.pdf is not None
    assert bare.pdf is not None
    assert not np.allclose(photoz.pdf, bare.pdf)
    assert photoz.pdf.min() >= 0
    np.testing.assert_allclose(np.trapezoid(photoz.pdf, photoz.z_grid, axis=1), 1, atol=1e-4)
    np.testing.assert_array_equal(photoz.z_phot_members, bare.z_phot_members)
    for low, high in ((photoz.intervals[a], photoz.intervals[b]) for a, b in (("68", "90"), ("90", "95"))):
        assert (high[:, 0] <= low[:, 0]).all()
        assert (high[:, 1] >= low[:, 1]).all()


def test_intervals_cover_test_galaxies(model: Ensemble, many: GalaxySet) -> None:
    test = many.in_split("test")
    test = test.rows(test.has("spec"))
    for level, ends in model.predict(test).intervals.items():
        inside = (test.z["spec"] >= ends[:, 0]) & (test.z["spec"] <= ends[:, 1])
        assert inside.mean() > int(level) / 100 - 0.06


def test_saving_loses_nothing(model: Ensemble, many: GalaxySet, tmp_path: Path) -> None:
    save_model(model, tmp_path / "model")
    again = load_model(tmp_path / "model")
    assert again.held_out == model.held_out
    before, after = model.predict(many), again.predict(many)
    np.testing.assert_array_equal(before.pdf, after.pdf)
    np.testing.assert_array_equal(before.support, after.support)
    for level, ends in before.intervals.items():
        np.testing.assert_array_equal(ends, after.intervals[level])


def test_chunks_change_nothing(model: Ensemble, many: GalaxySet) -> None:
    whole = model.predict(many)
    parts = [model.predict(many.rows(rows)) for rows in np.array_split(np.arange(len(many)), 7)]
    np.testing.assert_allclose(np.concatenate([part.pdf for part in parts]), whole.pdf, rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal(np.concatenate([part.support for part in parts]), whole.support)
    empty = model.predict(many.rows(np.zeros(len(many), bool)))
    assert (empty.pdf.shape[0], empty.intervals["68"].shape, len(empty.support)) == (0, (0, 2), 0)


def test_support_knows_training_from_elsewhere(model: Ensemble, many: GalaxySet) -> None:
    assert (model.predict(many).support == 2).mean() > 0.9
    far = replace(many, mag=many.mag + HIGH)
    assert (model.predict(far).support == 0).all()
    lost = many.mag.copy()
    lost[:, 0] = np.nan
    flags = model.predict(replace(many, mag=lost)).support
    assert flags is not None
    if model.network.drop_bands:
        assert (flags == 2).mean() > 0.8
    else:
        assert (flags == 0).all()
    nothing = model.predict(replace(many, mag=np.full_like(lost, np.nan)))
    assert (nothing.support == 0).all()
    assert nothing.pdf is not None
    assert np.isnan(nothing.pdf).all()
    assert np.isnan(nothing.intervals["68"]).all()


def test_an_unknown_reference_magnitude_is_no_obstacle(many: GalaxySet) -> None:
    trained = fit(many, Recipe(steps=(STEP,), network=HEADS["binned"]), members=1)
    lost = many.mag.copy()
    lost[:, many.bands.index(trained.ref_band)] = np.nan
    photoz = trained.predict(replace(many, mag=lost))
    assert np.isfinite(photoz.z_phot).all()
    assert np.isfinite(photoz.intervals["95"]).all()


def test_what_is_fine_tuned_is_calibrated_anew(model: Ensemble, many: GalaxySet) -> None:
    spectra = many.rows(many.has("spec"))
    again = fine_tune(model, replace(spectra, z={"spec": spectra.z["spec"]}), Step(truths=("spec",), epochs=1))
    assert again.calibration is not None
    assert again.intervals is not None
    validates, apart = spectra.split == "validation", kept_apart(spectra)
    assert again.held_out["galaxies"] == {"spec": int((validates & ~apart).sum())}
    assert again.held_out["intervals"] == {"spec": int(apart.sum())}
    assert again.support is not None
    assert len(again.support.by_others) == 0, "these galaxies have spectra only"
    assert model.support is not None
    assert len(model.support.by_others) > 0


def test_parts_are_not_calibrated(model: Ensemble) -> None:
    one = model.subset([1])
    assert (one.calibration, one.intervals, one.held_out) == (None, None, {})
    assert one.support is model.support


def test_too_few_held_out_galaxies_are_said_so(tmp_path: Path) -> None:
    few = toy_galaxies(240)
    model = fit(few, Recipe(steps=(STEP,), network=HEADS["binned"]), members=1)
    assert model.calibration is None
    assert "held-out galaxies; calibrating takes 200" in model.held_out["why"]
    assert model.predict(few).intervals == {}
    save_model(model, tmp_path / "model")
    assert load_model(tmp_path / "model").held_out == model.held_out


def test_a_truth_without_held_out_galaxies_is_named(many: GalaxySet) -> None:
    label = np.where(many.split == "validation", np.nan, many.z["spec"])
    model = fit(many, Recipe(steps=(STEP,), network=HEADS["binned"]), members=1)
    calibrated = finished(model, replace(many, z=dict(many.z) | {"spec": label}))
    assert calibrated.held_out["calibrated"]
    assert "spec: 0 galaxies were kept apart, too few" in calibrated.held_out["why"]


def test_no_held_out_galaxy_at_all_is_refused(many: GalaxySet) -> None:
    model = fit(many, Recipe(steps=(STEP,), network=HEADS["binned"]), members=1)
    with pytest.raises(MixzError, match="no held-out galaxy has a label of many_band or spec"):
        finished(model, many.rows(many.split != "validation"))


def test_calibration_can_be_switched_off_and_needs_a_density(many: GalaxySet) -> None:
    off = HEADS["binned"].model_copy(update={"calibrate": False})
    model = fit(many, Recipe(steps=(STEP,), network=off), members=1)
    assert (model.calibration, model.intervals, model.held_out) == (None, None, {})
    point = fit(many, Recipe(steps=(Step(truths=("spec",), epochs=1),), network=HEADS["point"]), members=1)
    assert (point.calibration, point.intervals, point.held_out) == (None, None, {})
    assert point.predict(many).support is not None


def test_a_damaged_calibration_is_refused(model: Ensemble, tmp_path: Path) -> None:
    save_model(model, tmp_path / "model")
    about = tmp_path / "model" / "model.json"
    about.write_text(about.read_text().replace('"calibration"', '"other"'))
    with pytest.raises(MixzError, match="damaged"):
        load_model(tmp_path / "model")


def test_a_band_that_stands_for_i_is_noted(many: GalaxySet) -> None:
    """Only where some believed truth's labels are not exact: those of spectra are as wrong at every magnitude."""
    bands = replace(many, bands=("u", "g", "r"))
    spectra = Step(truths=("spec",), loss="label_likelihood", epochs=1, batch_size=64)
    for step, noted in ((STEP.model_copy(update={"epochs": 1}), True), (spectra, False)):
        model = fit(bands, Recipe(steps=(step,), network=HEADS["mixture"]), members=1)
        assert model.ref_band == "r"
        assert model.held_out.get("ref_band", "").startswith("ref_band: r stands for i") == noted
    upper = fit(replace(many, bands=("I", "Z", "Y")), Recipe(steps=(STEP,), network=HEADS["mixture"]), members=1)
    assert upper.ref_band == "I"
    assert "ref_band" not in upper.held_out


def test_nothing_but_intervals_looks_at_the_galaxies_kept_apart(many: GalaxySet) -> None:
    """Whatever their labels are, training and calibration come out the same; only the intervals do not."""
    apart = kept_apart(many)
    moved = {name: np.where(apart, z + 0.3, z) for name, z in many.z.items()}
    recipe = Recipe(steps=(STEP,), network=HEADS["binned"])
    model, other = (fit(replace(many, z=z), recipe, members=1) for z in (dict(many.z), moved))
    for name, weight in model.weights.items():
        assert (weight == other.weights[name]).all()
    assert model.calibration is not None
    assert other.calibration is not None
    np.testing.assert_array_equal(model.calibration.height, other.calibration.height)
    assert model.intervals is not None
    assert other.intervals is not None
    assert (other.intervals.reach > model.intervals.reach).all()


def test_few_validation_galaxies_are_all_used_and_promise_no_intervals(many: GalaxySet) -> None:
    validates = np.flatnonzero(many.split == "validation")
    fewer = many.rows(np.setdiff1d(np.arange(len(many)), validates[250:]))
    assert not kept_apart(fewer).any()
    model = fit(fewer, Recipe(steps=(STEP,), network=HEADS["binned"]), members=1)
    assert sum(model.held_out["galaxies"].values()) == 250
    assert model.calibration is not None
    assert model.intervals is None
    assert model.held_out["why"].startswith("no intervals: ")


def test_galaxies_kept_apart_without_the_models_labels_promise_no_intervals(many: GalaxySet) -> None:
    """A simulation's own truth labels them all; the model believes labels that none of them has."""
    apart = kept_apart(many)
    z = {name: np.where(apart, np.nan, label) for name, label in many.z.items()} | {"true": np.ones(len(many))}
    model = fit(replace(many, z=z), Recipe(steps=(STEP,), network=HEADS["binned"]), members=1)
    assert model.calibration is not None
    assert model.intervals is None
    assert model.held_out["why"].startswith("no intervals: ")
