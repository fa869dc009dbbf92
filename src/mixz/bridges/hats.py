"""Redshifts for HATS catalogues, partition by partition on Dask workers (needs ``pip install 'mixz[hats]'``).

Each worker reads some rows, predicts and writes them, then the next: its memory does not grow with the partition.  A
partition appears whole or not at all, and is noted in a journal; a run that was interrupted does only what is missing.
"""

from __future__ import annotations

import hashlib
import json
import re
import resource
import shutil
import sys
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from mixz.atomic import replacing
from mixz.bridges.dask_members import spread
from mixz.bridges.models import open_model
from mixz.bridges.rounding import rounded
from mixz.data.hats_folder import SKY_INDEX, HatsFolder, Pixel, batches, file_columns, finish, pixel_file
from mixz.data.tables import require_columns
from mixz.errors import MixzError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from mixz.bridges.model_columns import Asked
    from mixz.bridges.models import PhotoZModel
    from mixz.photoz import PhotoZ

ALGORITHM = "mixz"
"""First part of the names of columns, as Rubin's photo-z tables have them: {algorithm}_z_{estimate}."""
CHUNK_ROWS = 20_000
"""Galaxies read, predicted and written at a time: some 16 MB of densities on 200 nodes."""
UNFINISHED = ".unfinished"
"""What the name of the folder ends with that an interrupted run leaves."""


@dataclass(frozen=True)
class Job:
    """What a worker needs to know to do a partition.

    Parameters
    ----------
    model, source
        Paths of the model and of the catalogue to predict, which every worker must be able to read.
    draft
        Folder that collects the partitions, which every worker must be able to write to.
    asked
        How the catalogue names its columns.
    densities
        Whether to write the densities too.
    chunk_rows
        Galaxies at a time.
    """

    model: Path
    source: Path
    draft: Path
    asked: Asked
    densities: bool = True
    chunk_rows: int = CHUNK_ROWS

    @property
    def catalogue(self) -> Path:
        """Where the new catalogue grows."""
        return self.draft / "catalogue"

    @property
    def journal(self) -> Path:
        """Where each finished partition is noted."""
        return self.draft / "journal"

    def note(self, pixel: Pixel) -> Path:
        """Where a finished partition is noted."""
        return self.journal / f"{pixel.order}-{pixel.number}.json"


@dataclass(frozen=True)
class Done:
    """What became of a partition.

    Parameters
    ----------
    rows, lost
        How many galaxies it has, and how many of them got no redshift.
    memory_mb
        The most memory its worker has held so far [MB].
    """

    rows: int
    lost: int
    memory_mb: float


@dataclass(frozen=True)
class Outcome:
    """What became of a run.

    Parameters
    ----------
    galaxies, lost
        How many there are, and how many of them got no redshift because a band is missing.
    partitions, done_before
        How many have galaxies, and how many an interrupted run had left done.
    memory_mb
        The most memory that a worker of this run held [MB]; 0 where none had anything to do.
    """

    galaxies: int
    lost: int
    partitions: int
    done_before: int
    memory_mb: float


