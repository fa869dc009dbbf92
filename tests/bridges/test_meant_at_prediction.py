"""Names, units, dust and marks mean at prediction what they mean in a build, by whatever way the table comes."""

from __future__ import annotations

import io
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from astropy.table import Table
from rich.console import Console

import mixz
from mixz.bridges.model_columns import Asked
from mixz.bridges.rail_tables import RailColumns
from mixz.data.data_set.galaxies_file import write_galaxies
from mixz.data.meaning.names import identities
from mixz.data.tables import read_table
from mixz.errors import MixzError
from mixz.galaxies import GalaxySet
from mixz.model.ensemble import Ensemble
from mixz.model.folder import save_model
from mixz.model.initial import untrained
from mixz.settings.network import Network
from mixz.settings.recipe import Recipe, Step
from mixz.stages.predict import predict
from mixz.stages.serve import ServedModel
from survey_files import BANDS, catalogue, fluxes, written

LONG = 2**62 + 1
PER_EBV = {"g": 3.2, "r": 2.2, "i": 1.6}
BY_EBV = {"extinction": "ebv", "ebv": "EBV", "extinction_per_ebv": PER_EBV}
BY_BAND = {"extinction": "a_band", "a_band": "a_{band}"}


@pytest.fixture(scope="module")
def plain() -> Ensemble:
    mag = np.array([[21, 20, 20], [22, 21.5, 21], [23, 22, 20], [24, 22, 21]])
    galaxies = GalaxySet(range(4), BANDS, mag, np.full((4, 3), 0.1), {"spec": [0.1, 0.5, 0.7, 0.9]}, ["train"] * 4)
    recipe = Recipe(steps=(Step(truths=("spec",)),), network=Network(hidden=(6,)))
    return untrained(galaxies, recipe, members=2)


def trained_on(model: Ensemble, *columns: dict[str, Any]) -> Ensemble:
    return replace(model, provenance={**model.provenance, "columns": list(columns)})


def predicted(model: Ensemble, path: Path, ending: str = "parquet", **asked: Any) -> tuple[pd.DataFrame, str]:
    """What `mixz predict` writes of a table, and what it says."""
    folder, output = path.parent / "model", path.parent / f"out.{ending}"
    save_model(model, folder)
    console = Console(file=(said := io.StringIO()), width=400)
    predict(folder, path, output, console, asked=Asked(**asked))
    return read_table(output), said.getvalue()


def redshifts(found: pd.DataFrame) -> Any:
    return pd.to_numeric(found["z_phot"]).to_numpy(float)


IDS: dict[str, tuple[Any, list[str | None]]] = {
    "whole": (pd.array([LONG, LONG + 1, None, 5], "Int64"), [str(LONG), str(LONG + 1), None, "5"]),
    "negative": ([-5, -LONG, 7, 8], ["-5", str(-LONG), "7", "8"]),
    "text": (["001", "101e1", None, "b"], ["001", "101e1", None, "b"]),
    "bytes": ([b"001", b"1000", b"", b"y"], ["001", "1000", None, "y"]),
    "double": ([1000.0, 1001.0, np.nan, 3.0], ["1000", "1001", None, "3"]),
    "category": (pd.Categorical(["a", "b", None, "c"]), ["a", "b", None, "c"]),
}


@pytest.mark.parametrize("ids", IDS)
@pytest.mark.parametrize("ending", ["csv", "fits", "hdf5"])
def test_names_in_every_output(ids: str, ending: str, plain: Ensemble, tmp_path: Path) -> None:
    given, expected = IDS[ids]
    found, _ = predicted(plain, written(catalogue(4).assign(object_id=given), tmp_path, "parquet"), ending)
    assert identities(found["object_id"]).tolist() == expected


@pytest.mark.parametrize("ids", IDS)
def test_names_in_python_and_on_the_page(ids: str, plain: Ensemble, tmp_path: Path) -> None:
    given, expected = IDS[ids]
    frame = catalogue(4).assign(object_id=given)
    as_dictionary = {name: frame[name] for name in frame}
    for table in (frame, pa.Table.from_pandas(frame), Table.from_pandas(frame), as_dictionary):
        names = mixz.predict_table(plain, table)["object_id"]
        names = pd.Series(names.to_pylist() if isinstance(table, pa.Table) else names.tolist(), dtype=object)
        assert identities(names).tolist() == expected
    served = ServedModel(plain, "toy", 100, 10**8)
    shown = served.show(written(frame, tmp_path, "parquet"), Asked(), None, lambda *_: None)
    assert [row["object_id"] for row in shown["rows"]] == [name or "" for name in expected]


