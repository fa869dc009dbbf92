"""Parts of a HATS catalogue as units of work: some rows of one file, predicted and written by one worker.

Each worker reads some rows, predicts and writes them, then the next: its memory does not grow with the part.  A part's
file appears whole or not at all and is noted in a journal.
"""

from __future__ import annotations

import json
import resource
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

import pyarrow as pa

from mixz.atomic import replacing
from mixz.bridges.dask_members import tell_client
from mixz.bridges.hats.columns import how_to_write, rubin_columns, rubin_notes
from mixz.bridges.models import open_model
from mixz.bridges.pieces import Pieces
from mixz.data.hats_folder import SKY_INDEX, HatsFolder, Pixel, batches, file_columns, file_rows, pixel_file
from mixz.data.meaning.numbers import require_columns
from mixz.data.table_frames import arrow_frame
from mixz.data.table_writers import ParquetPieces, described
from mixz.digest import digest_of_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from mixz.bridges.model_columns import Asked
    from mixz.bridges.models import PhotoZModel

CHUNK_ROWS = 20_000
"""Galaxies read, predicted and written at a time: some 16 MB of densities on 200 nodes."""
PART_ROWS = 100_000
"""Galaxies of a part, at most: half a minute of a core's work for ten networks."""


@dataclass(frozen=True)
class Part:
    """Some rows of a file of a piece of sky.

    Parameters
    ----------
    pixel
        The piece of sky.
    number
        Its place among the parts of that piece.
    file
        The place of the file among those of the piece.
    start, stop
        Its rows.
    alone
        Whether the piece of sky is this part.
    """

    pixel: Pixel
    number: int
    file: int
    start: int
    stop: int
    alone: bool

    def __len__(self) -> int:
        """Count its rows."""
        return self.stop - self.start


def parts_of(folder: HatsFolder, *, part_rows: int = PART_ROWS) -> list[Part]:
    """Divide the rows of every piece of sky, in their order, into parts of nearly the same length.

    Raises
    ------
    MixzError
        A file is damaged.
    """
    with ThreadPoolExecutor() as pool:
        rows = pool.map(lambda pixel: [file_rows(file) for file in folder.files(pixel)], folder.pixels)
        return [
            part
            for pixel, counts in zip(folder.pixels, rows, strict=True)
            for part in _of_one(pixel, counts, part_rows)
        ]


