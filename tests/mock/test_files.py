"""The mock's files: the surveys' columns, types and flaws, and all of them or none."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import h5py
import numpy as np
import pandas as pd
import pytest
from astropy.io import fits

from mixz.data.tables import read_table
from mixz.errors import MixzError
from mixz.mock import cosmos2020, files
from mixz.mock.cosmos2020 import CLASSIC_FILE, FARMER_FILE
from mixz.mock.files import TRUTH_FILE, mock_surveys, write_surveys

if TYPE_CHECKING:
    from pathlib import Path

    from mixz.mock.survey import MockSurvey

BANDS = "grizy"
FIRST = ["ID", "ALPHA_J2000", "DELTA_J2000", "FLAG_COMBINED", "EBV"]
LEPHARE = [
    "lp_zBEST", "lp_zPDF", "lp_zPDF_l68", "lp_zPDF_u68", "lp_zMinChi2", "lp_chi2_best", "lp_chis", "lp_zp_2",
    "lp_mass_med", "ez_z_phot", "lp_NbFilt", "lp_type",
]  # fmt: skip
PHOTOMETRY = ("FLUX", "FLUXERR", "MAG", "MAGERR")
SPECZ = ["redshift", "redshift_err", "mag_i", "name", "ra", "dec", "flag_homogeneous"]
CMODEL = [f"{b}_cmodel_{kind}" for b in BANDS for kind in ("mag", "magsigma")]
GALAXIESML = ["object_id", *(f"specz_{name}" for name in SPECZ), "ra", "dec", *CMODEL]


def hsc_columns(*suffixes: str) -> set[str]:
    return {f"HSC_{b}_{kind}{s}" for b in BANDS for kind in PHOTOMETRY for s in suffixes}


@pytest.mark.parametrize(
    ("name", "columns"),
    [
        (CLASSIC_FILE, {*FIRST, *LEPHARE, *hsc_columns("_AUTO", "_APER2", "_APER3")}),
        (FARMER_FILE, {*FIRST, *LEPHARE, "MODEL_FLAG", *hsc_columns("")}),
    ],
)
def test_cosmos2020_columns_and_bytes(folder: Path, name: str, columns: set[str]) -> None:
    with fits.open(folder / name) as hdus:
        data = hdus[1].data
        assert set(data.names) == columns
        assert {data.dtype[n].byteorder for n in data.names} == {">"}
        assert "simulated" in hdus[1].header["ORIGIN"]


def test_hsc_columns(folder: Path) -> None:
    table = read_table(folder / "hsc_pdr2_wide.fits")
    bands = {f"{b}_extendedness_value" for b in BANDS} | {f"a_{b}" for b in BANDS}
    assert set(table) == {"object_id", "ra", "dec", *CMODEL, *bands}
    assert table["object_id"].is_unique


def test_galaxiesml_twins_agree(folder: Path) -> None:
    total = 0
    for split in ("training", "validation", "testing"):
        csv = pd.read_csv(folder / f"5x127x127_{split}_with_morphology.csv")
        with h5py.File(folder / f"5x127x127_{split}_with_morphology.hdf5") as file:
            assert list(csv) == GALAXIESML
            assert set(file) == set(GALAXIESML)
            np.testing.assert_array_equal(csv["object_id"], file["object_id"][:])
        total += len(csv)
    assert json.loads((folder / "mock.json").read_text())["rows"]["galaxiesml training"] > 0.6 * total


def test_published_cuts_of_galaxiesml_have_something_to_do(folder: Path, survey: MockSurvey) -> None:
    names = [f"5x127x127_{s}_with_morphology.csv" for s in ("training", "validation", "testing")]
    table = pd.concat([pd.read_csv(folder / n) for n in names])
    error = table["specz_redshift_err"]
    good = (error > 0) & (error < 0.005 * (1 + table["specz_redshift"])) & table["specz_flag_homogeneous"]
    good &= table[CMODEL[::2]].lt(50).all(axis=1) & table["specz_mag_i"].between(0, 28)
    first = table[good].drop_duplicates("specz_name")
    single = first.drop_duplicates("object_id", keep=False)
    assert len(table) > good.sum() > len(first) > len(single) > 0.9 * len(survey.spectra)
    splits = [set(pd.read_csv(folder / n)["object_id"]) for n in names]
    assert not splits[0] & splits[1] | splits[0] & splits[2] | splits[1] & splits[2]


def test_rows_add_up_and_truth_is_keyed(folder: Path, survey: MockSurvey) -> None:
    truth = read_table(folder / TRUTH_FILE)
    classic = read_table(folder / CLASSIC_FILE)
    assert len(classic) == len(survey.cosmos) + 300
    for name, key in ((CLASSIC_FILE, "ID"), (FARMER_FILE, "ID"), ("hsc_pdr2_wide.fits", "object_id")):
        ids = read_table(folder / name)[key]
        mine = truth[truth["file"] == name]
        assert ids.is_unique
        assert set(mine["id"]) == set(ids)
    z = truth[truth["file"] == CLASSIC_FILE].set_index("id")["z_true"].loc[classic["ID"]].to_numpy()
    galaxy = (classic["lp_type"] == 0).to_numpy()
    dz = (classic["lp_zPDF"] - z)[galaxy] / (1 + z[galaxy])
    assert (z[galaxy] > 0).all()
    assert (z[(classic["lp_type"] == 1).to_numpy()] == 0).all()
    assert 0.01 < 1.4826 * np.median(np.abs(dz - np.median(dz))) < 0.03


def test_positions_differ_by_the_astrometric_noise(folder: Path) -> None:
    truth = read_table(folder / TRUTH_FILE)
    classic, hsc = (read_table(folder / n) for n in (CLASSIC_FILE, "hsc_pdr2_wide.fits"))
    number = truth[truth["file"] == CLASSIC_FILE].set_index("id")["object_id"]
    both = classic.assign(object_id=number.loc[classic["ID"]].to_numpy()).merge(hsc, on="object_id")
    offset_arcsec = 3600 * (both["dec"] - both["DELTA_J2000"])
    assert len(both) > 0.95 * len(classic)
    assert offset_arcsec.std() == pytest.approx(0.1, rel=0.1)


def test_bad_values_are_the_surveys_own(folder: Path) -> None:
    classic, farmer = read_table(folder / CLASSIC_FILE), read_table(folder / FARMER_FILE)
    magnitudes = [f"HSC_{b}_MAG_AUTO" for b in BANDS]
    assert (classic[magnitudes] == -99).to_numpy().any()
    assert farmer["HSC_g_MAG"].isna().any()
    assert classic["lp_zp_2"].isna().mean() > 0.5
    assert set(classic["lp_type"]) >= {0, 1, -9}
    flux, mag = classic["HSC_i_FLUX_AUTO"], classic["HSC_i_MAG_AUTO"]
    seen = mag.between(0, 50)
    np.testing.assert_allclose(23.9 - 2.5 * np.log10(flux[seen]), mag[seen], atol=1e-4)


def test_labels_of_both_catalogues_mostly_agree(folder: Path) -> None:
    truth = read_table(folder / TRUTH_FILE)
    parts = []
    for name in (CLASSIC_FILE, FARMER_FILE):
        number = truth[truth["file"] == name].set_index("id")["object_id"]
        table = read_table(folder / name, ["ID", "lp_zPDF", "lp_type", "FLAG_COMBINED"])
        parts.append(table.assign(object_id=number.loc[table["ID"]].to_numpy()))
    both = parts[0].merge(parts[1], on="object_id", suffixes=("", "_farmer"))
    both = both[(both["lp_type"] == 0) & (both["lp_type_farmer"] == 0)]
    apart = np.abs(both["lp_zPDF"] - both["lp_zPDF_farmer"]) / (1 + both["lp_zPDF"])
    assert (apart < 0.01).mean() > 0.6
    assert (apart > 0.05).mean() > 0.02
    assert (both["FLAG_COMBINED"] == both["FLAG_COMBINED_farmer"]).all()


def test_same_seed_same_files(folder: Path, survey: MockSurvey, tmp_path: Path) -> None:
    write_surveys(survey, tmp_path / "again", hsc_format="parquet")
    pd.testing.assert_frame_equal(read_table(folder / CLASSIC_FILE), read_table(tmp_path / "again" / CLASSIC_FILE))
    hsc = read_table(tmp_path / "again" / "hsc_pdr2_wide.parquet")
    pd.testing.assert_frame_equal(read_table(folder / "hsc_pdr2_wide.fits"), hsc)


@pytest.mark.usefixtures("mock_packages")
def test_images_on_request(tmp_path: Path) -> None:
    mock_surveys(200, tmp_path / "small", seed=1, image_pixels=8, hsc_format="csv")
    with h5py.File(tmp_path / "small" / "5x127x127_training_with_morphology.hdf5") as file:
        assert file["image"].shape == (len(file["object_id"]), 5, 8, 8)
        assert np.isfinite(file["image"][:]).all()


def test_nothing_half_written(survey: MockSurvey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full_disk(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files, "_write_galaxiesml", full_disk)
    with pytest.raises(MixzError, match="No space left"):
        write_surveys(survey, tmp_path / "out")
    assert not list(tmp_path.iterdir())


def test_existing_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "kept.txt").write_text("mine")
    with pytest.raises(MixzError, match="exists already"):
        mock_surveys(1000, tmp_path, seed=1)
    assert (tmp_path / "kept.txt").read_text() == "mine"


def test_unknown_format(survey: MockSurvey, tmp_path: Path) -> None:
    with pytest.raises(MixzError, match="hsc_format: 'xls'"):
        write_surveys(survey, tmp_path / "out", hsc_format="xls")


def test_masked_share(survey: MockSurvey) -> None:
    masked = cosmos2020._near_bright_star(survey.cosmos, seed=1)
    assert masked.mean() == pytest.approx(cosmos2020.MASKED_SHARE, abs=0.03)
