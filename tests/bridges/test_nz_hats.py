"""n(z) of HATS catalogues: what a table of the same rows gives, however the catalogue is cut, by real workers too."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from hats_mock import model, sky, write_hats
from mixz import stages
from mixz.bridges.model_columns import Asked
from mixz.bridges.nz import hats as nz_hats
from mixz.bridges.nz.hats import NzCatalogue, sum_hats
from mixz.bridges.nz.labels import truths_of
from mixz.data.hats_folder import HatsFolder, coarse_pixels, pixels_of
from mixz.errors import MixzError
from mixz.settings.tomography import TomographySettings
from mixz.tomography.bins import Quality

pytest.importorskip("lsdb", reason="needs mixz[hats]")
pytest.importorskip("distributed", reason="needs mixz[dask]")

GALAXIES = 1_200
EDGES = (0.2, 0.7, 1.3)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A catalogue of several partitions, the same rows as a table, and a model."""
    place = tmp_path_factory.mktemp("nz_hats")
    frame = sky(GALAXIES, seed=3)
    rng = np.random.default_rng(4)
    frame["z_many_band"] = frame["z_true"] + 0.03 * rng.normal(size=GALAXIES) * (1 + frame["z_true"])
    frame["lensing"] = rng.uniform(0.5, 1.5, GALAXIES)
    write_hats(frame, place / "sky", rows=250)
    frame.to_parquet(place / "table.parquet")
    model(place / "model")
    return place


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do the workers' work in this process."""

    def one_by_one(client: Any, work: Any, pieces: dict[Any, tuple[Any, ...]]) -> Iterator[tuple[Any, Any]]:
        assert client is None
        yield from ((name, work(*arguments)) for name, arguments in pieces.items())

    monkeypatch.setattr(nz_hats, "spread", one_by_one)


def summed(place: Path, **more: Any) -> NzCatalogue:
    asked: dict[str, Any] = {"bins": EDGES, "asked": Asked(), "truths": truths_of(place / "table.parquet")}
    with TemporaryDirectory() as draft:
        return sum_hats(place / "model", place / "sky", Path(draft), None, **(asked | more))


@pytest.mark.usefixtures("here")
def test_however_it_is_cut(place: Path) -> None:
    one, other = summed(place), summed(place, part_rows=37)
    np.testing.assert_allclose(one.sums.summed, other.sums.summed, rtol=1e-6, atol=1e-9)
    assert one.left_out == other.left_out
    assert one.left_out["no redshift"] == GALAXIES // 50
    few, again = (summed(place, sample=200, part_rows=rows).sample for rows in (1_000, 41))
    np.testing.assert_array_equal(few.names, again.names)
    assert 100 < len(few.mag) < 300
    assert len(one.sample.mag) == one.sums.galaxies(one.bins).sum()


@pytest.mark.usefixtures("here")
def test_cuts_weights_and_equal_counts(place: Path) -> None:
    cut = summed(place, cuts=[Quality.read("lensing>=1")], weight="lensing", bins=3)
    assert 0.3 * GALAXIES < cut.left_out["not lensing >= 1"] < 0.7 * GALAXIES
    assert (cut.sample.column("lensing") >= 1).all()
    weights = [cut.sums.masses(cut.bins, k)[1].sum() for k in range(3)]
    np.testing.assert_allclose(weights, np.mean(weights), rtol=0.1)
    assert sum(weights) == pytest.approx(cut.sample.column("lensing").sum(), rel=1e-5)
    for wrong, words in (
        ({"weight": "no_such"}, "no_such"),
        ({"cuts": [Quality.read("no_such>=1")]}, "no_such"),
        ({"cuts": [Quality.read("z_phot>=9")]}, "no galaxy is left"),
        ({"bins": (0.0, 1e-6, 1.0)}, "hold no galaxy"),
        ({"asked": Asked(mag="no_{band}")}, "no_g"),
    ):
        with pytest.raises(MixzError, match=words):
            summed(place, **wrong)


def test_by_workers_it_is_what_the_table_gives(
    client: Any, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from contextlib import nullcontext

    monkeypatch.setattr(import_module("mixz.stages.nz"), "dask_client", lambda *_, **__: nullcontext(client))
    asked = TomographySettings(bins=EDGES, resamples=8, patch_deg=2, weight="lensing")
    quiet = Console(quiet=True)
    of_sky, of_table = (
        stages.nz(place / "model", place / name, tmp_path / name, quiet, asked=asked)
        for name in ("sky", "table.parquet")
    )
    assert of_sky["left_out"] == of_table["left_out"]
    assert of_sky["simulated"]
    for one, other in zip(of_sky["bins"], of_table["bins"], strict=True):
        assert one["galaxies"] == other["galaxies"]
        assert set(one["methods"]) == set(other["methods"]) >= {"stack", "labels", "both", "truth"}
        for method, told in one["methods"].items():
            assert told["mean"] == pytest.approx(other["methods"][method]["mean"], abs=2e-3), method
            assert set(told["errors"]) >= {"galaxies", "patches"}
    assert any("sample of" in note for note in of_sky["notes"])
    assert {"tomography.json", "nz.fits"} <= {path.name for path in (tmp_path / "sky").iterdir()}


def test_patches_hold_all_places(place: Path) -> None:
    folder = HatsFolder.open(place / "sky")
    frame = sky(GALAXIES, seed=3)
    for least, most in ((2.0, 192), (0.5, 20), (30.0, 192)):
        order, patches = coarse_pixels(folder.pixels, least_deg=least, most=most)
        assert len(patches) <= most
        assert order == 0 or 58.6 / 2**order >= least
        assert set(pixels_of(frame["ra"].to_numpy(), frame["dec"].to_numpy(), order)) <= set(patches)
    assert pixels_of(np.array([np.nan, 370.0]), np.array([0.0, 0.0]), 3)[0] == -1
