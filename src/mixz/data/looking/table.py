"""All that a look at a table finds out: bands, labels, names, places, and the survey if it is a known one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mixz.data.formats import TableSource, format_of
from mixz.data.formats.text import TEXT
from mixz.data.formats.text_head import first_row
from mixz.data.looking.known_surveys import survey_of
from mixz.data.looking.patterns import groups, lower_words
from mixz.data.looking.photometry_columns import BandColumns, band_columns, photometry_names
from mixz.data.looking.redshift_columns import RedshiftColumn, is_quality, redshift_columns, redshift_names
from mixz.data.looking.row_columns import id_column, id_names, position_columns, position_names
from mixz.data.looking.sample import RowSample, sampled
from mixz.data.looking.vocabulary import EXTINCTION
from mixz.data.survey_tables import require_ranges
from mixz.data.tables import table_columns, table_parts
from mixz.errors import MixzError
from mixz.surveys import SURVEYS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from mixz.surveys import Survey


@dataclass(frozen=True)
class TableFound:
    """What a look at a table found.

    Parameters
    ----------
    sample
        The rows that were looked at.
    columns
        All its columns.
    parts
        The tables of its file, where it holds several.
    survey
        The survey that it is of; None where mixz knows none.
    photometry
        Magnitudes and fluxes, those that will do best first.
    redshifts
        Its redshifts.
    qualities
        Columns that say how sure these are.
    object_id, id_note
        The column with the galaxies' names, and what to say of it.
    positions, position_note
        The columns of right ascension and declination, and what to say of them.
    dust
        Columns of E(B-V), or of extinctions by band as a pattern.
    """

    sample: RowSample
    columns: Sequence[str]
    parts: Sequence[str]
    survey: Survey | None
    photometry: Sequence[BandColumns]
    redshifts: Sequence[RedshiftColumn]
    qualities: Sequence[str]
    object_id: str | None
    id_note: str
    positions: tuple[str, str] | None
    position_note: str
    dust: Sequence[str]


def look_at(path: Path, group: str | None = None) -> TableFound:
    """Look at a table: at the names and units of its columns, and at a sample of its rows.

    Of a file that holds several tables it is the one with the most bands, unless one is named.

    Parameters
    ----------
    path
        A table in any format that mixz reads, or a HATS folder.
    group
        Which table of the file.

    Raises
    ------
    MixzError
        It cannot be read, has no rows, or a text table does not name its columns.
    """
    parts = list(table_parts(path))
    if group is None and len(parts) > 1:
        looks = [_look_at_part(path, _group_of(part), parts) for part in parts]
        best = max((look for look in looks if look), key=_worth, default=None)
        if best is not None:
            return best
    return _look(path, group, parts)


def _group_of(part: str) -> str:
    """What a config calls a table of a file: its number where there is one, for two may have one name."""
    numbered = re.fullmatch(r".* \((\d+)\)", part)
    return numbered.group(1) if numbered else part


def _look_at_part(path: Path, part: str, parts: Sequence[str]) -> TableFound | None:
    try:
        return _look(path, part, parts)
    except MixzError:
        return None  # other tables of the file may do


def _worth(found: TableFound) -> tuple[int, int]:
    return max((len(one.bands) for one in found.photometry), default=0), len(found.redshifts)


def _look(path: Path, group: str | None, parts: Sequence[str]) -> TableFound:
    named = _named_by_position(path)
    names = list(named.positions) if named else table_columns(path, group)
    survey = named or survey_of(names, path)
    wanted = [*photometry_names(names), *redshift_names(names), *id_names(names), *position_names(names)]
    wanted = [name for name in dict.fromkeys(wanted) if names.count(name) == 1]
    if survey:
        wanted += [name for name in survey.ranges if name in names and name not in wanted]
    readable = set(_readable(path, group, names)) if not named else set(names)
    wanted = [name for name in wanted if name in readable]
    if not wanted:
        raise MixzError(
            f"{path} has no columns that look like magnitudes, redshifts or positions",
            f"columns: {', '.join(names[:40])}",
            "write a config by hand (docs/config.md), or name another table of the file",
        )
    sample = sampled(path, wanted, group, names=named.positions if named else ())
    if survey is not None and not _in_ranges(sample, survey):
        survey = None
    photometry = band_columns(sample)
    taken = [column for one in photometry for column in one.columns.values()]
    by_band = {column for columns in groups(names).values() for column in columns.values()}
    object_id, id_note = id_column(sample)
    positions, position_note = position_columns(sample)
    return TableFound(
        sample=sample,
        columns=names,
        parts=parts,
        survey=survey,
        photometry=photometry,
        redshifts=redshift_columns(sample, taken),
        qualities=[name for name in names if is_quality(name) and name not in by_band],
        object_id=object_id,
        id_note=id_note,
        positions=positions,
        position_note=position_note,
        dust=_dust(names),
    )


def _readable(path: Path, group: str | None, names: Sequence[str]) -> list[str]:
    unread = format_of(path).layout(TableSource(path, group)).unread
    return [name for name in names if name not in unread]


def _named_by_position(path: Path) -> Survey | None:
    """The survey whose text tables go by position, where a text table names no columns.

    Raises
    ------
    MixzError
        It names none, and is no such table.
    """
    if path.is_dir() or format_of(path).name != TEXT.name:
        return None
    try:
        found, named = first_row(path)
    except (ValueError, OSError, EOFError) as error:
        raise MixzError(f"{path} cannot be read: {error}", "a whole text table", "fetch or write it again") from error
    if named or table_columns(path) != found:  # a comment above the rows may name them
        return None
    for survey in SURVEYS.values():
        if survey.positions and len(survey.positions) == len(found):
            return survey
    raise MixzError(
        f"{path} does not name its columns: its first line holds numbers",
        "a first line with the columns' names",
        "write them above the rows",
    )


def _in_ranges(sample: RowSample, survey: Survey) -> bool:
    try:
        require_ranges(sample.frame, sample.path, survey)
    except MixzError:
        if survey.positions:
            raise
        return False
    return True


def _dust(names: Sequence[str]) -> list[str]:
    """Columns of dust by their names: E(B-V), and patterns such as ``a_{band}``."""
    single = [name for name in names if not EXTINCTION.isdisjoint(lower_words(name))]
    patterns = [p for p in ("a_{band}", "A_{band}", "EXTINCTION_{band}") if f"{p}".format(band="g") in names]
    return [*single, *patterns]
