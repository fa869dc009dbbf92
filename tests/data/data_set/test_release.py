"""The released data set: every format gives back the same galaxies, with units, meanings and provenance."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import astropy.units as u
import h5py
import numpy as np
import pyarrow.parquet as pq
import pytest
from astropy.io import fits
from astropy.table import QTable, Table

from mixz.data.data_set.galaxies_file import galaxies_columns, read_galaxies, read_provenance, write_galaxies
from mixz.data.data_set.release import GALAXIESML_SIDES, check_formats, write_fits, write_galaxiesml
from mixz.data.tables import read_table
from mixz.errors import MixzError
from mixz.galaxies import SPLITS, GalaxySet

if TYPE_CHECKING:
    from pathlib import Path

ABOUT = {
    "name": "two_fields",
    "build_digest": "0123456789ab",
    "config_digest": "ba9876543210",
    "mixz": "0.1.0",
    "simulated": False,
    "kernels": {"spec": "it's 'exact' & é = 5e-4, " + "with many words " * 20},
}


def galaxies(n: int = 30, *, ids: Any = None, system: str = "hsc") -> GalaxySet:
    rng = np.random.default_rng(5)
    mag, mag_err = rng.uniform(18, 25, (n, 2)), rng.uniform(0.01, 0.2, (n, 2))
    z_spec, z_many_band = rng.uniform(0, 3, (2, n))
    if n > 2:
        mag[0, 1] = mag_err[0, 1] = z_spec[1] = z_many_band[2] = np.nan
    return GalaxySet(
        np.arange(n).astype(str) if ids is None else ids,
        ("g", "i"),
        mag,
        mag_err,
        z={"spec": z_spec, "many_band": z_many_band, "grism": z_spec},
        split=np.asarray(SPLITS)[np.arange(n) % len(SPLITS)],
        system=np.full(n, system),
    )


@pytest.mark.parametrize("n", [0, 30])
@pytest.mark.parametrize("system", ["hsc", ""])
class TestReadBackEqual:
    """What was written is what is read, empty sets among them."""

    def test_parquet(self, tmp_path: Path, n: int, system: str) -> None:
        written = galaxies(n, system=system)
        write_galaxies(written, tmp_path / "g.parquet", provenance=ABOUT)
        read = galaxies_columns(read_galaxies(tmp_path / "g.parquet"))
        for name, values in galaxies_columns(written).items():
            np.testing.assert_array_equal(read[name], values)
        assert ABOUT.items() <= read_provenance(tmp_path / "g.parquet").items()

    def test_fits(self, tmp_path: Path, n: int, system: str) -> None:
        written = galaxies_columns(galaxies(n, system=system))
        write_fits(galaxies(n, system=system), tmp_path / "g.fits", ABOUT)
        read = Table.read(tmp_path / "g.fits")
        assert read.colnames == list(written)
        for name, values in written.items():
            np.testing.assert_array_equal(np.asarray(read[name]).astype(values.dtype), values)

    def test_galaxiesml(self, tmp_path: Path, n: int, system: str) -> None:
        written = galaxies(n, system=system)
        write_galaxiesml(written, tmp_path / "g", ABOUT)
        for side, name in GALAXIESML_SIDES.items():
            if side not in written.sides:
                assert not (tmp_path / "g" / f"{name}.hdf5").exists()
                continue
            here = written.in_split(side)
            with h5py.File(tmp_path / "g" / f"{name}.hdf5") as file:
                np.testing.assert_array_equal(file["object_id"][:].astype(str), here.object_id)
                np.testing.assert_array_equal(file["specz_redshift"][:], here.z["spec"])
                np.testing.assert_array_equal(file["z_many_band"][:], here.z["many_band"])
                for k, band in enumerate("gi"):
                    np.testing.assert_array_equal(file[f"{band}_cmodel_mag"][:], here.mag[:, k])
                    np.testing.assert_array_equal(file[f"{band}_cmodel_magsigma"][:], here.mag_err[:, k])
                np.testing.assert_array_equal(file["system"].asstr()[:], here.system)


def test_parquet_columns_carry_unit_and_meaning(tmp_path: Path) -> None:
    write_galaxies(galaxies(), tmp_path / "g.parquet")
    schema = pq.read_schema(tmp_path / "g.parquet")
    assert schema.field("mag_i").metadata[b"unit"] == b"mag"
    assert schema.field("mag_i").metadata[b"description"] == b"AB magnitude in band i; NaN where not measured"
    assert schema.field("z_grism").metadata[b"description"].startswith(b"redshift label of truth grism")
    assert all(field.metadata[b"description"] for field in schema)


@pytest.mark.parametrize("name", ["g.fits", "g.parquet"])
def test_astropy_reads_the_units(tmp_path: Path, name: str) -> None:
    write_fits(galaxies(), tmp_path / "g.fits", ABOUT)
    write_galaxies(galaxies(), tmp_path / "g.parquet", provenance=ABOUT)
    table = QTable.read(tmp_path / name)
    assert table["mag_i"].unit == u.mag
    assert table["z_spec"].unit is None
    assert table["z_spec"].info.description.startswith("spectroscopic redshift")
    np.testing.assert_array_equal(table["mag_i"].value, galaxies().mag[:, 1])
    assert table["object_id"].tolist() == galaxies().object_id.tolist()


def test_the_fits_header_tells_meaning_and_provenance(tmp_path: Path) -> None:
    write_fits(galaxies(), tmp_path / "g.fits", ABOUT)
    with fits.open(tmp_path / "g.fits") as hdus:
        hdus.verify("exception")
        header = hdus["GALAXIES"].header
    number = next(n for n in range(1, 30) if header[f"TTYPE{n}"] == "mag_i")
    assert header[f"TCOMM{number}"] == "AB magnitude in band i; NaN where not measured"
    assert (header["CREATOR"], header["BUILD"], header["SIMULATE"]) == ("mixz 0.1.0", "0123456789ab", False)
    assert json.loads(header["MIXZ"]) == ABOUT | {"bands": ["g", "i"], "truths": ["spec", "many_band", "grism"]}
    assert (header["BANDS"], header["TRUTHS"]) == ("g,i", "spec,many_band,grism")


def test_galaxiesml_files_tell_units_and_provenance(tmp_path: Path) -> None:
    write_galaxiesml(galaxies(), tmp_path / "g", ABOUT)
    with h5py.File(tmp_path / "g" / "testing.hdf5") as file:
        assert file["i_cmodel_mag"].attrs["unit"] == "mag"
        assert file["specz_redshift"].attrs["description"].startswith("spectroscopic redshift")
        assert json.loads(file.attrs["mixz"]) == ABOUT
        assert "split" not in file


@pytest.mark.parametrize(
    ("ids", "kind"), [(["1", "20"], "i"), (["des-1", "2"], "O"), (["01", "2"], "O"), (["9" * 30, "2"], "O")]
)
def test_galaxiesml_ids_are_integers_where_that_loses_nothing(tmp_path: Path, ids: list[str], kind: str) -> None:
    write_galaxiesml(galaxies(2, ids=np.asarray(ids)), tmp_path / "g", {})
    found: list[Any] = []
    for name in ("training", "validation"):
        with h5py.File(tmp_path / "g" / f"{name}.hdf5") as file:
            assert file["object_id"].dtype.kind == kind
            found += file["object_id"][:].tolist()
    assert [i.decode() if isinstance(i, bytes) else str(i) for i in found] == ids


def test_our_own_reader_reads_every_format(tmp_path: Path) -> None:
    write_fits(galaxies(), tmp_path / "g.fits", {})
    write_galaxiesml(galaxies(), tmp_path / "g", {})
    assert len(read_table(tmp_path / "g.fits", ["object_id", "mag_i"])) == 30
    assert read_table(tmp_path / "g" / "testing.hdf5", ["object_id", "i_cmodel_mag"])["i_cmodel_mag"].notna().all()


def test_a_letter_that_fits_cannot_hold_is_named_and_the_old_file_stays(tmp_path: Path) -> None:
    write_fits(galaxies(), tmp_path / "g.fits", {})
    before = (tmp_path / "g.fits").read_bytes()
    with pytest.raises(MixzError, match="object_id 'gálaxy' has a letter"):
        write_fits(galaxies(1, ids=np.asarray(["gálaxy"])), tmp_path / "g.fits", {})
    assert (tmp_path / "g.fits").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["g.fits"]


def test_a_folder_is_replaced_whole(tmp_path: Path) -> None:
    write_galaxiesml(galaxies(3), tmp_path / "g", {})
    (tmp_path / "g" / "stray.txt").write_text("x")
    write_galaxiesml(galaxies(6), tmp_path / "g", {})
    assert sorted(path.name for path in (tmp_path / "g").iterdir()) == [
        "conformal.hdf5",
        "testing.hdf5",
        "training.hdf5",
        "validation.hdf5",
    ]


def test_no_writer_changes_its_galaxies(tmp_path: Path) -> None:
    given, before = galaxies(), galaxies()
    write_galaxiesml(given, tmp_path / "g", {})
    write_fits(given, tmp_path / "g.fits", {})
    for name, values in galaxies_columns(before).items():
        np.testing.assert_array_equal(galaxies_columns(given)[name], values)


def test_an_unknown_format_is_refused_with_the_known_ones() -> None:
    check_formats(["parquet", "fits", "fits", "galaxiesml-hdf5"])
    with pytest.raises(MixzError, match="parquet, galaxiesml-hdf5, fits\n.*nearest name: 'fits'"):
        check_formats(["fit"])
