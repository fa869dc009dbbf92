"""One catalogue of a config, read chunk by chunk into our names: positions, magnitudes, labels, and what cuts need."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from mixz.data.cuts import kept
from mixz.data.expressions import columns_of
from mixz.data.hats_folder import is_hats
from mixz.data.meaning.missing import Account, Values, marks_of
from mixz.data.meaning.names import ROUNDED, are_rounded, identities
from mixz.data.meaning.numbers import doubles
from mixz.data.photometry import column_names, photometry
from mixz.data.redshifts import redshifts, widths
from mixz.data.sky import Box, footprint, guess_units, positions
from mixz.data.survey_tables import names_by_position, require_ranges, require_survey
from mixz.data.tables import read_chunks, row_count, table_columns
from mixz.densities.grid import FARTHEST
from mixz.errors import MixzError, nearest
from mixz.surveys import SURVEYS
from mixz.surveys.columns import KINDS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence
    from pathlib import Path
    from typing import Any

    from numpy.typing import NDArray

    from mixz.arrays import Floats
    from mixz.data.cuts import Ledger
    from mixz.settings.tables import Source
    from mixz.surveys.columns import Cut

    TellRows = Callable[[int, int | None, str], None]

SAMPLE_ROWS = 500
"""Positions kept per chunk, to say where a catalogue lies when none of its rows is of use."""


@dataclass(frozen=True)
class Catalogue:
    """Rows of one catalogue in our names, and how many there were.

    Parameters
    ----------
    source
        What the config says of it.
    frame
        object_id, ra_deg, dec_deg, mag_{band}, mag_err_{band}, z_{truth}, z_err_low_{truth}, z_err_high_{truth}, side
        (of the split, where it comes split), the carried columns, and the columns that cuts speak of.
    rows
        How many rows the files have; `frame` may hold fewer.
    sample
        Right ascension and declination [deg] of rows from all over the files.
    accounts
        Per file what was taken for missing.
    rounded_ids
        Whether the files have ids in floating point, beyond what that holds exactly.
    """

    source: Source
    frame: pd.DataFrame
    rows: int
    sample: tuple[Floats, Floats]
    accounts: tuple[Account, ...] = ()
    rounded_ids: bool = False

    @property
    def where(self) -> str:
        """Its files, for messages."""
        return ", ".join(map(str, self.source.files.values()))


def read_catalogue(
    source: Source,
    bands: Sequence[str] = (),
    cuts: Sequence[Cut] = (),
    *,
    ours: Collection[str] = (),
    near: Box | None = None,
    end: float = FARTHEST,
    tell: TellRows | None = None,
) -> Catalogue:
    """Read what is needed of a catalogue.

    Parameters
    ----------
    source
        What the config says of it.
    bands
        Bands to read magnitudes of; none for a catalogue of labels.
    cuts
        Cuts that will be made on it.
    ours
        Names that cuts may speak of beyond those of `Catalogue`, since they come later: labels of matched catalogues.
    near
        Keep only rows inside this box; of a HATS folder, read only the pieces of sky that reach into it.
    end
        The largest redshift that densities reach; labels beyond it are none.
    tell
        Called with how many rows of a file are read, of how many where it says so, and the file's name.

    Raises
    ------
    MixzError
        A file, column or number is missing or wrong, or a file is of another survey than the config says.
    """
    frames: list[pd.DataFrame] = []
    sample: list[pd.DataFrame] = []
    accounts: list[Account] = []
    rows, rounded = 0, False
    for side, path in source.files.items():
        require_file(source, path)
        survey = SURVEYS[source.survey] if source.survey else None
        by_position = names_by_position(path, survey)
        available = by_position or table_columns(path, source.group)
        require_survey(path, survey, available)
        wanted = _needed_columns(source, bands, cuts, available, ours)
        _require_marked(source, path, available, wanted)
        account, first = Account(str(path)), rows
        there = row_count(path, source.group) if tell else None
        for number, chunk in enumerate(_whole_chunks(path, wanted, source.group, near, by_position)):
            if number == 0:
                require_ranges(chunk, path, survey)
            frame = _in_our_names(chunk, source, bands, cuts, account, first_row=rows, end=end).assign(side=side)
            rows += len(frame)
            if tell:
                tell(rows - first, there, f"rows of {path.name}")
            rounded |= source.columns.object_id in chunk and are_rounded(chunk[source.columns.object_id])
            sample.append(frame.loc[:: max(1, len(frame) // SAMPLE_ROWS), ["ra_deg", "dec_deg"]])
            frames.append(frame if near is None else frame[near.holds(*positions_of(frame))])
        account.finish()
        accounts.append(account)
    whole, somewhere = pd.concat(frames, ignore_index=True), positions_of(pd.concat(sample))
    catalogue = Catalogue(source, whole, rows, somewhere, tuple(accounts), rounded)
    _require_footprint(catalogue)
    return catalogue


def positions_of(frame: pd.DataFrame) -> tuple[Floats, Floats]:
    """Right ascension and declination [deg] of a frame in our names."""
    return frame["ra_deg"].to_numpy(), frame["dec_deg"].to_numpy()


def apply_cuts(frame: pd.DataFrame, cuts: Sequence[Cut], ledger: Ledger, *, title: str, where: str) -> pd.DataFrame:
    """Make cuts one after the other, each on what the ones before left, and enter them in the ledger.

    Raises
    ------
    MixzError
        A cut leaves nothing, or holds what is not arithmetic.
    """
    for cut in cuts:
        frame = frame[ledger.apply(title, cut.name, kept(cut, frame, where=where))]
    return frame


def require_file(source: Source, path: Path) -> None:
    """Refuse a file that is not there, and say where a survey's files come from.

    Raises
    ------
    MixzError
        There is no such file.
    """
    if source.survey and not path.is_file() and not is_hats(path):
        survey = SURVEYS[source.survey]
        get = f"mixz fetch {survey.fetched_as} --to {path.parent}" if survey.fetched_as else "docs/surveys.md"
        raise MixzError(
            f"no file {path}",
            survey.about,
            f"download it ({get}), or make simulated ones: mixz mock --galaxies 30000 --out {path.parent}",
        )


def _whole_chunks(
    path: Path, wanted: list[str], group: str | int | None, near: Box | None, names: Sequence[str]
) -> Iterator[pd.DataFrame]:
    empty = True
    for chunk in read_chunks(path, wanted, group, near=near, names=names):
        empty = empty and not len(chunk)
        if len(chunk):
            yield chunk
    if empty:
        raise MixzError(f"{path} has no rows", "a table with at least one row", "check how the file was made")


def _needed_columns(
    source: Source, bands: Sequence[str], cuts: Sequence[Cut], available: Sequence[str], ours: Collection[str]
) -> list[str]:
    columns = source.columns
    has = source.has(bands)
    wanted = [name for names in column_names(columns, has).values() for name in names] if has else []
    wanted += [*source.truths.values(), *source.carry.values()]
    for errors in source.truth_errors.values():
        wanted += [errors] if isinstance(errors, str) else errors
    # A name of ours is ours even where the table has a column of that name: it holds the same, made tidy.
    known = {*ours, *our_names(source, bands)}
    believed = [cut for conditions in source.truth_cuts.values() for cut in conditions]
    wanted += [n for cut in (*cuts, *believed) for n in columns_of(cut.column, [*available, *known]) if n not in known]
    wanted += [n for n in (columns.ra, columns.dec) if n is not None]
    # The id column is the one that may be absent without being asked for: its default is only a guess.
    guessed = "object_id" not in columns.model_fields_set
    if columns.object_id and (columns.object_id in available or not guessed):
        wanted.append(columns.object_id)
    return list(dict.fromkeys(wanted))


def our_names(source: Source, bands: Sequence[str] = ()) -> list[str]:
    """List the names under which a catalogue's numbers go, which cuts may speak of."""
    photometry_names = [f"{kind}_{band}" for kind in ("mag", "mag_err") for band in bands]
    labels = [f"z_{truth}" for truth in source.truths]
    errors = [f"z_err_{side}_{truth}" for truth in source.truth_errors for side in ("low", "high")]
    return [*photometry_names, *labels, *errors, *source.carry, "ra_deg", "dec_deg"]


