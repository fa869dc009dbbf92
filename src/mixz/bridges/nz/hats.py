"""HATS catalogues summed up for n(z), part by part on Dask workers, in bounded memory (needs the extra ``hats``).

A worker reads some rows, predicts them, adds their densities to sums by cells of z_phot, and keeps those galaxies that
belong to the sample: a galaxy does by its position alone, so that the sample is the same however the catalogue is cut.
"""

from __future__ import annotations

import resource
import sys
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mixz.bridges.dask_members import spread
from mixz.bridges.hats.parts import CHUNK_ROWS, PART_ROWS, parts_of
from mixz.bridges.models import open_model
from mixz.bridges.nz.tables import NzTable, Wanted, joined
from mixz.bridges.pieces import Pieces
from mixz.data.hats_folder import HatsFolder, batches, coarse_pixels, file_columns, pixels_of
from mixz.data.table_frames import arrow_frame
from mixz.errors import MixzError
from mixz.tomography.bins import Bins, fit_for_bins, none_left, require_filled, require_weights, srd_bins
from mixz.tomography.sums import GROUPS, DensitySums, PartSums, SumLayout, fine_edges

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from mixz.bridges.hats.parts import Part
    from mixz.bridges.model_columns import Asked
    from mixz.bridges.models import PhotoZModel
    from mixz.progress import Bar
    from mixz.tomography.bins import Quality
    from mixz.truths.truth import Truths

SAMPLE = 100_000
"""Galaxies of the sample, about: some 200 MB of densities, and a bin's mean by its labels alone to .002 (ours)."""
MOST_PATCHES = 192
"""Patches of sky, at most, as many as the whole sky has of 15 degrees: an error from so many is known to 5 % (ours)."""
MOST_TOLD = 20
"""Different things that are told of a catalogue's values."""


@dataclass(frozen=True)
class NzJob:
    """What a worker needs to know to sum up a part.

    Parameters
    ----------
    model, source
        Paths, which every worker must be able to read.
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
    asked: Asked
    truths: Truths
    cuts: tuple[Quality, ...]
    weight: str | None
    edges: tuple[float, ...] | None
    patch_order: int
    patches: tuple[int, ...]
    share: float

    def layout(self, rows: NzTable) -> SumLayout:
        """What is summed of such rows, and where."""
        grid, members = rows.grid, len(rows.photoz.z_phot_members)
        edges = fine_edges(grid) if self.edges is None else np.asarray(self.edges)
        simulated = any(self.truths[name].simulated for name in rows.z)
        return SumLayout(edges, grid, len(self.patches), members if members > 1 else 0, simulated)


@dataclass(frozen=True, eq=False)
class Summed:
    """What a part comes to.

    Parameters
    ----------
    sums, layout
        Its sums, and what stands where; None where it has no rows.
    sampled
        Its galaxies of the sample.
    left_out
        How many may be in no bin, by the reason.
    told
        What a person should look at in its values.
    rows
        How many it has.
    memory_mb
        The most memory its worker has held so far [MB].
    """

    sums: PartSums | None
    layout: SumLayout | None
    sampled: NzTable | None
    left_out: Mapping[str, int]
    told: Sequence[str]
    rows: int
    memory_mb: float


@dataclass(frozen=True, eq=False)
class NzCatalogue:
    """What a catalogue comes to.

    Parameters
    ----------
    bins
        As they were asked for.
    sums
        Of all its galaxies that may be in a bin.
    sample
        Some of them.
    left_out, told, memory_mb
        As `Summed`.
    """

    bins: Bins
    sums: DensitySums
    sample: NzTable
    left_out: Mapping[str, int]
    told: Sequence[str]
    memory_mb: float


def sum_hats(
    model: Path,
    source: Path,
    client: Any,
    *,
    bins: str | int | Sequence[float],
    asked: Asked,
    truths: Truths,
    cuts: Sequence[Quality] = (),
    weight: str | None = None,
    patch_deg: float = 0.5,
    sample: int = SAMPLE,
    part_rows: int = PART_ROWS,
    bar: Bar | None = None,
) -> NzCatalogue:
    """Sum up a HATS catalogue.

    Parameters
    ----------
    model, source
        A model folder or ONNX file, and the catalogue.
    client
        A Dask client, from `mixz.bridges.dask_members.dask_client`.
    bins
        As `Bins.asked`.
    asked
        How the catalogue names its columns.
    truths, cuts, weight
        Truths whose labels ``z_<truth>`` are looked for, cuts by quality, and the column of how much galaxies count.
    patch_deg
        Patches of sky are no smaller [deg].
    sample
        How many galaxies to keep, about.
    part_rows
        Galaxies of a part, at most.
    bar
        Told how many galaxies are done.

    Raises
    ------
    MixzError
        The catalogue is missing or damaged, lacks a column, or has no galaxy for a bin.
    """
    model, source = model.absolute(), source.absolute()
    folder = HatsFolder.open(source)
    folder.require_whole()
    parts = parts_of(folder, part_rows=part_rows)
    total = sum(map(len, parts))
    if not total:
        raise MixzError(f"{source} has no rows", "a catalogue with at least one galaxy", "check how it was made")
    order, patches = coarse_pixels(folder.pixels, least_deg=patch_deg, most=MOST_PATCHES)
    number, name = _how_many(bins)
    edges = None if number else Bins.asked(bins, np.empty(0)).edges
    # A mistake is told before any work.
    asked.needed(open_model(model), folder.columns(), where=str(source))
    told_patches = tuple(patches.tolist())
    share = min(sample / total, 1.0)
    job = NzJob(model, source, asked, truths, tuple(cuts), weight, edges, order, told_patches, share)
    sums: DensitySums | None = None
    sampled, left_out, told = [], Counter[str](), dict[str, None]()
    memory, done = 0.0, 0
    for _, what in spread(client, sum_part, {part: (job, part) for part in parts}):
        if what.sums is not None and what.layout is not None:
            sums = sums or DensitySums(what.layout)
            sums.add(what.sums)
        sampled += [] if what.sampled is None else [what.sampled]
        left_out.update(what.left_out)
        told |= dict.fromkeys(what.told if len(told) < MOST_TOLD else ())
        memory, done = max(memory, what.memory_mb), done + what.rows
        if bar is not None:
            bar(done, total, "galaxies")
    if sums is None or not sums.galaxies(sums.whole).sum():
        raise none_left(left_out)
    found = sums.bins(number, sample=name) if number else Bins.asked(bins, np.empty(0))
    require_filled(found, sums.galaxies(found))
    rows = joined(sampled)
    # Whichever worker was first, the sample is in the same order.
    rows = rows.rows(np.lexsort((rows.dec_deg, rows.ra_deg)))
    return NzCatalogue(found, sums, rows, left_out, list(told), memory)


def _how_many(bins: str | int | Sequence[float]) -> tuple[int, str]:
    """How many bins of equal counts are asked for, and of which of the SRD's samples; 0 where edges are known."""
    if isinstance(bins, int):
        return bins, ""
    srd = srd_bins(bins) if isinstance(bins, str) else None
    return (0, "") if srd is None or srd.low is not None else (srd.number, srd.sample)


