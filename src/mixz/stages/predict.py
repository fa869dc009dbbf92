"""`mixz predict`: a model and any table (or a HATS folder) -> photo-z; `mixz export`: a model as one file."""

from __future__ import annotations

import os
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from mixz.atomic import require_place
from mixz.bridges.dask_members import dashboard, dask_client
from mixz.bridges.hats.columns import ALGORITHM, rubin_name
from mixz.bridges.model_columns import Asked
from mixz.bridges.models import EXPORTED, open_model
from mixz.bridges.pieces import PIECE_ROWS, Pieces
from mixz.bridges.qp_files import qp_name
from mixz.bridges.qp_writers import qp_writer
from mixz.data.data_set.galaxies_file import is_galaxies
from mixz.data.formats import MOST_BYTES, require_written
from mixz.data.hats_folder import HatsFolder, is_hats
from mixz.data.redshifts import redshifts
from mixz.data.tables import read_chunks, require_table, row_count, table_columns, table_parts, table_writer
from mixz.errors import MixzError, nearest, not_installed
from mixz.photoz import BESIDE
from mixz.progress import busy, progress_bar
from mixz.stages.store.photoz_tables import photoz_frame, photoz_notes, photoz_provenance
from mixz.surveys import SURVEYS
from mixz.surveys.columns import Columns
from mixz.truths.known import KNOWN_TRUTHS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    import pandas as pd
    from rich.console import Console

    from mixz.bridges.models import PhotoZModel
    from mixz.bridges.qp_files import Kind
    from mixz.photoz import PhotoZ
    from mixz.progress import Bar


def predict(
    model: Path,
    table: Path,
    output: Path,
    console: Console,
    *,
    asked: Asked = Asked(),  # noqa: B008  # a frozen value
    group: str | int | None = None,
    pdf: Kind | None = None,
    workers: int | None = None,
    dask: str | None = None,
    densities: bool = True,
    survey: str | None = None,
) -> int:
    """Estimate redshifts for any table that has the model's bands; its own bands are used where the table has them.

    Written are object_id, z_phot, z_phot_std and what else the model gives: z_sigma, point estimates of densities,
    intervals (z_low_68, z_high_68, ...), odds, risk, support.

    Of a HATS folder it makes a HATS folder, part by part on Dask workers: see `mixz.bridges.hats.catalogue`.

    Parameters
    ----------
    model, table, output
        A model folder or an ONNX file, a table to read, and a table to write (its ending says the format).
    asked
        How the table names what the model needs; by default as the model's training tables did, or plainly.
    group
        Which table inside the file, where it holds several: HDF5 group, FITS extension.
    pdf
        Write a qp file (.hdf5 or .pq) whose densities are kept as ``interp``, ``quant`` or ``mixmod``; where the table
        has columns ``z_<truth>``, they go along.  None: a plain table of point estimates.
    workers, dask
        For a HATS folder: how many processes to start here (one per core), or the address of a Dask scheduler.
    densities
        For a HATS folder: whether to write densities too, where the model gives any.
    survey
        The survey that the table is of, whose names a plain table of redshifts is written in too: of Rubin's,
        ``objectId`` and ``mixz_z_mode``; by default ours.

    Returns
    -------
    int
        How many galaxies got no redshift because a band is missing.

    Raises
    ------
    MixzError
        The model or the table is missing or damaged, the table lacks a band, or the output cannot be written.
    """
    if is_hats(table):
        if pdf is not None:
            raise MixzError("--pdf with a HATS folder", "a table in one file", "leave it out: densities go along")
        return _predict_hats(
            model, table, output, console, asked, densities, dask_client(dask, workers=workers or os.cpu_count() or 1)
        )
    _check_output(table, output, pdf)
    with busy(f"open {model}", console):
        opened = open_model(model)
    with progress_bar(f"predict {table.name}", console) as bar:
        lost, told = write_photoz(opened, table, output, asked, group=group, pdf=pdf, bar=bar, survey=survey)
    for text in told:
        console.print(text, style="yellow", highlight=False, markup=False)
    return lost


def _check_output(table: Path, output: Path, pdf: Kind | None) -> None:
    """Refuse, before the work, an output that cannot be written or would take the place of the input."""
    require_table(table)
    require_place(output)
    if output.exists() and output.samefile(table):
        raise MixzError(f"{output} is the input itself", "another file", "name another output")
    if pdf is None:
        require_written(output)
    else:
        qp_name(output)


