"""HATS catalogues predicted by real worker processes: complete, equal to one process, and resumed after an accident."""

from __future__ import annotations

import json
import os
import shutil
import signal
import warnings
from contextlib import nullcontext
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hats_mock import BANDS, model, read_hats, sky, write_hats
from mixz.bridges.dask_members import listening, spread
from mixz.bridges.hats.catalogue import predict_hats
from mixz.bridges.hats.parts import Job, Part, parts_of, predict_part
from mixz.bridges.hats.rounding import rounded
from mixz.bridges.model_columns import Asked
from mixz.data.hats_folder import HatsFolder, batches, finish
from mixz.errors import MixzError
from mixz.model.folder import load_model
from mixz.stages import export, predict

pytest.importorskip("lsdb", reason="needs mixz[hats]")
pytest.importorskip("distributed", reason="needs mixz[dask]")

PLAIN = Asked()
PART_ROWS = 70
"""Fewer than a partition has."""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A catalogue of several partitions, one of them empty, and a model."""
    place = tmp_path_factory.mktemp("hats")
    write_hats(sky(2_000), place / "sky")
    folder = HatsFolder.open(place / "sky")
    assert len(folder.pixels) >= 8
    [file] = folder.files(folder.pixels[2])
    pq.write_table(pq.read_table(file).slice(0, 0), file)
    model(place / "model")
    return place


def in_one_process(place: Path) -> Any:
    """Ask the model about all rows at once."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        frame = read_hats(place / "sky")
    return frame, load_model(place / "model").predict(PLAIN.galaxies(load_model(place / "model"), frame, where=""))


def check(found: Any, place: Path) -> None:
    """Compare a predicted catalogue with the model's own words."""
    frame, photoz = in_one_process(place)
    assert found["object_id"].tolist() == frame["object_id"].tolist()
    assert np.array_equal(found["ra"], frame["ra"])
    for name in ("mode", "mean", "median", "best"):
        np.testing.assert_allclose(found[f"mixz_z_{name}"], photoz.points[f"z{name}"], rtol=1e-5)
    lacking = np.isnan(photoz.z_phot)
    assert lacking.sum() > 10
    assert found["mixz_interp"].isna().tolist() == lacking.tolist()
    densities = [one for one in found["mixz_interp"] if one is not None and len(one)]
    np.testing.assert_allclose(
        np.stack([d["yvals"] for d in densities]), rounded(photoz.pdf[~lacking]), rtol=3e-4, atol=1e-3
    )
    np.testing.assert_allclose(densities[0]["xvals"], photoz.z_grid, rtol=1e-6)


def test_a_killed_worker_changes_nothing(client: Any, place: Path, tmp_path: Path) -> None:
    pids = list(client.run(os.getpid).values())
    assert len(pids) == 2
    told: list[tuple[int, int]] = []

    def kill_one(done: int, total: int) -> None:
        told.append((done, total))
        if len(told) == 2:
            os.kill(pids[0], signal.SIGKILL)

    outcome = predict_hats(
        place / "model", place / "sky", tmp_path / "out", client, asked=PLAIN, part_rows=PART_ROWS, tell=kill_one
    )
    assert len(told) > 2, "what is done is told meanwhile"
    assert all(a <= b for (a, _), (b, _) in pairwise(told))
    assert told[-1] == (outcome.galaxies, outcome.galaxies)
    check(read_hats(tmp_path / "out"), place)
    assert outcome.galaxies == len(read_hats(place / "sky"))
    assert outcome.partitions == len(HatsFolder.open(place / "sky").pixels) - 1, "one has no rows"
    assert outcome.lost > 0
    assert outcome.memory_mb < 2_000
    assert [p.name for p in tmp_path.iterdir()] == ["out"], "nothing else is left"
    made = HatsFolder.open(tmp_path / "out")
    made.require_whole()
    assert made.rows == outcome.galaxies
    assert max(len(made.files(pixel)) for pixel in made.pixels) > 2, "partitions are folders of parts"


