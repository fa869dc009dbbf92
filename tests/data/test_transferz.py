"""The paper's data sets from the surveys' own files: the whole builder on a tiny mock survey."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
import yaml

from mixz import stages
from mixz.data.build import JOINED, build_galaxies
from mixz.data.data_set.galaxies_file import read_galaxies, read_provenance
from mixz.data.tables import read_table, write_table
from mixz.galaxies import GalaxySet
from mixz.mock.cosmos2020 import CLASSIC_FILE, FARMER_FILE
from mixz.mock.files import TRUTH_FILE, write_surveys
from mixz.settings.config import Config
from mixz.settings.file import load_config

if TYPE_CHECKING:
    from mixz.data.cuts import Entry
    from mixz.mock.survey import MockSurvey

Built = tuple[GalaxySet, "list[Entry]"]

SHIPPED = Path(__file__).parents[2] / "configs" / "transferz.yaml"


def transferz(folder: Path, tmp_path: Path, edit: Any = None) -> Config:
    """Load configs/transferz.yaml as shipped, but for where the files are, and for what `edit` changes."""
    settings = yaml.safe_load(SHIPPED.read_text().replace("../mock_survey", str(folder)))
    if edit:
        edit(settings)
    path = tmp_path / "transferz.yaml"
    path.write_text(yaml.safe_dump(settings | {"out": str(tmp_path / "out")}, sort_keys=False))
    return load_config(path)


def build(*arguments: Any) -> tuple[GalaxySet, list[Entry]]:
    galaxies, ledger = build_galaxies(transferz(*arguments))
    return galaxies, ledger.entries


@pytest.fixture(scope="module")
def shipped(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Build the config as shipped, once."""
    return build(folder, tmp_path_factory.mktemp("shipped"))


def step(entries: list[Entry], name: str, table: str = "transferz") -> Entry:
    return next(e for e in entries if e.step == name and e.table == table)


def test_every_row_is_accounted_for(folder: Path, shipped: Built) -> None:
    galaxies, entries = shipped
    tables = ("cosmos2020_classic", "transferz", "galaxiesml")
    assert entries[0].rows_in == len(read_table(folder / CLASSIC_FILE, ["ID"]))
    for table in tables:
        mine = [e for e in entries if e.table == table]
        assert all(a.rows_out == b.rows_in for a, b in pairwise(mine))
    last = {e.table: e.rows_out for e in entries}
    match = step(entries, "match_cosmos2020_classic")
    assert match.details["labels_in"] == last["cosmos2020_classic"]
    assert match.rows_out <= min(match.rows_in, match.details["labels_in"])
    assert last["transferz"] + last["galaxiesml"] == last[JOINED] == len(galaxies)
    assert sum(entries[-1].details[side] for side in ("train", "validation", "test")) == len(galaxies)
    assert galaxies.has("many_band").sum() == last["transferz"] + step(entries, "not_in_galaxiesml").details["same_id"]


def test_matches_are_the_true_ones(folder: Path, shipped: Built) -> None:
    galaxies, entries = shipped
    truth = read_table(folder / TRUTH_FILE)
    mine = truth[truth["file"] == CLASSIC_FILE].set_index("object_id")["id"]
    labels = read_table(folder / CLASSIC_FILE, ["ID", "lp_zPDF", "lp_zPDF_l68", "lp_zPDF_u68"]).set_index("ID")
    matched = galaxies.rows(galaxies.has("many_band"))
    true_rows = labels.loc[mine.reindex(matched.object_id.astype(np.int64)).dropna().astype(int)]
    right = np.isclose(true_rows["lp_zPDF"], matched.z["many_band"])
    assert len(true_rows) == len(matched)
    assert right.mean() > 0.995
    low = true_rows["lp_zPDF"] - true_rows["lp_zPDF_l68"]
    np.testing.assert_allclose(matched.z_err["many_band"][right, 0], low[right], atol=1e-6)
    assert np.nanmedian(matched.carried["match_arcsec"]) == pytest.approx(0.12, abs=0.02)
    assert step(entries, "match_cosmos2020_classic").details["false_matches"] < 0.01 * len(matched)


def test_galaxies_in_both_sets_keep_the_row_of_galaxiesml(folder: Path, tmp_path: Path, shipped: Built) -> None:
    both, entries = shipped
    overlap = step(entries, "not_in_galaxiesml").details
    twice = both.has("many_band") & both.has("spec")
    assert overlap["same_id"] == twice.sum() > 3
    kept, _ = build(folder, tmp_path, lambda s: s["overlap"].update(labels="kept"))
    assert len(kept) == len(both)
    assert not (kept.has("many_band") & kept.has("spec")).any()
    assert set(kept.object_id[kept.has("spec")]) == set(both.object_id[both.has("spec")])