def _in_our_names(
    chunk: pd.DataFrame,
    source: Source,
    bands: Sequence[str],
    cuts: Sequence[Cut],
    account: Account,
    *,
    first_row: int,
    end: float,
) -> pd.DataFrame:
    ours: dict[str, object] = dict(zip(("ra_deg", "dec_deg"), positions(chunk, source.columns, account), strict=True))
    if bands:
        ours |= _magnitudes(chunk, source, bands, account)
    for name, column in source.carry.items():
        ours[name] = _believed(chunk, column, source, account)
    ours["object_id"] = _names(chunk, source, account, first_row)
    believed = [cut for conditions in source.truth_cuts.values() for cut in conditions]
    spoken_of = dict.fromkeys(n for cut in (*cuts, *believed) for n in columns_of(cut.column, list(chunk.columns)))
    for name in spoken_of:
        if name in chunk and name not in ours:
            ours[name] = _spoken_of(chunk, name, source, account)
    for truth in source.truths:
        ours |= _labels(chunk, pd.DataFrame(ours), source, truth, account, end)
    return pd.DataFrame(ours)


def _magnitudes(chunk: pd.DataFrame, source: Source, bands: Sequence[str], account: Account) -> dict[str, Floats]:
    """Magnitudes and errors by our names; NaN in bands that the catalogue does not have."""
    has = source.has(bands)
    found = photometry(chunk, source.columns, has, where=account.where, account=account)
    named = {
        f"{kind}_{band}": values[:, k].astype(np.float32)
        for kind, values in zip(("mag", "mag_err"), found, strict=True)
        for k, band in enumerate(has)
    }
    nowhere = np.full(len(chunk), np.nan, dtype=np.float32)
    return {f"{kind}_{band}": named.get(f"{kind}_{band}", nowhere) for kind in ("mag", "mag_err") for band in bands}


