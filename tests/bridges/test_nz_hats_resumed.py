"""n(z) of a HATS catalogue whose pass was interrupted: only the rest is asked, and all is the same to the last bit."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hats_mock import model, sky, write_hats
from mixz import stages
from mixz.bridges.hats.parts import Part, parts_of
from mixz.bridges.model_columns import Asked
from mixz.bridges.nz import hats as nz_hats
from mixz.bridges.nz.hats import NzCatalogue, sum_hats
from mixz.bridges.nz.labels import truths_of
from mixz.data.hats_folder import HatsFolder
from mixz.errors import MixzError
from mixz.settings.tomography import TomographySettings
from mixz.tomography.bins import Quality

pytest.importorskip("lsdb", reason="needs mixz[hats]")
pytest.importorskip("distributed", reason="needs mixz[dask]")

GALAXIES, PART_ROWS = 600, 110
EDGES = (0.2, 0.7, 1.3)
"""Sums of two cells are small, so that they are written down again and again; those of equal counts never are here."""


@dataclass
class Workers:
    """What does the workers' work in this process.

    Parameters
    ----------
    stop
        After how many parts it is interrupted.
    backwards
        Whether the last part is done first.
    asked
        The parts that were done.
    """

    stop: int | None = None
    backwards: bool = False
    asked: list[Part] = field(default_factory=list)

    def __call__(self, _: Any, work: Any, pieces: dict[Any, tuple[Any, ...]]) -> Iterator[tuple[Any, Any]]:
        """Do pieces of work one by one."""
        for name, arguments in reversed(pieces.items()) if self.backwards else pieces.items():
            if self.stop is not None and len(self.asked) >= self.stop:
                raise KeyboardInterrupt
            self.asked.append(name)
            yield name, work(*arguments)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A catalogue of several partitions with labels and weights, and a model."""
    place = tmp_path_factory.mktemp("nz_resumed")
    frame, rng = sky(GALAXIES, seed=3), np.random.default_rng(4)
    frame["z_many_band"] = frame["z_true"] + 0.03 * rng.normal(size=GALAXIES) * (1 + frame["z_true"])
    frame["lensing"] = rng.uniform(0.5, 1.5, GALAXIES)
    write_hats(frame, place / "sky", rows=150)
    model(place / "model")
    return place


@dataclass
class Passes:
    """Passes over one catalogue with one draft."""

    place: Path
    draft: Path
    patch: pytest.MonkeyPatch

    def go(self, workers: Workers, *, draft: Path | None = None, **more: Any) -> NzCatalogue:
        """Sum the catalogue up."""
        self.patch.setattr(nz_hats, "spread", workers)
        how: dict[str, Any] = {"bins": EDGES, "asked": Asked(), "truths": truths_of(self.place / "sky"), "sample": 200}
        how |= {"weight": "lensing", "patch_deg": 4.0, "part_rows": PART_ROWS} | more
        return sum_hats(self.place / "model", self.place / "sky", draft or self.draft, None, **how)

    def interrupted(self, stop: int, **more: Any) -> Workers:
        """Begin a pass that is interrupted."""
        workers = Workers(stop=stop)
        with pytest.raises(KeyboardInterrupt):
            self.go(workers, **more)
        return workers


