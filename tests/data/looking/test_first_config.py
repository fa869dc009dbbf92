"""A first config says what tables hold, in whatever way they say it; where they do not, no run accepts it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import astropy.units as u
import numpy as np
import pandas as pd
import pytest
from astropy.table import Table

from mixz.data.build import build_galaxies
from mixz.data.looking.answers import Answers
from mixz.data.looking.first_config import first_config
from mixz.data.looking.table import look_at
from mixz.errors import MixzError
from mixz.settings.file import load_config

if TYPE_CHECKING:
    from mixz.data.looking.first_config import FirstConfig
    from mixz.galaxies import GalaxySet
    from mixz.settings.config import Config

SIZE = 300
UGRIZ = ("u", "g", "r", "i", "z")


def galaxies(bands: tuple[str, ...] = UGRIZ, *, seed: int = 1, size: int = SIZE) -> pd.DataFrame:
    """Magnitudes `m_<band>` and errors `e_<band>`, a redshift, positions and names."""
    rng = np.random.default_rng(seed)
    z = rng.uniform(0.05, 1.4, size)
    frame = pd.DataFrame({"name": 10**15 + rng.permutation(10 * size)[:size], "redshift": z})
    for k, band in enumerate(bands):
        frame[f"m_{band}"] = 23 - 0.3 * k + z + rng.normal(0, 0.4, size)
        frame[f"e_{band}"] = rng.uniform(0.01, 0.1, size)
    return frame.assign(ra=rng.uniform(150, 151, size), dec=rng.uniform(2, 3, size))


def written(path: Path, columns: dict[str, Any], units: dict[str, Any] | None = None) -> Path:
    if path.suffix == ".fits":
        table = Table(columns)
        for name, unit in (units or {}).items():
            table[name].unit = unit
        table.write(path)
    else:
        pd.DataFrame(columns).to_parquet(path)
    return path


def first(paths: list[Path], answers: Answers = Answers()) -> FirstConfig:  # noqa: B008  # a frozen value
    return first_config([look_at(path) for path in paths], answers, home=paths[0].parent)


def config_of(paths: list[Path], answers: Answers = Answers()) -> tuple[Config, FirstConfig]:  # noqa: B008
    made = first(paths, answers)
    (paths[0].parent / "first.yaml").write_text(made.text)
    return load_config(paths[0].parent / "first.yaml"), made


def built(paths: list[Path], answers: Answers = Answers()) -> tuple[GalaxySet, FirstConfig]:  # noqa: B008
    config, made = config_of(paths, answers)
    return build_galaxies(config)[0], made


def with_names(frame: pd.DataFrame, mag: str, err: str | None, **others: str) -> dict[str, Any]:
    """The galaxies' magnitudes under other names, and what else is asked for."""
    bands = [name.removeprefix("m_") for name in map(str, frame) if name.startswith("m_")]
    columns = {new: frame[old].to_numpy().copy() for new, old in others.items()}
    for band in bands:
        columns[mag.format(b=band, B=band.upper())] = frame[f"m_{band}"].to_numpy().copy()
        if err:
            columns[err.format(b=band, B=band.upper())] = frame[f"e_{band}"].to_numpy().copy()
    return columns


NAMES = {
    "plain": ("mag_{b}", "mag_err_{b}"),
    "RAIL": ("mag_{b}_lsst", "mag_err_{b}_lsst"),
    "challenge": ("mag_{b}_lsst", "mag_{b}_lsst_err"),
    "HSC": ("{b}_cmodel_mag", "{b}_cmodel_magsigma"),
    "SDSS": ("modelMag_{b}", "modelMagErr_{b}"),
    "CasJobs": ("{b}", "err_{b}"),
    "DES": ("MAG_AUTO_{B}", "MAGERR_AUTO_{B}"),
    "KiDS": ("MAG_GAAP_{b}", "MAGERR_GAAP_{b}"),
    "VizieR": ("{b}mag", "e_{b}mag"),
    "COSMOS": ("HSC_{b}_MAG_AUTO", "HSC_{b}_MAGERR_AUTO"),
    "Pan-STARRS": ("{b}KronMag", "{b}KronMagErr"),
    "no errors": ("dered_{b}", None),
}


