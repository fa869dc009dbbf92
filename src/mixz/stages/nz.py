"""`mixz nz`: a model, a table and labels -> n(z) of tomographic bins and their verdict; the same for a run."""

from __future__ import annotations

import os
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from mixz.atomic import alone, remove, replacing
from mixz.bridges.dask_members import dask_client
from mixz.bridges.hats.unfinished import unfinished
from mixz.bridges.model_columns import Asked
from mixz.bridges.models import open_model
from mixz.bridges.nz.labels import (
    is_built,
    labels_of,
    naming_of,
    require_labels,
    require_named,
    require_representative,
    truths_of,
    without_labels,
)
from mixz.bridges.nz.tables import NzTable, read_nz_table, shared_bands
from mixz.bridges.pieces import Pieces
from mixz.data.data_set.galaxies_file import read_galaxies
from mixz.data.hats_folder import HatsFolder, is_hats
from mixz.data.tables import require_table, row_count, table_columns
from mixz.errors import MixzError
from mixz.progress import busy, progress_bar
from mixz.settings.tomography import TomographySettings
from mixz.stages.predict import as_told_by
from mixz.stages.store.nz_folder import require_nz_place, write_nz_files
from mixz.stages.store.photoz_tables import photoz_provenance
from mixz.stages.store.results import Results, label_truths
from mixz.tomography.bins import NO_BIN, Quality, Sorted, sort_into_bins
from mixz.tomography.estimate import estimate_nz
from mixz.tomography.record import tomography_record
from mixz.tomography.samples import LabelledSample
from mixz.tomography.whole import of_whole
from mixz.truths.likelihood import Labels

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from rich.console import Console

    from mixz.arrays import Mask
    from mixz.bridges.models import PhotoZModel
    from mixz.bridges.nz.hats import NzCatalogue
    from mixz.densities.grid import Grid
    from mixz.galaxies import GalaxySet
    from mixz.metrics.summary import Record
    from mixz.photoz import PhotoZ
    from mixz.settings.config import Config
    from mixz.tomography.answers import Tomography
    from mixz.tomography.samples import PhotometricSample
    from mixz.truths.truth import Truths


def nz(
    model: Path,
    table: Path,
    output: Path,
    console: Console,
    *,
    asked: TomographySettings = TomographySettings(),  # noqa: B008  # a frozen value
    columns: Asked = Asked(),  # noqa: B008
    seed: int = 0,
    group: str | int | None = None,
    labels: Path | None = None,
    workers: int | None = None,
    dask: str | None = None,
) -> Record:
    """Write n(z) of the tomographic bins of a table, by every method that has what it needs, and the verdict.

    Parameters
    ----------
    model, table
        A model folder or an ONNX file, and a table with the model's bands; of a HATS folder all galaxies are summed up
        part by part on Dask workers, and labels re-weighted to a sample of them (`mixz.bridges.nz.hats`).
    output
        Folder to write: ``tomography.json``, ``nz.csv``, ``nz.fits``, ``bins.csv``, qp files and a SACC file where
        these packages are installed.
    asked
        What is asked of bins.
    columns, group
        How the table names what the model needs; which table inside the file.
    labels
        A table of galaxies with labels (``z_<truth>``, or as `columns` names them) and the model's bands, e.g. the
        ``galaxies.parquet`` of a run, whose training galaxies then calibrate no densities; by default the table's own
        labels are taken.
    workers, dask
        For a HATS folder: how many processes to start here (one per core), or the address of a Dask scheduler.

    Returns
    -------
    dict
        What ``tomography.json`` holds.

    Raises
    ------
    MixzError
        The table lacks a column or a bin a galaxy; or the output cannot be written.
    """
    if not is_hats(table):
        require_table(table)
    require_nz_place(output)
    with busy(f"open {model}", console):
        opened = open_model(model)
    truths = truths_of(labels or table)
    cuts = _cuts(asked)
    whole: NzCatalogue | None = None
    theirs: NzTable | None = None
    keep, told = None, list[str]()
    if labels is not None:  # before the table, which may be long
        require_table(labels)
        there = [cut.column for cut in cuts if cut.column in table_columns(labels)]
        with progress_bar(f"nz {labels.name}", console) as bar:
            theirs, told = _read(opened, labels, naming_of(opened, labels, columns, truths), truths, None, there, bar)
        require_labels(theirs.z, labels)
        keep = np.all([cut.passes(theirs.column(cut.column)) for cut in cuts], axis=0) if cuts else None
        require_representative(asked.representative, theirs.z, labels)
    with _draft(output) if is_hats(table) else nullcontext() as draft:
        if draft is not None:
            if labels is None:  # before the pass, which may be long
                sky = HatsFolder.open(table).columns()
                require_named(columns, truths, sky, table)
                require_representative(asked.representative, labels_of(sky, truths, columns.labels), table)
            connection = dask_client(dask, workers=workers or os.cpu_count() or 1)
            whole = _summed(model, table, draft, columns, truths, asked, connection, console)
            own, more = whole.sample, [*whole.told]
        else:
            wanted = [cut.column for cut in cuts] + ([asked.weight] if asked.weight else [])
            with progress_bar(f"nz {table.name}", console) as bar:
                if labels is None:
                    require_named(columns, truths, table_columns(table, group), table)
                own, more = _read(opened, table, columns, truths, group, wanted, bar)
        for text in [*more, *told]:
            console.print(text, style="yellow", highlight=False, markup=False)
        require_representative(asked.representative, (theirs or own).z, labels or table)
        found = _found(opened, own, theirs, keep, whole, truths=truths, asked=asked, seed=seed)
        if not (theirs or own).z:
            found = replace(found, notes=(*found.notes, without_labels(table)))
        about = photoz_provenance(opened, input=table.name) | ({"labels": labels.name} if labels else {})
        known_truths = {*own.z, *(theirs or own).z}
        simulated = any(truths[name].simulated for name in known_truths) or bool(opened.provenance.get("simulated"))
        record = tomography_record(found, provenance=about, simulated=simulated)
        with replacing(output) as folder:
            folder.mkdir()
            write_nz_files(found, record, folder)
    return record