def write_photoz(
    model: PhotoZModel,
    table: Path,
    output: Path,
    asked: Asked,
    *,
    group: str | int | None = None,
    pdf: Kind | None = None,
    most_rows: int | None = None,
    most_bytes: int = MOST_BYTES,
    piece_rows: int = PIECE_ROWS,
    bar: Bar | None = None,
    survey: str | None = None,
) -> tuple[int, list[str]]:
    """Write the redshifts of a table, in the memory of one piece of it; the output appears whole or not at all.

    Parameters
    ----------
    model, table, output, group, pdf
        As in `predict`.
    asked
        How the table names what the model needs.
    most_rows, most_bytes
        Refuse tables that are longer, or unpack to more.
    piece_rows
        Galaxies at a time.
    bar
        Told how many galaxies are done, and of how many.
    survey
        As in `predict`.

    Returns
    -------
    int, list of str
        How many galaxies got no redshift because a band is missing; and what a person should look at in the table.

    Raises
    ------
    MixzError
        As `predict`.
    """
    asked = as_told_by(table, asked)
    available = table_columns(table, group)
    truths = [name for name in available if name in [f"z_{truth}" for truth in KNOWN_TRUTHS]] if pdf else []
    pieces = _pieces(model, table, asked, available, group)
    rows = predicted(
        pieces,
        table,
        group=group,
        also=truths,
        most_rows=most_rows,
        most_bytes=most_bytes,
        piece_rows=piece_rows,
        bar=bar,
    )
    first, parts = _first_and_all(rows)
    notes = photoz_notes(first, photoz_provenance(model, input=table.name), members=pdf is not None)
    if pdf is None:
        names = _names_in(survey, [*first.columns(), *BESIDE])
        with table_writer(output, notes=notes.renamed(names)) as append:
            for frame, photoz in parts:
                append(photoz_frame(photoz, beside=pieces.beside(frame)).rename(columns=names))
    else:
        with qp_writer(output, kind=pdf, notes=notes) as append_qp:
            for frame, photoz in parts:
                labels = {name: redshifts(frame, name, Columns(), pieces.account) for name in truths}
                named = {name: values for name, values in pieces.beside(frame).items() if name == "object_id"}
                append_qp(photoz, {name.removeprefix("z_"): label for name, label in labels.items()}, named)
    return pieces.lost, _notes(pieces, available)


def _notes(pieces: Pieces, available: Sequence[str]) -> list[str]:
    """What a person should look at in a table that was read."""
    nameless = pieces.asked.without_names(pieces.model, available)
    told = [f"{pieces.where}: {nameless}"] if nameless else []
    return [*told, *pieces.why_lost(available), *pieces.account.warnings()]


def asked_of(survey: str, asked: Asked) -> Asked:
    """How a survey's tables name what a model needs; what is asked besides goes before it.

    Raises
    ------
    MixzError
        The survey is unknown, or names its bands one by one.

    Examples
    --------
    >>> asked_of("rubin_dp1", Asked()).flux
    '{band}_cModelFlux'
    """
    if survey not in SURVEYS:
        raise MixzError(f"survey {survey!r}", f"surveys: {', '.join(SURVEYS)}", f"name one{nearest(survey, SURVEYS)}")
    columns = SURVEYS[survey].columns
    photometry = ("flux", "flux_err") if columns.get("mag") is None else ("mag", "mag_err")
    if not all(isinstance(columns.get(kind), str | None) for kind in photometry):
        raise MixzError(
            f"survey {survey!r} names the columns of its bands one by one", "a survey with a pattern", "use a config"
        )
    told = {kind: columns.get(kind) for kind in (*photometry, "object_id")}
    told |= {"flux_zero_point": columns.get("flux_zero_point")} if photometry[0] == "flux" else {}
    changes: dict[str, Any] = {name: value for name, value in told.items() if getattr(asked, name) is None}
    # For a dust map; what a survey's own columns say of dust a model's training tables say too.
    return replace(asked, **changes, per_ebv=tuple(columns.get("extinction_per_ebv", {}).items()))


def _names_in(survey: str | None, names: Sequence[str]) -> dict[str, str]:
    """What a survey's own tables of photo-z call our columns; nothing where it has no such names."""
    if survey is None or not survey.startswith("rubin"):
        return {}
    own = {"object_id": "objectId", "ra": "coord_ra", "dec": "coord_dec"}
    return {name: own.get(name, f"{ALGORITHM}_{rubin_name(name)}") for name in names}


def _first_and_all(
    parts: Iterator[tuple[pd.DataFrame, PhotoZ]],
) -> tuple[PhotoZ, Iterator[tuple[pd.DataFrame, PhotoZ]]]:
    """What the first part looks like, without its rows, and all parts, of which none is kept longer than it must."""
    waiting = [next(parts)]

    def all_of_them() -> Iterator[tuple[pd.DataFrame, PhotoZ]]:
        yield waiting.pop()
        yield from parts

    return waiting[0][1].rows(np.zeros(0, dtype=int)), all_of_them()


def predicted_table(
    model: PhotoZModel,
    table: Path,
    asked: Asked,
    *,
    group: str | int | None = None,
    most_rows: int | None = None,
    most_bytes: int = MOST_BYTES,
    bar: Bar | None = None,
    told: list[str] | None = None,
) -> Iterator[tuple[dict[str, pd.Series[Any]], PhotoZ]]:
    """What goes along of the rows of a table (`Asked.beside`), and their photo-z, some at a time.

    After the last of them, `told` holds what a person should look at in the table, as `write_photoz` gives it.

    Raises
    ------
    MixzError
        As `predict`.
    """
    asked = as_told_by(table, asked)
    available = table_columns(table, group)
    pieces = _pieces(model, table, asked, available, group)
    for frame, photoz in predicted(pieces, table, group=group, most_rows=most_rows, most_bytes=most_bytes, bar=bar):
        yield pieces.beside(frame), photoz
    if told is not None:
        told += _notes(pieces, available)


