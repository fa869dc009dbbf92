"""`mixz nz`: a model, a table and labels -> n(z) of tomographic bins and their verdict; the same for a run."""

from __future__ import annotations

import json
from functools import partial
from importlib.metadata import version
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mixz.atomic import alone, replacing, require_place
from mixz.bridges.model_columns import Asked
from mixz.bridges.models import open_model
from mixz.bridges.nz_files import has_sacc, write_nz_qp, write_nz_sacc
from mixz.bridges.nz_tables import NzTable, read_nz_table, shared_bands
from mixz.bridges.pieces import Pieces
from mixz.data.data_set.galaxies_file import is_galaxies, read_galaxies, read_provenance
from mixz.data.table_writers import Note, TableNotes
from mixz.data.tables import require_table, row_count, table_columns, write_table
from mixz.densities.grid import Grid, even_grid
from mixz.errors import MixzError, nearest
from mixz.progress import progress_bar
from mixz.settings.tomography import TomographySettings
from mixz.settings.truths import KNOWN_SETTINGS, TruthSettings
from mixz.stages.predict import as_told_by
from mixz.stages.store.photoz_tables import photoz_provenance
from mixz.stages.store.results import Results, label_truths
from mixz.tomography.bins import NO_BIN, Quality, sort_into_bins
from mixz.tomography.estimate import BOTH, LABELS, SPECTRA, STACK, estimate_nz
from mixz.tomography.record import tomography_record
from mixz.tomography.samples import LabelledSample, PhotometricSample
from mixz.truths.likelihood import Labels
from mixz.truths.truth import Truths

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from rich.console import Console

    from mixz.bridges.models import PhotoZModel
    from mixz.galaxies import GalaxySet
    from mixz.metrics.summary import Record
    from mixz.photoz import PhotoZ
    from mixz.settings.config import Config
    from mixz.tomography.estimate import Tomography

BEST_FIRST = (BOTH, LABELS, SPECTRA, STACK)
"""Whose n(z) a file with one per bin holds: the first of these that answers."""
RECORD = "tomography.json"
POINT_NODES, POINT_END = 201, 6.0
"""The grid of n(z) of points."""
LEAST_SCATTER = 0.01


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
) -> Record:
    """Write n(z) of the tomographic bins of a table, by every method that has what it needs, and the verdict.

    Parameters
    ----------
    model, table
        A model folder or an ONNX file, and a table with the model's bands.
    output
        Folder to write: ``tomography.json``, ``nz.csv``, ``nz.fits``, ``bins.csv``, qp files and a SACC file where
        these packages are installed.
    asked
        What is asked of bins.
    columns, group
        How the table names what the model needs; which table inside the file.
    labels
        A table of galaxies with labels (``z_<truth>``) and the model's bands, e.g. the ``galaxies.parquet`` of a run,
        whose training galaxies then calibrate no densities; by default the table's own labels are taken.

    Returns
    -------
    dict
        What ``tomography.json`` holds.

    Raises
    ------
    MixzError
        The model gives no densities; the table lacks a column or a bin a galaxy; or the output cannot be written.
    """
    require_table(table)
    _require_nz_place(output)
    opened = open_model(model)
    if not opened.has_density:
        raise MixzError(
            f"{model} gives points without densities, and n(z) is made of densities",
            "a model whose networks end in a density (head: binned or mixture)",
            "use such a model, e.g. the recipe `fused`",
        )
    truths = truths_of(labels or table)
    cuts = _cuts(asked)
    wanted = [cut.column for cut in cuts] + ([asked.weight] if asked.weight else [])
    with progress_bar(f"nz {table.name}", console) as bar:
        own, told = _read(opened, table, columns, truths, group, wanted, bar)
        theirs, keep = own, None
        if labels is not None:
            require_table(labels)
            there = [cut.column for cut in cuts if cut.column in table_columns(labels)]
            theirs, more = _read(opened, labels, Asked(system=columns.system), truths, None, there, bar)
            told += more
            keep = np.all([cut.passes(theirs.column(cut.column)) for cut in cuts], axis=0) if cuts else None
    for text in told:
        console.print(text, style="yellow", highlight=False, markup=False)
    if asked.representative and asked.representative not in theirs.z:
        known = ", ".join(theirs.z) or "none"
        raise MixzError(
            f"representative labels {asked.representative!r}",
            f"truths of {labels or table}: {known}",
            f"name one of these{nearest(asked.representative, theirs.z)}",
        )
    sample = own.sample(asked.patch_deg, weight=asked.weight, truths=truths)
    beside = None if theirs is own else own
    labelled = theirs.labelled(truths, shared_bands(opened), asked.patch_deg, beside=beside, keep=keep)
    quality = {cut: own.column(cut.column) for cut in cuts}
    grid = Grid(np.asarray(own.photoz.z_grid))
    found = _tomography(sample, labelled, grid, asked, quality, asked.representative or "", seed)
    about = photoz_provenance(opened, input=table.name) | ({"labels": labels.name} if labels else {})
    known_truths = {*own.z, *theirs.z}
    simulated = any(truths[name].simulated for name in known_truths) or bool(opened.provenance.get("simulated"))
    record = tomography_record(found, provenance=about, simulated=simulated)
    with replacing(output) as draft:
        draft.mkdir()
        write_nz_files(found, record, draft)
    return record


def _require_nz_place(output: Path) -> None:
    """Refuse a place where a folder cannot be written, or where something else than n(z) lies."""
    if not output.exists():
        require_place(output)
        return
    others = sorted(path.name for path in output.iterdir() if not _is_ours(path.name)) if output.is_dir() else []
    if others or not output.is_dir():
        what = f"{output} holds {others[0]}" if others else f"{output} is a file"
        raise MixzError(f"{what}, and would be replaced", "a new folder, or one that `mixz nz` wrote", "name another")


