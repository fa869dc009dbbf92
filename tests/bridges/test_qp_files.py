"""Photo-z come back from qp files as they were, compact kinds keep what matters, and strange files are refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import pytest
from astropy.table import Table

from mixz import metrics
from mixz.bridges.qp_files import ENDINGS, on_grid, read_qp, to_qp, truth_in
from mixz.bridges.qp_writers import qp_writer, write_qp
from mixz.densities.estimates import ESTIMATES
from mixz.errors import MixzError
from mixz.photoz import PhotoZ

qp = pytest.importorskip("qp", reason="needs mixz[rail]")

GALAXIES = 60
Z = np.expm1(np.linspace(0, np.log(4.5), 200))
KINDS = ("interp", "quant", "mixmod")


@pytest.fixture(scope="module")
def photoz() -> PhotoZ:
    """Densities of two hills, three members; the fourth galaxy has no photo-z."""
    rng = np.random.default_rng(0)
    first, second = rng.uniform(0.2, 1.5, (2, GALAXIES, 1))
    width = rng.uniform(0.03, 0.15, (GALAXIES, 1))
    pdf = np.exp(-(((Z - first) / width) ** 2) / 2) + 0.3 * np.exp(-(((Z - second) / 0.1) ** 2) / 2)
    pdf = (pdf / np.trapezoid(pdf, Z, axis=1)[:, None]).astype(np.float32)
    pdf[3] = np.nan
    points = {name: np.where(np.arange(GALAXIES) == 3, np.nan, rng.uniform(0, 2, GALAXIES)) for name in ESTIMATES}
    members = rng.uniform(0, 2, (3, GALAXIES))
    ids = np.array([f"galaxy {k}" for k in range(GALAXIES)])
    return PhotoZ(
        ids, members, members / 10, z_grid=Z, pdf=pdf, points=points, z_rms_members=members + 0.1,
        support=np.arange(GALAXIES) % 3,
        intervals={"68": np.stack([members[0] - 0.1, members[0] + 0.1], axis=1)},
    )  # fmt: skip


def same(a: Any, b: Any) -> bool:
    return np.array_equal(a, b, equal_nan=np.asarray(a).dtype.kind == "f")


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_written_comes_back(photoz: PhotoZ, kind: Any, ending: str, tmp_path: Path) -> None:
    truth = {"spec": np.linspace(0, 1, GALAXIES)}
    files = write_qp(photoz, tmp_path / f"z{ending}", kind=kind, truth=truth)
    assert sorted(files) == sorted(tmp_path.iterdir())
    back = read_qp(tmp_path / f"z{ending}", object_id=photoz.object_id)
    for name in ("object_id", "z_phot", "z_phot_std", "z_phot_members", "z_sigma_members", "z_rms_members", "support"):
        assert same(getattr(back, name), getattr(photoz, name)), name
    assert all(same(back.points[name], photoz.points[name]) for name in ESTIMATES)
    assert same(back.intervals["68"], photoz.intervals["68"])
    assert same(truth_in(tmp_path / f"z{ending}")["spec"], truth["spec"])
    assert np.isnan(back.pdf[3]).all()  # type: ignore[index]
    if kind == "interp":
        assert back.pdf is not None
        assert photoz.pdf is not None
        np.testing.assert_array_equal(back.z_grid, photoz.z_grid)
        np.testing.assert_allclose(back.pdf, photoz.pdf, rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("kind", KINDS)
def test_pieces_make_the_file_that_qp_writes_whole(photoz: PhotoZ, kind: Any, ending: str, tmp_path: Path) -> None:
    photoz, z = replace(photoz, object_id=[f"g{10**k}" for k in range(GALAXIES)]), np.linspace(0, 1, GALAXIES)
    to_qp(photoz, kind=kind, truth={"spec": z}).write_to(str(tmp_path / f"whole{ending}"))
    with qp_writer(tmp_path / f"pieces{ending}", kind=kind) as append:
        for rows in (slice(0, 1), slice(1, 1), slice(1, 30), slice(30, GALAXIES)):
            append(photoz.rows(rows), {"spec": z[rows]})
    whole, pieces = (qp.read(str(tmp_path / f"{name}{ending}")) for name in ("whole", "pieces"))
    for part in ("metadata", "objdata", "ancil"):
        there, here = getattr(whole, part), getattr(pieces, part)
        assert list(there) == list(here)
        for name, values in there.items():
            assert here[name].dtype == values.dtype, name
            if values.dtype.kind == "f":
                np.testing.assert_allclose(here[name], values, rtol=1e-6, err_msg=name)
            else:
                np.testing.assert_array_equal(here[name], values)


@pytest.mark.parametrize(("kind", "most", "mass"), [("quant", 0.02, 0.06), ("mixmod", 0.02, 0.01)])
def test_compact_kinds_keep_the_distribution(photoz: PhotoZ, kind: Any, most: float, mass: float) -> None:
    whole, compact = to_qp(photoz), to_qp(photoz, kind=kind)
    apart = np.abs(whole.cdf(Z) - compact.cdf(Z)).max(axis=1)
    assert np.median(apart) < most
    assert np.median(np.abs(whole.median() - compact.median())) < 0.01
    fine = np.linspace(0, 3.5, 3001)
    assert np.median(np.abs(np.trapezoid(compact.pdf(fine), fine, axis=1) - 1)) < mass


def test_compact_kinds_are_compact(photoz: PhotoZ) -> None:
    sizes = [sum(values.nbytes for values in to_qp(photoz, kind=kind).objdata.values()) for kind in KINDS]
    assert sizes[1] < 0.51 * sizes[0]
    assert sizes[2] < 0.1 * sizes[0]


def test_long_tails_do_not_inflate_quantiles() -> None:
    tailed = 0.995 * np.exp(-(((Z - 0.4) / 0.02) ** 2) / 2) / 0.02 / np.sqrt(2 * np.pi) + 0.005 / Z[-1]
    one = PhotoZ([1], [[0.4]], z_grid=Z, pdf=[tailed / np.trapezoid(tailed, Z)])
    compact, fine = to_qp(one, kind="quant"), np.linspace(0, Z[-1], 3001)
    assert np.trapezoid(np.ravel(compact.pdf(fine)), fine) == pytest.approx(1, abs=0.1)
    assert compact.cdf(fine).max() < 1.05, "qp's spline swings where quantiles lie far apart"


@pytest.mark.parametrize("kind", KINDS)
def test_qp_picks_single_galaxies(photoz: PhotoZ, kind: Any, tmp_path: Path) -> None:
    write_qp(photoz, tmp_path / "z.hdf5", kind=kind)
    ensemble = qp.read(str(tmp_path / "z.hdf5"))
    assert (ensemble[7].npdf, ensemble[7:9].npdf) == (1, 2)
    assert ensemble[7].ancil["z_phot_member_2"] == photoz.z_phot_members[2, 7]


def test_qp_means_by_our_densities_what_we_do(photoz: PhotoZ) -> None:
    known = np.flatnonzero(np.isfinite(photoz.z_phot))
    z = np.linspace(0.1, 2, GALAXIES)
    ours = metrics.pit(photoz.pdf[known], z_grid=Z, z_ref=z[known])  # type: ignore[index]
    theirs = to_qp(photoz).cdf(z[:, None])[known, 0]
    # qp interpolates the sums between nodes by straight lines, where the exact ones bend.
    np.testing.assert_allclose(ours, theirs, atol=0.02)


@pytest.mark.parametrize("ending", ENDINGS)
def test_missing_names_do_not_change_the_type_of_the_others(photoz: PhotoZ, ending: str, tmp_path: Path) -> None:
    names = pd.Series([2**62 + 1, *range(GALAXIES - 2), None], dtype="Int64")
    with qp_writer(tmp_path / f"z{ending}") as append:
        for rows in (slice(0, GALAXIES - 1), slice(GALAXIES - 1, GALAXIES)):
            append(photoz.rows(rows), beside={"object_id": names[rows], "ra": names[rows].astype("Float64")})
    ancil = qp.read(str(tmp_path / f"z{ending}")).ancil
    assert list(ancil["object_id"]) == [2**62 + 1, *range(GALAXIES - 2), -(2**63)]
    assert np.isnan(ancil["ra"][-1])
    assert list(ancil["support"]) == list(photoz.support)  # type: ignore[arg-type]


def test_qps_own_fits_keeps_support(photoz: PhotoZ, tmp_path: Path) -> None:
    ancil = to_qp(photoz, members=False).ancil
    Table(ancil).write(tmp_path / "t.fits")
    assert Table.read(tmp_path / "t.fits")["support"].tolist() == list(np.arange(GALAXIES) % 3)


def test_other_galaxies_are_refused(photoz: PhotoZ, tmp_path: Path) -> None:
    write_qp(photoz, tmp_path / "z.hdf5")
    with pytest.raises(MixzError, match="of other galaxies"):
        read_qp(tmp_path / "z.hdf5", object_id=photoz.object_id[::-1])


def test_a_file_of_anyone_is_read(tmp_path: Path) -> None:
    theirs = qp.mixmod.create_ensemble(
        means=np.array([[0.5, 1.0]]), stds=np.full((1, 2), 0.1), weights=np.full((1, 2), 0.5)
    )
    theirs.write_to(str(tmp_path / "theirs.hdf5"))
    back = read_qp(tmp_path / "theirs.hdf5")
    assert back.z_phot[0] == pytest.approx(0.5, abs=0.02) or back.z_phot[0] == pytest.approx(1.0, abs=0.02)
    assert np.trapezoid(back.pdf[0], back.z_grid) == pytest.approx(1)  # type: ignore[index]


def test_bad_input_is_told(photoz: PhotoZ, tmp_path: Path) -> None:
    with pytest.raises(MixzError, match="endings"):
        write_qp(photoz, tmp_path / "z.parquet")
    with pytest.raises(MixzError, match="no file"):
        read_qp(tmp_path / "nothing.hdf5")
    (tmp_path / "text.hdf5").write_text("no qp file")
    with pytest.raises(MixzError, match="cannot be read"):
        read_qp(tmp_path / "text.hdf5")
    with pytest.raises(MixzError, match="without densities"):
        to_qp(PhotoZ(["a"], [[0.5]]))


def _elsewhere(file: h5py.File, other: Path) -> None:
    file["ancil/zmode"] = h5py.ExternalLink(str(other), "secret")


def _stored_elsewhere(file: h5py.File, other: Path) -> None:
    file.create_dataset("ancil/zmode", (3,), "f8", external=[(str(other), 0, 24)])


def _virtual(file: h5py.File, other: Path) -> None:
    layout = h5py.VirtualLayout((3,), "f8")
    layout[:] = h5py.VirtualSource(str(other), "secret", (3,))
    file.create_virtual_dataset("ancil/zmode", layout)


def _far_too_long(file: h5py.File, _: Path) -> None:
    file.create_dataset("ancil/zmode", (1 << 29,), "f8", chunks=(100,))[:3] = 0.5


@pytest.mark.parametrize(
    ("how", "words"),
    [
        (_elsewhere, "'zmode' is a link or no data, which is not followed"),
        (_stored_elsewhere, "/ancil/zmode holds data of another file"),
        (_virtual, "/ancil/zmode holds data of another file"),
        (_far_too_long, "/ancil/zmode holds 4,294,967,296 bytes by what it says, of which 800 are there"),
    ],
)
def test_a_file_of_anyone_leads_nowhere_else(how: Any, words: str, photoz: PhotoZ, tmp_path: Path) -> None:
    """What qp reads with follows links, and makes all rows that a file says it has."""
    with h5py.File(tmp_path / "other.hdf5", "w") as other:
        other["secret"] = np.arange(3.0)
    write_qp(photoz, tmp_path / "z.hdf5")
    with h5py.File(tmp_path / "z.hdf5", "a") as file:
        del file["ancil/zmode"]
        how(file, tmp_path / "other.hdf5")
    with pytest.raises(MixzError, match=words):
        read_qp(tmp_path / "z.hdf5")


def test_an_old_file_stays_until_the_new_one_is_whole(photoz: PhotoZ, tmp_path: Path) -> None:
    write_qp(photoz, tmp_path / "z.hdf5")
    before = (tmp_path / "z.hdf5").read_bytes()
    with pytest.raises(MixzError, match="densities"):
        write_qp(PhotoZ(["a"], [[0.5]]), tmp_path / "z.hdf5")
    for name in ("z.hdf5", "z.pq"):
        with pytest.raises(MixzError, match="densities"), qp_writer(tmp_path / name) as append:
            list(map(append, (photoz, PhotoZ(["a"], [[0.5]]))))
        with pytest.raises(MixzError, match="no galaxies"):
            write_qp(photoz.rows(slice(0, 0)), tmp_path / name)
    assert (tmp_path / "z.hdf5").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["z.hdf5"]


def test_another_grid_keeps_the_mass(photoz: PhotoZ) -> None:
    coarse = on_grid(photoz, np.linspace(0, 3.5, 71))
    assert coarse.pdf is not None
    known = np.isfinite(photoz.z_phot)
    np.testing.assert_allclose(np.trapezoid(coarse.pdf, coarse.z_grid, axis=1)[known], 1, rtol=1e-5)
    assert np.isnan(coarse.pdf[~known]).all()
    z = np.linspace(0.1, 2, GALAXIES)
    fine_pit, coarse_pit = (metrics.pit(p.pdf[known], z_grid=p.z_grid, z_ref=z[known]) for p in (photoz, coarse))  # type: ignore[index,arg-type]
    assert np.abs(fine_pit - coarse_pit).max() < 0.15
