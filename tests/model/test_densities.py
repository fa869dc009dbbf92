"""Densities on the grid, and the likelihood of labels: against the definitions, and against scipy's integrals."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from toys import toy_galaxies

from mixz import metrics
from mixz.densities.estimates import ESTIMATES, estimates
from mixz.densities.grid import Grid, even_grid
from mixz.errors import MixzError
from mixz.model.distillation import distil
from mixz.model.fit import fit
from mixz.model.heads import head_of
from mixz.model.initial import untrained
from mixz.settings.network import Network
from mixz.settings.recipe import Recipe, Step
from mixz.truths import GaussianKernel, Truth, Truths

SMALL = {"hidden": (24, 24), "inputs": "whitened", "nodes": 60}
LIKELIHOOD = Step(truths=("many_band", "spec"), loss="label_likelihood", epochs=4, batch_size=32, lr=3e-3)


@pytest.fixture
def grid() -> Grid:
    return even_grid(120, 4.0)


@pytest.fixture
def mass(grid: Grid) -> torch.Tensor:
    """Densities of several shapes: narrow, wide, two peaks, at the grid's ends."""
    x = torch.log1p(torch.from_numpy(grid.z).float())
    shapes = [((0.4, 0.03, 1.0),), ((0.8, 0.2, 1.0),), ((0.3, 0.02, 0.7), (1.2, 0.05, 0.3)), ((0.0, 0.02, 1.0),)]
    peaks = [sum(w * torch.exp(-((x - m) ** 2) / (2 * s**2)) for m, s, w in shape) for shape in shapes]
    stacked = torch.stack(peaks)
    return stacked / stacked.sum(dim=1, keepdim=True)


def test_densities_integrate_to_one_by_the_trapezoidal_rule(grid: Grid, mass: torch.Tensor) -> None:
    area = np.trapezoid(grid.density(mass).numpy(), grid.z, axis=1)
    np.testing.assert_allclose(area, 1, rtol=1e-5)


def test_point_estimates_are_what_they_are_called(grid: Grid, mass: torch.Tensor) -> None:
    z, p = grid.z, grid.density(mass).double().numpy()
    found = {name: values.numpy() for name, values in estimates(mass, grid).items()}
    fine = np.linspace(0, 4, 20_001)
    for k in range(len(p)):
        density = np.interp(fine, z, p[k])
        assert found["zmode"][k] == pytest.approx(z[p[k].argmax()], abs=1e-6)
        assert found["zmean"][k] == pytest.approx(np.trapezoid(density * fine, fine), abs=1e-4)
        counts = density / (1 + fine) ** 2
        zrms = np.trapezoid(counts * fine, fine) / np.trapezoid(counts, fine)
        assert found["zrms"][k] == pytest.approx(zrms, abs=2e-3)
        risk = [
            np.trapezoid(density * metrics_loss(guess, fine), fine)
            for guess in np.linspace(found["zbest"][k] - 0.02, found["zbest"][k] + 0.02, 9).clip(0)
        ]
        assert min(risk) >= risk[4] - 2e-3 * max(risk)
    median = metrics.quantiles(p, z_grid=z, levels=[0.5])[:, 0]
    np.testing.assert_allclose(found["zmedian"], median, atol=1e-4)
    assert all(((found[name] >= 0) & (found[name] <= 4)).all() for name in ESTIMATES)


def metrics_loss(guess: float, z: np.ndarray) -> np.ndarray:
    scaled = ((guess - z) / (1 + z) / 0.15) ** 2
    return np.asarray(scaled / (1 + scaled))