def sum_part(job: NzJob, part: Part) -> Summed:
    """Sum up one part on a worker.

    Raises
    ------
    MixzError
        Its file cannot be read, lacks a column, or holds weights that cannot be.
    """
    model, folder = _model(job.model), _folder(job.source)
    file = folder.files(part.pixel)[part.file]
    pieces = Pieces(model, job.asked, str(file), len(part))
    available = file_columns(file)
    also = dict.fromkeys([*(cut.column for cut in job.cuts), *([job.weight] if job.weight else [])])
    wanted = Wanted.of(available, job.truths, [*also])
    columns = wanted.columns(pieces)
    sums, sampled, left_out, layout = [], [], Counter[str](), None
    for batch in batches(file, columns, CHUNK_ROWS, start=part.start, stop=part.stop):
        rows = wanted.rows(pieces, arrow_frame(batch.select(columns)))
        layout = layout or job.layout(rows)
        weight = None if job.weight is None else rows.column(job.weight)
        require_weights(weight, len(rows.mag), all_may_be_zero=True)
        kept, out = fit_for_bins(
            rows.photoz.z_phot, weight=weight, quality={cut: rows.column(cut.column) for cut in job.cuts}
        )
        inside = kept & (Bins.between(rows.photoz.z_phot, layout.edges) >= 0)
        left_out.update(out)
        left_out.update({"z_phot outside the bins": int((kept & ~inside).sum())})
        place = _hashed(rows.ra_deg, rows.dec_deg)
        rows = _with_patches(rows.rows(inside), job)
        sums.append(layout.sums(rows.sample(0, weight=job.weight, truths=job.truths), _groups(place[inside])))
        sampled.append(rows.rows(_shares(place[inside]) < job.share))
    pieces.finish()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)
    return Summed(
        PartSums.joined(sums) if sums else None,
        layout,
        joined(sampled) if sampled else None,
        {reason: n for reason, n in left_out.items() if n},
        pieces.account.warnings(),
        pieces.done,
        memory,
    )


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
