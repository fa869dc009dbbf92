"""RAIL's own tomographers and summarizers run on mixz's files, and say what mixz says of the same bins."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("rail.core", reason="needs mixz[rail]")
pytestmark = [  # RAIL's and its packages' warnings are theirs; that n(z) is negative would be ours
    pytest.mark.filterwarnings("default"),
    pytest.mark.filterwarnings("error:There are negative values"),
]

import qp  # noqa: E402
from rail.core.data import Hdf5Handle, QPHandle  # noqa: E402
from rail.estimation.algos.naive_stack import NaiveStackMaskedSummarizer  # noqa: E402
from rail.estimation.algos.point_est_hist import PointEstHistMaskedSummarizer  # noqa: E402
from rail.estimation.algos.uniform_binning import UniformBinningClassifier  # noqa: E402

from mixz.bridges.nz.files import nz_ensembles  # noqa: E402
from mixz.bridges.qp_writers import qp_writer  # noqa: E402
from mixz.densities.estimates import zmode  # noqa: E402
from mixz.densities.grid import Grid  # noqa: E402
from mixz.photoz import PhotoZ  # noqa: E402
from mixz.tomography import STACK, NofZ, PhotometricSample, estimate_nz, sort_into_bins  # noqa: E402

EDGES = [0.205, 0.605, 1.005, 1.605]
GRID = Grid(np.linspace(0, 2, 201))
MOST = {"zmin": 0.0, "zmax": 2.0, "nzbins": 200, "n_samples": 12, "chunk_size": 100_000}


@pytest.fixture(scope="module")
def photoz() -> PhotoZ:
    rng = np.random.default_rng(1)
    z = rng.uniform(0.1, 1.8, 500)
    mass = np.exp(-((GRID.z - z[:, None]) ** 2) / (2 * (0.04 * (1 + z[:, None])) ** 2))
    # Nowhere 0, as no model's are: between a subnormal number and 0 qp's interpolation falls some 1e-61 below 0.
    mass = mass / mass.sum(axis=1, keepdims=True) + 1e-12
    mass /= mass.sum(axis=1, keepdims=True)
    mode = zmode(mass, GRID)
    return PhotoZ(
        np.arange(500), mode[None], z_grid=GRID.z, pdf=GRID.density(mass).astype(np.float32), points={"zmode": mode}
    )


@pytest.fixture(scope="module")
def files(photoz: PhotoZ, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A qp file of mixz's, and RAIL's own bins of it."""
    home = tmp_path_factory.mktemp("tomography")
    with qp_writer(home / "photoz.hdf5") as append:
        append(photoz)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        classifier = UniformBinningClassifier.make_stage(
            name="bins", zbin_edges=EDGES, n_tom_bins=3, point_estimate_key="zmode", object_id_col=""
        )
        classifier.set_data("input", qp.read(str(home / "photoz.hdf5")))
        classifier.run()
        classifier.finalize()
    return {"photoz": home / "photoz.hdf5", "bins": next(home.glob("output_bins*"))}


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def ours(photoz: PhotoZ) -> Any:
    sample = PhotometricSample.of(photoz, np.zeros((500, 1)))
    return estimate_nz(sample, sort_into_bins(tuple(EDGES), photoz.points["zmode"]), GRID, resamples=MOST["n_samples"])


def test_its_bins_are_ours(photoz: PhotoZ, files: dict[str, Path]) -> None:
    theirs = np.ravel(Hdf5Handle("bins", path=str(files["bins"])).read()["tomo_bin_index"])
    mine = sort_into_bins(tuple(EDGES), photoz.points["zmode"]).number
    np.testing.assert_array_equal(np.where(theirs < 0, -1, theirs), mine)


def summarized(summarizer: Any, name: str, files: dict[str, Path], k: int) -> Any:
    stage = summarizer.make_stage(name=f"{name}_{k}", selected_bin=k, **MOST)
    stage.set_data("input", QPHandle("input", path=str(files["photoz"])).read())
    stage.set_data("tomography_bins", Hdf5Handle("tomography_bins", path=str(files["bins"])).read())
    stage.run()
    stage.finalize()
    return stage.get_handle("single_NZ").data, stage.get_handle("output").data


@pytest.mark.parametrize(
    ("summarizer", "name"), [(NaiveStackMaskedSummarizer, "stack"), (PointEstHistMaskedSummarizer, "hist")]
)
def test_its_summaries_are_ours(photoz: PhotoZ, files: dict[str, Path], summarizer: Any, name: str) -> None:
    for k, one in enumerate(ours(photoz).each):
        single, many = summarized(summarizer, name, files, k)
        mine: NofZ = one.nz[STACK]
        at = np.linspace(0.0, 2.0, 201)
        pdf = np.ravel(single.pdf(at))
        assert (at @ pdf) / pdf.sum() == pytest.approx(mine.mean, abs=0.01)
        if name == "stack":
            np.testing.assert_allclose(pdf / np.trapezoid(pdf, at), mine.pdf, atol=2e-2)
        assert many.npdf == MOST["n_samples"]


def test_our_files_are_laid_out_as_its_own(photoz: PhotoZ, files: dict[str, Path]) -> None:
    single, many = nz_ensembles(ours(photoz), STACK)
    their_single, their_many = summarized(NaiveStackMaskedSummarizer, "layout", files, 0)
    assert set(single.ancil) == set(their_single.ancil)
    assert set(many.ancil) == set(their_many.ancil)
    assert single.gen_class is their_single.gen_class
    assert many.npdf == 3 * their_many.npdf
