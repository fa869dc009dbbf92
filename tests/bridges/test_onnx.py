"""An exported ensemble says what the ensemble says, without torch; and what is refused."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from mixz.bridges.onnx_files import OnnxModel
from mixz.config import Network
from mixz.data.split import split_by_id
from mixz.errors import MixzError
from mixz.model.calibration import KNOTS, Calibration
from mixz.model.ensemble import Ensemble
from mixz.model.onnx_graph import Graph, export_onnx
from mixz.recipes import Step
from mixz.schema import GalaxySet, PhotoZ

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
    return Ensemble.fit(galaxies(), (STEP,), network=EVERYTHING, members=3)


@pytest.fixture(scope="module")
def exported(ensemble: Ensemble, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("onnx") / "model.onnx"
    export_onnx(ensemble, path)
    return path


def largest_difference(one: PhotoZ, other: PhotoZ, name: str) -> float:
    a, b = np.asarray(getattr(one, name), float), np.asarray(getattr(other, name), float)
    assert a.shape == b.shape
    assert np.array_equal(np.isnan(a), np.isnan(b)), name
    return float(np.nanmax(np.abs(a - b)))


def test_it_says_the_same(ensemble: Ensemble, exported: Path) -> None:
    asked = with_holes(galaxies())
    here, there = ensemble.predict(asked), OnnxModel.load(exported).predict(asked)
    assert int(np.isnan(here.z_phot).sum()) == 1
    for name in ("pdf", "z_grid", "z_rms_members", "z_sigma_members"):
        assert largest_difference(here, there, name) < 1e-5, name
    assert largest_difference(here, there, "z_phot_members") < 1e-4, "where its risk is flat, zbest is less sure"
    assert set(there.points) == set(here.points) > {"zmode", "zmean", "zmedian", "zbest"}
    for name, z in here.points.items():
        np.testing.assert_allclose(there.points[name], z, atol=1e-4, err_msg=name)


def test_a_calibrated_ensemble_says_the_same(ensemble: Ensemble, tmp_path: Path) -> None:
    knots = torch.tensor(KNOTS)
    height = torch.stack([0.6 * knots, knots + 0.3, 1.5 * knots - 0.2])
    calibrated = replace(ensemble, calibration=Calibration(torch.tensor([21.0, 22.5, 24.0]), knots, height))
    export_onnx(calibrated, tmp_path / "model.onnx")
    asked = with_holes(galaxies())
    here, there = calibrated.predict(asked), OnnxModel.load(tmp_path / "model.onnx").predict(asked)
    assert largest_difference(here, ensemble.predict(asked), "pdf") > 0.01, "the map changes the densities"
    assert largest_difference(here, there, "pdf") < 1e-5
    for name, z in here.points.items():
        np.testing.assert_allclose(there.points[name], z, atol=1e-4, err_msg=name)


def test_pieces_and_none(exported: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model, asked = OnnxModel.load(exported), galaxies(50)
    whole = model.predict(asked)
    monkeypatch.setattr("mixz.bridges.onnx_files.PIECE_ROWS", 21)
    np.testing.assert_allclose(model.predict(asked).pdf, whole.pdf, atol=1e-6)
    none = model.predict(asked.rows(np.arange(0)))
    assert len(none) == 0
    assert none.pdf is not None
    assert none.pdf.shape == (0, 30)


def test_filled_bands_are_those_of_the_features(ensemble: Ensemble) -> None:
    photometry = ensemble.photometry(with_holes(galaxies()))
    here, there = ensemble.features(photometry), Graph(ensemble).features(photometry)
    np.testing.assert_allclose(here.numpy(), there.numpy(), rtol=1e-6, atol=1e-6)


WITHOUT_TORCH = """
import sys
sys.modules["torch"] = None
import mixz, mixz.metrics
from mixz.cli import main
sys.argv = ["mixz", *sys.argv[1:]]
main()
"""


def without_torch(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", WITHOUT_TORCH, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_command_line_needs_no_torch(ensemble: Ensemble, exported: Path, tmp_path: Path) -> None:
    asked = galaxies(40)
    columns = {f"mag_{band}": asked.mag[:, k] for k, band in enumerate(BANDS)}
    columns |= {f"mag_err_{band}": asked.mag_err[:, k] for k, band in enumerate(BANDS)}
    pd.DataFrame(columns).to_csv(tmp_path / "in.csv", index=False)
    ensemble.save(tmp_path / "model")
    refused = without_torch("predict", tmp_path / "model", tmp_path / "in.csv", "-o", tmp_path / "out.csv")
    assert refused.returncode == 2
    assert "pip install 'mixz[train]'" in refused.stderr
    (tmp_path / "model" / "model.onnx").write_bytes(exported.read_bytes())
    command = ("predict", tmp_path / "model", tmp_path / "in.csv", "-o", tmp_path / "out.csv", "--system", "hsc")
    done = without_torch(*command)
    assert done.returncode == 0, done.stderr
    found = pd.read_csv(tmp_path / "out.csv")
    here = ensemble.predict(replace(asked, system=np.full(40, "hsc")))
    np.testing.assert_allclose(found["zmean"], here.points["zmean"], atol=1e-5)


def test_what_is_refused(exported: Path, tmp_path: Path) -> None:
    with pytest.raises(MixzError, match="no model"):
        OnnxModel.load(tmp_path / "none.onnx")
    (tmp_path / "half.onnx").write_bytes(exported.read_bytes()[:2000])
    with pytest.raises(MixzError, match="cannot be read"):
        OnnxModel.load(tmp_path / "half.onnx")
    (tmp_path / "newer.onnx").write_bytes(exported.read_bytes().replace(b'{"format": 1,', b'{"format": 9,'))
    with pytest.raises(MixzError, match="ONNX format 9"):
        OnnxModel.load(tmp_path / "newer.onnx")
    with pytest.raises(MixzError, match="the model needs i too"):
        OnnxModel.load(exported).predict(GalaxySet([1], ("g", "r"), [[21, 20]], [[0.1, 0.1]]))
    with pytest.raises(MixzError, match="systems the model knows: hsc, des"):
        OnnxModel.load(exported).predict(replace(galaxies(2), system=np.array(["sdss", "hsc"])))