def predict_hats(
    model: Path,
    source: Path,
    output: Path,
    client: Any,
    *,
    asked: Asked,
    densities: bool = True,
    tell: Callable[[int, int], None] | None = None,
) -> Outcome:
    """Estimate redshifts for every galaxy of a HATS catalogue, as a HATS catalogue of the same partitions.

    Columns: the sky index, positions and ids as they were; ``mixz_z_mode``, ``mixz_z_mean``, ``mixz_z_median``,
    ``mixz_z_rms``, ``mixz_z_best`` (``mixz_z_phot`` without densities), ``mixz_z_sigma``, ``mixz_z_phot_std``;
    the ends of intervals (``mixz_z_low_68``, ...) and ``mixz_support`` where the model knows them; and the nested
    column ``mixz_interp`` with ``xvals`` (redshift) and ``yvals`` (density, `rounded`), as qp names them; null without
    a redshift.

    Parameters
    ----------
    model, source, output
        A model folder or ONNX file, the catalogue, and the folder to make.
    client
        A Dask client, from `mixz.bridges.dask_members.dask_client`.
    asked
        How the catalogue names its columns.
    densities
        Whether to write the densities too, where the model gives any.
    tell
        Called with how many partitions are done, and of how many, whenever one is.

    Raises
    ------
    MixzError
        The model or the catalogue is missing or damaged, a partition lacks a band, `output` is there already, or what
        an interrupted run left is of other settings.
    """
    source, output = source.absolute(), output.absolute()
    if output.exists():
        raise MixzError(f"{output} is there already", "a new folder", "name another, or remove it")
    folder = HatsFolder.open(source)
    folder.require_whole()
    job = Job(model.absolute(), source, output.with_name(output.name + UNFINISHED), asked, densities)
    _begin(job, folder)
    done = _done(job, folder.pixels)
    before = len(done)
    for pixel, what in _on_workers(client, job, [p for p in folder.pixels if p not in done]):
        done[pixel] = what
        if tell:
            tell(len(done), len(folder.pixels))
    rows = {pixel: done[pixel].rows for pixel in folder.pixels if done[pixel].rows}
    if not rows:
        shutil.rmtree(job.draft)
        raise MixzError(f"{source} has no rows", "a catalogue with at least one galaxy", "check how it was made")
    for left in job.catalogue.rglob(".mixz-*"):  # drafts of workers that were killed
        shutil.rmtree(left, ignore_errors=True)
    finish(job.catalogue, rows, folder, name=output.name, builder="mixz")
    job.catalogue.replace(output)
    shutil.rmtree(job.draft)
    this_run = [what.memory_mb for what in list(done.values())[before:]]
    lost = sum(what.lost for what in done.values())
    return Outcome(sum(rows.values()), lost, len(rows), before, max(this_run, default=0.0))


def predict_partition(job: Job, pixel: Pixel) -> Done:
    """Predict one partition on a worker, and note it when it is whole.

    Raises
    ------
    MixzError
        A file of it cannot be read, or lacks a column.
    """
    pixel = Pixel(*pixel)
    model, folder = _model(job.model), _folder(job.source)
    target, counts = pixel_file(job.catalogue, pixel), [0, 0]
    pieces = _predicted(job, model, folder, pixel, counts)
    first = next(pieces, None)
    if first is not None:  # a partition without rows has no file
        with replacing(target) as draft, pq.ParquetWriter(draft, first.schema, **_how_to_write(first.schema)) as writer:
            writer.write_table(first)
            for piece in pieces:
                writer.write_table(piece)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)
    done = Done(rows=counts[0], lost=counts[1], memory_mb=memory)
    with replacing(job.note(pixel)) as draft:
        draft.write_text(json.dumps(asdict(done)))
    return done


def _predicted(job: Job, model: PhotoZModel, folder: HatsFolder, pixel: Pixel, counts: list[int]) -> Iterator[pa.Table]:
    """Give a partition's galaxies with their redshifts, some at a time; count them, and those without one."""
    for file in folder.files(pixel):
        where, available = str(file), file_columns(file)
        kept = [SKY_INDEX] if SKY_INDEX in available else []
        name = job.asked.id_column(available)
        kept += [*folder.position_columns, *([name] if name else [])]
        require_columns(kept, available, where=where)
        needed = job.asked.needed(model, available, where=where)
        for batch in batches(file, list(dict.fromkeys([*kept, *needed])), job.chunk_rows):
            if not len(batch):
                continue
            photoz = model.predict(job.asked.galaxies(model, batch.select(needed).to_pandas(), where=where))
            counts[0] += len(photoz)
            counts[1] += int(np.isnan(photoz.z_phot).sum())
            columns = {one: batch[one] for one in dict.fromkeys(kept)} | _columns(photoz, densities=job.densities)
            yield pa.table(columns)


def _columns(photoz: PhotoZ, *, densities: bool) -> dict[str, pa.Array]:
    """Lay estimates out as Rubin's photo-z tables have them."""
    columns = {
        f"{ALGORITHM}_{_rubin(name)}": _numbers(column.data) if column.unit else pa.array(column.data)
        for name, column in photoz.columns().items()
        if name != "object_id" and not (name == "z_phot" and photoz.points)
    }
    if densities and photoz.pdf is not None:
        columns[f"{ALGORITHM}_interp"] = _nested(photoz)
    return columns