def test_an_interrupted_run_goes_on(client: Any, place: Path, tmp_path: Path) -> None:
    def stop(done: int, _: int) -> None:
        if done > 2 * PART_ROWS:
            raise KeyboardInterrupt

    def again(**changes: Any) -> Any:
        how = {"asked": PLAIN, "part_rows": PART_ROWS} | changes
        return predict_hats(place / "model", place / "sky", tmp_path / "out", client, **how)

    with pytest.raises(KeyboardInterrupt):
        again(tell=stop)
    assert not (tmp_path / "out").exists()
    with pytest.raises(MixzError, match="other settings .densities differ"):
        again(densities=False)
    with pytest.raises(MixzError, match="other settings .parts differ"):
        again(part_rows=PART_ROWS - 1)
    source, when = next((place / "sky").rglob("Npix*.parquet")), 1_700_000_000
    before = source.stat()
    os.utime(source, (when, when))
    with pytest.raises(MixzError, match=r"other settings .source's files differ"):
        again()
    os.utime(source, ns=(before.st_atime_ns, before.st_mtime_ns))
    unfinished = tmp_path / "out.unfinished"
    notes = sorted((unfinished / "journal").iterdir())
    assert len(notes) >= 3
    noted = sum(json.loads(note.read_text())["rows"] for note in notes)
    notes[0].unlink()  # as if it had been killed between the file and the note
    damaged = next(path for path in (unfinished / "catalogue").rglob("part-*.parquet"))
    content = bytearray(damaged.read_bytes())
    content[len(content) // 3] ^= 4
    damaged.write_bytes(content)
    written = {path: path.stat().st_mtime_ns for path in (unfinished / "catalogue").rglob("part-*.parquet")}
    touched: list[int] = []
    outcome = again(tell=lambda done, _: touched.append(done))
    assert noted > 0
    assert 0 < outcome.done_before < noted, "what is not noted, or not as it was written, is done again"
    assert touched[-1] == outcome.galaxies - outcome.done_before, "what is done is not counted anew"
    kept = [path for path, when in written.items()
            if (tmp_path / "out" / path.relative_to(unfinished / "catalogue")).stat().st_mtime_ns == when]  # fmt: skip
    assert len(kept) >= len(notes) - 2, "only what is missing is done again"
    check(read_hats(tmp_path / "out"), place)
    with pytest.raises(MixzError, match="is there already"):
        again()


def test_what_is_done_of_a_part_is_told_before_it_is_whole(client: Any, place: Path, tmp_path: Path) -> None:
    heard: list[Any] = []
    job = Job(place / "model", place / "sky", tmp_path, PLAIN, chunk_rows=40, topic="mixz-test")
    part = max(parts_of(HatsFolder.open(place / "sky"), part_rows=10**6), key=len)
    assert len(part) > 80
    job.journal.mkdir()
    with listening(client, job.topic, heard.append):
        ((_, done),) = spread(client, predict_part, {part: (job, part)})
    assert len(heard) > 1
    assert [rows for _, rows in heard] == sorted(rows for _, rows in heard)
    assert 0 < heard[0][1] < done.rows
    assert {name for name, _ in heard} == {job.note(part).stem}


def test_a_catalogue_that_is_finished_again_says_the_same(place: Path, tmp_path: Path) -> None:
    """A run may be killed when the catalogue tells its own size and is not yet in its place."""
    like = HatsFolder.open(place / "sky")
    shutil.copytree(place / "sky" / "dataset", tmp_path / "dataset")
    rows = dict.fromkeys(like.pixels, 1)
    told = []
    for _ in range(2):
        finish(tmp_path, rows, like, name="sky", builder="mixz")
        lines = (tmp_path / "hats.properties").read_text().splitlines()
        told.append([line for line in lines if "date" not in line])
    assert told[0] == told[1]
    assert any(line.startswith("hats_estsize") for line in told[0])


def test_points_alone(client: Any, place: Path, tmp_path: Path) -> None:
    predict_hats(place / "model", place / "sky", tmp_path / "out", client, asked=PLAIN, densities=False)
    names = HatsFolder.open(tmp_path / "out").columns()
    assert "mixz_z_best" in names
    assert "mixz_interp" not in names
    made = HatsFolder.open(tmp_path / "out")
    assert [file.suffix for pixel in made.pixels for file in made.files(pixel)] == [".parquet"] * len(made.pixels)


def only_part(folder: HatsFolder) -> Part:
    """The first partition as one part."""
    first = parts_of(folder)[0]
    assert first.alone
    return first


def test_memory_is_bounded_by_the_chunk(place: Path, tmp_path: Path) -> None:
    job = Job(place / "model", place / "sky", tmp_path, PLAIN, chunk_rows=40)
    part = only_part(HatsFolder.open(place / "sky"))
    done = predict_part(job, part)
    with pq.ParquetFile(job.file(part)) as file:
        groups = [file.metadata.row_group(k).num_rows for k in range(file.num_row_groups)]
    assert max(groups) <= 40
    assert sum(groups) == done.rows == len(part) > 40


def test_no_map_of_the_sky_is_kept(place: Path) -> None:
    """mocpy, which is gone before what a worker keeps is, would print an error where Python ends."""
    assert HatsFolder.open(place / "sky").catalogue.moc is None


@pytest.mark.parametrize("part_rows", [1, 7, 100, 1_000])
def test_parts_are_the_whole(part_rows: int, place: Path) -> None:
    folder = HatsFolder.open(place / "sky")
    parts = parts_of(folder, part_rows=part_rows)
    assert max(map(len, parts)) <= part_rows
    assert len({(part.pixel, part.number) for part in parts}) == len(parts)
    for pixel in folder.pixels:
        [file] = folder.files(pixel)
        here = [part for part in parts if part.pixel == pixel]
        assert [part.start for part in here] == [0, *(part.stop for part in here)][: len(here)]
        assert sum(map(len, here)) == pq.read_metadata(file).num_rows
        assert len({len(part) for part in here}) <= 2, "of nearly the same length"


@pytest.mark.parametrize(("start", "stop"), [(0, 5), (4, 11), (10, 20), (19, 25), (24, 25), (0, 25)])
def test_rows_of_a_file(start: int, stop: int, tmp_path: Path) -> None:
    pq.write_table(pa.table({"x": np.arange(25)}), tmp_path / "t.parquet", row_group_size=10)
    found = [batch["x"].to_pylist() for batch in batches(tmp_path / "t.parquet", ["x"], 3, start=start, stop=stop)]
    assert [x for some in found for x in some] == list(range(start, stop))
    assert max(map(len, found)) <= 3


def test_a_partition_without_a_band(client: Any, place: Path, tmp_path: Path) -> None:
    shutil.copytree(place / "sky", tmp_path / "sky")
    folder = HatsFolder.open(tmp_path / "sky")
    [file] = folder.files(folder.pixels[-1])
    pq.write_table(pq.read_table(file).drop_columns(["mag_i"]), file)
    with pytest.raises(MixzError, match=rf"{folder.pixels[-1].number}.parquet has no column 'mag_i'"):
        predict_hats(place / "model", tmp_path / "sky", tmp_path / "out", client, asked=PLAIN)
    assert not (tmp_path / "out").exists()


def test_a_catalogue_without_a_band_is_refused_before_anything_is_made(
    client: Any, place: Path, tmp_path: Path
) -> None:
    with pytest.raises(MixzError, match="sky has no column .*_other'"):
        predict_hats(place / "model", place / "sky", tmp_path / "out", client, asked=Asked(mag="{band}_other"))
    assert not list(tmp_path.iterdir())


def test_a_damaged_partition_is_named(client: Any, place: Path, tmp_path: Path) -> None:
    shutil.copytree(place / "sky", tmp_path / "sky")
    folder = HatsFolder.open(tmp_path / "sky")
    [file] = folder.files(folder.pixels[-1])
    os.truncate(file, file.stat().st_size // 2)
    with pytest.raises(MixzError, match=rf"{folder.pixels[-1].number}.parquet cannot be read"):
        predict_hats(place / "model", tmp_path / "sky", tmp_path / "out", client, asked=PLAIN)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("gone", ["hats.properties", "a partition", "everything but dataset"])
def test_half_a_catalogue_is_refused(gone: str, client: Any, place: Path, tmp_path: Path) -> None:
    shutil.copytree(place / "sky", tmp_path / "sky")
    folder = HatsFolder.open(tmp_path / "sky")
    if gone == "hats.properties":
        for name in ("hats.properties", "properties"):
            (tmp_path / "sky" / name).unlink(missing_ok=True)
    elif gone == "a partition":
        folder.files(folder.pixels[1])[0].unlink()
    else:
        for path in (tmp_path / "sky").iterdir():
            if path.is_file():
                path.unlink()
    with pytest.raises(MixzError, match="no whole HATS catalogue"):
        predict_hats(place / "model", tmp_path / "sky", tmp_path / "out", client, asked=PLAIN)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["sky"]


def test_the_command_line_takes_folders(place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    from mixz.cli import main

    command = ["mixz", "predict", place / "model", place / "sky", "-o", tmp_path / "out"]
    command += ["--no-densities", "--workers", 1]
    monkeypatch.setattr(sys, "argv", [str(part) for part in command])
    with pytest.raises(SystemExit) as stop:
        main()
    assert not stop.value.code
    assert set(read_hats(tmp_path / "out").columns) >= {"mixz_z_best", "object_id", "ra", "dec"}


def test_what_is_odd_in_partitions_is_told_once_with_their_number(
    client: Any, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import io

    from rich.console import Console

    shutil.copytree(place / "sky", tmp_path / "sky")
    folder = HatsFolder.open(tmp_path / "sky")
    files = [file for pixel in folder.pixels for file in folder.files(pixel) if pq.read_metadata(file).num_rows > 60]
    for file in files[:3]:
        table = pq.read_table(file)
        odd = pa.array([30.0] * 10 + table["mag_g"].to_pylist()[10:], table.schema.field("mag_g").type)
        pq.write_table(table.set_column(table.schema.get_field_index("mag_g"), "mag_g", odd), file)
    console = Console(file=io.StringIO(), width=300)
    monkeypatch.setattr(import_module("mixz.stages.predict"), "dask_client", lambda *_, **__: nullcontext(client))
    predict(place / "model", tmp_path / "sky", tmp_path / "out", console, asked=PLAIN, densities=False)
    told = [line for line in console.file.getvalue().splitlines() if "30" in line]
    assert told == [
        f"sky in 3 of {len(folder.pixels) - 1} partitions: column 'mag_g': many values are exactly 30; if that stands "
        "for none, say so under columns: missing: {mag_g: [30]}"
    ]


def test_columns_are_named_as_rubin_names_them(place: Path, tmp_path: Path) -> None:
    job = Job(place / "model", place / "sky", tmp_path, PLAIN)
    part = only_part(HatsFolder.open(place / "sky"))
    predict_part(job, part)
    schema = pq.read_schema(job.file(part))
    assert set(schema.names) == {
        *(
            "_healpix_29",
            "ra",
            "dec",
            "object_id",
            "mixz_interp",
            "mixz_z_phot_std",
            "mixz_z_sigma",
            "mixz_odds",
            "mixz_support",
        ),
        *(f"mixz_z_{name}" for name in ("mode", "mean", "median", "rms", "best", "core")),
    }
    assert schema.field("mixz_z_best").metadata[b"description"] == b"redshift of the least expected HSC loss"
    assert schema.field("mixz_interp").metadata[b"description"].startswith(b"density of the redshift")
    nested = schema.field("mixz_interp").type
    assert pa.types.is_struct(nested)
    assert [nested.field(k).name for k in range(nested.num_fields)] == ["xvals", "yvals"]
    assert BANDS[0] == "g"


def test_torch_and_onnx_write_the_same(place: Path, tmp_path: Path) -> None:
    pytest.importorskip("onnxscript", reason="needs mixz[onnx]")
    folder = model(tmp_path / "folder", galaxies=2_000, whole=True)
    exported = export(folder, tmp_path / "model.onnx")
    part = only_part(HatsFolder.open(place / "sky"))
    tables = []
    for path in (folder, exported):
        job = Job(path, place / "sky", tmp_path / f"{path.name}.made", PLAIN)
        predict_part(job, part)
        tables.append(pq.read_table(job.file(part)).flatten())
    assert tables[0].schema == tables[1].schema
    assert {"mixz_support", "mixz_z_low_68", "mixz_z_high_95", "mixz_interp.yvals"} <= set(tables[0].column_names)
    for name in tables[0].column_names:
        here, there = (table[name].combine_chunks() for table in tables)
        if pa.types.is_list(here.type):
            here, there = here.flatten(), there.flatten()
        np.testing.assert_allclose(here.to_numpy(), there.to_numpy(), rtol=1e-3, atol=1e-4, err_msg=name)
