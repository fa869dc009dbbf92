"""Parts of a HATS catalogue summed up for n(z): some rows of one file, predicted and summed by one worker.

A worker reads some rows, predicts them, adds their densities to sums by cells of z_phot, and keeps those galaxies that
belong to the sample: a galaxy does by its position alone, so that the sample is the same however the catalogue is cut.
"""

from __future__ import annotations

import json
import resource
import sys
from collections import Counter
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mixz.atomic import replacing
from mixz.bridges.hats.parts import CHUNK_ROWS
from mixz.bridges.models import open_model
from mixz.bridges.nz.kept import write_sample, write_sums
from mixz.bridges.nz.tables import NzTable, Wanted, joined
from mixz.bridges.pieces import Pieces
from mixz.data.hats_folder import HatsFolder, batches, file_columns, pixels_of
from mixz.data.meaning.numbers import require_columns
from mixz.data.table_frames import arrow_frame
from mixz.errors import MixzError
from mixz.tomography.bins import Bins, Quality, fit_for_bins, require_weights
from mixz.tomography.sums import CELLS, GROUPS, PartSums, SumLayout, fine_edges

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from mixz.bridges.hats.parts import Part
    from mixz.bridges.model_columns import Asked
    from mixz.bridges.models import PhotoZModel
    from mixz.truths.truth import Truths


@dataclass(frozen=True)
class NzJob:
    """What a worker needs to know to sum up a part.

    Parameters
    ----------
    model, source, draft
        Paths of the model, the catalogue, and the folder that collects what is summed; every worker must be able to
        read the former and to write to the latter.
    name
        Of the run (`mixz.bridges.hats.unfinished.name_of_run`): a worker that outlives another run writes elsewhere.
    asked
        How the catalogue names its columns.
    truths, cuts, weight
        Whose labels are looked for, which galaxies count, and the column of how much.
    edges
        Of the cells; None for fine ones, on the grid of the densities.
    patch_order, patches
        Patches of sky: order and numbers of pieces of sky, rising.
    share
        Of the galaxies, which is to be sampled.
    """

    model: Path
    source: Path
    draft: Path
    name: str
    asked: Asked
    truths: Truths
    cuts: tuple[Quality, ...]
    weight: str | None
    edges: tuple[float, ...] | None
    patch_order: int
    patches: tuple[int, ...]
    share: float

    def settings(self) -> dict[str, Any]:
        """All that the sums depend on, besides the model and the catalogue."""
        return {
            "columns": asdict(self.asked),
            "labels": {name: truth.simulated for name, truth in self.truths.items()},
            "cuts": [str(cut) for cut in self.cuts],
            "weight": self.weight,
            "edges of bins": self.edges,
            "cells and groups": [CELLS, GROUPS],
            "patches of sky": [self.patch_order, len(self.patches)],
            "share sampled": self.share,
        }

    @property
    def notes(self) -> Path:
        """Where what a part comes to is noted when it is whole."""
        return self.draft / self.name / "journal"

    def note(self, part: Part) -> Path:
        """Where a part is noted."""
        return self.notes / f"{_called(part)}.json"

    def sums_file(self, part: Part) -> Path:
        """Where a part's sums lie until they are added to those of all."""
        return self.draft / self.name / "sums" / f"{_called(part)}.npz"

    def sample_file(self, part: Part) -> Path:
        """Where a part's galaxies of the sample lie."""
        return self.draft / self.name / "sample" / f"{_called(part)}.npz"

    def layout(self, rows: NzTable) -> SumLayout:
        """What is summed of such rows, and where."""
        grid, members = rows.grid, len(rows.photoz.z_phot_members)
        edges = fine_edges(grid) if self.edges is None else np.asarray(self.edges)
        simulated = any(self.truths[name].simulated for name in rows.z)
        return SumLayout(edges, grid, len(self.patches), members if members > 1 else 0, simulated)


def _called(part: Part) -> str:
    return f"{part.pixel.order}-{part.pixel.number}-{part.number}"


@dataclass(frozen=True)
class Noted:
    """What a part comes to, as it is noted.

    Parameters
    ----------
    sums, sample
        Digests of its files.
    left_out
        How many of its galaxies may be in no bin, by the reason.
    told
        What a person should look at in its values.
    rows
        How many it has.
    memory_mb
        The most memory its worker has held so far [MB].
    """

    sums: str
    sample: str
    left_out: Mapping[str, int]
    told: Sequence[str]
    rows: int
    memory_mb: float


class WrongValuesError(MixzError):
    """A mistake in a catalogue's values, which a second run would meet again; what was summed beside it has no use."""