def test_noisy_labels_teach_the_density_of_the_redshift() -> None:
    """Trained at face value a density is as wide as its labels; through the kernel, as the redshift; uncalibrated."""
    galaxies = toy_galaxies(3_000)
    noisy = np.maximum(
        galaxies.z["spec"] + np.random.default_rng(3).normal(0, 0.1, 3_000) * (1 + galaxies.z["spec"]), 0
    )
    galaxies = replace(galaxies, z={"many_band": noisy, "spec": galaxies.z["spec"]})
    network = Network(hidden=(32, 32), inputs="whitened", head="binned", nodes=80, calibrate=False)
    step = Step(truths=("many_band",), epochs=12, batch_size=64, lr=3e-3, schedule="cosine")
    truths = Truths((Truth("many_band", GaussianKernel(0.1)),))
    widths = []
    for loss in ("head", "label_likelihood"):
        change = step.model_copy(update={"loss": loss})
        model = fit(galaxies, Recipe(steps=(change,), network=network), members=1, truths=truths)
        z_sigma = model.predict(galaxies.in_split("test")).z_sigma
        assert z_sigma is not None
        widths.append(float(np.median(z_sigma)))
    assert widths[1] < 0.6 * widths[0]


@pytest.mark.parametrize("head", ["binned", "mixture"])
def test_predicted_densities_keep_the_laws(head: str) -> None:
    galaxies = toy_galaxies()
    model = fit(galaxies, Recipe(steps=(LIKELIHOOD,), network=Network(**SMALL, head=head)), members=2)
    whole = model.predict(galaxies)
    assert whole.pdf is not None
    assert whole.z_grid is not None
    assert (whole.pdf >= 0).all()
    np.testing.assert_allclose(np.trapezoid(whole.pdf, whole.z_grid, axis=1), 1, rtol=1e-5)
    assert (whole.z_phot == whole.points["zcore"]).all()
    chunks = [model.predict(galaxies.rows(rows)) for rows in np.array_split(np.arange(len(galaxies)), 5)]
    np.testing.assert_allclose(np.concatenate([c.pdf for c in chunks]), whole.pdf, rtol=1e-3, atol=1e-5)
    alone = [model.subset([k]).predict(galaxies).pdf for k in range(2)]
    np.testing.assert_allclose(np.mean(alone, axis=0), whole.pdf, rtol=1e-3, atol=1e-5)
    empty = model.predict(galaxies.rows(np.zeros(len(galaxies), bool)))
    assert empty.pdf is not None
    assert empty.pdf.shape == (0, 60)


def test_the_likelihood_of_labels_needs_a_density() -> None:
    with pytest.raises(MixzError, match="end in a point"):
        fit(toy_galaxies(), Recipe(steps=(LIKELIHOOD,)), members=1)


def test_the_grid_reaches_past_every_label() -> None:
    galaxies = toy_galaxies()
    model = untrained(galaxies, Recipe(steps=(LIKELIHOOD,), network=Network(**SMALL, head="binned")), members=1)
    highest = max(np.nanmax(z[galaxies.split != "test"]) for z in galaxies.z.values())
    assert model.network.z_max is not None
    assert highest < model.network.z_max <= highest + 0.5


def test_a_missing_band_is_no_end_where_networks_have_learnt_to_miss_it() -> None:
    galaxies = toy_galaxies(1_500)
    mag, err = galaxies.mag.copy(), galaxies.mag_err.copy()
    mag[:3, 1] = np.nan
    mag[3] = np.nan
    lacking = replace(galaxies, mag=mag, mag_err=err)
    step = LIKELIHOOD.model_copy(update={"epochs": 8})
    strict = fit(galaxies, Recipe(steps=(step,), network=Network(**SMALL, head="binned")), members=1)
    assert np.isnan(strict.predict(lacking).z_phot[:4]).all()
    model = fit(galaxies, Recipe(steps=(step,), network=Network(**SMALL, head="binned", drop_bands=0.5)), members=1)
    photoz = model.predict(lacking)
    assert np.isfinite(photoz.z_phot[:3]).all()
    assert np.isnan(photoz.z_phot[3])
    without = replace(galaxies, mag=np.where(np.arange(3) == 1, np.nan, galaxies.mag))
    dz = metrics.scaled_residual(z_phot=model.predict(without).z_phot, z_ref=galaxies.z["spec"])
    assert np.nanmedian(np.abs(dz)) < 0.1