def test_rounded_names_are_told_of(plain: Ensemble, tmp_path: Path) -> None:
    frame = catalogue(4).assign(object_id=np.array([1, 2, 3, 2.0**60]))
    with pytest.warns(UserWarning, match="neighbours may have become one"):
        mixz.predict_table(plain, frame)
    assert "neighbours may have become one" in predicted(plain, written(frame, tmp_path, "fits"))[1]


def test_a_model_remembers_the_column_of_names(plain: Ensemble, tmp_path: Path) -> None:
    model = trained_on(plain, {"object_id": "ID"})
    frame = catalogue(4).rename(columns={"object_id": "ID"})
    assert predicted(model, written(frame, tmp_path, "csv"))[0]["object_id"].tolist() == [
        "1000",
        "1007",
        "1014",
        "1021",
    ]
    _, said = predicted(model, written(frame.drop(columns="ID"), tmp_path, "csv"))
    assert "galaxies are called by the numbers of their rows" in said


def test_names_in_the_index(plain: Ensemble) -> None:
    for index in (["object_id"], ["field", "object_id"]):
        frame = catalogue(4).assign(object_id=[5, 9, 11, LONG], field=1).set_index(index)
        assert mixz.predict_table(plain, frame)["object_id"].tolist() == [5, 9, 11, LONG]


@pytest.mark.parametrize("value", [99.9, -99.9, np.inf, 1e20])
def test_marks_give_no_redshift(value: float, plain: Ensemble, tmp_path: Path) -> None:
    frame = catalogue(8)
    frame.loc[0, "mag_g"] = value
    frame["mag_g"] = frame["mag_g"].astype("f4")
    for ending in ("fits", "csv"):
        found = redshifts(predicted(plain, written(frame, tmp_path, ending))[0])
        assert np.isnan(found).tolist() == [True] + [False] * 7


def test_fluxes(plain: Ensemble, tmp_path: Path) -> None:
    frame = catalogue(8)
    expected = redshifts(predicted(plain, written(frame, tmp_path, "parquet"))[0])
    path = written(fluxes(frame, 31.4), tmp_path, "parquet")
    asked = {"flux": "f_{band}"}
    found, said = predicted(plain, path, **asked, flux_zero_point=31.4)
    np.testing.assert_allclose(redshifts(found), expected, atol=1e-5)
    assert "microjansky" not in said
    assert "taken as microjansky" in predicted(plain, path, **asked)[1]
    of_fluxes = trained_on(plain, {"mag": None, "flux": "F_{band}", "flux_zero_point": 31.4})
    found, said = predicted(of_fluxes, path, **asked)
    np.testing.assert_allclose(redshifts(found), expected, atol=1e-5)
    assert "fluxes taken as training's, with a zero point of 31.4" in said
    for zero_point, words in ((np.nan, "a number"), (np.inf, "a number"), (0.0, "lie outside 5 to 40")):
        with pytest.raises(MixzError, match=words):
            predicted(plain, path, **asked, flux_zero_point=zero_point)
    dark = fluxes(frame, 31.4)
    dark.loc[:1, "f_g"] = [0, -1]
    by_file = redshifts(predicted(plain, written(dark, tmp_path, "fits"), **asked, flux_zero_point=31.4)[0])
    in_python = mixz.predict_table(plain, dark, **asked, flux_zero_point=31.4)["z_phot"].to_numpy()
    assert np.isnan(by_file).tolist() == np.isnan(in_python).tolist() == [True] * 2 + [False] * 6


