"""The embedded demo, and the comparison of the mock with the real surveys."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from mixz.mock import realism
from mixz.mock.demo import SEED, make_demo

if TYPE_CHECKING:
    from mixz.mock.survey import MockSurvey

EMBEDDED = Path(str(files("mixz"))) / "demo" / "galaxies.parquet"


@pytest.mark.usefixtures("mock_packages")
def test_demo_is_what_its_command_makes(tmp_path: Path) -> None:
    make_demo(tmp_path / "demo.parquet")
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "demo.parquet"), pd.read_parquet(EMBEDDED), rtol=1e-4)


def test_demo_says_that_it_is_simulated() -> None:
    says = {k.decode(): v.decode() for k, v in pq.read_schema(EMBEDDED).metadata.items()}
    assert says["simulated"] == "true"
    assert says["seed"] == str(SEED)
    assert says["made_by"].startswith("python -m mixz.mock.demo")


def test_demo_is_small_and_has_both_truths() -> None:
    assert EMBEDDED.stat().st_size < 3_000_000
    demo = pd.read_parquet(EMBEDDED)
    both = demo["z_many_band"].notna() & demo["z_spec"].notna()
    assert demo["object_id"].is_unique
    assert demo["z_many_band"].notna().sum() > 11_000
    assert demo["z_spec"].notna().sum() > 11_000
    assert 0.003 < both.mean() < 0.02
    assert (demo["z_many_band"].notna() | demo["z_spec"].notna()).all()
    assert np.isfinite(demo["z_true"]).all()


def test_realism_prints_mock_beside_real(survey: MockSurvey) -> None:
    rows = realism.compare(survey)
    assert {row.what.split(",")[0] for row in rows} == {"spectra", "labels", "photo-z"}
    for row in rows:
        assert len(row.mock) == len(row.real)
        assert "mock" in str(row)
    quality = [row for row in rows if row.what.startswith("photo-z, i < 24")]
    assert quality[0].mock[0] == pytest.approx(quality[0].real[0], abs=0.02)
