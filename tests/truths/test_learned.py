"""Scales of kernels: found where labels were drawn with one, refused where too few galaxies tell."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from mixz import stages
from mixz.data.data_set.galaxies_file import read_provenance
from mixz.data.tables import read_table, write_table
from mixz.errors import MixzError
from mixz.model.folder import load_model
from mixz.settings.file import load_config
from mixz.settings.model_record import CARD
from mixz.stages.store.results import Results
from mixz.truths.corrected import CorrectedKernel
from mixz.truths.gaussian import GaussianKernel
from mixz.truths.kernel import Kernel
from mixz.truths.known import COSMOS2020
from mixz.truths.learned import fit_scale, learned_corrections, learned_scales
from mixz.truths.likelihood import Labels
from mixz.truths.reported import ReportedKernel
from mixz.truths.table import TableKernel
from mixz.truths.truth import Truth

COUNT = 3000
TRUE = {
    "gaussian": GaussianKernel(0.02),
    "cosmos2020": COSMOS2020,
    "reported": ReportedKernel(fallback=GaussianKernel(0.02), outliers=0.02),
    "table": TableKernel(((-0.05, 0.0, 0.05),), ((0.0, 20.0, 0.0),)),
}


@pytest.mark.parametrize("scale", [0.6, 1.7])
@pytest.mark.parametrize("kernel", TRUE.values(), ids=TRUE)
def test_a_known_scale_is_found(kernel: Kernel, scale: float) -> None:
    rng = np.random.default_rng(1)
    z, mag_ref = rng.uniform(0.3, 1.5, COUNT), rng.uniform(20, 24, COUNT)
    z_err = rng.uniform(0.01, 0.05, (COUNT, 2))
    z_err[::3] = np.nan
    wider = Truth("many_band", kernel).scaled(scale)
    label = Labels(wider, z, mag_ref, z_err).draw(z, seed=2).z
    found = fit_scale(Labels(Truth("many_band", kernel), label, mag_ref, z_err), z=z)
    assert found.pairs == COUNT
    assert found.error < 0.1
    assert found.scale == pytest.approx(scale, abs=4 * found.error)


def test_the_error_of_a_scale_is_that_of_a_standard_deviation() -> None:
    z = np.full(COUNT, 1.0)
    truth, mag_ref = Truth("many_band", GaussianKernel(0.02)), np.full(COUNT, 22.0)
    found = fit_scale(Labels(truth, Labels(truth, z, mag_ref).draw(z, seed=3).z, mag_ref), z=z)
    assert found.error == pytest.approx(found.scale / np.sqrt(2 * COUNT), rel=0.02)


def test_a_few_outliers_do_not_widen_a_gaussian() -> None:
    z = np.full(1000, 1.0)
    truth, mag_ref = Truth("many_band", GaussianKernel(0.02)), np.full(1000, 22.0)
    label = Labels(truth, z, mag_ref).draw(z, seed=1).z.copy()
    label[:20] += 1.5
    assert fit_scale(Labels(truth, label, mag_ref), z=z).scale < 1.15


def test_labels_of_other_galaxies_are_refused() -> None:
    z = np.random.default_rng(1).uniform(0.1, 3, 500)
    with pytest.raises(MixzError, match="times as far off"):
        fit_scale(Labels(Truth("many_band", GaussianKernel(0.001)), z[::-1], np.full(500, 22.0)), z=z)


@pytest.fixture
def both(toy_settings: dict[str, Any], tmp_path: Any) -> dict[str, Any]:
    """Put spectra into the deep table too, which the run is told of."""
    deep = read_table(tmp_path / "deep.parquet")
    rng = np.random.default_rng(3)
    z_spec = deep["z_many"] + 0.04 * (1 + deep["z_many"]) * rng.standard_normal(len(deep))
    write_table(deep.assign(z_spec=z_spec.clip(lower=0.01)), tmp_path / "deep.parquet")
    toy_settings["tables"][0]["truths"]["spec"] = "z_spec"
    toy_settings["truths"] = {"many_band": {"kernel": "gaussian", "sigma": 0.02, "learn_scale": True}}
    toy_settings["recipes"] = ["base"]
    return toy_settings


def test_a_run_learns_it_and_tells(both: dict[str, Any], write_config: Any, console: Console) -> None:

    config = load_config(write_config(both))
    stages.build(config)
    results = Results(config)
    kernel = results.truths()["many_band"].kernel
    assert isinstance(kernel, GaussianKernel)
    assert 0.03 < kernel.sigma < 0.05
    assert "times as far off, from" in results.card_path.read_text()
    (path,) = stages.train(config, console)
    told = load_model(path).provenance["kernel_scales"]["many_band"]
    assert told["scale"] == pytest.approx(kernel.sigma / 0.02)
    assert told["pairs"] > 200


@pytest.mark.parametrize("learn", ["learn_scale", "learn_kernel"])
def test_training_calibration_judging_and_report_ask_the_same_truths(
    both: dict[str, Any], learn: str, write_config: Any, console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mixz.model import finish
    from mixz.model.training import step
    from mixz.stages.evaluate import _Judging
    from mixz.stages.runs import read_run

    both["truths"]["many_band"] = {"kernel": "gaussian", "sigma": 0.02, learn: True}
    config = load_config(write_config(both | {"recipes": ["fused"], "networks": {"fused": {"nodes": 40}}}))
    asked: dict[str, list[Any]] = {}

    def watched(name: str, owner: Any, said: Callable[..., Any]) -> None:
        own = getattr(owner, name)

        def watch(*given: Any, **named: Any) -> Any:
            asked.setdefault(name, []).append(said(given, named))
            return own(*given, **named)

        monkeypatch.setattr(owner, name, watch)

    watched("train_members", step, lambda _, named: named["truths"])
    for name in ("_calibrated", "_support"):
        watched(name, finish, lambda given, _: given[3])
    watched("judge", _Judging, lambda given, _: given[1].labels.truth)
    stages.build(config)
    stages.train(config, console)
    stages.evaluate(config, console, resamples=0)
    truths = Results(config).truths()
    assert truths["many_band"] != config.known_truths()["many_band"], "a kernel was learned"
    for name in ("train_members", "_calibrated", "_support"):
        assert set(asked[name]) == {truths}, name
    assert set(asked["judge"]) == {truths["many_band"], truths["spec"]}
    run = read_run(config)
    assert run.known == truths
    assert run.labels("many_band", np.arange(3)).truth == truths["many_band"]


def test_a_run_learns_a_kernel_per_magnitude_and_tells(
    both: dict[str, Any], write_config: Any, console: Console
) -> None:
    both["truths"]["many_band"] = {"kernel": "gaussian", "sigma": 0.02, "learn_kernel": True}
    config = load_config(write_config(both))
    stages.build(config)
    results = Results(config)
    kernel = results.truths()["many_band"].kernel
    assert isinstance(kernel, CorrectedKernel)
    assert kernel.prior == GaussianKernel(0.02)
    assert kernel.width[2] == pytest.approx(2, abs=0.6), "labels of galaxies of i 21 to 22 were drawn so far off"
    assert (kernel.width[0], kernel.outliers[0]) == (1.0, None), "there is no galaxy brighter than 20"
    card = results.card_path.read_text()
    assert "corrected per magnitude in i" in card
    assert "brightest: no galaxies, as it was" in card
    (path,) = stages.train(config, console)
    assert "corrected per magnitude by galaxies with both labels" in (path / CARD).read_text()
    told = load_model(path).provenance["kernel_corrections"]["many_band"]
    assert tuple(told["borders"]) == kernel.mag_borders
    assert tuple(found["width"] for found in told["bins"]) == kernel.width


def test_a_kernel_is_learned_from_another_table(both: dict[str, Any], write_config: Any, tmp_path: Any) -> None:
    pairs = read_table(tmp_path / "deep.parquet").rename(columns={"mag_i": "m", "z_many": "photoz", "z_spec": "specz"})
    pairs.loc[:99, "m"] = 99.0  # not observed: counted by nobody
    write_table(pairs[["m", "photoz", "specz"]], tmp_path / "pairs.csv")
    both["tables"][0]["truths"] = {"many_band": "z_many"}
    table = {
        "path": "pairs.csv",
        "columns": {"mag": {"i": "m"}, "mag_err": None},
        "truths": {"many_band": "photoz", "compiled": "specz"},
    }
    both["truths"] = {
        "many_band": {"kernel": "gaussian", "sigma": 0.02, "learn_kernel": True, "learn_from": table},
        "compiled": {"kernel": "exact"},
    }
    config = load_config(write_config(both))
    stages.build(config)
    kernel = Results(config).truths()["many_band"].kernel
    assert isinstance(kernel, CorrectedKernel)
    assert kernel.width[2] == pytest.approx(2, abs=0.6)
    about = read_provenance(Results(config).galaxies_path)
    assert sum(found["galaxies"] for found in about["kernel_corrections"]["many_band"]["bins"]) == len(pairs) - 100
    assert "pairs.csv" in {one["name"] for one in about["inputs"]}
    assert str(tmp_path) not in str(about)
    assert Results(config).read_galaxies().truths == ("many_band", "spec"), "they are no part of the data set"
    write_table(pairs[["m", "photoz", "specz"]].iloc[:-1], tmp_path / "pairs.csv")
    with pytest.raises(MixzError, match=r"pairs.csv has changed since"):
        Results(config).read_galaxies()


def test_the_compilation_of_spectra_stands_beside_labels_by_a_match_on_the_sky(
    both: dict[str, Any], write_config: Any, tmp_path: Any
) -> None:
    deep = read_table(tmp_path / "deep.parquet")
    rng = np.random.default_rng(2)
    ra, dec = rng.uniform(149.6, 150.6, len(deep)), rng.uniform(1.7, 2.7, len(deep))
    labels = deep[["mag_i", "z_many"]].assign(ra=ra, dec=dec)
    write_table(labels, tmp_path / "cosmos.parquet")
    compiled = deep[["z_spec"]].rename(columns={"z_spec": "specz"}).assign(ra_corrected=ra, dec_corrected=dec)
    compiled["Id_specz"], compiled["Confidence_level"] = (
        np.arange(len(deep)),
        np.where(np.arange(len(deep)) % 4, 97, 50),
    )
    compiled.loc[compiled["Confidence_level"] == 50, "specz"] = 1.3  # guesses, which nobody should learn from
    write_table(compiled, tmp_path / "specz_compilation_COSMOS_DR1.1_unique.fits")
    both["tables"][0]["truths"] = {"many_band": "z_many"}
    table = {
        "path": "cosmos.parquet",
        "columns": {"ra": "ra", "dec": "dec", "mag_err": None},
        "truths": {"many_band": "z_many"},
        "match": [{"survey": "cosmos_specz", "path": ".", "cuts": ["redshift_range", "secure"]}],
    }
    both["truths"]["many_band"] = {"kernel": "gaussian", "sigma": 0.02, "learn_kernel": True, "learn_from": table}
    config = load_config(write_config(both))
    stages.build(config)
    kernel = Results(config).truths()["many_band"].kernel
    assert isinstance(kernel, CorrectedKernel)
    assert kernel.width[2] == pytest.approx(2, abs=0.6)
    found = read_provenance(Results(config).galaxies_path)["kernel_corrections"]["many_band"]["bins"]
    assert sum(one["galaxies"] for one in found) == (compiled["Confidence_level"] > 95).sum()


def test_too_few_pairs_are_refused_with_their_number(both: dict[str, Any], write_config: Any) -> None:
    both["tables"][0]["cuts"] = [{"name": "few", "column": "z_spec", "max": 0.1}]
    with pytest.raises(MixzError, match=r"truths.many_band, learn_scale: only \d+ galaxies to learn from"):
        stages.build(load_config(write_config(both)))


def test_the_truth_of_a_simulation_teaches_no_scale(both: dict[str, Any], write_config: Any) -> None:
    from mixz.data.build import build_galaxies

    both["tables"][0]["truths"] = {"many_band": "z_many", "true": "z_spec"}
    config = load_config(write_config(both))
    galaxies, _ = build_galaxies(config)
    with pytest.raises(MixzError, match="only 0 galaxies"):
        learned_scales(config.known_truths(), {"many_band": galaxies}, ref_band="i")
    with pytest.raises(MixzError, match="learn_kernel: no galaxy has this label and an exact one"):
        learned_corrections(config.known_truths(), {"many_band": galaxies}, ref_band="i")


def test_what_a_table_holds_is_in_the_digest(both: dict[str, Any], write_config: Any, tmp_path: Any) -> None:
    table = tmp_path / "kernel.csv"
    both["truths"] = {"many_band": {"kernel": "table", "table": "kernel.csv"}}
    table.write_text("dz,density\n-0.1,0\n0,1\n0.1,0\n")
    config = load_config(write_config(both))
    before = config.build_digest()
    assert isinstance(config.known_truths()["many_band"].kernel, TableKernel)
    table.write_text("dz,density\n-0.2,0\n0,1\n0.1,0\n")
    assert config.build_digest() != before
    table.unlink()
    with pytest.raises(MixzError, match="kernel.csv cannot be read"):
        config.build_digest()
