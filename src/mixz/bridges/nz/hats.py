"""HATS catalogues summed up for n(z), part by part on Dask workers, in bounded memory (needs the extra ``hats``).

Workers keep what parts come to as files, and the sums of all are added up from these (`mixz.bridges.nz.journal`): a
pass that was interrupted does only what is missing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mixz.bridges.dask_members import spread
from mixz.bridges.hats.parts import PART_ROWS, parts_of
from mixz.bridges.hats.unfinished import begin, clear, name_of_run, same_run
from mixz.bridges.models import open_model
from mixz.bridges.nz.journal import Journal
from mixz.bridges.nz.parts import NzJob, WrongValuesError, of_values, sum_part
from mixz.data.hats_folder import HatsFolder, coarse_pixels
from mixz.errors import MixzError
from mixz.tomography.bins import Bins, none_left, require_filled, srd_bins

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from mixz.bridges.hats.parts import Part
    from mixz.bridges.model_columns import Asked
    from mixz.bridges.nz.tables import NzTable
    from mixz.progress import Bar
    from mixz.tomography.bins import Quality
    from mixz.tomography.sums import DensitySums
    from mixz.truths.truth import Truths

SAMPLE = 100_000
"""Galaxies of the sample, about: some 200 MB of densities, and a bin's mean by its labels alone to .002 (ours)."""
MOST_PATCHES = 192
"""Patches of sky, at most, as many as the whole sky has of 15 degrees: an error from so many is known to 5 % (ours)."""


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
    left_out, told
        As `Noted`.
    done_before
        How many galaxies an interrupted pass had summed.
    memory_mb
        The most memory that a worker of this pass held [MB]; 0 where none had anything to do.
    """

    bins: Bins
    sums: DensitySums
    sample: NzTable
    left_out: Mapping[str, int]
    told: Sequence[str]
    done_before: int
    memory_mb: float


def sum_hats(
    model: Path,
    source: Path,
    draft: Path,
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
    draft
        Folder that collects what is summed.  An interrupted pass leaves it, and the same goes on there; a mistake of
        the catalogue's empties it.  It is the caller's to keep others out, and to take it away in the end.
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
        Told how many galaxies this pass has done, and of how many.

    Raises
    ------
    MixzError
        The catalogue is missing or damaged, lacks a column, or has no galaxy for a bin; or the draft is of a pass with
        other settings.
    """
    model, source, draft = model.absolute(), source.absolute(), draft.absolute()
    folder = HatsFolder.open(source)
    folder.require_whole()
    parts = parts_of(folder, part_rows=part_rows)
    total = sum(map(len, parts))
    if not total:
        raise MixzError(f"{source} has no rows", "a catalogue with at least one galaxy", "check how it was made")
    order, patches = coarse_pixels(folder.pixels, least_deg=patch_deg, most=MOST_PATCHES)
    number, name = _how_many(bins)
    edges = None if number else Bins.asked(bins, np.empty(0)).edges
    told_patches = tuple(patches.tolist())
    share = min(sample / total, 1.0)
    job = NzJob(model, source, draft, "", asked, truths, tuple(cuts), weight, edges, order, told_patches, share)
    job = _begun(job, folder, parts)
    journal = Journal.opened(job, parts)
    before, memory, done = sum(map(len, journal.noted)), 0.0, 0
    try:
        for part, what in spread(client, sum_part, {part: (job, part) for part in parts if part not in journal.noted}):
            journal.note(part, what)
            memory, done = max(memory, what.memory_mb), done + what.rows
            if bar is not None:
                bar(done, total - before, "galaxies")
        sums, left_out = journal.sums, journal.left_out()
        with of_values():
            if sums is None or not sums.galaxies(sums.whole).sum():
                raise none_left(left_out)
            found = Bins.asked(bins, np.empty(0)) if number == 0 else None
            if found is not None:
                require_filled(found, sums.galaxies(found))
    except WrongValuesError:
        clear(draft)
        raise
    # The same sums do for another number of bins.
    found = found or sums.bins(number, sample=name)
    return NzCatalogue(found, sums, journal.sample(), left_out, journal.told(), before, memory)


def _how_many(bins: str | int | Sequence[float]) -> tuple[int, str]:
    """How many bins of equal counts are asked for, and of which of the SRD's samples; 0 where edges are known."""
    if isinstance(bins, int):
        return bins, ""
    srd = srd_bins(bins) if isinstance(bins, str) else None
    return (0, "") if srd is None or srd.low is not None else (srd.number, srd.sample)


def _begun(job: NzJob, folder: HatsFolder, parts: Sequence[Part]) -> NzJob:
    """Make the draft, or make sure that the one there is of the same pass, by whose name its places are called.

    Raises
    ------
    MixzError
        It is of another, or the catalogue lacks a column.
    """
    if not same_run(job.draft, job.model, folder, parts, job.settings()):
        # A mistake is told before any work.
        job.asked.needed(open_model(job.model), folder.columns(), where=str(job.source))
        begin(job.draft, job.model, folder, parts, job.settings())
    job = replace(job, name=name_of_run(job.draft))
    job.notes.mkdir(parents=True, exist_ok=True)
    return job