def _of_one(pixel: Pixel, counts: list[int], part_rows: int) -> list[Part]:
    ranges = []
    for file, rows in enumerate(counts):
        several = -(-rows // part_rows)
        ends = [rows * k // several for k in range(several + 1)] if several else []
        ranges += [(file, start, stop) for start, stop in pairwise(ends)]
    return [Part(pixel, k, *rows, alone=len(ranges) == 1) for k, rows in enumerate(ranges)]


@dataclass(frozen=True)
class Job:
    """What a worker needs to know to do a part.

    Parameters
    ----------
    model, source
        Paths of the model and of the catalogue to predict, which every worker must be able to read.
    draft
        Folder that collects the parts, which every worker must be able to write to.
    asked
        How the catalogue names its columns.
    suffix
        What the name of a piece of sky ends in: ``.parquet`` for files, ``/`` for folders of parts.
    densities
        Whether to write the densities too.
    chunk_rows
        Galaxies at a time.
    topic
        Under which a worker tells how far it is with a part: its place in the catalogue, and galaxies done.
    """

    model: Path
    source: Path
    draft: Path
    asked: Asked
    suffix: str = "/"
    densities: bool = True
    chunk_rows: int = CHUNK_ROWS
    topic: str = ""

    @property
    def catalogue(self) -> Path:
        """Where the new catalogue grows."""
        return self.draft / "catalogue"

    @property
    def journal(self) -> Path:
        """Where each finished part is noted."""
        return self.draft / "journal"

    def note(self, part: Part) -> Path:
        """Where a finished part is noted."""
        return self.journal / f"{part.pixel.order}-{part.pixel.number}-{part.number}.json"

    def file(self, part: Part) -> Path:
        """Where a part's galaxies are written."""
        place = pixel_file(self.catalogue, part.pixel, self.suffix)
        return place / f"part-{part.number:05d}.parquet" if self.suffix == "/" else place


@dataclass(frozen=True)
class Done:
    """What became of a part.

    Parameters
    ----------
    rows, lost
        How many galaxies it has, and how many of them got no redshift.
    memory_mb
        The most memory its worker has held so far [MB].
    sha256
        The digest of its file.
    notes
        What a person should look at in it, in words that are the same for other parts of which it holds.
    """

    rows: int
    lost: int
    memory_mb: float
    sha256: str
    notes: Sequence[str] = ()


def predict_part(job: Job, part: Part) -> Done:
    """Predict one part on a worker, and note it when it is whole.

    Raises
    ------
    MixzError
        Its file cannot be read, or lacks a column.
    """
    model, folder = _model(job.model), _folder(job.source)
    source = folder.files(part.pixel)[part.file]
    pieces = Pieces(model, job.asked, str(source), len(part))
    with replacing(job.file(part)) as draft, ParquetPieces(draft, how_to_write) as written:
        for table in _predicted(job, part, source, folder.position_columns, pieces):
            written.append(table)
            if job.topic:
                tell_client(job.topic, [job.note(part).stem, pieces.done])
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)
    notes = [*filter(None, [job.asked.without_names(model, file_columns(source))]), *pieces.account.remarks()]
    done = Done(pieces.done, pieces.lost, memory, digest_of_file(job.file(part)), notes)
    with replacing(job.note(part)) as draft:
        draft.write_text(json.dumps(asdict(done)))
    return done


def _predicted(job: Job, part: Part, source: Path, position: list[str], pieces: Pieces) -> Iterator[pa.Table]:
    """A part's galaxies with their redshifts, some at a time."""
    where, available = str(source), file_columns(source)
    kept = [SKY_INDEX] if SKY_INDEX in available else []
    name = job.asked.id_column(pieces.model, available)
    kept += [*position, *([name] if name else [])]
    require_columns(kept, available, where=where)
    needed = job.asked.needed(pieces.model, available, where=where)
    columns = list(dict.fromkeys([*kept, *needed]))
    for batch in batches(source, columns, job.chunk_rows, start=part.start, stop=part.stop):
        photoz = pieces.predict(arrow_frame(batch.select(needed)))
        made = pa.table(dict(rubin_columns(photoz, densities=job.densities)))
        made = described(made, rubin_notes(photoz))
        as_they_were = [(batch.schema.field(one), batch[one]) for one in dict.fromkeys(kept)]
        fields, columns_made = zip(*as_they_were, *zip(made.schema, made.columns, strict=True), strict=True)
        yield pa.Table.from_arrays(list(columns_made), schema=pa.schema(fields))
    pieces.finish()


def done_before(job: Job, parts: list[Part]) -> dict[Part, Done]:
    """The journal: what is noted, and there as it was written."""
    there = [part for part in parts if job.note(part).is_file() and job.file(part).is_file()]
    with ThreadPoolExecutor() as pool:
        noted = zip(there, pool.map(lambda part: _noted(job, part), there), strict=True)
        return {part: done for part, done in noted if done is not None}


def _noted(job: Job, part: Part) -> Done | None:
    try:
        done = Done(**json.loads(job.note(part).read_text()))
    except (ValueError, TypeError):
        return None  # a damaged note: the part is done again
    return done if digest_of_file(job.file(part)) == done.sha256 else None


@lru_cache(maxsize=1)
def _model(path: Path) -> PhotoZModel:
    """Keep the model on the worker; one thread, for Dask counts a worker's threads itself."""
    return open_model(path, threads=1)


@lru_cache(maxsize=1)
def _folder(path: Path) -> HatsFolder:
    return HatsFolder.open(path)
