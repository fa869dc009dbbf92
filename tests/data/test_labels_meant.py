"""Redshift labels: what is none is left out and counted by name, and intervals that cannot be are not known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mixz.errors import MixzError
from survey_files import built, catalogue, taken, written


def with_labels(values: list[float], dtype: str = "f8") -> pd.DataFrame:
    frame = catalogue()
    labels = frame["zs"].to_numpy().astype(dtype)
    labels[: len(values)] = values
    return frame.assign(zs=labels)


@pytest.mark.parametrize("ending", ["parquet", "csv", "fits", "hdf5"])
def test_what_is_no_redshift_has_a_name(ending: str, tmp_path: Path) -> None:
    values = [-1.0, -9.99, 9.99, 99.99, 999.9, np.inf, np.nan]
    galaxies, ledger = built(written(with_labels(values, "f4"), tmp_path, ending))
    assert len(galaxies) == 30 - len(values)
    assert taken(ledger) == {
        ("zs", "empty"): 1,
        ("zs", "infinite"): 1,
        ("zs", "is 9.99"): 1,
        ("zs", "is 99.99"): 1,
        ("zs", "is 999.9"): 1,
        ("zs", "negative: no redshift"): 2,
    }


def test_labels_beyond_the_end_of_the_grid(tmp_path: Path) -> None:
    path = written(with_labels([4.2, 7.5, 12.0, 25.0]), tmp_path, "parquet")
    _, ledger = built(path)
    assert taken(ledger) == {("zs", "beyond z = 20: no redshift"): 1}
    network = {"drop_bands": 0.2, "asinh": True, "head": "binned", "z_max": 4}
    galaxies, ledger = built(path, settings={"network": network})
    assert len(galaxies) == 26
    assert taken(ledger) == {("zs", "beyond z = 20: no redshift"): 1, ("zs", "beyond the grid's end, z = 4"): 3}


@pytest.mark.parametrize("share", [0.3, 1.0])
def test_velocities_are_refused(share: float, tmp_path: Path) -> None:
    frame = catalogue()
    frame.loc[: int(30 * share) - 1, "zs"] *= 299792.458
    with pytest.raises(MixzError, match=r"'zs' holds no redshifts(?s:.*)299792.458"):
        built(written(frame, tmp_path, "csv"))


REPORTED: dict[str, Any] = {"truths": {"spec": {"kernel": "reported"}}}


def intervals(path: Path, errors: Any) -> tuple[np.ndarray[Any, Any], dict[tuple[str, str], int]]:
    galaxies, ledger = built(path, settings=REPORTED, truth_errors={"spec": errors})
    return galaxies.z_err["spec"], taken(ledger)


@pytest.mark.parametrize("ending", ["parquet", "csv", "fits"])
def test_intervals_that_cannot_be(ending: str, tmp_path: Path) -> None:
    frame = catalogue().assign(low=lambda t: t["zs"] - 0.05, high=lambda t: t["zs"] + 0.1)
    odd = [(0, 0), (0.7, 0.2), (1.9, 2.1), (-99, -99), (np.nan, 2)]
    for row, ends in enumerate(odd):
        frame.loc[row, ["low", "high"]] = ends
    widths, counted = intervals(written(frame, tmp_path, ending), ["low", "high"])
    assert np.isnan(widths).all(axis=1).tolist() == [True] * 5 + [False] * 25
    np.testing.assert_allclose(widths[5:], [[0.05, 0.1]] * 25)
    assert counted == {
        ("low", "is -99"): 1,
        ("low", "empty"): 1,
        ("high", "is -99"): 1,
        ("low and high", "interval of no width"): 1,
        ("low and high", "interval with its ends swapped"): 1,
        ("low and high", "interval without its label"): 1,
    }


def test_ends_that_are_swapped_in_the_config(tmp_path: Path) -> None:
    frame = catalogue().assign(low=lambda t: t["zs"] - 0.05, high=lambda t: t["zs"] + 0.1)
    with pytest.raises(MixzError, match="name the column of the lower end first"):
        intervals(written(frame, tmp_path, "parquet"), ["high", "low"])


def test_errors_of_labels_that_are_none(tmp_path: Path) -> None:
    frame = catalogue().assign(ze=0.02)
    frame.loc[:5, "ze"] = [-1, 0, 99, 9.99, np.nan, np.inf]
    widths, counted = intervals(written(frame, tmp_path, "fits"), "ze")
    assert np.isnan(widths).all(axis=1).tolist() == [True] * 6 + [False] * 24
    assert sum(counted.values()) == 6


def test_labels_believed_on_a_condition(tmp_path: Path) -> None:
    flags = np.tile([1, 2, 3, 4, 9], 6)
    frame = catalogue().assign(flag=flags, kind=np.where(flags == 9, "QSO", "GALAXY"), bits=np.tile([0, 4, 5], 10))
    secure = [{"name": "secure", "column": "flag", "min": 3}, {"name": "galaxy", "column": "kind", "equals": "GALAXY"}]
    rest = [{"name": "rest", "column": "flag", "below": 3}]
    for ending in ("csv", "fits", "parquet"):
        path = written(frame, tmp_path, ending)
        galaxies, ledger = built(
            path, truths={"spec": "zs", "many_band": "zs"}, truth_cuts={"spec": secure, "many_band": rest}
        )
        assert (galaxies.has("spec").sum(), galaxies.has("many_band").sum()) == (12, 12)
        assert not (galaxies.has("spec") & galaxies.has("many_band")).any()
        assert taken(ledger) == {
            ("zs", "spec: not secure"): 12, ("zs", "spec: not galaxy"): 6, ("zs", "many_band: not rest"): 18,
        }  # fmt: skip
        clean = [{"name": "clean", "column": "bits & 4", "equals": 0}]
        assert len(built(path, truth_cuts={"spec": clean})[0]) == 10