def test_a_galaxy_without_an_error_is_no_lesson_for_networks_that_see_errors() -> None:
    galaxies = toy_galaxies(300)
    err = galaxies.mag_err.copy()
    err[:5, 2] = np.nan
    lacking = replace(galaxies, mag_err=err)
    for errors, share in (("plain", 0.0), ("robust", 0.0), ("robust", 0.3)):
        network = Network(**SMALL, head="binned", errors=errors, drop_bands=share)
        model = fit(lacking, Recipe(steps=(LIKELIHOOD,), network=network), members=1)
        assert np.isfinite(model.predict(lacking).z_phot[5:]).all()
        assert np.isfinite(model.predict(lacking).z_phot[:5]).all() == (share > 0)


def test_a_band_in_which_nothing_was_seen_is_a_very_faint_one() -> None:
    galaxies = toy_galaxies(600)
    mag, err = galaxies.mag.copy(), galaxies.mag_err.copy()
    faint = galaxies.mag[:, 0] > np.quantile(galaxies.mag[:, 0], 0.9)
    mag[faint, 0], err[faint, 0] = np.nan, np.inf
    lacking = replace(galaxies, mag=mag, mag_err=err)
    network = Network(**SMALL, head="binned", asinh=True)
    model = fit(lacking, Recipe(steps=(LIKELIHOOD,), network=network), members=1)
    x = model.features(model.photometry(lacking))
    assert x.isfinite().all()
    assert np.isfinite(model.predict(lacking).z_phot).all()
    deepest = lacking.rows(~faint).mag[:, 0].max()
    bent = float(model.features.softening[0])
    assert bent > deepest, "a non-detection lies beyond every detection"


def test_adapters_carry_one_photometric_system_into_the_other() -> None:
    galaxies = toy_galaxies(2_400)
    other = np.arange(len(galaxies)) % 2 == 1
    mag = galaxies.mag.copy()
    mag[other] += np.array([0.3, -0.2, 0.1], np.float32)
    mixed = replace(galaxies, mag=mag, system=np.where(other, "b", "a"))
    step = Step(truths=("spec",), loss="label_likelihood", epochs=15, batch_size=64, lr=5e-3, schedule="cosine")
    scatter = {}
    for systems in (True, False):
        network = Network(**SMALL | {"nodes": 150}, head="binned", systems=systems)
        model = fit(mixed, Recipe(steps=(step,), network=network), members=2)
        test = mixed.in_split("test")
        test = test.rows(test.has("spec"))
        scatter[systems] = metrics.sigma_mad(z_phot=model.predict(test).points["zbest"], z_ref=test.z["spec"])
        assert ("system.1.weight" in model.weights) == systems
        if systems:
            with pytest.raises(MixzError, match="systems the model knows: a, b"):
                model.predict(replace(test, system=np.full(len(test), "c")))
    assert scatter[True] < 0.85 * scatter[False]


def test_one_network_learns_to_say_what_the_ensemble_says() -> None:
    galaxies = toy_galaxies(1_200)
    noise = np.random.default_rng(5).normal(0, 0.3, galaxies.mag.shape)
    galaxies = replace(galaxies, mag=galaxies.mag + noise)
    step = LIKELIHOOD.model_copy(update={"epochs": 10, "schedule": "cosine"})
    teacher = fit(galaxies, Recipe(steps=(step,), network=Network(**SMALL, head="mixture")), members=3)
    short, long = (
        distil(teacher, galaxies, step.model_copy(update={"epochs": epochs}), hidden=(32, 32)) for epochs in (1, 40)
    )
    assert long.model.members == 1
    assert long.model.network.hidden == (32, 32)
    assert long.galaxies == int((galaxies.split == "test").sum())
    assert long.divergence < 0.25 * short.divergence
    assert long.divergence < 0.05
    with pytest.raises(MixzError, match="ends in a point"):
        distil(untrained(galaxies, Recipe(steps=(step,), network=Network())), galaxies, step)


def test_every_head_is_known_by_its_outputs() -> None:
    assert head_of(Network(head="binned", nodes=50, z_max=2)).outputs == 50
    assert head_of(Network(head="mixture", components=4, z_max=2)).outputs == 12
