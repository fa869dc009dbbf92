"""Units of columns are used in every format that has them, or refused: no number changes its meaning without a word."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import astropy.units as u
import h5py
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy.io import fits
from astropy.table import Table

from mixz.data.meaning.units import parsed
from mixz.errors import MixzError
from mixz.galaxies import GalaxySet
from survey_files import BANDS, FLUXES, built, catalogue, fluxes, taken, written

TRUE = catalogue()


def with_units(frame: pd.DataFrame, folder: Path, ending: str, units: dict[str, str]) -> Path:
    """Write a frame whose columns have units, as its format has them; FITS by its cards, whatever they say."""
    path = folder / f"u.{ending}"
    if ending == "fits":
        columns = [fits.Column(n, "D", array=frame[n].to_numpy(), unit=units.get(str(n))) for n in frame]
        fits.BinTableHDU.from_columns(columns).writeto(path)
    elif ending == "hdf5":
        with h5py.File(path, "w") as file:
            for name in frame:
                file[name] = frame[name].to_numpy()
                if name in units:
                    file[name].attrs["unit"] = units[name]
    elif ending == "parquet":
        fields = [pa.field(n, pa.float64(), metadata={"unit": units[n]} if n in units else None) for n in frame]
        pq.write_table(pa.table({n: frame[n].astype(float) for n in frame}, schema=pa.schema(fields)), path)
    else:
        table = Table.from_pandas(frame)
        for name, unit in units.items():
            table[name].unit = u.Unit(unit, parse_strict="silent")
        table.write(path, format={"ecsv": "ascii.ecsv", "vot": "votable"}[ending])
    return path


def all_bands(kind: str, unit: str) -> dict[str, str]:
    return {f"{kind}_{band}": unit for band in BANDS}


def assert_true(galaxies: GalaxySet, atol: float = 2e-4) -> None:
    np.testing.assert_allclose(galaxies.mag, TRUE[[f"mag_{b}" for b in BANDS]], atol=atol)
    np.testing.assert_allclose(galaxies.mag_err, TRUE[[f"mag_err_{b}" for b in BANDS]], rtol=1e-4)


@pytest.mark.parametrize("ending", ["fits", "ecsv", "vot", "parquet", "hdf5"])
def test_fluxes_say_their_unit_in_every_format(ending: str, tmp_path: Path) -> None:
    units = all_bands("f", "nJy") | all_bands("e", "nJy")
    galaxies, ledger = built(with_units(fluxes(TRUE, 31.4), tmp_path, ending, units), columns=FLUXES)
    assert_true(galaxies)
    assert not ledger.warnings


@pytest.mark.parametrize(
    ("unit", "zero_point"),
    [
        ("uJy", 23.9), ("microJy", 23.9), ("mJy", 16.4), ("Jy", 8.9), ("nanomaggy", 22.5), ("nMgy", 22.5),
        ("nanomaggies", 22.5), ("maggies", 0.0), ("erg/s/cm2/Hz", -48.6), ("erg s-1 cm-2 Hz-1", -48.6),
        ("10**-29 erg/(s cm2 Hz)", 23.9), ("1e-29 erg/s/cm^2/Hz", 23.9), ("W/m2/Hz", -56.1), ("NJY", 31.4),
    ],
)  # fmt: skip
def test_units_of_fluxes(unit: str, zero_point: float, tmp_path: Path) -> None:
    path = with_units(fluxes(TRUE, zero_point), tmp_path, "fits", all_bands("f", unit) | all_bands("e", unit))
    assert_true(built(path, columns=FLUXES)[0])
    assert_true(built(path, columns=FLUXES | {"flux_zero_point": zero_point})[0])
    with pytest.raises(MixzError, match="the zero point that was given is 27"):
        built(path, columns=FLUXES | {"flux_zero_point": 27})


@pytest.mark.parametrize(
    ("flux", "error", "factor"), [("nJy", "uJy", 1e-3), ("uJy", "nanomaggy", 1 / 3.631), ("Jy", "", 1)]
)
def test_errors_may_be_in_another_unit(flux: str, error: str, factor: float, tmp_path: Path) -> None:
    frame = fluxes(TRUE, {"nJy": 31.4, "uJy": 23.9, "Jy": 8.9}[flux])
    frame[[f"e_{b}" for b in BANDS]] *= factor
    units = all_bands("f", flux) | (all_bands("e", error) if error else {})
    assert_true(built(with_units(frame, tmp_path, "fits", units), columns=FLUXES)[0])


@pytest.mark.parametrize(
    "unit", ["erg/s/cm2/Angstrom", "1e-17 erg/cm2/s/AA", "count", "adu", "electron/s", "foo", "[nJy]"]
)
def test_fluxes_in_units_without_a_magnitude(unit: str, tmp_path: Path) -> None:
    path = with_units(fluxes(TRUE, 27), tmp_path, "fits", all_bands("f", unit) | all_bands("e", unit))
    with pytest.raises(MixzError, match=r"'f_g' is in .*(?s:.*)flux per frequency"):
        built(path, columns=FLUXES)
    if "erg" in unit:
        with pytest.raises(MixzError, match="flux per frequency"):
            built(path, columns=FLUXES | {"flux_zero_point": 27})
    else:
        assert_true(built(path, columns=FLUXES | {"flux_zero_point": 27})[0])


@pytest.mark.parametrize("unit", ["nanomaggy^-2", "1/nJy2", "mag", "s"])
@pytest.mark.parametrize("told", [True, False])
def test_errors_in_what_is_no_flux(unit: str, told: bool, tmp_path: Path) -> None:
    path = with_units(
        fluxes(TRUE, 22.5), tmp_path, "fits", all_bands("e", unit) | ({} if told else all_bands("f", "nMgy"))
    )
    with pytest.raises(MixzError, match="'e_g' is in"):
        built(path, columns=FLUXES | ({"flux_zero_point": 22.5} if told else {}))


def test_fluxes_without_any_unit_are_told_of(tmp_path: Path) -> None:
    path = written(fluxes(TRUE, 23.9), tmp_path, "csv")
    galaxies, ledger = built(path, columns=FLUXES)
    assert_true(galaxies)
    assert ledger.warnings == [
        f"{path}: columns of fluxes say no unit, and no flux_zero_point is given: taken as microjansky"
    ]
    assert not built(path, columns=FLUXES | {"flux_zero_point": 23.9})[1].warnings
    for wrong in (0, -48.6, 60):
        with pytest.raises(MixzError, match="lie outside 5 to 40"):
            built(path, columns=FLUXES | {"flux_zero_point": wrong})


@pytest.mark.parametrize("unit", ["mag", "MAG", "ABmag", "mag(AB)", "AB mag", "mags", "---"])
def test_magnitudes_by_many_names(unit: str, tmp_path: Path) -> None:
    galaxies, _ = built(with_units(TRUE, tmp_path, "fits", all_bands("mag", unit)))
    assert_true(galaxies)


@pytest.mark.parametrize("ending", ["fits", "ecsv", "vot", "parquet", "hdf5"])
def test_millimagnitudes_and_fluxes_under_mag(ending: str, tmp_path: Path) -> None:
    frame = TRUE.copy()
    mags, errors = [f"mag_{b}" for b in BANDS], [f"mag_err_{b}" for b in BANDS]
    frame[mags[0]] *= 1000
    frame[errors[1]] *= 1000
    frame[errors[2]] *= (flux := 10 ** (0.4 * (31.4 - TRUE[mags[2]]))) * np.log(10) / 2.5
    frame[mags[2]] = flux
    units = {mags[0]: "mmag", errors[1]: "mmag", mags[2]: "nJy", errors[2]: "nJy"}
    assert_true(built(with_units(frame, tmp_path, ending, units))[0])


def test_99_is_an_error_in_millimagnitudes(tmp_path: Path) -> None:
    path = with_units(TRUE.assign(mag_err_g=99.0), tmp_path, "ecsv", {"mag_err_g": "mmag"})
    np.testing.assert_allclose(built(path)[0].mag_err[:, 0], 0.099, rtol=1e-6)


@pytest.mark.parametrize("unit", ["STmag", "vegamag", "mag(ST)", "mag/arcsec2", "dex", "deg", "luptitude", "1/mag"])
def test_units_of_no_ab_magnitude(unit: str, tmp_path: Path) -> None:
    for kind in ("mag", "mag_err"):
        (tmp_path / kind).mkdir()
        with pytest.raises(MixzError, match=f"'{kind}_g' is in"):
            built(with_units(TRUE, tmp_path / kind, "fits", all_bands(kind, unit)))


RA, DEC = np.linspace(149, 151, 30), np.linspace(1, 3, 30)


@pytest.mark.parametrize(
    ("units", "ra", "dec"),
    [
        (("deg", "deg"), RA, DEC), (("DEG", "Degrees"), RA, DEC), (("rad", "RADIANS"), np.radians(RA), np.radians(DEC)),
        (("hourangle", "deg"), RA / 15, DEC), (("hr", "arcsec"), RA / 15, DEC * 3600),
        (("mas", "deg"), RA * 3.6e6, DEC),
    ],
)  # fmt: skip
@pytest.mark.parametrize("ending", ["fits", "hdf5"])
def test_positions(units: tuple[str, str], ra: Any, dec: Any, ending: str, tmp_path: Path) -> None:
    path = with_units(TRUE.assign(ra=ra, dec=dec), tmp_path, ending, dict(zip(("ra", "dec"), units, strict=True)))
    galaxies, _ = built(path, columns={"ra": "ra", "dec": "dec"})
    np.testing.assert_allclose(galaxies.ra_deg, RA)
    np.testing.assert_allclose(galaxies.dec_deg, DEC)


@pytest.mark.parametrize("unit", ["km", "km/s", "d:m:s", "pixel"])
def test_positions_in_what_is_no_angle(unit: str, tmp_path: Path) -> None:
    path = with_units(TRUE.assign(ra=RA, dec=DEC), tmp_path, "fits", {"dec": unit})
    with pytest.raises(MixzError, match="'dec' is in"):
        built(path, columns={"ra": "ra", "dec": "dec"})


@pytest.mark.parametrize("ending", ["fits", "ecsv", "vot", "parquet", "hdf5"])
def test_redshifts_are_no_velocities(ending: str, tmp_path: Path) -> None:
    with pytest.raises(MixzError, match=r"'zs' is in .*(?s:.*)299792.458"):
        built(with_units(TRUE, tmp_path, ending, {"zs": "km/s"}))


def test_dust_in_millimagnitudes(tmp_path: Path) -> None:
    frame = TRUE.assign(**{f"a_{b}": 100.0 for b in BANDS})
    dusty = frame.assign(**{f"mag_{b}": TRUE[f"mag_{b}"] + 0.1 for b in BANDS})
    path = with_units(dusty, tmp_path, "ecsv", all_bands("a", "mmag"))
    assert_true(built(path, columns={"extinction": "a_band", "a_band": "a_{band}"})[0])


def test_99_is_a_flux_under_mag_too(tmp_path: Path) -> None:
    frame = TRUE.assign(mag_g=np.linspace(95, 103, 30), mag_err_g=99.0)
    frame.loc[0, "mag_g"] = 99.0
    path = with_units(frame, tmp_path, "ecsv", {"mag_g": "nJy", "mag_err_g": "nJy"})
    galaxies, ledger = built(path)
    assert np.isfinite(galaxies.mag).all()
    assert np.isfinite(galaxies.mag_err).all()
    assert not taken(ledger)
    assert np.isnan(built(path, columns={"missing": {"mag": [99]}})[0].mag[0, 0])


def test_a_flux_that_is_not_positive_is_counted(tmp_path: Path) -> None:
    frame = fluxes(TRUE, 31.4)
    frame.loc[:2, "f_g"] = [-0.5, 0, -3]
    path = with_units(frame, tmp_path, "parquet", all_bands("f", "nJy"))
    galaxies, ledger = built(path, columns=FLUXES)
    assert np.isnan(galaxies.mag[:3, 0]).all()
    assert taken(ledger) == {("f_g", "flux not positive"): 3}


@pytest.mark.parametrize("text", ["dex", "dB", "[-]", "[nJy]", "dex(nJy)", "log(Jy)", "mag(Jy)", "Bol"])
def test_logarithms_are_neither_fluxes_nor_magnitudes(text: str) -> None:
    unit = parsed(text)
    assert unit is not None
    assert unit.magnitude is None
    assert unit.zero_point is None
