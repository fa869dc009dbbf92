"""The simulated galaxies: counts, seeds, noise, labels and who gets a spectrum."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from mixz.errors import MixzError, pip_install
from mixz.mock import hsc
from mixz.mock.noise import observe
from mixz.mock.selection import PERCENTILES, RealSpectra, condense, real_spectra
from mixz.mock.survey import MockSurvey, object_ids, simulate
from mixz.mock.systematics import Systematics
from mixz.truths.known import KNOWN_TRUTHS

if TYPE_CHECKING:
    from pathlib import Path


def nmad(x: np.ndarray) -> float:
    return float(1.4826 * np.median(np.abs(x - np.median(x))))


def test_counts_add_up(survey: MockSurvey) -> None:
    table = survey.galaxies
    assert len(survey) == len(table) == 6000
    assert len(survey.cosmos) == (table["field"] == "COSMOS").sum() == 3000
    both = table["z_many_band"].notna() & table["z_spec"].notna()
    assert both.sum() == 30
    assert len(survey.spectra) == 3000 + 30
    assert table["object_id"].is_unique


def test_same_seed_same_survey(survey: MockSurvey) -> None:
    again = simulate(6000, seed=survey.seed)
    pd.testing.assert_frame_equal(survey.galaxies, again.galaxies)
    other = simulate(6000, seed=survey.seed + 1)
    assert not np.allclose(survey.galaxies["z_true"], other.galaxies["z_true"])


def test_object_ids_tell_nothing(survey: MockSurvey) -> None:
    in_cosmos = (survey.galaxies["field"] == "COSMOS").to_numpy()
    order = np.argsort(object_ids(len(survey), seed=5))
    assert abs(in_cosmos[order][:3000].mean() - 0.5) < 0.05


def test_spectra_are_of_brighter_galaxies_like_the_real_ones(survey: MockSurvey) -> None:
    wide = survey.galaxies[survey.galaxies["field"] != "COSMOS"]
    median, real = wide["mag_i"].median(), real_spectra().percentiles[0][list(PERCENTILES).index(50)]
    assert median < survey.cosmos["mag_i"].median() - 2
    assert abs(median - real) < 0.4


@pytest.mark.usefixtures("mock_packages")
def test_noise_matches_its_errors() -> None:
    """Pulls have unit width where magnitudes are nearly Gaussian; faint galaxies are lost as NaN."""
    mag = np.repeat([[22.0, 22.0, 22.0, 22.0, 22.0]], 4000, axis=0)
    seen, err = observe(mag, radius_arcsec=np.full(4000, 0.3), depth=hsc.WIDE, seed=1)
    pull = (seen - mag) / err
    assert np.abs(pull.std(axis=0) - 1).max() < 0.05
    assert np.abs(pull.mean(axis=0)).max() < 0.07
    faint, faint_err = observe(mag + 8, radius_arcsec=np.full(4000, 0.3), depth=hsc.WIDE, seed=1)
    lost = np.isnan(faint)
    assert 0.3 < lost.mean() < 0.7
    np.testing.assert_array_equal(lost, np.isnan(faint_err))


@pytest.mark.usefixtures("mock_packages")
def test_bigger_galaxies_are_noisier() -> None:
    mag = np.full((2, 5), 23.0)
    _, err = observe(mag, radius_arcsec=np.array([0.05, 1.0]), depth=hsc.WIDE, seed=1)
    assert (err[1] > err[0]).all()


@pytest.mark.usefixtures("mock_packages")
def test_labels_follow_the_kernel() -> None:
    clean = simulate(16_000, seed=4, systematics=Systematics.none(), cosmos_share=0.9).cosmos
    z, mag_i = clean["z_true"].to_numpy(), clean["true_mag_i"].to_numpy()
    drawn = KNOWN_TRUTHS["many_band"].kernel.draw(z, mag_ref=mag_i, seed=99)
    for low, high in ((20, 23), (23, 24), (24, 25.5)):
        chosen = (mag_i >= low) & (mag_i < high)
        dz, kernel = (((x - z) / (1 + z))[chosen] for x in (clean["z_many_band"].to_numpy(), drawn))
        assert nmad(dz) == pytest.approx(nmad(kernel), rel=0.15)
        assert np.mean(np.abs(dz) > 0.15) == pytest.approx(np.mean(np.abs(kernel) > 0.15), abs=0.015)


def test_each_systematic_is_a_switch(survey: MockSurvey) -> None:
    """Everything off: the mean difference to the true magnitudes vanishes; on: it is the field's zero point."""
    clean = simulate(6000, seed=survey.seed, systematics=Systematics.none())
    for table, expected in ((clean.cosmos, np.zeros(5)), (survey.cosmos, survey.systematics.cosmos_zero_point_mag)):
        bright = table[table["true_mag_i"] < 23]
        shift = [(bright[f"mag_{b}"] - bright[f"true_mag_{b}"]).median() for b in hsc.BANDS]
        np.testing.assert_allclose(shift, expected, atol=0.01)


@pytest.mark.parametrize(
    ("settings", "says"),
    [({"galaxies": 0}, "galaxies: 0"), ({"galaxies": -5}, "-5"), ({"cosmos_share": 1.0}, "cosmos_share: 1.0")],
)
def test_bad_settings(settings: dict[str, float], says: str) -> None:
    with pytest.raises(MixzError, match=says):
        simulate(**{"galaxies": 500, "seed": 1} | settings)  # type: ignore[arg-type]


def test_missing_package_names_the_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "photerr", None)
    with pytest.raises(MixzError, match=re.escape(pip_install("mock"))):
        observe(np.full((1, 5), 22.0), radius_arcsec=np.ones(1), depth=hsc.WIDE, seed=1)


def test_imports_without_optional_packages() -> None:
    code = (
        "import sys; sys.modules.update(dict.fromkeys(['skypy', 'speclite', 'photerr'])); "
        "import mixz.mock.files, mixz.mock.demo, mixz.mock.realism; assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_real_table_is_whole() -> None:
    real = real_spectra()
    assert isinstance(real, RealSpectra)
    assert 0.99 < real.counts.sum() / real.galaxies <= 1


def test_condense_refuses_another_file(tmp_path: Path) -> None:
    (tmp_path / "x.hdf5").write_text("no table")
    with pytest.raises(MixzError, match="not the table of real HSC spectra"):
        condense(tmp_path / "x.hdf5", tmp_path / "out.npz")