@pytest.mark.parametrize(("mag", "err"), NAMES.values(), ids=NAMES)
def test_magnitudes_are_found_under_anybodys_names(mag: str, err: str | None, tmp_path: Path) -> None:
    frame = galaxies()
    table = written(tmp_path / "a.parquet", with_names(frame, mag, err, objID="name", z_spec="redshift"))
    found, _ = built([table])
    assert [band.lower() for band in found.bands] == list(UGRIZ)
    wanted = frame.set_index(frame.name.astype(str)).loc[found.object_id]
    np.testing.assert_allclose(found.mag, wanted[[f"m_{b}" for b in UGRIZ]], rtol=1e-6)
    if err:
        np.testing.assert_allclose(found.mag_err, wanted[[f"e_{b}" for b in UGRIZ]], rtol=1e-6)
    np.testing.assert_allclose(found.z["spec"], wanted.redshift)


def fluxes(frame: pd.DataFrame, zero_point: float, flux: str, err: str) -> dict[str, Any]:
    columns: dict[str, Any] = {"objectId": frame.name.to_numpy(), "z_spec": frame.redshift.to_numpy()}
    for band in UGRIZ:
        columns[flux.format(b=band)] = 10 ** (0.4 * (zero_point - frame[f"m_{band}"].to_numpy()))
        columns[err.format(b=band)] = columns[flux.format(b=band)] * 0.05
    return columns


@pytest.mark.parametrize(
    ("zero_point", "flux", "err", "unit"),
    [
        (31.4, "{b}_cModelFlux", "{b}_cModelFluxErr", None),
        (31.4, "flux_{b}", "flux_err_{b}", u.nJy),
        (23.9, "FLUX_{b}", "FLUXERR_{b}", u.uJy),
        (23.9, "f_{b}_ujy", "e_{b}_ujy", None),
    ],
)
def test_fluxes_come_out_as_the_magnitudes_that_they_are(
    zero_point: float, flux: str, err: str, unit: Any, tmp_path: Path
) -> None:
    frame = galaxies()
    units = {name.format(b=band): unit for band in UGRIZ for name in (flux, err)} if unit else {}
    table = written(tmp_path / "a.fits", fluxes(frame, zero_point, flux, err), units)
    found, _ = built([table])
    wanted = frame.set_index(frame.name.astype(str)).loc[found.object_id]
    np.testing.assert_allclose(found.mag, wanted[[f"m_{b}" for b in UGRIZ]], atol=2e-3)


def test_a_unit_that_nothing_says_must_be_said(tmp_path: Path) -> None:
    table = written(tmp_path / "a.parquet", fluxes(galaxies(), 31.4, "flux_{b}", "flux_err_{b}"))
    with pytest.raises(MixzError, match="flux_zero_point"):
        config_of([table])
    assert [question.about for question in first([table]).questions] == ["flux_zero_point"]
    found, made = built([table], Answers(flux_zero_point=31.4))
    assert not made.questions
    assert 20 < np.median(found.mag) < 25


@pytest.mark.parametrize("name", ["redshift", "z", "Z", "z_best", "zcosmos"])
def test_redshifts_of_an_unknown_kind_must_be_told(name: str, tmp_path: Path) -> None:
    table = written(tmp_path / "a.parquet", with_names(galaxies(), "mag_{b}", None, **{name: "redshift"}))
    with pytest.raises(MixzError, match="SET_ME"):
        config_of([table])
    for kind, truth in (("spec", "spec"), ("many_band", "many_band"), ("true", "spec")):
        found, _ = built([table], Answers(truths={name: kind}))
        assert found.truths == (truth,)


def test_what_photo_z_are_is_told_by_their_scatter_about_spectra(tmp_path: Path) -> None:
    frame, rng = galaxies(size=1000), np.random.default_rng(5)
    z = frame.redshift.to_numpy()
    columns = with_names(frame, "mag_{b}", None, id="name", z_spec="redshift")
    columns |= {
        "photoz": z + rng.normal(0, 0.01, 1000) * (1 + z),
        "z_phot_mine": z + rng.normal(0, 0.05, 1000) * (1 + z),
        "z_final": np.where(rng.random(1000) < 0.5, z, np.nan),
    }
    config, made = config_of([written(tmp_path / "a.parquet", columns)])
    assert dict(config.tables[0].truths) == {"spec": "z_spec", "many_band": "photoz"}
    said = " ".join(made.remarks)
    assert "z_phot_mine: not used: it scatters" in said
    assert "z_final: not used: it repeats" in said


