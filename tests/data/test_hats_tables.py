"""HATS folders as tables of a config, matched on the sky with no row taken twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("lsdb", reason="needs mixz[hats]")

from hats_mock import sky, write_hats
from mixz.data.build import build_galaxies
from mixz.data.hats_folder import HatsFolder
from mixz.data.sky import Box
from mixz.data.tables import read_table, write_table
from mixz.errors import MixzError
from mixz.settings.file import load_config


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Simulate photometry on 100 square degrees, and labels in a corner of it, each of them twice."""
    photometry = sky(1_500)
    write_hats(photometry.drop(columns="z_true"), tmp_path / "photometry")
    corner = photometry[(photometry["ra"] < 13) & (photometry["dec"] < -1)]
    labels = corner[["object_id", "ra", "dec", "z_true"]].assign(object_id=corner["object_id"] + 1)
    double = labels.assign(dec=labels["dec"] + 0.5 / 3600, object_id=labels["object_id"] + 10_000, z_true=9.0)
    write_hats(pd.concat([labels, double]), tmp_path / "labels")
    return tmp_path


def config(write_config: Any) -> Any:
    columns = {"ra": "ra", "dec": "dec", "mag_err": None}
    match = {"path": "labels", "truths": {"spec": "z_true"}, "columns": {"ra": "ra", "dec": "dec"}}
    table = {"path": "photometry", "columns": columns, "match": [match]}
    return load_config(write_config({"name": "sky", "bands": ["g", "r", "i"], "tables": [table], "recipes": ["spec"]}))


@pytest.mark.usefixtures("place")
def test_catalogues_are_matched_once(write_config: Any) -> None:
    galaxies, ledger = build_galaxies(config(write_config))
    frame = sky(1_500).set_index("object_id")
    truth = frame.loc[galaxies.object_id.astype(int), "z_true"]
    np.testing.assert_allclose(galaxies.z["spec"], truth, err_msg="the nearer of two labels")
    corner = frame[(frame["ra"] < 13) & (frame["dec"] < -1)].dropna()
    assert set(galaxies.object_id) == set(corner.index.astype(str)), "each once"
    near = next(row for row in ledger.as_rows() if row["step"] == "near_labels")
    assert near["rows_in"] < 1_500, "pieces of sky far from the labels are not read"


def test_a_folder_reads_as_a_table(place: Path) -> None:
    found = read_table(place / "photometry", ["object_id", "mag_g"]).set_index("object_id")["mag_g"]
    expected = sky(1_500).set_index("object_id")["mag_g"]
    np.testing.assert_allclose(found.loc[expected.index], expected)
    with pytest.raises(MixzError, match="no column 'mag_u'"):
        read_table(place / "photometry", ["mag_u"])
    with pytest.raises(MixzError, match="is a HATS folder"):
        write_table(sky(10), place / "photometry")


def test_pieces_near_a_box_hold_all_of_it(place: Path) -> None:
    folder, frame = HatsFolder.open(place / "photometry"), sky(1_500)
    rng = np.random.default_rng(5)
    for ra, dec in zip(rng.uniform(10, 20, 20), rng.uniform(-5, 5, 20), strict=True):
        box = Box.around(np.array([ra]), np.array([dec]), margin_arcsec=3600)
        inside = box.holds(frame["ra"].to_numpy(), frame["dec"].to_numpy())
        read = pd.concat(list(folder.chunks(["object_id"], 1000, box)))
        assert set(frame.loc[inside, "object_id"]) <= set(read["object_id"])
        assert len(read) < len(frame)


def test_links_that_lead_out_of_a_catalogue_are_refused(place: Path) -> None:
    file = next((place / "labels" / "dataset").rglob("Npix=*.parquet"))
    outside = file.rename(place / "outside.parquet")
    file.symlink_to(outside)
    with pytest.raises(MixzError, match="lies outside"):
        read_table(place / "labels", ["object_id"])
