"""Bands that are missing, and bands in which nothing was seen: from the tables through training to estimates."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from mixz import stages
from mixz.bridges.model_columns import Asked
from mixz.data.photometry import photometry
from mixz.data.tables import read_table, write_table
from mixz.errors import MixzError
from mixz.settings.file import load_config
from mixz.stages.store.results import Results
from mixz.surveys.columns import Columns

MISSING, UNSEEN = slice(0, 20), slice(20, 60)


@pytest.mark.parametrize(
    ("undetected", "mag", "unseen"),
    [
        ((), [99.0, np.nan, np.inf, -99.0, 21.0], [0, 0, 0, 0, 0]),
        ((99,), [99.0, np.nan, np.inf, -99.0, 21.0], [1, 0, 0, 0, 0]),
        (("nan",), [99.0, np.nan, np.inf, -99.0, 21.0], [0, 1, 0, 0, 0]),
        (("inf", 30), [99.0, np.nan, np.inf, -99.0, 30.0], [0, 0, 1, 0, 1]),
    ],
)
def test_what_stands_for_nothing_seen(undetected: Any, mag: list[float], unseen: list[int]) -> None:
    frame = pd.DataFrame({"mag_g": mag, "mag_err_g": 0.1})
    seen, err = photometry(frame, Columns(undetected=undetected), ["g"], where="demo")
    np.testing.assert_array_equal(np.isinf(err[:, 0]), np.array(unseen, bool))
    assert np.isnan(seen[np.isinf(err)]).all()


def test_fluxes_that_are_not_positive_were_not_seen() -> None:
    frame = pd.DataFrame({"f_g": [1.0, 0.0, -2.0, np.nan, -99.0], "e_g": 0.5})
    columns = {"mag": None, "flux": "f_{band}", "flux_err": "e_{band}"}
    for undetected, count in (((), 0), ((-5,), 3)):
        _, err = photometry(frame, Columns(**columns, undetected=undetected), ["g"], where="demo")
        assert np.isinf(err).sum() == count


def test_galaxies_as_build_wrote_them_keep_what_was_not_seen() -> None:
    frame = pd.DataFrame({"mag_g": [np.nan, np.nan, 21.0], "mag_err_g": [np.inf, np.nan, 0.1]})
    _, err = photometry(frame, Columns(), ["g"], where="demo")
    assert np.isinf(err[:, 0]).tolist() == [True, False, False]


@pytest.fixture
def settings(toy_settings: dict[str, Any], tmp_path: Path) -> dict[str, Any]:
    """Put galaxies into the deep table that lack z, and others too faint in g."""
    deep = read_table(tmp_path / "deep.parquet")
    deep.loc[deep.index[MISSING], "mag_z"] = np.nan
    deep.loc[deep.index[UNSEEN], ["mag_g", "mag_err_g"]] = 99.0
    write_table(deep, tmp_path / "deep.parquet")
    toy_settings["tables"][0]["columns"] = {"undetected": [99]}
    toy_settings["recipes"] = ["fused"]
    toy_settings["networks"] = {"fused": {"hidden": [16], "nodes": 30, "systems": False}}
    return toy_settings


def built(settings: dict[str, Any], write_config: Any) -> Any:
    config = load_config(write_config(settings))
    stages.build(config)
    galaxies = Results(config).read_galaxies()
    return config, galaxies.rows(galaxies.has("many_band"))


def test_by_default_they_are_left_out(settings: dict[str, Any], write_config: Any) -> None:
    _, galaxies = built(settings, write_config)
    assert len(galaxies) == 340


@pytest.mark.parametrize(
    ("incomplete", "network", "count"),
    [
        ("undetected", {"asinh": True}, 380),
        ("undetected", {"drop_bands": 0.2}, 380),
        ("keep", {"drop_bands": 0.2, "asinh": True, "errors": "robust"}, 400),
    ],
)
def test_networks_that_can_take_them_get_them(
    incomplete: str,
    network: dict[str, Any],
    count: int,
    settings: dict[str, Any],
    write_config: Any,
    tmp_path: Path,
    console: Console,
) -> None:
    settings["incomplete"] = incomplete
    settings["networks"]["fused"] |= network
    config, galaxies = built(settings, write_config)
    assert len(galaxies) == count
    assert np.isinf(galaxies.mag_err).sum() == 40
    (path,) = stages.train(config, console)
    records = stages.evaluate(config, console)
    assert all(np.isfinite(r["mean"]) for r in records if r["metric"] == "sigma_mad" and r["n"])
    lost = stages.predict(path, tmp_path / "deep.parquet", tmp_path / "z.csv", console)
    takes_missing = "drop_bands" in network
    assert lost == (0 if takes_missing else 20)
    z = pd.read_csv(tmp_path / "z.csv")["z_phot"].to_numpy()
    assert np.isfinite(z[UNSEEN]).all()
    assert np.isfinite(z[MISSING]).all() == takes_missing


@pytest.mark.parametrize(
    ("incomplete", "network", "said"),
    [
        ("undetected", {}, "networks of 'fused' need asinh: true or drop_bands"),
        ("keep", {"asinh": True}, "networks of 'fused' need drop_bands"),
    ],
)
def test_networks_that_cannot_take_them(
    incomplete: str, network: dict[str, Any], said: str, settings: dict[str, Any], write_config: Any
) -> None:
    settings["incomplete"] = incomplete
    settings["networks"]["fused"] |= network
    with pytest.raises(MixzError, match=said):
        load_config(write_config(settings))


def test_a_model_that_sees_errors_asks_for_them(
    settings: dict[str, Any], write_config: Any, tmp_path: Path, console: Console
) -> None:
    settings["networks"]["fused"]["errors"] = "plain"
    config, _ = built(settings, write_config)
    (path,) = stages.train(config, console)
    table, out = tmp_path / "bare.csv", tmp_path / "z.csv"
    frame = read_table(tmp_path / "wide.csv")
    others = {f"mag_err_{band}": f"sigma_{band}" for band in "griz"}
    write_table(frame.rename(columns=others), table)
    with pytest.raises(MixzError, match="the model sees errors"):
        stages.predict(path, table, out, console)
    assert stages.predict(path, table, out, console, asked=Asked(mag_err="sigma_{band}")) == 0
    assert stages.predict(path, tmp_path / "wide.csv", tmp_path / "z2.csv", console) == 0
    pd.testing.assert_frame_equal(pd.read_csv(out), pd.read_csv(tmp_path / "z2.csv"))