def _found(
    opened: PhotoZModel,
    own: NzTable,
    theirs: NzTable | None,
    keep: Mask | None,
    whole: NzCatalogue | None,
    *,
    truths: Truths,
    asked: TomographySettings,
    seed: int,
) -> Tomography:
    """n(z) of a table's bins by its own labels or by those of others, which `keep` may narrow; or of a catalogue's."""
    labels = theirs or own
    scatter = labels.scatter(truths)
    sample = own.sample(asked.patch_deg, weight=asked.weight, truths=truths, scatter=scatter)
    beside = None if theirs is None else own
    bands = shared_bands(opened)
    labelled = labels.labelled(truths, bands, asked.patch_deg, beside=beside, keep=keep, scatter=scatter)
    if whole is None:
        quality = {cut: own.column(cut.column) for cut in _cuts(asked)}
        binned = sort_into_bins(asked.bins, sample.z_phot, weight=sample.weight, quality=quality)
    else:
        binned = Sorted(whole.bins, whole.bins.of(sample.z_phot), whole.left_out)
    found = _tomography(sample, binned, labelled, own.grid, asked, asked.representative or "", seed)
    if whole is not None:
        points = not opened.has_density
        found = of_whole(found, whole.sums, resamples=asked.resamples, seed=seed, points=points)
    return found if opened.has_density else replace(found, notes=(*found.notes, _about_points(scatter)))


@contextmanager
def _draft(output: Path) -> Iterator[Path]:
    """Where the sums of a catalogue's parts are kept until n(z) is written: the same command goes on with them."""
    draft = unfinished(output)
    with alone(draft):
        yield draft
        remove(draft)


def _read(
    model: PhotoZModel,
    table: Path,
    columns: Asked,
    truths: Truths,
    group: str | int | None,
    also: Sequence[str],
    bar: Any,
) -> tuple[NzTable, list[str]]:
    """What a table holds, and what a person should look at in it."""
    if is_built(table) and columns == Asked():
        return NzTable.of_galaxies(model, read_galaxies(table)), []
    available = table_columns(table, group)
    pieces = Pieces(model, as_told_by(table, columns), str(table), row_count(table, group))
    found = read_nz_table(pieces, table, available, truths, group=group, also=also, bar=bar)
    return found, [*pieces.account.warnings()]


def _summed(
    model: Path,
    source: Path,
    draft: Path,
    columns: Asked,
    truths: Truths,
    asked: TomographySettings,
    connection: AbstractContextManager[Any],
    console: Console,
) -> NzCatalogue:
    """A HATS catalogue, summed up on Dask workers."""
    from mixz.bridges.nz.hats import sum_hats

    HatsFolder.open(source)  # a mistake, or a missing package, is told before workers start
    with connection as client, progress_bar(f"nz {source.name}", console) as bar:
        found = sum_hats(
            model,
            source,
            draft,
            client,
            bins=asked.bins,
            asked=columns,
            truths=truths,
            cuts=_cuts(asked),
            weight=asked.weight,
            patch_deg=asked.patch_deg,
            bar=bar,
        )
    if found.done_before:
        console.print(f"{found.done_before:,} galaxies had been done before", highlight=False)
    return found