def _rubin(name: str) -> str:
    """The name of one of our columns as Rubin's photo-z tables have it: ``zmode`` is ``z_mode`` there."""
    return re.sub(r"^z(?=[a-z])", "z_", name)


def _numbers(values: Any) -> pa.Array:
    return pa.array(np.asarray(values, dtype=np.float32))


def _nested(photoz: PhotoZ) -> pa.Array:
    """Give densities as a nested column: per galaxy a small table of redshift and density; null where there is none."""
    assert photoz.pdf is not None
    assert photoz.z_grid is not None
    known = ~np.isnan(photoz.z_phot)
    offsets = np.concatenate([[0], np.cumsum(known * photoz.pdf.shape[1])]).astype(np.int32)
    density = rounded(np.ascontiguousarray(photoz.pdf[known], dtype=np.float32)).ravel()
    grid = np.tile(photoz.z_grid.astype(np.float32), known.sum())
    lists = [pa.ListArray.from_arrays(offsets, pa.array(values)) for values in (grid, density)]
    return pa.StructArray.from_arrays(lists, names=["xvals", "yvals"], mask=pa.array(~known))


def _how_to_write(schema: pa.Schema) -> dict[str, Any]:
    """The grid is the same for all galaxies, which a dictionary stores once; densities pack best byte by byte."""
    nested = [name for name in schema.names if name == f"{ALGORITHM}_interp"]
    return {
        "compression": "zstd",
        "use_dictionary": [f"{name}.xvals.list.element" for name in nested] or False,
        "use_byte_stream_split": [f"{name}.yvals.list.element" for name in nested] or False,
    }


@lru_cache(maxsize=1)
def _model(path: Path) -> PhotoZModel:
    """Keep the model on the worker; one thread, for Dask counts a worker's threads itself."""
    return open_model(path, threads=1)


@lru_cache(maxsize=1)
def _folder(path: Path) -> HatsFolder:
    return HatsFolder.open(path)


def _begin(job: Job, folder: HatsFolder) -> None:
    """Make the draft, or make sure that the one there is of the same run.

    Raises
    ------
    MixzError
        It is of another.
    """
    settings = {
        "model": _digest_of_files(job.model),
        "source": str(job.source),
        "rows": folder.rows,
        "partitions": hashlib.blake2b(repr(folder.pixels).encode(), digest_size=6).hexdigest(),
        "columns": asdict(job.asked),
        "densities": job.densities,
    }
    told = job.draft / "run.json"
    if not job.draft.exists():
        # A mistake is told before anything is written.
        job.asked.needed(open_model(job.model), folder.columns(), where=str(job.source))
        job.draft.mkdir(parents=True)
        job.journal.mkdir()
        with replacing(told) as draft:
            draft.write_text(json.dumps(settings, indent=1) + "\n")
        return
    before = json.loads(told.read_text()) if told.is_file() else {}
    other = [name for name, value in settings.items() if before.get(name) != value]
    if other:
        raise MixzError(
            f"{job.draft} was left by a run of other settings ({', '.join(other)} differ)",
            "the same model, catalogue and options",
            "run it as before, or remove the folder to begin anew",
        )


def _digest_of_files(path: Path) -> str:
    """Name the content of a model."""
    name = hashlib.blake2b(digest_size=6)
    for file in [path] if path.is_file() else [path / "model.json", path / "weights.safetensors"]:
        name.update(file.read_bytes() if file.is_file() else b"")
    return name.hexdigest()


def _done(job: Job, pixels: Iterable[Pixel]) -> dict[Pixel, Done]:
    """Read the journal: what is noted and there."""
    found = {}
    for pixel in pixels:
        if job.note(pixel).is_file():
            done = Done(**json.loads(job.note(pixel).read_text()))
            if not done.rows or pixel_file(job.catalogue, pixel).is_file():
                found[pixel] = done
    return found


def _on_workers(client: Any, job: Job, pixels: list[Pixel]) -> Iterator[tuple[Pixel, Done]]:
    """Spread partitions over workers, and give each when it is done."""
    yield from spread(client, predict_partition, {pixel: (job, tuple(pixel)) for pixel in pixels})
