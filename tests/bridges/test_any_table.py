"""Tables of every kind go in and come back as they were, with units where the kind has them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import astropy.units as u
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from astropy.table import MaskedColumn, QTable, Table
from astropy.utils.masked import Masked

import mixz
from mixz.errors import MixzError
from mixz.galaxies import GalaxySet
from mixz.model.ensemble import Ensemble
from mixz.model.initial import untrained
from mixz.settings.network import Network
from mixz.settings.recipe import Recipe, Step

MAG = {"mag_g": np.array([21.0, 22.0, 23.0]), "mag_r": np.array([20.0, 21.5, 22.0])}


@pytest.fixture(scope="module")
def model() -> Ensemble:
    galaxies = GalaxySet(
        np.arange(4),
        ("g", "r"),
        [[21, 20], [22, 21.5], [23, 22], [24, 22]],
        np.full((4, 2), 0.1),
        {"spec": [0.1, 0.5, 0.7, 0.9]},
        ["train"] * 4,
    )
    network = Network(hidden=(6,), head="binned", nodes=20)
    return untrained(galaxies, Recipe(steps=(Step(truths=("spec",)),), network=network), members=2)


@pytest.fixture(scope="module")
def expected(model: Ensemble) -> Any:
    mag = np.column_stack(list(MAG.values()))
    return model.predict(GalaxySet(np.arange(3), ("g", "r"), mag, np.full((3, 2), np.nan)))


def test_pandas(model: Ensemble, expected: Any) -> None:
    frame = pd.DataFrame(MAG | {"object_id": ["a", "a", "c"]}, index=[7, 5, 3])
    found = mixz.predict_table(model, frame)
    assert isinstance(found, pd.DataFrame)
    assert found.index.tolist() == [7, 5, 3]
    assert found["object_id"].tolist() == ["a", "a", "c"], "ids of a table may repeat"
    np.testing.assert_allclose(found["z_phot"], expected.z_phot)
    assert list(frame.columns) == ["mag_g", "mag_r", "object_id"], "the caller's frame is unchanged"


def test_astropy(model: Ensemble, expected: Any) -> None:
    from astropy.cosmology import units as cu

    found = mixz.predict_table(
        model, Table({"mag_g": MaskedColumn(MAG["mag_g"], mask=[False, False, True]), "mag_r": MAG["mag_r"]})
    )
    assert type(found) is Table
    assert found["z_phot"].unit == cu.redshift
    np.testing.assert_allclose(found["z_phot"][:2], expected.z_phot[:2])
    assert np.isnan(found["z_phot"][2])
    flux = QTable({name: (mag * u.ABmag).to(u.nJy) for name, mag in MAG.items()})
    found = mixz.predict_table(model, flux, densities=True)
    assert isinstance(found, QTable)
    assert found["zmode"].unit == cu.redshift
    assert found["zmode"].info.description == "redshift where the density is highest"
    np.testing.assert_allclose(found["z_phot"].value, expected.z_phot, rtol=1e-5)
    np.testing.assert_allclose(found["pdf"].to_value(1 / cu.redshift), expected.pdf, rtol=1e-4)
    assert len(found.meta["z_grid"]) == 20
    with pytest.raises(MixzError, match="'mag_g' is in 'km'"):
        mixz.predict_table(model, QTable({"mag_g": MAG["mag_g"] * u.km, "mag_r": MAG["mag_r"] * u.mag}))


def test_pyarrow_and_dictionaries(model: Ensemble, expected: Any) -> None:
    found = mixz.predict_table(model, pa.table(MAG), densities=True)
    assert isinstance(found, pa.Table)
    assert found.schema.field("z_phot").metadata == {b"unit": b"redshift", b"description": b"photometric redshift"}
    assert found.schema.field("pdf").metadata[b"unit"] == b"1 / redshift"
    np.testing.assert_allclose(np.stack(found["pdf"].to_pylist()), expected.pdf, rtol=1e-6)
    found = mixz.predict_table(model, {f"{name}_x": mag for name, mag in MAG.items()}, mag="mag_{band}_x")
    assert isinstance(found, dict)
    np.testing.assert_allclose(found["zmedian"], expected.points["zmedian"])


def test_arrays(model: Ensemble, expected: Any) -> None:
    mag = np.column_stack(list(MAG.values()))
    np.testing.assert_allclose(mixz.predict_table(model, mag), expected.z_phot)
    np.testing.assert_allclose(mixz.predict_table(model, (mag, np.full_like(mag, 0.1))), expected.z_phot)
    assert mixz.predict_table(model, mag[:0]).shape == (0,)


@pytest.mark.parametrize(
    "hide",
    [
        lambda mag, mask: {name: np.ma.MaskedArray(m, mask) for name, m in mag.items()},
        lambda mag, mask: Table({name: MaskedColumn(m, mask=mask) for name, m in mag.items()}),
        lambda mag, mask: QTable({name: Masked(m * u.ABmag, mask=mask) for name, m in mag.items()}),
        lambda mag, mask: QTable({name: Masked((m * u.ABmag).to(u.nJy), mask=mask) for name, m in mag.items()}),
        lambda mag, mask: pa.table({name: pa.array(m, mask=np.array(mask)) for name, m in mag.items()}),
        lambda mag, mask: pd.DataFrame({name: pd.arrays.FloatingArray(m, np.array(mask)) for name, m in mag.items()}),
        lambda mag, mask: {name: pd.Series(np.where(mask, np.nan, m), index=[5, 5, 9]) for name, m in mag.items()},
    ],
)
def test_masked_values_are_missing(model: Ensemble, expected: Any, hide: Any) -> None:
    found = mixz.predict_table(model, hide(MAG, [False, True, False]))["z_phot"]
    z = np.asarray(getattr(found, "value", found), float)
    assert np.isnan(z).tolist() == [False, True, False]
    np.testing.assert_allclose(z[[0, 2]], expected.z_phot[[0, 2]], rtol=1e-5)


def test_masked_arrays_and_marks_in_arrays(model: Ensemble) -> None:
    mag = np.column_stack(list(MAG.values()))
    hidden = np.ma.MaskedArray(mag, mask=[[False, True], [False, False], [False, False]])
    assert np.isnan(mixz.predict_table(model, hidden)).tolist() == [True, False, False]
    mag[1, 0] = 99.0
    assert np.isnan(mixz.predict_table(model, mag)).tolist() == [False, True, False]


def test_names_keep_every_digit(model: Ensemble) -> None:
    long = 40_000_069_801_127_669  # more digits than a float has
    for ids, there in (
        (MaskedColumn([long, long + 2, 1], mask=[False, False, True]), [long, long + 2, None]),
        (MaskedColumn(["a", "b", "c"], mask=[False] * 3), ["a", "b", "c"]),
        (MaskedColumn(["a", "b", "c"], mask=[True, False, False]), [None, "b", "c"]),
    ):
        found = mixz.predict_table(model, Table(MAG | {"object_id": ids}))
        assert found["object_id"].tolist() == there
        found = mixz.predict_table(model, MAG | {"object_id": ids})
        assert found["object_id"].tolist() == there
    found = mixz.predict_table(model, pa.table(MAG | {"object_id": pa.array([long, long + 2, None])}))
    assert found["object_id"].type == pa.int64()
    assert found["object_id"].to_pylist() == [long, long + 2, None]
    frame = pd.DataFrame(MAG).assign(object_id=pd.array([long, long + 2, None], dtype="Int64"))
    pd.testing.assert_series_equal(mixz.predict_table(model, frame)["object_id"], frame["object_id"])


def test_errors_of_fluxes_become_errors_of_magnitudes() -> None:
    galaxies = GalaxySet([1, 2], ("g",), [[21], [22]], [[0.1], [0.3]], {"spec": [0.1, 0.5]}, ["train"] * 2)
    network = Network(hidden=(4,), inputs="minmax", errors="plain")
    model = untrained(galaxies, Recipe(steps=(Step(truths=("spec",)),), network=network), members=1)
    flux = ([21.5] * u.ABmag).to(u.nJy)
    as_magnitudes = mixz.predict_table(model, {"mag_g": [21.5], "mag_err_g": [2.5 / np.log(10) * 0.1]})["z_phot"]
    table = QTable({"mag_g": flux, "mag_err_g": (0.1 * flux).to(u.uJy)})
    np.testing.assert_allclose(mixz.predict_table(model, table)["z_phot"].value, as_magnitudes, rtol=1e-4)
    with pytest.raises(MixzError, match="'mag_err_g' is in 'nJy'"):
        mixz.predict_table(model, QTable({"mag_g": [21.5] * u.ABmag, "mag_err_g": 0.1 * flux}))


def test_models_of_fluxes_read_units_as_fluxes(model: Ensemble, expected: Any) -> None:
    columns = {"mag": None, "mag_err": None, "flux": "f_{band}", "flux_zero_point": 23.9}
    of_fluxes = replace(model, provenance={"columns": [columns]})
    mags = dict(zip("gr", MAG.values(), strict=True))
    for table in (
        {f"f_{band}": 10 ** (0.4 * (23.9 - mag)) for band, mag in mags.items()},
        QTable({f"f_{band}": (mag * u.ABmag).to(u.nJy) for band, mag in mags.items()}),
    ):
        found = mixz.predict_table(of_fluxes, table)["z_phot"]
        np.testing.assert_allclose(getattr(found, "value", found), expected.z_phot, rtol=1e-4)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (np.zeros((3, 5)), r"shape \(3, 5\)"),
        (np.zeros(3), r"shape \(3,\)"),
        ("galaxies.csv", "kind str"),
        ({"mag_g": [21.0]}, "no column 'mag_r'"),
        ({"mag_g": [21.0], "mag_r": [21.0, 22.0]}, "different lengths"),
        ({"mag_g": 21.0, "mag_r": 21.0}, "different lengths or shapes"),
        (np.array([["near", "far"]]), "holds 'near'"),
        (Table(MAG).as_array(), "kind ndarray"),
        ({"mag_g": np.full(3, 3e3) * u.nJy, "mag_r": [21.0, 21.0, 21.0] * u.STmag}, "is in .mag.ST"),
        ({"mag_g": [3e3, 3e4, 3e5], "mag_r": [21.0, 21.0, 21.0]}, "holds no AB magnitudes"),
        (pd.DataFrame({"mag_g": ["bright"], "mag_r": [21.0]}), "holds 'bright'"),
    ],
)
def test_what_is_refused(model: Ensemble, table: Any, words: str) -> None:
    with pytest.raises(MixzError, match=words):
        mixz.predict_table(model, table)


def test_models_without_densities_say_so() -> None:
    galaxies = GalaxySet([1, 2], ("g",), [[21], [22]], [[0.1]] * 2, {"spec": [0.1, 0.5]}, ["train"] * 2)
    model = untrained(galaxies, Recipe(steps=(Step(truths=("spec",)),), network=Network(hidden=(4,))), members=1)
    with pytest.raises(MixzError, match="gives no densities"):
        mixz.predict_table(model, {"mag_g": [21.0]}, densities=True)
    with pytest.raises(MixzError, match="densities of an array"):
        mixz.predict_table(model, np.array([[21.0]]), densities=True)


def test_an_ensemble_itself_takes_galaxies_only(model: Ensemble) -> None:
    with pytest.raises(MixzError, match=r"predict of a DataFrame(?s:.*)mixz\.predict_table\(model, table\)"):
        model.predict(pd.DataFrame(MAG))  # type: ignore[arg-type]


def test_an_index_that_holds_the_ids_is_a_column_too(model: Ensemble) -> None:
    frame = pd.DataFrame(MAG, index=pd.Index([7, 8, 9], name="object_id"))
    found = mixz.predict_table(model, frame)
    assert found.index.tolist() == [7, 8, 9]
    assert found.reset_index()["object_id"].tolist() == [7, 8, 9]
