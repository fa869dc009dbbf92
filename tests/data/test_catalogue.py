"""Reading one catalogue: surveys by name, chunks, images left alone, extinction, errors of labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import h5py
import numpy as np
import pandas as pd
import pytest

from mixz.data.catalogue import read_catalogue
from mixz.data.meaning.numbers import numbers
from mixz.data.photometry import photometry
from mixz.data.sky import Box
from mixz.data.tables import read_chunks, write_table
from mixz.errors import MixzError
from mixz.settings.tables import Table
from mixz.surveys import SURVEYS
from mixz.surveys.columns import Columns, that_apply

if TYPE_CHECKING:
    from pathlib import Path

    from mixz.surveys import Survey


@pytest.mark.parametrize("survey", SURVEYS.values(), ids=SURVEYS)
def test_every_survey_makes_a_table(survey: Survey) -> None:
    table = Table(
        survey=survey.name, path="folder", truths=survey.truths or {"spec": "z"}, cuts=[c.name for c in survey.cuts]
    )
    assert table.columns == Columns(**that_apply(dict(survey.columns)))
    assert table.columns.extinction == "none", "dust and fluxes are offered, and taken where a config asks"
    assert [cut.name for cut in table.cuts] == [cut.name for cut in survey.cuts]
    assert set(table.truth_errors) == set(survey.truth_errors)
    assert all(path.parent.name == "folder" for path in table.files.values() if survey.file or survey.parts)


@pytest.mark.parametrize("ending", [".parquet", ".csv", ".fits", ".hdf5", ".ecsv"])
def test_chunks_are_the_table(ending: str, tmp_path: Path, toy: pd.DataFrame) -> None:
    write_table(toy, tmp_path / f"toy{ending}")
    chunks = list(read_chunks(tmp_path / f"toy{ending}", ["mag_i", "object_id"], rows=70))
    assert max(map(len, chunks)) <= 70
    whole = pd.concat(chunks, ignore_index=True)
    assert whole["object_id"].astype(str).tolist() == toy["object_id"].astype(str).tolist()
    np.testing.assert_allclose(numbers(whole, "mag_i", where="t"), toy["mag_i"])


@pytest.mark.parametrize("ending", ["parquet", "hdf5"])
def test_desc_challenge_tables_have_two_truths(ending: str, tmp_path: Path) -> None:
    frame = pd.DataFrame({"object_id": [1, 2, 3], "redshift": [0.5, np.nan, np.nan]})
    frame["redshift_manyband"] = [0.52, 0.9, np.nan]
    for band in "ugrizy":
        frame[f"mag_{band}_lsst"], frame[f"mag_{band}_lsst_err"] = [22.0, 23.0, np.nan], 0.1
    write_table(frame, tmp_path / f"training.{ending}")
    table = Table(survey="desc_pz_challenge", path=tmp_path / f"training.{ending}")
    read = read_catalogue(table, "ugrizy").frame
    np.testing.assert_array_equal(read["z_spec"], [0.5, np.nan, np.nan])
    np.testing.assert_array_equal(read["z_many_band"], [0.52, 0.9, np.nan])
    assert read["mag_y"].isna().tolist() == [False, False, True]


def test_images_stay_on_the_disk(tmp_path: Path) -> None:
    path = tmp_path / "5x64x64_testing_with_morphology.hdf5"
    with h5py.File(path, "w") as file:
        for name in ("ra", "dec", "specz_redshift", "specz_redshift_err"):
            file[name] = np.full(3, 0.5)
        for band in "grizy":
            file[f"{band}_cmodel_mag"], file[f"{band}_cmodel_magsigma"] = np.full(3, 22.0), np.full(3, 0.1)
        file["object_id"] = np.arange(3)
        file.create_dataset("image", (3, 5, 64, 64), dtype="f4")
    read = read_catalogue(Table(survey="galaxiesml", parts={"test": path}), "grizy").frame
    assert "image" not in read
    assert read["side"].tolist() == ["test"] * 3
    assert read["z_err_low_spec"].tolist() == read["z_err_high_spec"].tolist() == [0.5] * 3


def test_extinction_by_band(tmp_path: Path) -> None:
    frame = pd.DataFrame({"object_id": [1], "ra": [150.0], "dec": [2.0], "z": [0.5]})
    for k, band in enumerate("grizy"):
        frame[f"{band}_cmodel_mag"], frame[f"{band}_cmodel_magsigma"], frame[f"a_{band}"] = 22.0, 0.1, 0.1 * k
    write_table(frame, tmp_path / "hsc.csv")
    for extinction, expected in (("none", 22.0), ("a_band", 21.6)):
        columns = {"extinction": extinction}
        table = Table(survey="hsc_pdr2", path=tmp_path / "hsc.csv", truths={"spec": "z"}, columns=columns)
        assert read_catalogue(table, "grizy").frame["mag_y"][0] == pytest.approx(expected)
        mag, _ = photometry(frame, table.columns, "grizy", where="hsc")
        assert mag[0, 4] == pytest.approx(expected), "and so does `mixz predict`"


def test_a_band_without_a_coefficient(toy: pd.DataFrame) -> None:
    table = Table(
        path="t", truths={"spec": "z"}, columns={"extinction": "ebv", "ebv": "E", "extinction_per_ebv": {"g": 3}}
    )
    with pytest.raises(MixzError, match=r"no value for the bands \['i'\]"):
        photometry(toy, table.columns, ["g", "i"], where="t")


def test_only_rows_near_are_kept_and_all_are_counted(tmp_path: Path, toy: pd.DataFrame) -> None:
    ra = np.linspace(0, 359, len(toy))
    write_table(toy.assign(ra=ra, dec=0.0), tmp_path / "t.parquet")
    table = Table(path=tmp_path / "t.parquet", truths={"true": "z_true"}, columns={"ra": "ra", "dec": "dec"})
    box = Box.around(np.arange(350.0, 371.0), np.zeros(21), margin_arcsec=1)
    read = read_catalogue(table, ["g"], near=box)
    assert read.rows == len(toy)
    assert set(read.frame["ra_deg"]) == set(ra[(ra >= 350) | (ra <= 10)])
    assert 0 < len(read.frame) < len(toy)
