"""The paper's published CSV files: columns by name or by position, four sides, and what is told apart or refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from mixz.data.build import build_galaxies
from mixz.errors import MixzError
from mixz.galaxies import GalaxySet
from mixz.settings.config import Config
from mixz.surveys.galaxiesml_photometry import GALAXIESML_PHOTOMETRY, POSITIONS
from mixz.surveys.transferz import TRANSFERZ

if TYPE_CHECKING:
    from pathlib import Path

BANDS = ("g", "r", "i", "z", "y")
ID = 36_000_000_000_000_001
"""Beyond what floating point holds exactly."""


def photometry(first: int, rows: int, *, seed: int) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    mags = {f"{band}_cmodel_mag": (22 - k * 0.3 + rng.normal(0, 1, rows)).round(4) for k, band in enumerate(BANDS)}
    errors = {f"{band}_cmodel_magsigma": rng.uniform(0.001, 0.1, rows).round(5) for band in BANDS}
    return {"id": ID + 2 * np.arange(first, first + rows), **mags, **errors}


def transferz(first: int, rows: int = 40) -> pd.DataFrame:
    frame = pd.DataFrame(photometry(first, rows, seed=first)).rename(columns={"id": "hsc_id"})
    return frame.assign(z=np.linspace(0.05, 3, rows).round(4))


def galaxiesml(first: int, rows: int = 40) -> pd.DataFrame:
    columns = photometry(first, rows, seed=first + 1000)
    rest = {
        "object_id": columns.pop("id"),
        "specz_redshift_err": np.full(rows, 2.3e-4),
        "specz_redshift": np.linspace(0.02, 3.9, rows).round(5),
        "specz_mag_i": columns["i_cmodel_mag"] + 0.1,
        "specz_name": [f"SDSS-{k}" for k in range(rows)],
        "specz_ra": np.linspace(30, 39, rows),
        "specz_dec": np.linspace(-6, 2, rows),
        "specz_flag_homogeneous": np.ones(rows, bool),
        "ra": np.linspace(30, 39, rows),
        "dec": np.linspace(-6, 2, rows),
        "coord": "(0.8, 0.5, -0.1)",
        "skymap_id": 94_840_000,
    }
    return pd.DataFrame({name: (rest | columns)[name] for name in POSITIONS})


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """All sides of both sets; ids 100 to 119 are in TransferZ's test side and in GalaxiesML's training side."""
    for first, name in enumerate(TRANSFERZ.parts.values()):
        transferz(first * 40).to_csv(tmp_path / name, index=False)
    for first, name in zip((140, 500, 600), GALAXIESML_PHOTOMETRY.parts.values(), strict=True):
        galaxiesml(first).to_csv(tmp_path / name, index=False)
    return tmp_path


def build(folder: Path, *, paths: dict[str, Any] | None = None, only: str = "") -> GalaxySet:
    tables = [
        {"survey": name, "path": str(folder)} | (paths or {}).get(name, {})
        for name in ("transferz", "galaxiesml_photometry")
        if only in ("", name)
    ]
    overlap = {} if only else {"overlap": {"keep": "galaxiesml_photometry", "radius_arcsec": None}}
    recipe = {"transferz": "base", "galaxiesml_photometry": "spec"}.get(only, "combo")
    settings = {"name": "paper", "bands": list(BANDS), "recipes": [recipe], "tables": tables, **overlap}
    return build_galaxies(Config.model_validate(settings))[0]


def test_sides_are_as_published_and_ids_exact(files: Path) -> None:
    galaxies = build(files, only="transferz")
    for first, (side, name) in enumerate(TRANSFERZ.parts.items()):
        ids = pd.read_csv(files / name)["hsc_id"].astype(str)
        assert galaxies.in_split(side).object_id.tolist() == ids.tolist()
        assert galaxies.in_split(side).mag[0, 2] == pytest.approx(transferz(first * 40)["i_cmodel_mag"][0])
    assert galaxies.sides == ("train", "validation", "conformal", "test")


def test_galaxies_of_both_sets_are_left_in_galaxiesml_whatever_their_sides(files: Path) -> None:
    galaxies = build(files)
    both = galaxies.rows(galaxies.has("spec") & galaxies.has("many_band"))
    assert len(galaxies) == 7 * 40 - len(both)
    assert both.object_id.tolist() == [str(ID + 2 * k) for k in range(140, 160)]
    assert set(both.table) == {"galaxiesml_photometry"}
    assert set(both.split) == {"train"}, "GalaxiesML's side, not TransferZ's"


@pytest.mark.parametrize("header", ["none", "other", "counted"])
def test_columns_without_their_names_go_by_position(files: Path, header: str) -> None:
    named = build(files, only="galaxiesml_photometry")
    for first, name in zip((140, 500, 600), GALAXIESML_PHOTOMETRY.parts.values(), strict=True):
        frame = galaxiesml(first)
        if header == "other":
            frame.columns = pd.Index([f"column {k}" for k in range(len(POSITIONS))])
        if header == "counted":
            frame.columns = pd.RangeIndex(len(POSITIONS))
        frame.to_csv(files / name, index=False, header=header != "none")
    again = build(files, only="galaxiesml_photometry")
    assert len(again) == 120
    assert again.digest() == named.digest()


def rewrite(files: Path, frame: pd.DataFrame, **how: Any) -> None:
    frame.to_csv(files / "hsc_train.csv", **({"index": False} | how))


def test_a_column_more_by_position_is_refused(files: Path) -> None:
    rewrite(files, galaxiesml(140), index=True, header=False)
    with pytest.raises(MixzError, match=r"hsc_train.csv has 23 columns without the names .*\n  allowed: 22 columns"):
        build(files, only="galaxiesml_photometry")


def test_a_column_more_beside_the_names_does_no_harm(files: Path) -> None:
    named = build(files, only="galaxiesml_photometry")
    rewrite(files, galaxiesml(140), index=True)
    assert build(files, only="galaxiesml_photometry").digest() == named.digest()


@pytest.mark.parametrize("header", [True, False])
def test_a_row_with_a_field_more_is_refused_with_its_number(files: Path, header: bool) -> None:
    rewrite(files, galaxiesml(140), header=header)
    path = files / "hsc_train.csv"
    lines = path.read_text().splitlines()
    lines[6] += ",1"
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(MixzError, match=rf"hsc_train.csv cannot be read: row {6 if header else 7} has 23 fields"):
        build(files, only="galaxiesml_photometry")


@pytest.mark.parametrize("header", [True, False])
@pytest.mark.parametrize(
    ("one", "other", "says"),
    [
        ("specz_redshift", "specz_redshift_err", r"specz_redshift_err \(column 2\) lie outside 0 to 0.05"),
        ("g_cmodel_mag", "g_cmodel_magsigma", r"g_cmodel_mag \(column 13\) lie outside 8 to 40"),
        ("specz_redshift", "i_cmodel_mag", r"(specz_redshift|i_cmodel_mag) \(column 1?\d\) lie outside"),
        ("object_id", "skymap_id", r"object_id \(column 1\) lie outside"),
        ("specz_redshift", "specz_name", r"'SDSS-0'"),
        ("ra", "y_cmodel_magsigma", r"y_cmodel_magsigma \(column 22\) lie outside 0 to 5"),
    ],
)
def test_columns_in_another_order_are_told_by_their_values(
    files: Path, one: str, other: str, says: str, header: bool
) -> None:
    """Whether the names are wrong or there are none."""
    frame = galaxiesml(140)
    frame[one], frame[other] = frame[other].copy(), frame[one].copy()
    rewrite(files, frame, header=header)
    with pytest.raises(MixzError, match=says):
        build(files, only="galaxiesml_photometry")


def test_some_odd_values_are_no_other_column(files: Path) -> None:
    frame = galaxiesml(140)
    frame.loc[:2, "g_cmodel_mag"] = 99.0
    frame.loc[3, "specz_redshift_err"] = -1
    frame["y_cmodel_magsigma"] = np.nan
    rewrite(files, frame)
    assert len(build(files, only="galaxiesml_photometry")) == 117


@pytest.mark.parametrize(
    ("survey", "path", "says"),
    [
        ("galaxiesml_photometry", "transferz_TRAINING.csv", "is a transferz table, not galaxiesml_photometry"),
        ("galaxiesml", "transferz_TRAINING.csv", "is a transferz table, not galaxiesml"),
        ("transferz", "hsc_train.csv", "is a galaxiesml table, not transferz"),
    ],
)
def test_one_set_given_as_the_other_is_told_apart(files: Path, survey: str, path: str, says: str) -> None:
    truth = "base" if survey == "transferz" else "spec"
    settings = {"name": "x", "bands": list(BANDS), "recipes": [truth]}
    table = {"survey": survey, "path": str(files / path)}
    with pytest.raises(MixzError, match=says):
        build_galaxies(Config.model_validate(settings | {"tables": [table]}))


def test_half_a_file_is_refused(files: Path) -> None:
    path = files / "transferz_TESTING.csv"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(MixzError, match=r"transferz_TESTING.csv cannot be read: row \d+ has \d+ fields"):
        build(files, only="transferz")
    path.write_bytes(b"")
    with pytest.raises(MixzError, match=r"transferz_TESTING.csv is empty"):
        build(files, only="transferz")
    (files / "hsc_train.csv").write_bytes(b"\n")
    with pytest.raises(MixzError, match=r"hsc_train.csv cannot be read: it holds no line of text"):
        build(files, only="galaxiesml_photometry")


def test_a_file_that_is_not_there_says_how_to_get_it(files: Path) -> None:
    (files / "transferz_CONFORMAL.csv").unlink()
    with pytest.raises(MixzError, match=r"(?s)no file .*transferz_CONFORMAL.csv.*mixz fetch paper --to"):
        build(files, only="transferz")
