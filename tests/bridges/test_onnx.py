"""An exported ensemble says what the ensemble says, without torch; and what is refused."""

from __future__ import annotations

import re
from dataclasses import replace
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from light import run_without
from mixz.bridges.model_columns import Asked
from mixz.bridges.onnx_export import Graph, export_onnx
from mixz.bridges.onnx_files import OnnxModel
from mixz.bridges.onnx_format import ONNX_FORMAT
from mixz.data.split import split_by_id
from mixz.densities.calibration import KNOTS, Calibration
from mixz.densities.intervals import Intervals
from mixz.densities.quality import Risk
from mixz.digest import MARK, OPEN_SEAL, seal
from mixz.errors import MixzError, pip_install
from mixz.galaxies import GalaxySet
from mixz.model.ensemble import Ensemble
from mixz.model.fit import fit
from mixz.model.folder import save_model
from mixz.photoz import PhotoZ
from mixz.settings.network import Network
from mixz.settings.recipe import Recipe, Step
from mixz.stages.store.photoz_tables import photoz_frame

pytest.importorskip("onnxruntime", reason="needs mixz[onnx]")
pytest.importorskip("onnxscript", reason="needs mixz[onnx]")

BANDS = ("g", "r", "i")
STEP = Step(truths=("spec",), epochs=2, batch_size=32)

# Every part of the map to inputs, a head that ends in a density, weights with a spread.
EVERYTHING = Network(
    hidden=(12, 8),
    head="binned",
    nodes=30,
    kind="bayesian",
    draws=2,
    inputs="whitened",
    systems=True,
    asinh=True,
    drop_bands=0.2,
    errors="plain",
)


def galaxies(count: int = 200) -> GalaxySet:
    """Simulate galaxies of two systems, some bands missing, some not detected."""
    rng, ids = np.random.default_rng(3), np.arange(count)
    z = rng.uniform(0.1, 1.5, count)
    mag = 22 + rng.normal(0, 1, (count, 1)) + z[:, None] * np.array([2.0, 0.5, 0.0]) + rng.normal(0, 0.3, (count, 3))
    system = np.where(ids % 3 == 0, "des", "hsc")
    return GalaxySet(ids, BANDS, mag, np.full(mag.shape, 0.05), {"spec": z}, split_by_id(ids), system)


def with_holes(whole: GalaxySet) -> GalaxySet:
    """Lose bands: one, two, all; and let some be observed without a detection."""
    mag, err = np.array(whole.mag), np.array(whole.mag_err)
    for rows, band in ((slice(0, None, 5), 0), (slice(1, None, 7), 2)):
        mag[rows, band] = err[rows, band] = np.nan
    mag[3] = err[3] = np.nan
    mag[10:20, 0], err[10:20, 0] = np.nan, np.inf
    return replace(whole, mag=mag, mag_err=err)


@pytest.fixture(scope="module")
def ensemble() -> Ensemble:
    return fit(galaxies(), Recipe(steps=(STEP,), network=EVERYTHING), members=3)


def largest_difference(one: PhotoZ, other: PhotoZ, name: str) -> float:
    a, b = np.asarray(getattr(one, name), float), np.asarray(getattr(other, name), float)
    assert a.shape == b.shape
    assert np.array_equal(np.isnan(a), np.isnan(b)), name
    return float(np.nanmax(np.abs(a - b)))


@pytest.fixture(scope="module")
def whole(ensemble: Ensemble) -> Ensemble:
    """An ensemble with everything that is fitted afterwards."""
    knots = np.array(KNOTS)
    height = np.stack([0.6 * knots, knots + 0.3, 1.5 * knots - 0.2])
    height = np.stack([height, 0.9 * height])
    return replace(
        ensemble,
        calibration=Calibration([21.0, 22.5, 24.0], knots, height),
        intervals=Intervals([21.8, 22.6], [[0.6, 0.8, 0.9], [0.7, 0.9, 0.97], [0.5, 0.6, 0.7]]),
        risk=Risk([-0.1, 0.7, 0.4, 0.2]),
    )