def test_a_magnitude_in_z_is_no_redshift_and_a_redshift_no_magnitude(tmp_path: Path) -> None:
    frame = galaxies()
    both = with_names(frame, "{b}", None, id="name", zspec="redshift")
    assert built([written(tmp_path / "a.parquet", both)])[0].bands == UGRIZ
    lone = with_names(galaxies(("u", "g", "r", "i")), "{b}", None, id="name", z="redshift")
    config, _ = config_of([written(tmp_path / "b.parquet", lone)], Answers(truths={"z": "spec"}))
    assert config.bands == ("u", "g", "r", "i")


def test_numbers_that_stand_for_none_are_named_and_counted(tmp_path: Path) -> None:
    frame = galaxies()
    columns = with_names(frame, "mag_{b}", "mag_err_{b}", id="name", z_spec="redshift")
    columns["mag_u"][:20], columns["mag_g"][:7], columns["mag_err_r"][:5] = 37.5, 99, -1
    columns["z_spec"] = np.where(np.arange(SIZE) > SIZE - 12, 0, columns["z_spec"])
    found, made = built([written(tmp_path / "a.parquet", columns)])
    assert "mag: [37.5]" in made.text
    assert "37.5 (20 times)" in made.text
    assert "0 (11 times)" in made.text
    assert "mag_g: is 99 (7 rows)" in made.text
    assert "mag_err_r: negative error (5 rows)" in made.text
    assert len(found) == SIZE - 20 - 11
    assert found.z["spec"].min() > 0


def test_bands_that_few_galaxies_have_are_left_out_and_told(tmp_path: Path) -> None:
    columns = with_names(galaxies(), "mag_{b}", None, id="name", z_spec="redshift")
    columns["mag_u"][: SIZE // 3] = np.nan
    config, made = config_of([written(tmp_path / "a.parquet", columns)])
    assert config.bands == ("g", "r", "i", "z")
    assert "u (in 67% of the rows); with them: --bands u,g,r,i,z" in made.text
    assert "u (in 67% of the rows)" in " ".join(made.remarks)
    config, made = config_of([tmp_path / "a.parquet"], Answers(bands=UGRIZ))
    assert config.bands == UGRIZ
    assert "left out" not in made.text


def test_flags_of_the_z_band_are_no_quality_of_redshifts(tmp_path: Path) -> None:
    columns = with_names(galaxies(), "mag_{b}", None, id="name", z_spec="redshift")
    columns |= {f"{b}_cModel_flag": np.zeros(SIZE, bool) for b in UGRIZ} | {"z_flag": np.full(SIZE, 4)}
    made = first([written(tmp_path / "a.parquet", columns)])
    assert "cModel_flag" not in made.text
    assert "z_flag may say how sure redshifts are" in made.text


def test_inverse_variances_and_colours_are_no_errors_and_magnitudes(tmp_path: Path) -> None:
    columns = fluxes(galaxies(), 22.5, "flux_{b}", "flux_ivar_{b}") | {
        f"{b}_extendedness": np.zeros(SIZE) for b in UGRIZ
    }
    config, _ = config_of([written(tmp_path / "a.parquet", columns)], Answers(flux_zero_point=22.5))
    assert config.tables[0].columns.flux == "flux_{band}"
    assert config.tables[0].columns.flux_err is None


def test_positions_in_radians_are_not_taken_for_degrees(tmp_path: Path) -> None:
    columns = with_names(galaxies(), "mag_{b}", None, id="name", z_spec="redshift", ra="ra", dec="dec")
    assert config_of([written(tmp_path / "a.parquet", columns)])[0].tables[0].columns.ra == "ra"
    columns |= {"ra": np.radians(columns["ra"]), "dec": np.radians(columns["dec"])}
    config, made = config_of([written(tmp_path / "b.parquet", columns)])
    assert config.tables[0].columns.ra is None
    assert "may be radians" in made.text


def test_ids_that_are_wanting_or_repeated(tmp_path: Path) -> None:
    columns = with_names(galaxies(), "mag_{b}", None, ID="name", z_spec="redshift")
    columns["ID"][1] = columns["ID"][0]
    config, made = config_of([written(tmp_path / "a.parquet", columns)])
    assert config.tables[0].columns.object_id is None
    assert "ID names no rows, or several alike" in made.text


def two_tables(tmp_path: Path, second: pd.DataFrame, **others: str) -> list[Path]:
    names = {"id": "name", "ra": "ra", "dec": "dec"} | others
    here = with_names(galaxies(), "mag_{b}", None, z_many_band="redshift", **names)
    there = with_names(second, "mag_{b}", None, z_spec="redshift", **names)
    return [written(tmp_path / "deep.parquet", here), written(tmp_path / "wide.parquet", there)]


def test_a_galaxy_in_two_tables_counts_once(tmp_path: Path) -> None:
    frame = galaxies()
    found, made = built(two_tables(tmp_path, frame.iloc[:100]))
    assert len(found) == SIZE
    assert "keep: wide" in made.text  # the spectra
    assert int((np.isfinite(found.z["spec"]) & np.isfinite(found.z["many_band"])).sum()) == 100


def test_equal_ids_elsewhere_on_the_sky_are_other_galaxies(tmp_path: Path) -> None:
    found, made = built(two_tables(tmp_path, galaxies().iloc[:100].assign(ra=30.0, dec=-20.0 + np.arange(100) / 100)))
    assert len(found) == SIZE + 100
    assert not made.questions


def test_row_numbers_are_asked_about_and_taken_for_different(tmp_path: Path) -> None:
    first_frame, second = galaxies(), galaxies(seed=2)
    paths = []
    for name, frame, label in (("deep", first_frame, "z_many_band"), ("wide", second, "z_spec")):
        columns = with_names(frame, "mag_{b}", None, **{label: "redshift"}) | {"id": np.arange(SIZE)}
        columns = {key: values[: SIZE if name == "deep" else 100] for key, values in columns.items()}
        paths.append(written(tmp_path / f"{name}.parquet", columns))
    found, made = built(paths)
    assert len(found) == SIZE + 100
    assert [(q.about, q.default) for q in made.questions] == [("same_ids", "different")]
    assert len(built(paths, Answers(same_ids=True))[0]) == SIZE


def test_labels_of_another_catalogue_come_by_a_match(tmp_path: Path) -> None:
    frame = galaxies()
    photometry = with_names(frame, "mag_{b}", None, id="name", ra="ra", dec="dec")
    labels = {"NUMBER": np.arange(SIZE), "RA": frame.ra.to_numpy(), "DEC": frame.dec.to_numpy()}
    labels |= {"zspec": frame.redshift.to_numpy()}
    paths = [written(tmp_path / "a.parquet", photometry), written(tmp_path / "spectra.parquet", labels)]
    found, made = built(paths)
    assert "match:" in made.text
    wanted = frame.set_index(frame.name.astype(str)).loc[found.object_id]
    np.testing.assert_allclose(found.z["spec"], wanted.redshift)


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"id": [1, 2], "z_spec": [0.5, 0.6]}, "no table has magnitudes"),
        ({"mag_g": [21.0, 22.0], "mag_r": [20.0, 21.0]}, "looks like redshifts"),
        ({"a": [1.0, 2.0], "b": ["x", "y"]}, "no columns that look like"),
        ({"mag_g": [21.0, 22.0], "mag_r": [20.0, 21.0], "cz_spec": [15000.0, 30000.0]}, "looks like redshifts"),
    ],
)
def test_tables_of_which_nothing_can_be_learned_are_refused(
    columns: dict[str, Any], words: str, tmp_path: Path
) -> None:
    with pytest.raises(MixzError, match=words):
        first([written(tmp_path / "a.parquet", columns)])