def test_the_same_galaxy_under_another_id_is_found_by_its_place(folder: Path, tmp_path: Path) -> None:
    def edit(settings: dict[str, Any]) -> None:
        settings["tables"][1]["id_prefix"] = "ml-"

    _, entries = build(folder, tmp_path, edit)
    told = step(entries, "not_in_galaxiesml").details
    assert (told["same_id"], told["same_place"] > 3) == (0, True)


def test_galaxiesml_keeps_its_own_sides_and_its_published_cuts_bite(folder: Path, shipped: Built) -> None:
    galaxies, entries = shipped
    spec = galaxies.rows(galaxies.has("spec"))
    for side, name in (("train", "training"), ("validation", "validation"), ("test", "testing")):
        ids = read_table(folder / f"5x127x127_{name}_with_morphology.hdf5", ["object_id"])["object_id"]
        assert set(spec.in_split(side).object_id.astype(np.int64)) <= set(ids)
    for name in ("secure_redshift", "first_of_each_spectrum", "one_spectrum_per_object"):
        cut = step(entries, name, "galaxiesml")
        assert cut.rows_out < cut.rows_in


def test_galaxiesml_csv_twins_give_the_same_galaxies(folder: Path, tmp_path: Path, shipped: Built) -> None:
    def csv(settings: dict[str, Any]) -> None:
        table = settings["tables"][1]
        names = {"train": "training", "validation": "validation", "test": "testing"}
        table["parts"] = {s: f"{table['path']}/5x127x127_{n}_with_morphology.csv" for s, n in names.items()}
        del table["path"]

    (a, _), (b, _) = shipped, build(folder, tmp_path, csv)
    np.testing.assert_array_equal(a.object_id, b.object_id)
    np.testing.assert_array_equal(a.split, b.split)
    np.testing.assert_allclose(a.mag, b.mag, rtol=1e-6)


def test_farmer_by_one_switch(folder: Path, tmp_path: Path) -> None:
    galaxies, entries = build(folder, tmp_path, lambda s: s["tables"][0]["match"][0].update(survey="cosmos2020_farmer"))
    assert entries[0].table == "cosmos2020_farmer"
    assert galaxies.has("many_band").sum() > 500


def test_agreement_of_both_catalogues_as_a_cut(folder: Path, tmp_path: Path) -> None:
    """The two commented lines of the shipped config, taken in."""
    lines = SHIPPED.read_text().splitlines()
    taken = [
        line for line in lines if "# - {survey: cosmos2020_farmer" in line or "# - {name: catalogues_agree" in line
    ]
    farmer, agree = (yaml.safe_load(line.replace("../mock_survey", str(folder)).split("# - ")[1]) for line in taken)

    def edit(settings: dict[str, Any]) -> None:
        settings["tables"][0]["match"].append(farmer)
        settings["tables"][0]["cuts"].append(agree)

    galaxies, entries = build(folder, tmp_path, edit)
    cut = step(entries, "catalogues_agree")
    assert 0.02 < 1 - cut.rows_out / cut.rows_in < 0.3
    assert {"z_farmer", "match_arcsec_cosmos2020_classic", "match_arcsec_cosmos2020_farmer"} == set(galaxies.carried)
    z, z_farmer = galaxies.z["many_band"], galaxies.carried["z_farmer"]
    assert np.nanmax(np.abs(z - z_farmer) / (1 + z)) <= 0.05 + 1e-6


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_hsc_tables_of_any_format(ending: str, folder: Path, tmp_path: Path, shipped: Built) -> None:
    write_table(read_table(folder / "hsc_pdr2_wide.fits"), tmp_path / f"hsc.{ending}")

    def edit(settings: dict[str, Any]) -> None:
        settings["tables"][0]["path"] = str(tmp_path / f"hsc.{ending}")

    (a, _), (b, _) = shipped, build(folder, tmp_path, edit)
    np.testing.assert_array_equal(a.object_id, b.object_id)
    np.testing.assert_allclose(a.mag, b.mag, rtol=1e-6)