def _believed(chunk: pd.DataFrame, column: str, source: Source, account: Account) -> Floats:
    """Numbers of no kind that mixz knows: all are believed but for the marks that the config names."""
    values = Values.of(chunk, column, where=account.where)
    gone = account.marked(values, "other", source.columns)
    account.watch_marks(column, values.data[~gone])
    return np.where(gone, np.nan, values.data)


def _spoken_of(chunk: pd.DataFrame, name: str, source: Source, account: Account) -> object:
    """A column that cuts speak of: as it is, text and whole numbers exactly, unless some numbers are marks."""
    if marks_of(name, "other", source.columns):
        return _believed(chunk, name, source, account)
    looked_at = (source.columns.object_id, *source.carry.values())
    if name not in looked_at and chunk[name].dtype.kind in "iufO":
        said = pd.to_numeric(chunk[name], errors="coerce")  # text formats have all as text
        account.watch_marks(name, doubles(said))
    return chunk[name]


def _names(chunk: pd.DataFrame, source: Source, account: Account, first_row: int) -> NDArray[Any]:
    """The galaxies' names; a galaxy without one is called by its row."""
    column = source.columns.object_id
    if column not in chunk:
        if column is not None:
            account.note(f"{account.where} has no column {column!r}: galaxies are called by the numbers of their rows")
        return np.arange(first_row, first_row + len(chunk)).astype(str)
    if are_rounded(chunk[column]):
        account.note(f"{account.where} column {column!r}: {ROUNDED}")
    names = identities(chunk[column])
    nameless = np.array([name is None for name in names], dtype=bool)
    account.take(str(column), "no id: called by its row", nameless)
    names[nameless] = [f"row-{first_row + row}" for row in np.flatnonzero(nameless)]
    return names


def _labels(
    chunk: pd.DataFrame, frame: pd.DataFrame, source: Source, truth: str, account: Account, end: float
) -> dict[str, Floats]:
    """Read redshift labels and their intervals; those of which the config believes them alone."""
    column = source.truths[truth]
    label = redshifts(chunk, column, source.columns, account, end=end)
    columns = {f"z_{truth}": label}
    if truth in source.truth_errors:
        low, high = widths(chunk, label, source.truth_errors[truth], source.columns, account)
        columns |= {f"z_err_low_{truth}": low, f"z_err_high_{truth}": high}
    frame = frame.assign(**columns)
    for cut in source.truth_cuts.get(truth, ()):
        fails = ~kept(cut, frame, where=account.where) & np.isfinite(columns[f"z_{truth}"])
        account.take(column, f"{truth}: not {cut.name}", fails)
        columns = {name: np.where(fails, np.nan, values) for name, values in columns.items()}
    return columns


def _require_marked(source: Source, path: Path, available: Sequence[str], wanted: Collection[str]) -> None:
    """Refuse marks of columns that are not there, or are not read: nobody would notice that they do nothing."""
    for name in source.columns.missing:
        if name not in KINDS and name not in available:
            raise MixzError(
                f"missing: {path} has no column {name!r}{nearest(name, available)}",
                f"kinds of columns: {', '.join(KINDS)}; or names of columns",
                "correct the name",
            )
        idle = (
            name not in wanted
            if name not in KINDS
            else not {"z": source.truths, "z_err": source.truth_errors}.get(name, True)
        )
        if idle:
            raise MixzError(
                f"missing: {name}: nothing is read of {path} that this could be about",
                "marks of columns that the config names",
                "leave it out, or name the column",
            )


def _require_footprint(catalogue: Catalogue) -> None:
    """Refuse a survey of one field that lies elsewhere: its coordinates are in another unit, or not its own."""
    survey = SURVEYS[catalogue.source.survey] if catalogue.source.survey else None
    if survey is None or survey.footprint is None:
        return
    field = survey.footprint
    # A grid and not the corners alone: the sphere bulges between them.
    ra, dec = np.meshgrid(np.linspace(*field.ra_deg, 9), np.linspace(*field.dec_deg, 9))
    box = Box.around(ra.ravel(), dec.ravel(), margin_arcsec=60)
    if np.isfinite(catalogue.sample[0]).any() and not box.holds(*catalogue.sample).any():
        unit = guess_units(*catalogue.sample, box)
        raise MixzError(
            f"{catalogue.where} covers {footprint(*catalogue.sample)}: none of it in the field of {survey.name}",
            f"{footprint(np.array(field.ra_deg), np.array(field.dec_deg))}",
            f"convert to degrees: these look like {unit}" if unit else "check columns.ra and columns.dec",
        )
