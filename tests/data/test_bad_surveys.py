"""What users hand in by mistake: each time one clear message, and nothing half-written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from mixz import stages
from mixz.data.tables import write_table
from mixz.errors import MixzError
from mixz.settings.file import load_config

BANDS = "grizy"


def sky(rows: int, *, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.uniform(149.5, 150.5, rows), rng.uniform(1.7, 2.7, rows)


def hsc(rows: int = 300) -> pd.DataFrame:
    """Write down an HSC table: positions and magnitudes, and nothing astronomical about them."""
    ra, dec = sky(rows, seed=1)
    frame = pd.DataFrame({"object_id": 4 * 10**16 + np.arange(rows), "ra": ra, "dec": dec})
    for band in BANDS:
        frame[f"{band}_cmodel_mag"] = np.linspace(19, 25, rows)
        frame[f"{band}_cmodel_magsigma"] = 0.05
    return frame.assign(i_extendedness_value=1.0)


def classic(rows: int = 300) -> pd.DataFrame:
    ra, dec = sky(rows, seed=1)
    z = np.linspace(0.1, 2, rows)
    frame = pd.DataFrame({"ID": np.arange(rows), "ALPHA_J2000": ra, "DELTA_J2000": dec, "lp_zPDF": z, "lp_type": 0})
    return frame.assign(lp_zPDF_l68=z - 0.01, lp_zPDF_u68=z + 0.01, HSC_i_MAG_AUTO=22.0, HSC_i_MAG_APER2=22.0)


def farmer(rows: int = 300) -> pd.DataFrame:
    return classic(rows).drop(columns=["HSC_i_MAG_AUTO", "HSC_i_MAG_APER2"]).assign(HSC_i_MAG=22.0, MODEL_FLAG=0)


@pytest.fixture
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A function that writes both tables and builds them; nothing may be left behind when it is refused."""

    monkeypatch.setattr("mixz.report.paper.save_drawing", lambda *_: [])  # what takes the time; tested elsewhere

    def run(
        photometry: pd.DataFrame, labels: pd.DataFrame, *, name: str = "hsc.fits", table: Any = None, match: Any = None
    ) -> Any:
        write_table(photometry, tmp_path / name)
        write_table(labels, tmp_path / "labels.fits")
        settings = {
            "name": "bad",
            "bands": list(BANDS),
            "recipes": ["base"],
            "out": str(tmp_path / "out"),
            "tables": [
                {
                    "name": "transferz",
                    "survey": "hsc_pdr2",
                    "path": name,
                    "cuts": ["extended"],
                    "match": [{"survey": "cosmos2020_classic", "path": "labels.fits", "cuts": ["galaxies_only"]}],
                }
            ],
        }
        settings["tables"][0] |= table or {}
        settings["tables"][0]["match"][0] |= match or {}
        (tmp_path / "bad.yaml").write_text(yaml.safe_dump(settings, sort_keys=False))
        return stages.build(load_config(tmp_path / "bad.yaml"))

    return run


def refused(build: Any, tmp_path: Path, says: str, *frames: pd.DataFrame, **settings: Any) -> str:
    with pytest.raises(MixzError, match=f"(?s){says}") as error:
        build(*frames, **settings)
    assert not (tmp_path / "out").exists()
    return str(error.value)


def test_good_tables_pass(build: Any) -> None:
    assert build(hsc(), classic()).entries[-1].rows_out == 300


def test_missing_columns_are_listed(build: Any, tmp_path: Path) -> None:
    table = hsc().rename(columns={"g_cmodel_mag": "g_cmodel_magn"}).drop(columns="y_cmodel_magsigma")
    message = refused(build, tmp_path, "no column 'g_cmodel_mag'", table, classic())
    assert "nearest name" in message
    assert "'g_cmodel_magn'" in message
    assert "'y_cmodel_magsigma'" in message


def test_one_catalogue_given_as_the_other(build: Any, tmp_path: Path) -> None:
    refused(build, tmp_path, "is a cosmos2020_farmer table.*survey: cosmos2020_farmer", hsc(), farmer())
    other = {"survey": "cosmos2020_farmer"}
    refused(build, tmp_path, "is a cosmos2020_classic table.*no HSC_i_MAG", hsc(), classic(), match=other)
    pdr3 = hsc().rename(columns=lambda n: n.replace("magsigma", "magerr"))
    refused(build, tmp_path, "is a hsc_pdr3 table", pdr3, classic())


@pytest.mark.parametrize("ending", ["fits", "parquet", "hdf5", "csv"])
def test_truncated_files(ending: str, build: Any, tmp_path: Path) -> None:
    name = f"hsc.{ending}"
    build(hsc(), classic(), name=name)
    config = load_config(tmp_path / "bad.yaml")
    before = (tmp_path / "out" / "bad" / "galaxies.parquet").read_bytes()
    whole = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(whole[: int(len(whole) * 0.7)])
    with pytest.raises(MixzError, match="cannot be read.*a whole|cannot be read(?s:.*)again"):
        stages.build(config)
    assert (tmp_path / "out" / "bad" / "galaxies.parquet").read_bytes() == before


def test_duplicate_ids(build: Any, tmp_path: Path) -> None:
    table = hsc()
    table.loc[1, "object_id"] = table.loc[0, "object_id"]
    refused(build, tmp_path, "1 object ids occur more than once in transferz.*repeated: first", table, classic())
    once = [{"name": "once", "column": "object_id", "repeated": "drop"}]
    assert build(table, classic(), table={"cuts": once}).entries[-1].rows_out == 298