def sum_part(job: NzJob, part: Part) -> Noted:
    """Sum up one part on a worker, and note it when it is whole.

    Raises
    ------
    WrongValuesError
        Its file lacks a column, or holds weights that cannot be, or no magnitudes.
    MixzError
        Its file cannot be read, or the draft not written to.
    """
    folder = _folder(job.source)
    file = folder.files(part.pixel)[part.file]
    pieces = Pieces(_model(job.model), job.asked, str(file), len(part))
    also = dict.fromkeys([*(cut.column for cut in job.cuts), *([job.weight] if job.weight else [])])
    wanted, there = Wanted.of(folder.columns(), job.truths, [*also], job.asked.labels), file_columns(file)
    with of_values(str(file)):
        columns = wanted.columns(pieces)
        # Of all that the catalogue has: else two parts would be sums of different things.
        require_columns(columns, there, where=str(file), do="write it anew with the columns of all others")
    found = _Summing(job)
    for batch in batches(file, columns, CHUNK_ROWS, start=part.start, stop=part.stop):
        with of_values(str(file)):
            found.add(wanted.rows(pieces, arrow_frame(batch.select(columns))))
    with of_values(str(file)):
        pieces.finish()
    return _noted(job, part, found, pieces)


@contextmanager
def of_values(where: str = "") -> Iterator[None]:
    """Tell mistakes of a catalogue's values, and the file that has them, from mistakes of disks and workers."""
    try:
        yield
    except MixzError as error:
        given = error.given if where in error.given else f"{where}: {error.given}"
        raise WrongValuesError(given, error.allowed, error.do) from error


@dataclass(eq=False)
class _Summing:
    """A part as far as it is summed."""

    job: NzJob
    layout: SumLayout | None = None
    sums: list[PartSums] = field(default_factory=list)
    sampled: list[NzTable] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)

    def add(self, rows: NzTable) -> None:
        """Add some rows.

        Raises
        ------
        MixzError
            A weight of theirs is negative or no number.
        """
        job = self.job
        layout = self.layout = self.layout or job.layout(rows)
        weight = None if job.weight is None else rows.column(job.weight)
        require_weights(weight, len(rows.mag), all_may_be_zero=True)
        kept, out = fit_for_bins(
            rows.photoz.z_phot, weight=weight, quality={cut: rows.column(cut.column) for cut in job.cuts}
        )
        inside = kept & (Bins.between(rows.photoz.z_phot, layout.edges) >= 0)
        self.left_out.update(out)
        self.left_out.update({"z_phot outside the bins": int((kept & ~inside).sum())})
        place = _hashed(rows.ra_deg, rows.dec_deg)
        rows = _with_patches(rows.rows(inside), job)
        self.sums.append(layout.sums(rows.sample(0, weight=job.weight, truths=job.truths), _groups(place[inside])))
        self.sampled.append(rows.rows(_shares(place[inside]) < job.share))


def _noted(job: NzJob, part: Part, found: _Summing, pieces: Pieces) -> Noted:
    """Write what a part comes to, and note it."""
    if not job.notes.is_dir():
        raise MixzError(f"{job.draft} is no longer there", "the folder that collects what is summed", "run it again")
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)
    layout = found.layout
    noted = Noted(
        "" if layout is None else write_sums(job.sums_file(part), layout, PartSums.joined(found.sums)),
        "" if layout is None else write_sample(job.sample_file(part), joined(found.sampled)),
        {reason: n for reason, n in found.left_out.items() if n},
        pieces.account.warnings(),
        pieces.done,
        memory,
    )
    with replacing(job.note(part)) as draft:
        draft.write_text(json.dumps(asdict(noted)))
    return noted


def _with_patches(rows: NzTable, job: NzJob) -> NzTable:
    """The rows with the number of each galaxy's patch among the job's; -1 where it is none of them."""
    pixel = pixels_of(rows.ra_deg, rows.dec_deg, job.patch_order)
    known = np.asarray(job.patches)
    place = np.minimum(np.searchsorted(known, pixel), len(known) - 1)
    return rows.in_patches(np.where(known[place] == pixel, place, -1))


def _hashed(ra_deg: NDArray[Any], dec_deg: NDArray[Any]) -> NDArray[np.uint64]:
    """A number that looks random, the same for the same place."""
    one, other = (pd.util.hash_array(np.asarray(values, np.float64)) for values in (ra_deg, dec_deg))
    return pd.util.hash_array(one ^ (other * np.uint64(0x9E3779B97F4A7C15)))


def _groups(place: NDArray[np.uint64]) -> NDArray[np.int64]:
    return (place % np.uint64(GROUPS)).astype(np.int64)


def _shares(place: NDArray[np.uint64]) -> NDArray[np.float64]:
    # Other bits than those of the groups: a sample has some of every group.
    return np.asarray((place >> np.uint64(11)).astype(np.float64) / 2.0**53)


@lru_cache(maxsize=1)
def _model(path: Path) -> PhotoZModel:
    return open_model(path, threads=1)


@lru_cache(maxsize=1)
def _folder(path: Path) -> HatsFolder:
    return HatsFolder.open(path)