def _pieces(model: PhotoZModel, table: Path, asked: Asked, available: Sequence[str], group: str | int | None) -> Pieces:
    try:
        asked.needed(model, available, where=str(table))  # a mistake is told before anything is counted
    except MixzError as error:
        parts = table_parts(table) if group is None and not is_hats(table) else []
        if len(parts) < 2:
            raise
        others = f"{error.allowed}; tables of the file: {', '.join(parts)}"
        raise MixzError(error.given, others, f"{error.do}; or name another table with --hdu") from None
    return Pieces(model, asked, str(table), row_count(table, group))


def as_told_by(table: Path, asked: Asked) -> Asked:
    """How a file that mixz built names its columns: plainly, and its magnitudes are as training sees them."""
    plain = replace(asked, mag=None, mag_err=None, object_id=None, system=None, labels=())
    if table.suffix != ".parquet" or plain != Asked() or asked.mag is not None or not is_galaxies(table):
        return asked
    return replace(asked, mag="mag_{band}", mag_err="mag_err_{band}", dereddened=True, corrected=True)


def predicted(
    pieces: Pieces,
    table: Path,
    *,
    group: str | int | None = None,
    also: Sequence[str] = (),
    most_rows: int | None = None,
    most_bytes: int = MOST_BYTES,
    piece_rows: int = PIECE_ROWS,
    bar: Bar | None = None,
) -> Iterator[tuple[pd.DataFrame, PhotoZ]]:
    """The rows of a table and their photo-z, some at a time; together they are the same however many those are.

    Parameters
    ----------
    pieces
        The model, and how the table names what it needs.
    table, group, most_rows, most_bytes, piece_rows, bar
        As in `write_photoz`.
    also
        Further columns to read.

    Raises
    ------
    MixzError
        The table is missing, damaged or too long, or lacks a band, or its photometric system is not known.
    """
    needed = pieces.asked.needed(pieces.model, table_columns(table, group), where=str(table))
    if most_rows is not None:
        _check_length(table, needed[:1], group, most_rows, most_bytes)
    for frame in read_chunks(table, [*needed, *also], group, rows=piece_rows, most_bytes=most_bytes):
        yield frame, pieces.predict(frame)
        if bar is not None:
            bar(pieces.done, pieces.rows, "galaxies")
    pieces.finish()


def _check_length(
    table: Path, columns: Sequence[str], group: str | int | None, most_rows: int, most_bytes: int
) -> None:
    rows = 0
    for chunk in read_chunks(table, columns, group, most_bytes=most_bytes):
        rows += len(chunk)
        if rows > most_rows:
            raise MixzError(f"{table} has more than {most_rows:,} rows", f"at most {most_rows:,}", "send it in parts")


def _predict_hats(
    model: Path,
    source: Path,
    output: Path,
    console: Console,
    asked: Asked,
    densities: bool,
    connection: AbstractContextManager[Any],
) -> int:
    from mixz.bridges.hats.catalogue import predict_hats

    HatsFolder.open(source)  # a mistake, or a missing package, is told before workers start
    with connection as client:
        if address := dashboard(client):
            console.print(f"Dask dashboard: {address}", highlight=False, soft_wrap=True)
        with progress_bar(f"predict {source.name}", console) as bar:
            tell = partial(bar, words="galaxies")
            outcome = predict_hats(model, source, output, client, asked=asked, densities=densities, tell=tell)
    for note, partitions in outcome.notes.items():
        where = "" if partitions == outcome.partitions else f" in {partitions:,} of {outcome.partitions:,} partitions"
        console.print(f"{source.name}{where}: {note}", style="yellow", highlight=False, markup=False)
    if outcome.done_before:
        console.print(f"{outcome.done_before:,} galaxies had been done before", highlight=False)
    return outcome.lost


def export(model: Path, output: Path | None = None) -> Path:
    """Write a model folder as one file: as RAIL reads it where the name ends in ``.mixz``, else as an ONNX graph.

    An ONNX graph goes into the folder itself if no other place is named.

    Raises
    ------
    MixzError
        The model is missing or damaged, or torch or the ONNX packages are not installed.
    """
    if find_spec("torch") is None:
        raise not_installed("torch is not installed, and exporting needs it", "train", "onnx")
    from mixz.bridges.onnx_export import export_onnx
    from mixz.model.file import SUFFIX, pack_model
    from mixz.model.folder import load_model

    path = output or model / EXPORTED
    require_place(path)
    ensemble = load_model(model)
    if path.suffix == f".{SUFFIX}":
        pack_model(model, path)
    else:
        export_onnx(ensemble, path)
    return path
