"""Redshifts for HATS catalogues, part by part on Dask workers (needs the extra ``hats``).

Large partitions are divided, so that every worker has something to do and what is done is told in time; a run that was
interrupted does only what is missing.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from mixz.atomic import DRAFTS, alone, remove, replacing, settle
from mixz.bridges.dask_members import listening, spread
from mixz.bridges.hats.parts import PART_ROWS, Job, done_before, parts_of, predict_part
from mixz.bridges.hats.unfinished import begin, same_run, unfinished
from mixz.bridges.models import open_model
from mixz.data.hats_folder import HatsFolder, finish
from mixz.errors import MixzError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from mixz.bridges.hats.parts import Part
    from mixz.bridges.model_columns import Asked
    from mixz.data.hats_folder import Pixel

OUTCOME = "outcome.json"
"""What is in the draft when all galaxies are done."""


@dataclass(frozen=True)
class Outcome:
    """What became of a run.

    Parameters
    ----------
    galaxies, lost, done_before
        How many there are, how many of them got no redshift because a band is missing, and how many an interrupted run
        had left done.
    partitions
        How many have galaxies.
    memory_mb
        The most memory that a worker of this run held [MB]; 0 where none had anything to do.
    notes
        What a person should look at, and in how many partitions it holds.
    """

    galaxies: int
    lost: int
    done_before: int
    partitions: int
    memory_mb: float
    notes: Mapping[str, int] = field(default_factory=dict)


def predict_hats(
    model: Path,
    source: Path,
    output: Path,
    client: Any,
    *,
    asked: Asked,
    densities: bool = True,
    part_rows: int = PART_ROWS,
    tell: Callable[[int, int], None] | None = None,
) -> Outcome:
    """Estimate redshifts for every galaxy of a HATS catalogue, as a HATS catalogue of the same partitions.

    Columns: the sky index, positions and ids as they were; ``mixz_z_mode``, ``mixz_z_mean``, ``mixz_z_median``,
    ``mixz_z_rms``, ``mixz_z_best``, ``mixz_z_core`` (``mixz_z_phot`` without densities), ``mixz_z_sigma``,
    ``mixz_z_phot_std``, ``mixz_odds``; the ends of intervals (``mixz_z_low_68``, ...), ``mixz_risk`` and
    ``mixz_support`` where the model knows them; and the nested column ``mixz_interp`` with ``xvals`` (redshift) and
    ``yvals`` (density, `rounded`), as qp names them; null without a redshift.

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
    part_rows
        Galaxies of a part, at most.
    tell
        Called with how many galaxies this run has done, and of how many, every few seconds.

    Raises
    ------
    MixzError
        The model or the catalogue is missing or damaged, a partition lacks a band, `output` is there already, or what
        an interrupted run left is of other settings.
    """
    source, output = source.absolute(), output.absolute()
    draft = unfinished(output)
    if output.exists() and not (draft / OUTCOME).is_file():
        raise MixzError(f"{output} is there already", "a new folder", "name another, or remove it")
    folder = HatsFolder.open(source)
    folder.require_whole()
    parts = parts_of(folder, part_rows=part_rows)
    if not parts:
        raise MixzError(f"{source} has no rows", "a catalogue with at least one galaxy", "check how it was made")
    suffix = ".parquet" if all(part.alone for part in parts) else "/"
    job = Job(model.absolute(), source, draft, asked, suffix, densities, topic=f"mixz-{uuid4().hex}")
    with alone(job.draft):
        _begin(job, folder, parts)
        if output.exists():  # a run was interrupted when all but its draft was done
            outcome = Outcome(**json.loads((job.draft / OUTCOME).read_text()))
            remove(job.draft)
            return replace(outcome, done_before=outcome.galaxies)
        done = done_before(job, parts)
        before, total, memory = sum(map(len, done)), sum(map(len, parts)), 0.0
        todo = {part: (job, part) for part in parts if part not in done}
        counter = _Counter(total - before, tell)
        with listening(client, job.topic, counter.hear):
            for part, what in spread(client, predict_part, todo, meanwhile=counter.tell_all):
                done[part], memory = what, max(memory, what.memory_mb)
                counter.hear((job.note(part).stem, what.rows))
                counter.tell_all()
        rows: Counter[Pixel] = Counter()
        for part in parts:
            rows[part.pixel] += done[part].rows
        for left in job.catalogue.rglob(f"{DRAFTS}*"):  # of workers that were killed; all others are done
            shutil.rmtree(left, ignore_errors=True)
        finish(job.catalogue, rows, folder, name=output.name, builder="mixz", suffix=suffix)
        lost = sum(what.lost for what in done.values())
        noted = {(part.pixel, text): None for part in parts for text in done[part].notes}  # in the parts' order
        outcome = Outcome(total, lost, before, len(rows), memory, dict(Counter(text for _, text in noted)))
        with replacing(job.draft / OUTCOME) as told:
            told.write_text(json.dumps(asdict(outcome)) + "\n")
        settle(job.catalogue, output)
        remove(job.draft)
    return outcome


@dataclass
class _Counter:
    """How many galaxies of every part are done, as workers tell from other threads; told on from this one."""

    total: int
    tell: Callable[[int, int], None] | None
    done: dict[str, int] = field(default_factory=dict)

    def hear(self, words: tuple[str, int]) -> None:
        part, rows = words
        self.done[part] = max(rows, self.done.get(part, 0))  # a worker's word may come after the part is done

    def tell_all(self) -> None:
        if self.tell and self.done:
            self.tell(sum(list(self.done.values())), self.total)


def _begin(job: Job, folder: HatsFolder, parts: Sequence[Part]) -> None:
    """Make the draft, or make sure that the one there is of the same run.

    Raises
    ------
    MixzError
        It is of another.
    """
    settings = {"columns": asdict(job.asked), "densities": job.densities}
    if not same_run(job.draft, job.model, folder, parts, settings):
        # A mistake is told before anything is written.
        job.asked.needed(open_model(job.model), folder.columns(), where=str(job.source))
        begin(job.draft, job.model, folder, parts, settings)
        job.journal.mkdir(exist_ok=True)