def _is_ours(name: str) -> bool:
    return name in (RECORD, "bins.csv") or name.startswith(("nz.", "nz_"))


def truths_of(table: Path) -> Truths:
    """How wrong the labels of a table are: as its build had it, where it is a galaxies file; else the known truths."""
    if not _is_built(table):
        return Truths(tuple(settings.truth(name) for name, settings in KNOWN_SETTINGS.items()))
    about = read_provenance(table)
    told = {n: TruthSettings.model_validate(s) for n, s in about.get("settings", {}).get("truths", {}).items()}
    known = Truths(tuple(settings.truth(name) for name, settings in (KNOWN_SETTINGS | told).items()))
    return known.scaled({name: found["scale"] for name, found in about.get("kernel_scales", {}).items()})


def _is_built(table: Path) -> bool:
    return table.is_file() and table.suffix == ".parquet" and is_galaxies(table)


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
    if _is_built(table) and columns == Asked():
        return NzTable.of_galaxies(model, read_galaxies(table)), []
    available = table_columns(table, group)
    pieces = Pieces(model, as_told_by(table, columns), str(table), row_count(table, group))
    found = read_nz_table(pieces, table, available, truths, group=group, also=also, bar=bar)
    return found, [*pieces.account.warnings()]


def _tomography(
    sample: PhotometricSample,
    labelled: LabelledSample | None,
    grid: Grid,
    asked: TomographySettings,
    quality: dict[Quality, Any],
    representative: str,
    seed: int,
) -> Tomography:
    binned = sort_into_bins(asked.bins, sample.z_phot, weight=sample.weight, quality=quality)
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
        resamples=asked.resamples,
        seed=seed,
    )


def write_nz_files(found: Tomography, record: Record, folder: Path) -> None:
    """Write everything that is known of n(z) into a folder that is there."""
    (folder / RECORD).write_text(json.dumps(record, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    about = {"mixz": version("mixz"), **record.get("provenance", {})}
    long = pd.concat(
        [
            pd.DataFrame({"bin": k, "z_phot": one.name, "method": method, "z": nz.grid.z, "density": nz.pdf}).assign(
                low=nz.band()[0], high=nz.band()[1]
            )
            for k, one in enumerate(found.each)
            for method, nz in one.nz.items()
        ],
        ignore_index=True,
    )
    notes = {
        "bin": Note("", "number of the bin, from 0"),
        "z_phot": Note("", "the bin's edges in z_phot"),
        "method": Note("", "how n(z) was found"),
        "z": Note("", "redshift"),
        "density": Note("", "n(z), integrates to 1"),
        "low": Note("", "lower end of the 68 % band"),
        "high": Note("", "upper end of the 68 % band"),
    }
    for ending in ("csv", "fits"):
        write_table(long, folder / f"nz.{ending}", notes=TableNotes(notes, about, name="NZ"))
    rows = [
        {"bin": k, "z_phot": one["name"], "method": method, "galaxies": one["galaxies"]}
        | {key: told[key] for key in ("mean", "mean_error", "width", "width_error", "labels")}
        for k, one in enumerate(record["bins"])
        for method, told in one["methods"].items()
    ]
    write_table(pd.DataFrame(rows), folder / "bins.csv")
    methods = [method for method in BEST_FIRST if any(method in one.nz for one in found.each)]
    if find_spec("qp") is not None:
        for method in methods:
            write_nz_qp(found, method, folder)
    if has_sacc():
        write_nz_sacc(found, methods, folder / "nz.sacc", model=str(about.get("model", "")), mixz=about["mixz"])


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
    simulated = [truth for truth in test.truths if truths[truth].simulated]
    z_true = test.z[simulated[0]] if simulated and np.isfinite(test.z[simulated[0]]).all() else None
    labels = {t: Labels.of(test, truths[t], ref_band=config.ref_band) for t in label_truths(test, truths)}
    weight, patch = None if settings.weight is None else own.column(settings.weight), own.patches(settings.patch_deg)
    if photoz.z_grid is None:
        grid, scatter = even_grid(POINT_NODES, POINT_END), _scatter(photoz.z_phot, labels.values())
        told: dict[str, Any] = {"weight": weight, "patch": patch, "z_true": z_true}
        sample = PhotometricSample.of_points(photoz, own.mag, grid, scatter=scatter, **told)
    else:
        grid = Grid(photoz.z_grid)
        sample = PhotometricSample.of(photoz, own.mag, weight=weight, patch=patch, z_true=z_true)
    has = (
        np.flatnonzero(np.any([np.isfinite(one.z) for one in labels.values()], axis=0)) if labels else np.empty(0, int)
    )
    labelled = LabelledSample(sample, labels, np.arange(len(test))).rows(has) if len(has) else None
    quality = {cut: own.column(cut.column) for cut in cuts}
    found = _tomography(sample, labelled, grid, settings, quality, representative, config.seed)
    about = {"config": config.name, "model": name, "train_digest": config.train_digest(name)}
    record = tomography_record(found, recipe=name, provenance=about, simulated=z_true is not None)
    return found, record


def _cuts(asked: TomographySettings) -> list[Quality]:
    return [Quality.read(text) for text in asked.cuts]


def _scatter(z_phot: Any, labels: Iterable[Labels]) -> float:
    """How far points scatter about labels, sigma_mad of dz; a tenth where there are no labels."""
    found = [(z_phot - one.z) / (1 + one.z) for one in labels]
    dz = np.concatenate([one[np.isfinite(one)] for one in found]) if found else np.empty(0)
    if not len(dz):
        return 0.1
    return max(LEAST_SCATTER, 1.4826 * float(np.median(np.abs(dz - np.median(dz)))))
