"""Every reader of mixz as the fuzzer calls it: what to begin damage from, and how damaged files are read."""

from __future__ import annotations

import asyncio
import gzip
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
import pandas as pd
import yaml

from fuzz import model_seeds, table_seeds, words
from fuzz.files import Files, write
from fuzz.mutation import Random
from mixz.errors import MixzError

ENOUGH_S = 4.0
"""A table that keeps giving rows is read, however many it has."""


class BrokenPromiseError(Exception):
    """A reader gave what it must not give."""


@dataclass(frozen=True)
class Reader:
    """A reader.

    Parameters
    ----------
    name
        What to call it.
    seeds
        Makes whole inputs in a folder.
    read
        Reads an input: a file, or a folder of several.
    words
        What such inputs are made of.
    finish
        What is done to damaged ones, so that they get farther.
    share
        How many of the inputs are its own, relative to others.
    needs
        Packages without which it cannot be tried.
    """

    name: str
    seeds: Callable[[Path], Iterator[Files]]
    read: Callable[[Path], object]
    words: Sequence[bytes] = ()
    finish: Callable[[Files, Random], Files] = field(default=lambda files, _: files)
    share: float = 1.0
    needs: Sequence[str] = ()

    @property
    def is_there(self) -> bool:
        """Whether what it needs is installed."""
        return all(find_spec(name) for name in self.needs)


def read_table(path: Path) -> None:
    """All that is asked of a table: its columns, tables, length, rows, numbers, names; and one table by its number."""
    from mixz.data.meaning.names import identities
    from mixz.data.meaning.numbers import numbers
    from mixz.data.tables import read_chunks, row_count, table_columns, table_parts

    groups: list[str | int | None] = [None]
    with suppress(MixzError):
        table_columns(path)
    with suppress(MixzError):
        if len(parts := table_parts(path)) > 1:
            groups.append(1 if "(" in parts[-1] else parts[-1])
    with suppress(MixzError):
        row_count(path)
    ends = monotonic() + ENOUGH_S
    refused: MixzError | None = None
    for group in groups:
        try:
            first = 0
            for frame in read_chunks(path, group=group, rows=50):
                if len(frame) and (frame.index[0] != first or not frame.columns.is_unique):
                    raise BrokenPromiseError(f"rows {frame.index} of columns {frame.columns}, where {first} is due")
                first += len(frame)
                for name in frame if first < 500 else ():
                    identities(frame[name])
                    with suppress(MixzError):  # a column need not be one of numbers
                        numbers(frame, name, where="t")
                if monotonic() > ends:
                    break
        except MixzError as error:
            refused = error
    if refused is not None:
        raise refused


def read_model(path: Path) -> None:
    """Read a model and ask it."""
    from mixz.bridges.models import open_model

    model = open_model(path, threads=1)
    asked = model_seeds.galaxies(3)
    if set(model.bands) <= set(asked.bands) and model.members < 10 and len(model.systems) == 1:
        model.predict(asked)


def read_galaxies(path: Path) -> None:
    """Read galaxies."""
    from mixz.data.data_set.galaxies_file import is_galaxies, read_galaxies

    is_galaxies(path)
    read_galaxies(path)


def read_config(path: Path) -> None:
    """Read a config and build its galaxies."""
    from mixz.data.build import build_galaxies
    from mixz.settings.file import load_config

    config = load_config(path / "c.yaml" if path.is_dir() else path)
    config.build_digest()
    for name in [*config.recipes][:3]:
        config.train_digest(str(name))
    build_galaxies(config)


def configs(_: Path) -> Iterator[Files]:
    """A config of many settings, and its table."""
    table = table_seeds.frame()
    table["z_many"], table["ra"], table["dec"] = table["z_spec"] + 0.01, 10.0 + table.index, -5.0
    table["object_id"] = table.index
    told = """\
name: fuzz
bands: [g, r]
members: 2
network: {hidden: [4, 4], head: binned, nodes: 20}
training: {epochs: 3, batch_size: 50}
recipes:
  - base
  - fused
tables:
  - path: deep.csv
    id_prefix: deep-
    truths: {spec: z_spec, many_band: z_many}
    columns: {object_id: object_id, mag: {g: mag_g, r: mag_r}, mag_err: {g: mag_err_g, r: mag_err_r}}
    cuts:
      - {name: bright, column: mag_g, max: 30}
      - {name: clean, column: flags & 64, equals: 0, missing: keep}
      - {name: colour, column: "max(mag_g - mag_r, 0) / (1 + z_spec)", below: 1000}
      - {name: once, column: name, repeated: first}
split: {train: 0.6, validation: 0.2, test: 0.2, seed: 1}
out: out
"""
    for text in (told, json.dumps(yaml.safe_load(told), indent=1)):
        yield {"c.yaml": text.encode(), "deep.csv": table.to_csv(index=False).encode()}