def test_answers_about_what_is_not_there_are_refused(tmp_path: Path) -> None:
    table = written(tmp_path / "a.parquet", with_names(galaxies(), "mag_{b}", None, z_spec="redshift"))
    with pytest.raises(MixzError, match="nearest name: 'z_spec'"):
        first([table], Answers(truths={"zspec": "spec"}))
    with pytest.raises(MixzError, match="no bands Q"):
        first([table], Answers(bands=("g", "Q")))
    assert config_of([table], Answers(bands=("i", "g")))[0].bands == ("i", "g")


def test_a_table_longer_than_the_sample_is_looked_at_all_over(tmp_path: Path) -> None:
    columns = with_names(galaxies(size=90_000), "mag_{b}", None, z_spec="redshift")
    columns["z_spec"][:30_000] = np.nan
    found = look_at(written(tmp_path / "a.parquet", columns))
    assert found.sample.extent == "90,000 rows, 22,500 of them looked at"
    assert found.redshifts[0].share == pytest.approx(2 / 3, abs=0.01)


def test_names_of_columns_cannot_write_settings(tmp_path: Path) -> None:
    columns = with_names(galaxies(), "mag_{b}", None, z_spec="redshift") | {
        "z_photo\nmembers: 999": np.linspace(0.1, 2, SIZE),
        'z "phot": {x}': np.linspace(0.1, 2, SIZE),
    }
    config, _ = config_of([written(tmp_path / "a.parquet", columns)])
    assert config.members == 5