@pytest.mark.parametrize(
    ("ra_factor", "dec_factor", "unit"), [(1 / 15, 1.0, "hours"), (np.pi / 180, np.pi / 180, "radians")]
)
def test_coordinates_in_other_units(ra_factor: float, dec_factor: float, unit: str, build: Any, tmp_path: Path) -> None:
    table = hsc().assign(ra=lambda t: t["ra"] * ra_factor, dec=lambda t: t["dec"] * dec_factor)
    message = refused(build, tmp_path, "no object in common", table, classic())
    assert unit in message
    assert message.count("covers ra") == 2, "both footprints"
    labels = classic().assign(
        ALPHA_J2000=lambda t: t["ALPHA_J2000"] * ra_factor, DELTA_J2000=lambda t: t["DELTA_J2000"] * dec_factor
    )
    refused(build, tmp_path, f"none of it in the field of cosmos2020_classic.*{unit}", hsc(), labels)


def test_impossible_coordinates(build: Any, tmp_path: Path) -> None:
    swapped = hsc().rename(columns={"ra": "dec", "dec": "ra"})
    refused(build, tmp_path, "declination 1.*-90 to 90", swapped, classic())


def test_coordinates_that_are_missing(build: Any) -> None:
    labels = classic()
    labels.loc[:9, "ALPHA_J2000"] = np.nan
    ledger = build(hsc(), labels)
    assert (ledger.entries[0].step, ledger.entries[0].rows_out) == ("has_a_position", 290)
    assert ledger.entries[-1].rows_out == 290


def test_no_coordinates_at_all(build: Any, tmp_path: Path) -> None:
    labels = classic().assign(ALPHA_J2000=np.nan)
    refused(build, tmp_path, "no galaxy is left after 'has_a_position'", hsc(), labels)


def test_the_cut_that_took_all(build: Any, tmp_path: Path) -> None:
    message = refused(build, tmp_path, "left after 'galaxies_only'", hsc(), classic().assign(lp_type=1))
    assert "galaxies_only 300 -> 0" in message
    refused(build, tmp_path, "left after 'extended'", hsc().assign(i_extendedness_value=0), classic())


def test_disjoint_areas(build: Any, tmp_path: Path) -> None:
    message = refused(build, tmp_path, "no object in common", hsc().assign(ra=lambda t: t["ra"] + 40), classic())
    assert "transferz covers ra 189.5 to 190.5" in message.replace("189.6", "189.5")
    assert "cosmos2020_classic covers ra 149.5 to 150.5" in message
    assert "name tables of one field" in message


def test_fluxes_given_as_magnitudes(build: Any, tmp_path: Path) -> None:
    table = hsc()
    for band in BANDS:
        table[f"{band}_cmodel_mag"] = 10 ** (-0.4 * (table[f"{band}_cmodel_mag"] - 23.9))
    refused(build, tmp_path, "'g_cmodel_mag' holds no AB magnitudes.*flux", table, classic())
    fluxes = {"mag": None, "flux": "{band}_cmodel_mag", "flux_err": "{band}_cmodel_magsigma"}
    assert build(table, classic(), table={"columns": fluxes}).entries[-1].rows_out == 300


@pytest.mark.parametrize(
    ("table", "match", "says"),
    [
        ({"survey": "hsc_pdr4"}, {}, "no survey is called 'hsc_pdr4'.*hsc_pdr3"),
        ({"cuts": ["extnded"]}, {}, "no cut of the survey is called 'extnded'.*'extended'"),
        ({"columns": {"extinction": "ebv"}}, {}, "extinction: ebv needs ebv"),
        ({"columns": {"ra": None}}, {}, "ra and dec go together"),
        ({"cuts": [{"name": "c", "column": "i_extendedness", "equals": 1}]}, {}, "no column 'i_extendedness'"),
        ({"cuts": [{"name": "c", "column": "__import__('os')", "equals": 1}]}, {}, "neither a column nor arithmetic"),
        ({"carry": {"mag_i": "a_i"}}, {}, "carry 'mag_i'"),
        ({}, {"truths": {}}, "a match needs truths or carry"),
        ({}, {"truths": {}, "carry": {"z_b": "lp_zPDF"}}, "truths: name the column of at least one"),
        ({}, {"radius_arcsec": 0}, "radius_arcsec"),
        ({}, {"name": "transferz"}, "give each a name of its own"),
    ],
)
def test_settings_that_cannot_be(table: Any, match: Any, says: str, build: Any, tmp_path: Path) -> None:
    refused(build, tmp_path, says, hsc(), classic(), table=table, match=match)


def test_a_file_not_yet_downloaded(build: Any, tmp_path: Path) -> None:
    message = refused(build, tmp_path, "no file .*COSMOS2020_CLASSIC", hsc(), classic(), match={"path": "data"})
    assert "J/ApJS/258/11" in message
    assert "mixz mock" in message


def test_a_sky_patch_split_needs_places(toy_settings: dict[str, Any], write_config: Any) -> None:
    with pytest.raises(MixzError, match="split by sky_patch needs positions"):
        load_config(write_config(toy_settings | {"split": {"by": "sky_patch"}}))


def test_an_overlap_must_name_a_table(toy_settings: dict[str, Any], write_config: Any) -> None:
    with pytest.raises(MixzError, match="overlap keeps 'widd'"):
        load_config(write_config(toy_settings | {"overlap": {"keep": "widd"}}))
    with pytest.raises(MixzError, match="overlap needs positions"):
        load_config(write_config(toy_settings | {"overlap": {"keep": "wide"}}))
