"""Keys of a config that would do nothing, or could mean two things, are refused: nobody would notice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mixz.errors import MixzError
from survey_files import FLUXES, built, catalogue, fluxes, written

EBV = {"extinction": "ebv", "ebv": "EBV", "extinction_per_ebv": {"g": 3.2, "r": 2.2, "i": 1.6}}


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"flux": "f_{band}"}, "flux does nothing beside mag"),
        ({"flux_err": "e_{band}"}, "flux_err does nothing"),
        ({"flux_zero_point": 27}, "flux_zero_point does nothing"),
        ({"mag": None}, "mag: null needs flux"),
        (FLUXES | {"mag_err": "s_{band}"}, "mag_err does nothing"),
        (FLUXES | {"flux_zero_point": float("nan")}, "flux_zero_point"),
        ({"ebv": "EBV"}, "ebv does nothing without extinction: ebv"),
        ({"a_band": "a_{band}"}, "a_band does nothing"),
        (EBV | {"a_band": "a_{band}"}, "a_band does nothing"),
        ({"extinction_per_ebv": {"g": 3}}, "extinction_per_ebv does nothing"),
        ({"extinction": "ebv", "ebv": "EBV"}, "needs ebv: its column, and extinction_per_ebv"),
        (EBV | {"extinction_per_ebv": {"g": -3.2, "r": 2.2, "i": 1.6}}, "greater than 0"),
        (EBV | {"extinction_per_ebv": {"g": 3.2}}, "no value for the bands"),
        ({"missing": {"nope": [1]}}, "no column 'nope'"),
        ({"missing": {"mags": [1]}}, "no column 'mags'"),
        ({"missing": {"spare": [1]}}, "missing: spare: nothing is read"),
        ({"missing": {"z_err": [1]}}, "missing: z_err: nothing is read"),
        ({"missing": {"flux": [1]}}, "missing: flux does nothing"),
        ({"missing": {"dust": [1]}}, "missing: dust does nothing"),
        ({"mag_err": None, "missing": {"mag_err": [1]}}, "missing: mag_err does nothing"),
        (FLUXES | {"missing": {"mag": [1]}}, "missing: mag does nothing"),
        ({"undetected": {"flux": [1]}}, "undetected: flux does nothing"),
        ({"undetected": {"zs": [1]}}, "is none of mag"),
    ],
)
def test_columns(columns: dict[str, Any], words: str, tmp_path: Path) -> None:
    frame = catalogue().assign(EBV=0.1, spare=1.0).merge(fluxes(catalogue(), 23.9), on=["object_id", "zs"])
    with pytest.raises(MixzError, match=words):
        built(written(frame, tmp_path, "parquet"), columns=columns)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"truth_errors": {"spec": "EBV"}}, "do nothing without truths: {spec: {kernel: reported}}"),
        ({"truth_errors": {"many_band": "EBV"}}, "truth_errors names 'many_band'"),
        ({"truth_cuts": {"many_band": [{"name": "a", "column": "EBV", "min": 1}]}}, "truth_cuts names 'many_band'"),
        ({"truth_cuts": {"spec": [{"name": "a", "column": "EBW", "min": 1}]}}, r"no column 'EBW' \(nearest"),
        ({"group": "x"}, "leave `group` out"),
        ({"hdu": 1}, "leave `group` out"),
        ({"hdu": 1, "group": 1}, "say the same"),
    ],
)
@pytest.mark.parametrize("ending", ["csv", "parquet", "ecsv"])
def test_tables(table: dict[str, Any], words: str, ending: str, tmp_path: Path) -> None:
    with pytest.raises(MixzError, match=words):
        built(written(catalogue().assign(EBV=0.1), tmp_path, ending), **table)


def test_true_is_a_truth(tmp_path: Path) -> None:
    """YAML reads a bare `true:` as a truth value; here it is the name of the redshifts of a simulation."""
    path = written(catalogue(), tmp_path, "csv")
    galaxies, _ = built(path, truths={True: "zs", "spec": "zs"})
    assert set(galaxies.truths) == {"true", "spec"}