def only_config(files: Files, rng: Random) -> Files:
    """Leave the table as it was, mostly: tables are tried for themselves."""
    return files | {"deep.csv": next(configs(Path()))["deep.csv"]} if rng.random() < 0.9 else files


def expressions(_: Path) -> Iterator[Files]:
    """Cuts, with the bounds of each."""
    for expression, bounds in (
        ("(mag_g - mag_r) / (1 + z_spec) ** 2", {"max": 3}),
        ("max(abs(mag_g), sqrt(mag_r), min(1, 2))", {"above": 0.5, "missing": "keep"}),
        ("flags & (4 | 1 << 3)", {"equals": 0}),
        ("name", {"equals": ["NGC 1", "NGC 2"]}),
        ("isnan(mag_g) + log10(-mag_r)", {"equals": 1.5}),
        ("name", {"repeated": "drop"}),
        ("good", {"equals": True}),
    ):
        yield {"column.txt": expression.encode(), "bounds.json": json.dumps(bounds).encode()}


def read_expression(path: Path) -> None:
    """Apply a cut to a table."""
    from mixz.data.cuts import kept
    from mixz.data.expressions import columns_of
    from mixz.surveys.columns import Cut

    frame = table_seeds.frame()
    column = _word(path / "column.txt")
    try:
        bounds = json.loads(_word(path / "bounds.json"))
        cut = Cut.model_validate({"name": "cut", "column": column} | (bounds if isinstance(bounds, dict) else {}))
    except (ValueError, RecursionError):  # pydantic's, which configs tell of
        cut = Cut(name="cut", column=column, max=1)
    columns_of(column, [*frame])
    kept(cut, frame, where="t")


def _word(path: Path) -> str:
    return path.read_bytes().decode("utf-8", "replace") if path.exists() else ""


def choices(_: Path) -> Iterator[Files]:
    """Names that `mixz fetch` is asked for, and its record of checksums."""
    lock = {"a.fits": {"sha256": "0" * 64, "bytes": 12, "url": "https://example.org/a.fits"}}
    yield {"name.txt": b"galaxiesml_64/5x64x64_testing_with_morphology.hdf5", "lock.json": json.dumps(lock).encode()}


def read_choice(path: Path) -> None:
    """Choose from the registry, and read the record."""
    from mixz.data.fetching.fetch import Lock
    from mixz.data.fetching.registry import choose, load_registry

    if (path / "lock.json").exists():
        Lock(path / "lock.json").read()
    choose(load_registry().data_sets, _word(path / "name.txt"))


def kernels(_: Path) -> Iterator[Files]:
    """Kernel tables with and without bins of magnitude."""
    yield {"k.csv": b"# made by hand\ndz,density\n-0.1,0\n-0.01,5\n0,10\n0.01,5\n0.1,0\n"}
    rows = [f"{dz} {p} {low} {low + 1}" for low in (20, 21, 23) for dz, p in ((-0.1, 0), (0, 10), (0.2, 1))]
    yield {"k.txt": ("dz density mag_low mag_high\n" + "\n".join(rows)).encode()}


def read_kernel(path: Path) -> None:
    """Read a kernel and ask it."""
    from mixz.truths.table import read_kernel_table

    kernel = read_kernel_table(path)
    found = kernel.density(z_label=[0.5, 1.0], z=0.5, mag_ref=22.0)
    if not (found >= 0).all():
        raise BrokenPromiseError(f"a density of {found}")
    if not kernel.narrowest() >= 0 or not np.isfinite(kernel.draw([0.5], mag_ref=22.0, seed=1)).all():
        raise BrokenPromiseError("labels that are no numbers")