def _about_points(scatter: float) -> str:
    return (
        f"the model gives points without densities: `points` counts z_phot, which scatter by {scatter:.3f} (1 + z), "
        "and `both` takes each for a Gaussian as wide"
    )


def _tomography(
    sample: PhotometricSample,
    binned: Sorted,
    labelled: LabelledSample | None,
    grid: Grid,
    asked: TomographySettings,
    representative: str,
    seed: int,
) -> Tomography:
    number = None
    if labelled is not None:
        # A labelled galaxy of the sample itself is where the sample has it, cuts and all.
        own = np.where(labelled.same >= 0, binned.number[labelled.same], NO_BIN)
        number = np.where(labelled.same >= 0, own, binned.bins.of(labelled.photometry.z_phot))
    return estimate_nz(
        sample,
        binned,
        grid,
        labelled=labelled,
        labelled_bin=number,
        representative=representative,
        stand_ins=asked.stand_ins,
        resamples=asked.resamples,
        seed=seed,
    )


def tomography(config: Config, console: Console) -> list[Record]:
    """n(z) of every recipe's bins on the test galaxies, as the config's `tomography` asks; nothing where it does not.

    Bins are of the test galaxies with representative labels, which these galaxies' own labels then judge: none of them
    trained a model.  Writes ``tomography.json``, and ``nz/<recipe>/`` for recipes with densities.

    Raises
    ------
    MixzError
        The galaxies or a model are missing or stale, or a bin holds no galaxy.
    """
    if config.tomography is None:
        return []
    settings = config.tomography
    with alone(config.folder):
        results = Results(config)
        truths, test = results.truths(), results.read_galaxies().in_split("test")
        representative, target = settings.representative or _noisy(test, truths), settings.target
        chosen = test.sample(target or representative) if target or representative else np.ones(len(test), bool)
        test = test.rows(np.flatnonzero(chosen))
        if not len(test):
            raise MixzError("no test galaxy is in the target of `tomography`", "one or more", "name another target")
        records: list[Record] = []
        files: dict[str, Callable[[Path], None]] = {}
        failed: MixzError | None = None
        with progress_bar("nz", console) as bar:
            for done, name in enumerate(config.recipes):
                bar(done, len(config.recipes), name)
                photoz = results.read_model(name).predict(test)
                try:
                    found, record = _of_recipe(name, photoz, test, truths, settings, results, representative)
                except MixzError as error:  # of its bins; others' may do
                    records.append({"recipe": name, "why_not": error.given})
                    failed = error
                    continue
                records.append(record)
                files[name] = partial(write_nz_files, found, record)
            bar(len(config.recipes), len(config.recipes), "nz")
        if failed is not None and not files:
            raise failed
        results.write_tomography(records, files)
    return records


def _noisy(galaxies: GalaxySet, truths: Truths) -> str:
    return next((name for name in label_truths(galaxies, truths) if not truths[name].exact), "")


def _of_recipe(
    name: str,
    photoz: PhotoZ,
    test: GalaxySet,
    truths: Truths,
    settings: TomographySettings,
    results: Results,
    representative: str,
) -> tuple[Tomography, Record]:
    config = results.config
    carried = {key: np.asarray(values) for key, values in test.carried.items()}
    cuts = _cuts(settings)
    own = NzTable(photoz, np.asarray(test.mag, float), test.z, carried, test.ra_deg, test.dec_deg, None, None)
    labels = {t: Labels.of(test, truths[t], ref_band=config.ref_band) for t in label_truths(test, truths)}
    scatter = own.scatter(truths)
    sample = own.sample(settings.patch_deg, weight=settings.weight, truths=truths, scatter=scatter)
    has = (
        np.flatnonzero(np.any([np.isfinite(one.z) for one in labels.values()], axis=0)) if labels else np.empty(0, int)
    )
    labelled = LabelledSample(sample, labels, np.arange(len(test))).rows(has) if len(has) else None
    quality = {cut: own.column(cut.column) for cut in cuts}
    binned = sort_into_bins(settings.bins, sample.z_phot, weight=sample.weight, quality=quality)
    found = _tomography(sample, binned, labelled, own.grid, settings, representative, config.seed)
    if photoz.pdf is None:
        found = replace(found, notes=(*found.notes, _about_points(scatter)))
    about = {"config": config.name, "model": name, "train_digest": config.train_digest(name)}
    record = tomography_record(found, recipe=name, provenance=about, simulated=sample.z_true is not None)
    return found, record


def _cuts(asked: TomographySettings) -> list[Quality]:
    return [Quality.read(text) for text in asked.cuts]