def test_pdr3_names_its_errors_otherwise(folder: Path, tmp_path: Path, shipped: Built) -> None:
    table = read_table(folder / "hsc_pdr2_wide.fits")
    write_table(table.rename(columns=lambda n: n.replace("magsigma", "magerr")), tmp_path / "hsc_pdr3_wide.fits")

    def edit(settings: dict[str, Any]) -> None:
        settings["tables"][0] |= {"survey": "hsc_pdr3", "path": str(tmp_path)}

    (a, _), (b, _) = shipped, build(folder, tmp_path, edit)
    np.testing.assert_array_equal(a.mag_err, b.mag_err)


def test_rows_in_another_order_give_the_same_set(tmp_path: Path, survey: MockSurvey, shipped: Built) -> None:
    other = tmp_path / "shuffled"
    write_surveys(survey, other)
    for name in ("hsc_pdr2_wide.fits", CLASSIC_FILE):
        write_table(read_table(other / name).sample(frac=1, random_state=1), other / name)
    (a, _), (b, _) = shipped, build(other, tmp_path)
    rows = {i: k for k, i in enumerate(b.object_id)}
    again = b.rows(np.array([rows[i] for i in a.object_id]))
    np.testing.assert_array_equal(a.split, again.split)
    np.testing.assert_array_equal(a.z["many_band"], again.z["many_band"])


def test_split_by_patch_keeps_neighbours_together(folder: Path, tmp_path: Path) -> None:
    patch = {"by": "sky_patch", "patch_deg": 0.1}
    galaxies, _ = build(folder, tmp_path, lambda s: s.update(split=patch))
    mine = galaxies.rows(galaxies.has("many_band") & ~galaxies.has("spec"))
    ring = np.floor((mine.dec_deg + 90) / 0.1)
    cells = np.rint(3600 * np.cos(np.radians((ring + 0.5) * 0.1 - 90)))
    cell = pd.Series(mine.split).groupby([ring, np.floor(mine.ra_deg / 360 * cells)])
    assert cell.ngroups > 50
    assert (cell.min() == cell.max()).all()
    assert 0.5 < (mine.split == "train").mean() < 0.9


def test_the_stage_writes_galaxies_ledger_and_chart(folder: Path, tmp_path: Path) -> None:
    config = transferz(folder, tmp_path)
    ledger = stages.build(config)
    out = tmp_path / "out" / "transferz"
    back = read_galaxies(out / "galaxies.parquet")
    assert read_provenance(out / "galaxies.parquet")["simulated"] is True, "a mock survey says so"
    assert np.isfinite(back.ra_deg).all()
    assert set(back.z_err) == {"many_band", "spec"}
    assert np.isfinite(back.carried["match_arcsec"][back.has("many_band")]).all()
    told = json.loads((out / "cuts.json").read_text())
    steps = [row for row in told if row["step"] != "taken for missing"]
    assert len(steps) == len(ledger.entries)
    taken = [row for row in told if row not in steps]
    assert taken == ledger.missing_rows()
    assert all(row["values"] > 0 for row in taken)
    assert any(row["table"] == "cosmos2020_classic" for row in taken)
    chart = (out / "figures" / "figure_4_flowchart.svg").read_text()
    assert len(chart) > 10_000
    assert sorted(p.suffix for p in (out / "figures").iterdir()) == [".pdf", ".png", ".svg"]


def test_both_catalogues_are_read_the_same(folder: Path) -> None:
    """FARMER's file is big-endian too, and has its own column names; both serve as tables of magnitudes."""
    from mixz.data.catalogue import read_catalogue
    from mixz.settings.tables import Table

    for survey, name in (("cosmos2020_classic", CLASSIC_FILE), ("cosmos2020_farmer", FARMER_FILE)):
        by_mag = read_catalogue(Table(survey=survey, path=folder / name), "grizy").frame
        by_flux = read_catalogue(Table(survey=survey, path=folder / name, columns={"mag": None}), "grizy").frame
        seen = by_mag["mag_i"].notna() & by_flux["mag_i"].notna()
        assert seen.mean() > 0.9
        np.testing.assert_allclose(by_mag.loc[seen, "mag_i"], by_flux.loc[seen, "mag_i"], atol=2e-3)
        bright = seen & (by_mag["mag_i"] < 24)
        np.testing.assert_allclose(by_mag.loc[bright, "mag_err_i"], by_flux.loc[bright, "mag_err_i"], rtol=0.1)
        dered = read_catalogue(Table(survey=survey, path=folder / name, columns={"extinction": "ebv"}), "grizy").frame
        ebv = read_table(folder / name, ["EBV"])["EBV"]
        np.testing.assert_allclose((by_mag["mag_i"] - dered["mag_i"])[seen], 1.633 * ebv[seen], atol=1e-5)