def qp_files(home: Path) -> Iterator[Files]:
    """qp files of every kind, in HDF5 and Parquet."""
    from mixz.bridges.qp_writers import write_qp

    photoz = model_seeds.random().predict(model_seeds.galaxies(6))
    for ending in ("hdf5", "pq"):
        for kind in ("interp", "quant", "mixmod"):
            folder = home / f"{kind}{ending}"
            folder.mkdir()
            write_qp(photoz, folder / f"q.{ending}", kind=kind, truth={"spec": np.linspace(0.1, 1, 6)})
            yield {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def read_qp(path: Path) -> None:
    """Read a qp file, whichever it is."""
    from mixz.bridges.qp_files import read_qp, truth_in

    folder = path if path.is_dir() else path.parent
    name = folder / ("q.hdf5" if any(one.suffix == ".hdf5" for one in folder.iterdir()) else "q.pq")
    read_qp(name)
    truth_in(name)


def challenges(home: Path) -> Iterator[Files]:
    """Estimates and truth of the same galaxies."""
    from mixz.bridges.qp_writers import write_qp
    from mixz.data.tables import write_table

    folder = home / "challenge"
    folder.mkdir()
    write_qp(model_seeds.random().predict(model_seeds.galaxies(20)), folder / "q.hdf5")
    truth = pd.DataFrame({"object_id": np.arange(20), "redshift": np.linspace(0.1, 1.4, 20)})
    truth["mag_i_lsst"], truth["mag_i_lsst_err"] = np.linspace(20, 25, 20), 0.1
    write_table(truth, folder / "truth.hdf5")
    yield {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def read_challenge(path: Path) -> None:
    """Score estimates; the truth is a test table too."""
    from mixz.stages.challenge import _read, score

    with suppress(MixzError):
        _read(path / "truth.hdf5", {"spec": "redshift"})
    score(path / "q.hdf5", path / "truth.hdf5")


def uploads(home: Path) -> Iterator[Files]:
    """Tables that visitors send, and how they ask."""
    frame = table_seeds.frame()
    for name, query in (("t.csv", "&format=csv&id=name"), ("t.csv", "&mag=mag_{band}&mag_err=mag_err_{band}&preview")):
        yield {"body": frame.to_csv(index=False).encode(), "query": f"name={name}{query}".encode()}
    for make in (table_seeds.parquet, table_seeds.fits_tables, table_seeds.hdf5, table_seeds.votable, table_seeds.ecsv):
        ((name, body),) = next(iter(make(home))).items()
        yield {"body": body, "query": f"name={name}&format=ecsv&system=".encode()}
    flux = b"name=t.csv.gz&flux=mag_{band}&flux_zero_point=31.4&id=object_id"
    yield {"body": gzip.compress(frame.to_csv(index=False).encode(), mtime=0), "query": flux}


@cache
def _app() -> tuple[Any, asyncio.AbstractEventLoop]:
    import logging

    from mixz.model.folder import save_model
    from mixz.stages.serve import model_app

    logging.getLogger("mixz.bridges.web.answers").addHandler(logging.NullHandler())
    home = Path(tempfile.mkdtemp(prefix="mixz-fuzz-"))
    save_model(model_seeds.random(), home / "model")
    app = model_app(home / "model", max_mb=2, max_rows=5_000)
    shutil.rmtree(home)
    return app, asyncio.new_event_loop()


def read_upload(path: Path) -> None:
    """Send a table; every answer that tells a mistake is a refusal, but none may be the server's own."""
    app, loop = _app()
    body = (path / "body").read_bytes() if (path / "body").exists() else b""
    query = (path / "query").read_bytes() if (path / "query").exists() else b""
    headers = [(b"host", b"localhost"), (b"content-length", str(len(body)).encode())]
    scope = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http"}
    scope |= {"path": "/api/preview" if b"preview" in query else "/api/photoz", "raw_path": b"", "root_path": ""}
    scope |= {"query_string": query, "headers": headers, "client": ("127.0.0.1", 1), "server": ("localhost", 80)}
    pieces = [body[k : k + 5_000] for k in range(0, len(body), 5_000)] or [b""]
    sent = [{"type": "http.request", "body": p, "more_body": k + 1 < len(pieces)} for k, p in enumerate(pieces)]
    answer: list[Any] = []

    async def receive() -> Any:
        if sent:
            return sent.pop(0)
        await asyncio.Event().wait()
        return None

    async def send(message: Any) -> None:
        answer.append(message)

    loop.run_until_complete(app(scope, receive, send))
    status = answer[0]["status"]
    text = b"".join(one.get("body", b"") for one in answer[1:])
    if status >= 500:
        raise BrokenPromiseError(f"an answer of {status}: {text[:300]!r}")
    if status >= 400:
        told = json.loads(text)
        if any(len(part) > 2_100 for part in told.values()) or "/tmp" in told["given"]:
            raise BrokenPromiseError(f"an answer that tells too much: {text[:300]!r}")
        raise MixzError(told["given"], told["allowed"], told["do"])


def results(home: Path) -> Iterator[Files]:
    """The records of a run."""
    from mixz.stages.store.photoz_tables import write_photoz_table

    asked = model_seeds.galaxies(8)
    write_photoz_table(home / "base.parquet", model_seeds.finished().predict(asked), {"mixz": "0"})
    rows = [{"recipe": "base", "truth": "spec", "metric": "bias", "mean": 0.1, "std": None, "n": 12}]
    files = {"metrics.json": json.dumps(rows).encode(), "photoz/base.parquet": (home / "base.parquet").read_bytes()}
    yield noted(files, None)


def noted(files: Files, rng: Random | None) -> Files:
    """Note damaged files as a verb would, mostly; else damage the note."""
    from mixz.stages.store.digests import Digests

    with tempfile.TemporaryDirectory() as home:
        folder = Path(home)
        write(files, folder)
        (folder / "digests.json").unlink(missing_ok=True)
        Digests(folder).note("evaluate", [path for path in folder.rglob("*") if path.is_file()])
        note = (folder / "digests.json").read_bytes()
    if rng is not None and rng.random() < 0.3:
        from fuzz.mutation import mutated

        note = model_seeds.sealed(mutated({"digests.json": note}, (), words.JSON, rng)["digests.json"])
    return files | {"digests.json": note}


def read_results(path: Path) -> None:
    """Read a run's metrics and photo-z, and verify it."""
    from mixz.settings.config import Config
    from mixz.stages.store.results import Results
    from mixz.stages.verify import verify

    told = {"name": path.name, "bands": ["g", "r"], "tables": [{"path": "a.csv", "truths": {"spec": "z"}}]}
    there = Results(Config.model_validate(told | {"out": str(path.parent)}))
    if path.is_dir():
        verify(path)
    there.read_records()
    there.read_photoz("base", model_seeds.galaxies(8))


READERS = (
    Reader("parquet", table_seeds.parquet, read_table, words.PARQUET, share=3),
    Reader("feather", table_seeds.arrow, read_table, words.ARROW, share=2),
    Reader("text", table_seeds.text, read_table, words.TEXT, share=3),
    Reader("fixed", table_seeds.fixed_width, read_table, words.FIXED, share=2),
    Reader("ecsv", table_seeds.ecsv, read_table, words.ECSV, share=1.5),
    Reader("votable", table_seeds.votable, read_table, words.VOTABLE, share=1.5),
    Reader("fits", table_seeds.fits_tables, read_table, words.FITS, share=3),
    Reader("hdf5", table_seeds.hdf5, read_table, words.HDF5, share=3, needs=["tables"]),
    Reader("hats", table_seeds.hats, read_table, (*words.HATS, *words.PARQUET), share=0.6, needs=["hats", "lsdb"]),
    Reader("galaxies", model_seeds.galaxies_files, read_galaxies, words.PARQUET, model_seeds.forged, share=2),
    Reader("model", model_seeds.models, read_model, words.MODEL, model_seeds.forged, share=2),
    Reader("mixz", model_seeds.model_files, read_model, words.ZIP, model_seeds.forged_file, share=2),
    Reader("onnx", model_seeds.onnx_files, read_model, words.ONNX, model_seeds.forged, share=1, needs=["onnxscript"]),
    Reader("results", results, read_results, words.JSON, noted, share=1),
    Reader("config", configs, read_config, words.YAML, only_config, share=2),
    Reader("expression", expressions, read_expression, words.ARITHMETIC, share=3),
    Reader("registry", choices, read_choice, words.JSON, share=0.5),
    Reader("kernel", kernels, read_kernel, words.TEXT, share=1),
    Reader("qp", qp_files, read_qp, (*words.HDF5, *words.PARQUET), share=1, needs=["qp"]),
    Reader("challenge", challenges, read_challenge, words.HDF5, share=0.6, needs=["qp", "rail"]),
    Reader("upload", uploads, read_upload, words.WEB, share=1, needs=["fastapi"]),
)
"""Every reader that files of strangers may reach."""