@pytest.fixture
def passes(place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Passes:
    """Passes that keep what they sum below the test's own folder."""
    return Passes(place, tmp_path / "nz.unfinished", monkeypatch)


@pytest.fixture(scope="module", params=[EDGES, 3], ids=["edges", "counts"])
def undisturbed(
    request: pytest.FixtureRequest, place: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Any, NzCatalogue]:
    """Bins, and what a pass of them comes to that nobody interrupts."""
    with pytest.MonkeyPatch.context() as patch:
        passes = Passes(place, tmp_path_factory.mktemp("undisturbed") / "draft", patch)
        return request.param, passes.go(Workers(), bins=request.param)


def assert_same(one: NzCatalogue, other: NzCatalogue) -> None:
    """To the last bit."""
    assert one.bins == other.bins
    assert one.sums.summed.tobytes() == other.sums.summed.tobytes()
    assert one.left_out == other.left_out
    assert one.told == other.told
    for name in ("names", "ra_deg", "mag", "patch"):
        np.testing.assert_array_equal(getattr(one.sample, name), getattr(other.sample, name))
    assert one.sample.photoz.pdf is not None
    np.testing.assert_array_equal(one.sample.photoz.pdf, other.sample.photoz.pdf)
    np.testing.assert_array_equal(one.sample.z["many_band"], other.sample.z["many_band"])
    assert list(one.sample.photoz.columns()) == list(other.sample.photoz.columns())


def parts(place: Path) -> list[Part]:
    return parts_of(HatsFolder.open(place / "sky"), part_rows=PART_ROWS)


@pytest.mark.parametrize("stop", [0, 1, 4])
def test_only_the_rest_is_asked(stop: int, passes: Passes, undisturbed: tuple[Any, NzCatalogue]) -> None:
    bins, whole = undisturbed
    first = passes.interrupted(stop, bins=bins)
    second = Workers()
    found = passes.go(second, bins=bins)
    every = parts(passes.place)
    assert len(first.asked) == stop < len(every) - 1
    # The last one that a worker finished was told to nobody, but is noted.
    assert sorted(first.asked + second.asked, key=every.index) == every
    assert found.done_before == sum(map(len, first.asked))
    assert_same(found, whole)
    nobody = Workers()
    assert_same(passes.go(nobody, bins=bins), whole)
    assert not nobody.asked


def test_whoever_is_first(passes: Passes, undisturbed: tuple[Any, NzCatalogue]) -> None:
    bins, whole = undisturbed
    assert_same(passes.go(Workers(backwards=True), bins=bins), whole)


def test_disk_holds_what_is_not_written_down(passes: Passes) -> None:
    passes.go(Workers())
    left = {file.stem for file in passes.draft.glob("*/sums/*.npz")}
    assert len(list(passes.draft.glob("sums-*.npz"))) == 1, "older sums go"
    assert len(left) < len(parts(passes.place)) / 2, "and sums of parts that are in them"


@pytest.mark.parametrize(
    ("kind", "how"),
    [
        ("*/journal/*.json", "torn"),
        ("sums.json", "torn"),
        *((f"{place}*.npz", how) for place in ("*/sums/", "*/sample/", "sums-") for how in ("torn", "changed", "gone")),
    ],
)
def test_what_is_not_whole_is_not_believed(kind: str, how: str, passes: Passes) -> None:
    first = passes.interrupted(5)
    files = sorted(passes.draft.glob(kind))
    assert files
    for file in files:
        content = file.read_bytes()
        if how == "gone":
            file.unlink()
        elif how == "changed":
            middle = len(content) // 2
            file.write_bytes(content[:middle] + bytes([content[middle] ^ 4]) + content[middle + 1 :])
        else:
            file.write_bytes(content[: len(content) // 2])
    again = Workers()
    found = passes.go(again)
    assert len(first.asked) + len(again.asked) > len(parts(passes.place))
    shutil.rmtree(passes.draft)
    assert_same(found, passes.go(Workers()))


@pytest.mark.parametrize(
    ("more", "what"),
    [
        ({"weight": None}, "weight"),
        ({"cuts": [Quality.read("lensing>=1")]}, "cuts"),
        ({"sample": 100}, "share sampled"),
        ({"bins": (0.2, 0.7, 1.4)}, "edges of bins"),
        ({"bins": 2}, "edges of bins"),
        ({"asked": Asked(mag="mag_{band}")}, "columns"),
        ({"part_rows": PART_ROWS // 3}, "parts"),
        ({"patch_deg": 1.0}, "patches of sky"),
    ],
)
def test_sums_of_other_settings_are_refused(more: dict[str, Any], what: str, passes: Passes) -> None:
    passes.interrupted(2)
    before = {path: path.stat().st_mtime_ns for path in passes.draft.rglob("*")}
    nobody = Workers()
    with pytest.raises(MixzError, match=rf"nz\.unfinished was left by a run of other settings \({what} differ\)"):
        passes.go(nobody, **more)
    assert not nobody.asked
    assert before == {path: path.stat().st_mtime_ns for path in passes.draft.rglob("*")}


def test_another_number_of_bins_needs_no_other_sums(passes: Passes) -> None:
    passes.go(Workers(), bins=3)
    nobody = Workers()
    found = passes.go(nobody, bins=4)
    assert len(found.bins) == 4
    assert not nobody.asked
    with pytest.raises(MixzError, match="so many galaxies share one redshift"):
        passes.go(nobody, bins=99)
    passes.go(nobody, bins=2)
    assert not nobody.asked, "a mistake of the number costs no pass"


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"bins": (0.0, 1e-6, 1.0)}, "hold no galaxy"),
        ({"cuts": [Quality.read("z_phot>=9")]}, "no galaxy is left"),
        ({"weight": "z_minus"}, r"Npix=\d+\.parquet: 1 weights are negative"),
        ({"weight": "no_such"}, "no_such"),
    ],
)
def test_a_mistake_leaves_nothing_that_stands_in_the_way(
    more: dict[str, Any], words: str, passes: Passes, tmp_path: Path
) -> None:
    place = tmp_path / "place"
    frame = sky(GALAXIES, seed=3)
    frame["lensing"] = 1.0
    frame["z_minus"] = np.where(np.arange(GALAXIES) == GALAXIES - 1, -1.0, 1.0)
    write_hats(frame, place / "sky", rows=150)
    (place / "model").symlink_to(passes.place / "model")
    passes.place = place
    with pytest.raises(MixzError, match=words):
        passes.go(Workers(), **more)
    assert not list(passes.draft.iterdir())
    passes.go(Workers())


def test_the_verb_goes_on_and_takes_its_draft_away(
    place: Path, tmp_path: Path, console: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_module("mixz.stages.nz"), "dask_client", lambda *_, **__: nullcontext(None))
    monkeypatch.setattr(nz_hats, "PART_ROWS", PART_ROWS)
    asked = TomographySettings(bins=EDGES, resamples=4, patch_deg=2)

    def go(workers: Workers, output: str) -> None:
        monkeypatch.setattr(nz_hats, "spread", workers)
        stages.nz(place / "model", place / "sky", tmp_path / output, console, asked=asked)

    go(Workers(), "whole")
    with pytest.raises(KeyboardInterrupt):
        go(Workers(stop=2), "nz")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["nz.unfinished", "whole"]
    shutil.copytree(tmp_path / "nz.unfinished", tmp_path / "other.unfinished")
    go(Workers(), "nz")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["nz", "other.unfinished", "whole"]
    assert "galaxies had been done before" in console.file.getvalue()
    for name in ("tomography.json", "nz.csv"):
        assert (tmp_path / "nz" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