def dusty() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Galaxies with their dust, of two of which it is not known; and those free of it."""
    clean = catalogue(6)
    ebv = np.array([0.1, 0.2, 0.0, 0.4, -1.0, np.nan])
    dust = {f"mag_{b}": clean[f"mag_{b}"] + PER_EBV[b] * np.maximum(ebv, 0) for b in BANDS}
    return clean.assign(**dust, EBV=ebv, **{f"a_{b}": PER_EBV[b] * ebv for b in BANDS}), clean


KNOWN = [False] * 4 + [True] * 2


@pytest.mark.parametrize("columns", [BY_EBV, BY_BAND])
def test_dust_is_taken_off_as_in_training(columns: dict[str, Any], plain: Ensemble, tmp_path: Path) -> None:
    frame, clean = dusty()
    expected = redshifts(predicted(plain, written(clean, tmp_path, "parquet"))[0])[:4]
    renamed = frame.rename(columns={f"mag_{b}": f"m_{b}" for b in BANDS})
    for model, table, asked in (
        (trained_on(plain, columns), frame, {}),
        (trained_on(plain, columns | {"mag": "{band}_cmodel", "mag_err": "{band}_e"}), frame, {}),
        (trained_on(plain, columns), renamed, {"mag": "m_{band}"}),
        (trained_on(plain, {}, columns), frame, {}),
    ):
        found = redshifts(predicted(model, written(table, tmp_path, "parquet"), **asked)[0])
        assert np.isnan(found).tolist() == KNOWN
        np.testing.assert_allclose(found[:4], expected, atol=1e-5)
    for one in (frame, Table.from_pandas(frame), {name: frame[name].to_numpy() for name in frame}):
        found = np.asarray(mixz.predict_table(trained_on(plain, columns), one)["z_phot"], float)
        np.testing.assert_allclose(found[:4], expected, atol=1e-5)
        assert np.isnan(found).tolist() == KNOWN


def test_what_is_said_of_dust(plain: Ensemble, tmp_path: Path) -> None:
    frame, clean = dusty()
    model = trained_on(plain, BY_EBV)
    expected = redshifts(predicted(plain, written(clean, tmp_path, "parquet"))[0])
    path = written(frame.rename(columns={"EBV": "E_BV"}), tmp_path, "parquet")
    np.testing.assert_allclose(redshifts(predicted(model, path, ebv="E_BV")[0])[:4], expected[:4], atol=1e-5)
    with pytest.raises(MixzError, match=r"no column 'EBV'(?s:.*)--ebv"):
        predicted(model, path)
    path = written(clean, tmp_path, "parquet")
    np.testing.assert_allclose(redshifts(predicted(model, path, dereddened=True)[0]), expected, atol=1e-5)
    for asked, words in (({"ebv": "E", "dereddened": True}, "one of them"), ({"ebv": "E"}, "no column 'E'")):
        with pytest.raises(MixzError, match=words):
            predicted(model, path, **asked)
    with pytest.raises(MixzError, match="leave it out: this one did not"):
        predicted(plain, path, ebv="E_BV")


def test_galaxies_that_mixz_built_are_free_of_dust(plain: Ensemble, tmp_path: Path) -> None:
    clean = catalogue(6)
    mag, err = (clean[[f"{kind}_{b}" for b in BANDS]].to_numpy() for kind in ("mag", "mag_err"))
    write_galaxies(GalaxySet(range(6), BANDS, mag, err, {"spec": clean["zs"]}, ["test"] * 6), tmp_path / "g.parquet")
    found = redshifts(predicted(trained_on(plain, BY_EBV), tmp_path / "g.parquet")[0])
    np.testing.assert_allclose(found, plain.predict(GalaxySet(range(6), BANDS, mag, err)).z_phot, atol=1e-5)


def test_names_of_rails_tables() -> None:
    columns = RailColumns(mag=("mag_g",), mag_err=("mag_err_g",))
    frame = {"mag_g": np.array([20.0, 21, 22]), "mag_err_g": np.full(3, 0.1)}
    for ids, expected in (
        (np.array([b"001", b"101e1", b"c"]), ["001", "101e1", "c"]),
        (np.array([2**63 + 1, 2**63 + 3, 5], "u8"), [2**63 + 1, 2**63 + 3, 5]),
        (np.ma.MaskedArray([LONG, 2, 3], mask=[False, True, False]), [0, 1, 2]),
        (pd.array([LONG, None, 3], "Int64"), [0, 1, 2]),
    ):
        assert columns.galaxies(frame | {"object_id": ids}).object_id.tolist() == expected
    with pytest.warns(UserWarning, match="exactly 37.5"):
        columns.galaxies({"mag_g": np.full(30, 37.5), "mag_err_g": np.full(30, 0.1)})


RUBIN = Path("examples_data/testdata/rubin_dm_dc2_example.pq")


@pytest.mark.skipif(find_spec("rail") is None, reason="needs RAIL")
def test_rubins_example(plain: Ensemble, tmp_path: Path) -> None:
    """Fluxes in nanojansky without a unit, 64-bit names called objectId, positions called ra and decl."""
    import rail

    path = next((Path(p) / RUBIN for p in rail.__path__ if (Path(p) / RUBIN).exists()), None)
    if path is None:
        pytest.skip("needs pz-rail-base")
    (table := tmp_path / "rubin.pq").write_bytes(path.read_bytes())
    asked = {"flux": "{band}_gaap1p0Flux", "object_id": "objectId", "flux_zero_point": 31.4}
    found, _ = predicted(plain, table, **asked)
    given = pd.read_parquet(path)
    assert found["object_id"].tolist() == given["objectId"].tolist()
    np.testing.assert_allclose(found["dec"], given["decl"])
    seen = (given[[f"{b}_gaap1p0Flux" for b in BANDS]] > 0).all(axis=1).to_numpy()
    assert np.isfinite(redshifts(found)).tolist() == seen.tolist()
