"""Dust by position: E(B-V) of a tiny map in the library's own format, taken off as the survey's filters have it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mixz.bridges import model_columns
from mixz.bridges.model_columns import Asked
from mixz.data.meaning import dust_maps
from mixz.data.meaning.dust_maps import ebv_at
from mixz.errors import MixzError
from mixz.stages.predict import asked_of
from mixz.surveys.rubin import EXTINCTION_PER_EBV

pytest.importorskip("dustmaps", reason="needs mixz[dust]")

SIDE = 16
NORTH, SOUTH = 0.2, 0.5


@pytest.fixture(scope="module")
def maps(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A map of one value to each pole, projected as the real one is."""
    from astropy.io import fits

    folder = tmp_path_factory.mktemp("sfd")
    for pole, sign, value in (("ngp", 1, NORTH), ("sgp", -1, SOUTH)):
        image = fits.PrimaryHDU(np.full((SIDE, SIDE), value, np.float32))
        scale = 180 / np.pi * np.sqrt(2) / (SIDE / 2)
        for k, kind in ((1, "GLON-ZEA"), (2, "GLAT-ZEA")):
            image.header[f"CTYPE{k}"], image.header[f"CRPIX{k}"] = kind, SIDE / 2 + 0.5
            image.header[f"CDELT{k}"] = -scale if k == 1 else scale
        image.header["CRVAL1"], image.header["CRVAL2"] = 0.0, 90.0 * sign
        image.header["LONPOLE"] = 180.0
        image.writeto(folder / f"SFD_dust_4096_{pole}.fits")
    return folder


class Model:
    """Which bands a model looks at, and where its training tables had positions."""

    bands, own_bands, systems = ("g", "r"), (), ("",)
    needs_errors = sees_undetected = False

    def __init__(self, *columns: dict[str, Any]) -> None:
        self.provenance = {"columns": list(columns)}


def rubin(n: int = 3) -> pd.DataFrame:
    frame = pd.DataFrame({"objectId": np.arange(n), "coord_ra": 192.86, "coord_dec": 27.13})  # the Galaxy's north pole
    for band in "gr":
        frame[f"{band}_cModelFlux"] = 10 ** (0.4 * (31.4 - 22.0))
        frame[f"{band}_cModelFluxErr"] = 1.0
    return frame


def test_the_value_at_a_place(maps: Path) -> None:
    found = ebv_at("sfd", np.array([192.86, 12.86, np.nan]), np.array([27.13, -27.13, 0.0]), folder=maps)
    np.testing.assert_allclose(found, [NORTH, SOUTH, np.nan], rtol=1e-6)


def test_it_is_taken_off_as_the_filters_have_it(maps: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_columns, "ebv_at", partial(ebv_at, folder=maps))
    model: Any = Model()
    asked = asked_of("rubin_dp1", Asked(dust_map="sfd"))
    assert {"coord_ra", "coord_dec"} <= set(asked.needed(model, [*rubin().columns], where="t"))
    mag = asked.galaxies(model, rubin(), where="t").mag
    np.testing.assert_allclose(
        mag[0], [22 - NORTH * EXTINCTION_PER_EBV["g"], 22 - NORTH * EXTINCTION_PER_EBV["r"]], atol=1e-4
    )
    np.testing.assert_allclose(asked_of("rubin_dp1", Asked()).galaxies(model, rubin(), where="t").mag[0], 22, atol=1e-5)


def test_without_a_surveys_coefficients_those_of_training(maps: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_columns, "ebv_at", partial(ebv_at, folder=maps))
    trained: dict[str, Any] = {"extinction": "ebv", "ebv": "EBV", "extinction_per_ebv": {"g": 3.0, "r": 2.0}}
    frame = pd.DataFrame({"mag_g": [22.0], "mag_r": [21.0], "ra": [192.86], "dec": [27.13]})
    mag = Asked(dust_map="sfd").galaxies(Model(trained), frame, where="t").mag  # type: ignore[arg-type]
    np.testing.assert_allclose(mag[0], [22 - 3 * NORTH, 21 - 2 * NORTH], rtol=1e-6)


@pytest.mark.parametrize(
    ("asked", "lost", "words"),
    [
        (Asked(dust_map="sfd"), (), "A_b / E"),
        (Asked(dust_map="sfd", per_ebv=(("g", 3.0), ("r", 2.0))), ("coord_ra",), "no positions"),
        (Asked(dust_map="sfd", dereddened=True), (), "--dust-map beside"),
        (Asked(dust_map="sdf", per_ebv=(("g", 3.0), ("r", 2.0))), (), "dust map 'sdf'"),
    ],
)
def test_mistakes(asked: Asked, lost: tuple[str, ...], words: str) -> None:
    frame = rubin().drop(columns=[*lost])
    asked = replace(asked, flux="{band}_cModelFlux", flux_zero_point=31.4)
    with pytest.raises(MixzError, match=words):
        asked.galaxies(Model(), frame, where="t")  # type: ignore[arg-type]


def test_a_map_that_is_not_there_says_how_to_fetch_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(MixzError, match="sfd.fetch"):
        ebv_at("sfd", np.zeros(1), np.zeros(1), folder=tmp_path)
    assert capsys.readouterr().out == ""
    dust_maps._query.cache_clear()
    (tmp_path / "SFD_dust_4096_ngp.fits").write_bytes(b"no FITS file")
    with pytest.raises(MixzError, match="cannot be read"):
        ebv_at("sfd", np.zeros(1), np.zeros(1), folder=tmp_path)
