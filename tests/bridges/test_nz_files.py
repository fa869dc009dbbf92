"""n(z) as the DESC keeps it: qp ensembles laid out as RAIL's summarizers do, SACC tracers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mixz.bridges.nz import files as nz_files
from mixz.densities.grid import Grid
from mixz.errors import MixzError
from mixz.tomography import STACK, BinEstimates, Bins, NofZ, Tomography

GRID = Grid(np.linspace(0, 2, 41))
TIMES = 6


def tomography() -> Tomography:
    def nz(at: float) -> NofZ:
        mass = np.exp(-((GRID.z - at) ** 2) / 0.02)
        return NofZ(GRID, mass, [np.roll(mass, k % 3) for k in range(TIMES)])

    each = tuple(BinEstimates(f"bin {at}", 100 + k, {STACK: nz(at)}) for k, at in enumerate((0.5, 1.0, 1.4)))
    return Tomography(Bins((0.2, 0.8, 1.2, 1.6), "lens"), each, {})


@pytest.mark.filterwarnings("default")
def test_qp_files_are_read_back_by_qp(tmp_path: Path) -> None:
    qp = pytest.importorskip("qp", reason="needs mixz[rail]")
    single, many = (qp.read(str(path)) for path in nz_files.write_nz_qp(tomography(), STACK, tmp_path))
    assert single.npdf == 3
    assert many.npdf == 3 * TIMES
    np.testing.assert_array_equal(np.ravel(single.ancil["bin_idx"]), [0, 1, 2])
    np.testing.assert_array_equal(np.ravel(single.ancil["n_objects"]), [100, 101, 102])
    np.testing.assert_array_equal(np.ravel(many.ancil["bin_idx"]), np.repeat([0, 1, 2], TIMES))
    np.testing.assert_array_equal(np.ravel(many.ancil["i_realization"]), np.tile(np.arange(TIMES), 3))
    for one, pdf in zip(tomography().each, single.pdf(GRID.z), strict=True):
        np.testing.assert_allclose(pdf, one.nz[STACK].pdf, rtol=1e-6)


def test_a_method_that_answers_nowhere_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("qp", reason="needs mixz[rail]")
    with pytest.raises(MixzError, match="no bin has one"):
        nz_files.write_nz_qp(tomography(), "both", tmp_path)


def test_sacc_without_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nz_files, "has_sacc", lambda: False)
    with pytest.raises(MixzError, match="sacc is not installed"):
        nz_files.write_nz_sacc(tomography(), [STACK], tmp_path / "nz.sacc")


@pytest.mark.filterwarnings("default")
def test_sacc_tracers(tmp_path: Path) -> None:
    sacc = pytest.importorskip("sacc", reason="needs sacc")
    nz_files.write_nz_sacc(tomography(), ["both", STACK], tmp_path / "nz.sacc", model="fused")
    found = sacc.Sacc.load_fits(str(tmp_path / "nz.sacc"))
    assert list(found.tracers) == ["lens_0", "lens_1", "lens_2"]
    for one, tracer in zip(tomography().each, found.tracers.values(), strict=True):
        np.testing.assert_allclose(tracer.nz, one.nz[STACK].pdf)
        np.testing.assert_allclose(tracer.z, GRID.z)
    assert found.metadata["model"] == "fused"