@pytest.fixture(scope="module")
def whole_exported(whole: Ensemble, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("onnx") / "whole.onnx"
    export_onnx(whole, path)
    return path


def far_away(asked: GalaxySet) -> GalaxySet:
    """Take every fourth galaxy to where no training galaxy is."""
    mag = np.array(asked.mag)
    mag[::4] += 5
    return replace(asked, mag=mag)


def test_a_whole_ensemble_says_the_same(ensemble: Ensemble, whole: Ensemble, whole_exported: Path) -> None:
    asked = far_away(with_holes(galaxies()))
    here, there = whole.predict(asked), OnnxModel.load(whole_exported).predict(asked)
    assert int(np.isnan(here.z_phot).sum()) == 1
    assert largest_difference(here, ensemble.predict(asked), "pdf") > 0.01, "calibration changes the densities"
    for name in ("pdf", "z_grid", "z_rms_members", "z_sigma_members"):
        assert largest_difference(here, there, name) < 1e-5, name
    assert largest_difference(here, there, "z_phot_members") < 1e-4, "where its risk is flat, zcore is less sure"
    assert set(there.points) == set(here.points) > {"zmode", "zmean", "zmedian", "zbest"}
    for name, z in here.points.items():
        np.testing.assert_allclose(there.points[name], z, atol=1e-4, err_msg=name)
    assert list(here.intervals) == list(there.intervals) == ["68", "90", "95"]
    for level, ends in here.intervals.items():
        np.testing.assert_allclose(there.intervals[level], ends, atol=1e-4, err_msg=level)
    for name in ("odds", "risk"):
        assert largest_difference(here, there, name) < 1e-3, name
    assert set(here.support) == {0, 2}, "some lie outside"  # type: ignore[arg-type]
    np.testing.assert_array_equal(there.support, here.support)


def test_an_embedding_and_ranks_of_errors_go_along(tmp_path: Path) -> None:
    # Both are inputs: what a graph makes of densities is no matter here, and takes longest to export.
    network = Network(hidden=(8,), inputs="whitened", systems=True, embedding="periodic", errors="relative")
    some = galaxies(400)
    some = replace(some, mag_err=0.05 * np.exp(np.random.default_rng(1).normal(0, 0.3, some.mag.shape)))
    model = fit(some, Recipe(steps=(STEP,), network=network), members=2)
    export_onnx(model, tmp_path / "model.onnx")
    here, there = model.predict(some), OnnxModel.load(tmp_path / "model.onnx").predict(some)
    assert largest_difference(here, there, "z_phot_members") < 1e-4


def test_support_goes_with_every_head(tmp_path: Path) -> None:
    plain = fit(galaxies(), Recipe(steps=(STEP,), network=Network(hidden=(8,))), members=2)
    export_onnx(plain, tmp_path / "model.onnx")
    asked = far_away(galaxies())
    here, there = plain.predict(asked), OnnxModel.load(tmp_path / "model.onnx").predict(asked)
    assert set(here.support) == {0, 2}  # type: ignore[arg-type]
    np.testing.assert_array_equal(there.support, here.support)
    assert not there.intervals
    assert largest_difference(here, there, "z_phot_members") < 1e-5


def test_pieces_and_none(whole_exported: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model, asked = OnnxModel.load(whole_exported), far_away(galaxies(50))
    at_once = model.predict(asked)
    monkeypatch.setattr("mixz.bridges.onnx_files.PIECE_ROWS", 21)
    in_pieces = model.predict(asked)
    np.testing.assert_allclose(in_pieces.pdf, at_once.pdf, rtol=5e-5, atol=1e-6)
    np.testing.assert_allclose(in_pieces.intervals["90"], at_once.intervals["90"], atol=1e-5)
    np.testing.assert_array_equal(in_pieces.support, at_once.support)
    none = model.predict(asked.rows(np.arange(0)))
    assert len(none) == 0
    assert none.pdf is not None
    assert none.pdf.shape == (0, 30)
    assert none.intervals["68"].shape == (0, 2)


def test_filled_bands_are_those_of_the_features(ensemble: Ensemble) -> None:
    photometry = ensemble.photometry(with_holes(galaxies()))
    here, there = ensemble.features(photometry), Graph(ensemble).features(photometry)
    np.testing.assert_allclose(here.numpy(), there.numpy(), rtol=1e-6, atol=1e-6)


NOT_TO_PREDICT = ("torch", "safetensors", "vl_convert")
COMMAND_LINE = """
import mixz, mixz.metrics
from mixz.cli import main
sys.argv = ["mixz", *sys.argv[1:]]
main()
"""
SERVED = """
from pathlib import Path
from fastapi.testclient import TestClient
from mixz.stages.serve import model_app
client = TestClient(model_app(Path(sys.argv[1])), base_url="http://localhost")
assert client.get("/api/model").json()["densities"]
print(client.post("/api/photoz?system=hsc", content=Path(sys.argv[2]).read_bytes()).text)
"""


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table of galaxies as people have them."""
    path, asked = tmp_path_factory.mktemp("table") / "in.csv", far_away(galaxies(40))
    columns = {f"mag_{band}": asked.mag[:, k] for k, band in enumerate(BANDS)}
    columns |= {f"mag_err_{band}": asked.mag_err[:, k] for k, band in enumerate(BANDS)}
    pd.DataFrame(columns).to_csv(path, index=False)
    return path


def check_same_columns(found: pd.DataFrame, whole: Ensemble, table: Path) -> None:
    """Compare a table made without torch with the ensemble's own words."""
    asked = Asked(system="hsc").galaxies(whole, pd.read_csv(table), where="")
    here = photoz_frame(whole.predict(asked))
    assert list(found.columns) == list(here.columns)
    assert {"support", "z_low_68", "z_high_95"} <= set(found.columns)
    for name in here.columns:
        np.testing.assert_allclose(found[name], here[name], atol=1e-4, err_msg=name)


def test_the_command_line_needs_no_torch(whole: Ensemble, whole_exported: Path, table: Path, tmp_path: Path) -> None:
    save_model(whole, tmp_path / "model")
    command = ("predict", tmp_path / "model", table, "-o", tmp_path / "out.csv", "--system", "hsc")
    refused = run_without(NOT_TO_PREDICT, COMMAND_LINE, *command)
    assert refused.returncode == 2
    assert pip_install("train") in refused.stderr
    (tmp_path / "model" / "model.onnx").write_bytes(whole_exported.read_bytes())
    done = run_without(NOT_TO_PREDICT, COMMAND_LINE, *command)
    assert done.returncode == 0, done.stderr
    check_same_columns(pd.read_csv(tmp_path / "out.csv"), whole, table)


def test_serving_needs_no_torch(whole: Ensemble, whole_exported: Path, table: Path) -> None:
    pytest.importorskip("fastapi.testclient", reason="needs mixz[serve]")
    done = run_without(["torch"], SERVED, whole_exported, table)
    assert done.returncode == 0, done.stderr
    check_same_columns(pd.read_csv(StringIO(done.stdout)), whole, table)


def test_names_that_are_no_text_are_told_without_a_word_on_standard_output(
    whole_exported: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    changed = whole_exported.read_bytes().replace(b"MatMul", b"MatMu\xff")
    (tmp_path / "other.onnx").write_bytes(re.sub(MARK.encode() + b"[0-9a-f]{64}", OPEN_SEAL.encode(), changed))
    seal(tmp_path / "other.onnx")
    with pytest.raises(MixzError, match="cannot be read"):
        OnnxModel.load(tmp_path / "other.onnx")
    assert capfd.readouterr().out == ""


def test_what_is_refused(whole_exported: Path, tmp_path: Path) -> None:
    with pytest.raises(MixzError, match="no model"):
        OnnxModel.load(tmp_path / "none.onnx")
    (tmp_path / "half.onnx").write_bytes(whole_exported.read_bytes()[:2000])
    with pytest.raises(MixzError, match="cannot be read"):
        OnnxModel.load(tmp_path / "half.onnx")
    for other in (1, 9):
        changed = whole_exported.read_bytes().replace(b'{"format": %d,' % ONNX_FORMAT, b'{"format": %d,' % other)
        (tmp_path / "other.onnx").write_bytes(changed)
        with pytest.raises(MixzError, match="not those of its seal"):
            OnnxModel.load(tmp_path / "other.onnx")
        (tmp_path / "other.onnx").write_bytes(re.sub(MARK.encode() + b"[0-9a-f]{64}", OPEN_SEAL.encode(), changed))
        seal(tmp_path / "other.onnx")
        with pytest.raises(MixzError, match=f"ONNX format {other}.*\n.*format {ONNX_FORMAT}\n.*export the model again"):
            OnnxModel.load(tmp_path / "other.onnx")
    with pytest.raises(MixzError, match="the model needs i too"):
        OnnxModel.load(whole_exported).predict(GalaxySet([1], ("g", "r"), [[21, 20]], [[0.1, 0.1]]))
    with pytest.raises(MixzError, match="systems the model knows: hsc, des"):
        OnnxModel.load(whole_exported).predict(replace(galaxies(2), system=np.array(["sdss", "hsc"])))
