"""Whether 99 means "observed, and nothing seen" is told by how bright such galaxies are elsewhere, or by a person."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mixz.data.build import build_galaxies
from mixz.data.looking.answers import Answers
from mixz.data.looking.first_config import FirstConfig, first_config
from mixz.data.looking.table import look_at
from mixz.settings.config import Config
from mixz.settings.file import load_config

ROWS = 600
BANDS = "ugri"


def table(path: Path, which: str, *, mark: float = 99.0, fluxes: bool = False, rubin: bool = False) -> Path:
    """Galaxies that have a mark in u: the `faint` ones, or `any` of them."""
    rng = np.random.default_rng(5)
    z = rng.uniform(0.05, 1.4, ROWS)
    base = 22 + 2 * z + rng.normal(0, 0.5, ROWS)
    hidden = base > np.quantile(base, 0.8) if which == "faint" else rng.uniform(size=ROWS) < 0.2
    frame = pd.DataFrame({"objectId": np.arange(ROWS) + 10**12, "z_spec": z})
    for k, band in enumerate(BANDS):
        mag = base + 1 - 0.4 * k + rng.normal(0, 0.1, ROWS)
        flux = 10 ** (0.4 * (31.4 - mag))
        hides = hidden if band == "u" else np.zeros(ROWS, bool)
        if fluxes:
            frame[f"{band}_cModelFlux"] = np.where(hides, -rng.uniform(0, 20, ROWS), flux)
            frame[f"{band}_cModelFluxErr"] = 10.0
        else:
            frame[f"mag_{band}"], frame[f"mag_err_{band}"] = np.where(hides, mark, mag), np.where(hides, mark, 0.05)
    if rubin:
        frame["coord_ra"], frame["coord_dec"], frame["i_extendedness"] = 53 + z, z - 28, 1.0
    frame.to_parquet(path)
    return path


def made(path: Path, answers: Answers) -> tuple[FirstConfig, Config]:
    first = first_config([look_at(path)], answers, home=path.parent)
    (path.parent / "a.yaml").write_text(first.text)
    return first, load_config(path.parent / "a.yaml")


@pytest.mark.parametrize("how", [{}, {"mark": 99.99}, {"fluxes": True}, {"fluxes": True, "rubin": True}])
@pytest.mark.parametrize(
    ("which", "told", "stay"),
    [("faint", None, True), ("any", None, False), ("any", True, True), ("faint", False, False)],
)
def test_galaxies_stay_where_they_were_observed(
    how: dict[str, Any], which: str, told: bool | None, stay: bool, tmp_path: Path
) -> None:
    answers = Answers(nothing_seen=told, bands=tuple(BANDS))
    first, config = made(table(tmp_path / "a.parquet", which, **how), answers)
    galaxies = build_galaxies(config)[0]
    assert (len(galaxies) == ROWS) == stay
    assert (config.incomplete == "undetected") == stay
    assert all(recipe.network.asinh == stay for recipe in config.recipes.values())
    assert ("rubin" in how) == (config.tables[0].survey == "rubin_dp1")
    said = " ".join(first.remarks)
    assert ("nothing seen (" in said) == stay
    assert ("--not-observed" if stay else "--nothing-seen") in said
    assert not first.questions, "what galaxies tell nobody is asked"


def test_few_such_galaxies_tell_nothing_and_are_told_of(tmp_path: Path) -> None:
    path = table(tmp_path / "a.parquet", "faint")
    frame = pd.read_parquet(path)
    frame.loc[frame.mag_u[frame.mag_u == 99].index[10:], "mag_u"] = 24.5
    frame.to_parquet(path)
    first, config = made(path, Answers())
    assert config.incomplete == "drop"
    assert "99 in u (10 rows): not observed (too few to tell by)" in " ".join(first.remarks)


def test_minus_99_is_not_observed(tmp_path: Path) -> None:
    first, config = made(table(tmp_path / "a.parquet", "faint", mark=-99.0), Answers(bands=tuple(BANDS)))
    assert config.incomplete == "drop"
    assert not first.questions
    assert "mag_u: is -99" in first.text
