"""One table of a first config before it is written: its column map as a build will read it, and what that reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mixz.data.looking.answers import UNSET
from mixz.data.looking.known_surveys import side_of
from mixz.data.looking.marks import SampleRead, reading
from mixz.data.looking.nothing_seen import nothing_seen
from mixz.surveys.columns import Columns, that_apply

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from mixz.data.looking.answers import Answers
    from mixz.data.looking.labels_chosen import LabelsChosen
    from mixz.data.looking.nothing_seen import NothingSeen
    from mixz.data.looking.photometry_columns import BandColumns
    from mixz.data.looking.table import TableFound


@dataclass(frozen=True)
class TableDraft:
    """A table of a first config.

    Parameters
    ----------
    found, labels
        What was found in it, and which of its redshifts are labels.
    title
        What the ledger calls it.
    sides
        Per side of the split its file, of surveys that come split.
    photometry
        Its magnitudes or fluxes; None for a catalogue of labels.
    columns
        Its column map as a config says it.
    zero_point_open
        Whether its fluxes are in a unit that nobody has said.
    reading
        How a build reads the sample; None where it cannot yet.
    matches
        Catalogues whose labels it gets by a match on the sky.
    unseen
        How it says that nothing was seen in a band, if it does.
    bands
        The bands of the config.
    """

    found: TableFound
    labels: LabelsChosen
    title: str
    sides: Mapping[str, Path]
    photometry: BandColumns | None
    columns: Mapping[str, Any]
    zero_point_open: bool
    reading: SampleRead | None
    matches: tuple[TableDraft, ...] = ()
    unseen: NothingSeen | None = None
    bands: tuple[str, ...] = ()

    def all_truths(self) -> list[str]:
        """The truths of it and of what is matched to it."""
        return [*self.labels.truths, *(truth for match in self.matches for truth in match.labels.truths)]

    @property
    def left_out(self) -> list[str]:
        """The bands that too few rows have, and how to have them all the same."""
        if (used := self.photometry) is None:
            return []
        taken = (bands_of(used, self.bands) or {}).values()
        share = used.measured
        left = [f"{b} (in {share[b]:.0%} of the rows)" for b, column in used.columns.items() if column not in taken]
        told = f"bands left out, for every galaxy needs all: {', '.join(left)}"
        return [f"{told}; with them: --bands {','.join(used.columns)}"] if left else []

    def _or_unseen(self) -> str:
        return ", or observed there" if self.unseen is not None and self.unseen.seen else ""

    @property
    def remarks(self) -> list[str]:
        """What a person should know of it."""
        found = [f"{self.title}: {text}" for text in self.labels.remarks]
        if self.photometry is not None:
            found.insert(0, f"{self.title}: {self.found.sample.extent}; {_about(self.photometry)}")
            found += [f"{self.title}: {text}" for text in self.left_out]
        if self.reading is not None and self.photometry is not None:
            share = self.reading.complete.mean()
            found.append(f"{self.title}: {share:.0%} of the rows are measured in every band{self._or_unseen()}")
        if self.unseen is not None:
            found.append(f"{self.title}: {self.unseen.remark()}")
        if self.found.qualities and self.labels.truths and self.found.survey is None:
            found.append(
                f"{self.title}: {', '.join(self.found.qualities[:4])} may say how sure redshifts are; all are believed "
                "(truth_cuts)"
            )
        notes = self.reading.notes if self.reading else ()
        found += [f"{self.title}: {note}" for note in (self.found.id_note, self.found.position_note, *notes) if note]
        return found + [remark for match in self.matches for remark in match.remarks]


def drafted(
    tables: Sequence[TableFound],
    labels: Sequence[LabelsChosen],
    bands: Sequence[str],
    answers: Answers,
    partners: Mapping[int, Sequence[int]],
) -> list[TableDraft]:
    """Make the tables of a config of those that were looked at: one of the files of a split, none of what is matched.

    Raises
    ------
    MixzError
        A column does not hold what its name says.
    """
    lent = {other for others in partners.values() for other in others}
    titles = _titles(tables)
    drafts: list[TableDraft] = []
    for k, table in enumerate(tables):
        if k in lent or not table.photometry:
            continue
        if any(table.sample.path in draft.sides.values() for draft in drafts):
            continue
        sides = _sides(table, tables)
        matches = tuple(
            _draft(tables[other], labels[other], (), answers, titles[other], {}) for other in partners.get(k, ())
        )
        drafts.append(_draft(table, labels[k], bands, answers, titles[k], sides, matches))
    return drafts


def _draft(
    table: TableFound,
    labels: LabelsChosen,
    bands: Sequence[str],
    answers: Answers,
    title: str,
    sides: Mapping[str, Path],
    matches: tuple[TableDraft, ...] = (),
) -> TableDraft:
    photometry = next((one for one in table.photometry if bands_of(one, bands)), None) if bands else None
    columns = _columns(table, photometry, bands, answers)
    is_open = photometry is not None and photometry.lacks_unit and columns.get("flux_zero_point") == UNSET
    truths = {truth: column for truth, column in labels.truths.items() if column in table.sample.frame}
    read = None if is_open else reading(table.sample, _checked(table, columns), bands, truths)
    unseen = nothing_seen(table.sample, _checked(table, columns), bands, read, answers) if read and bands else None
    if unseen is not None and unseen.seen:
        columns = {**columns, "undetected": list(unseen.marks)}
        read = reading(table.sample, _checked(table, columns), bands, truths)
    if read is not None and (marks := _missing(read)) and table.survey is None:
        columns = {**columns, "missing": marks}
    return TableDraft(table, labels, title, sides, photometry, columns, is_open, read, matches, unseen, tuple(bands))


def bands_of(photometry: BandColumns, bands: Sequence[str]) -> dict[str, str] | None:
    """The columns of a config's bands, whose names another table may write in the other case; None where one lacks.

    Examples
    --------
    >>> from mixz.data.looking.photometry_columns import BandColumns
    >>> found = BandColumns("mag", "{band}_MAG", {"G": "G_MAG", "R": "R_MAG"}, None, None, "", {}, ["G", "R"])
    >>> bands_of(found, ["g", "r"]), bands_of(found, ["g", "i"])
    ({'g': 'G_MAG', 'r': 'R_MAG'}, None)
    """
    named = {}
    for band in bands:
        name = band if band in photometry.columns else band.swapcase()
        if name not in photometry.columns or (name != band and band.lower() not in "ugriz"):
            return None
        named[band] = photometry.columns[name]
    return named


def _columns(
    table: TableFound, photometry: BandColumns | None, bands: Sequence[str], answers: Answers
) -> dict[str, Any]:
    """The column map of a table, as a config says it."""
    if table.survey is not None:
        return {}
    columns: dict[str, Any] = {"object_id": table.object_id}
    if table.positions:
        columns |= {"ra": table.positions[0], "dec": table.positions[1]}
    if photometry is None:
        return columns
    values = _spelled(photometry, photometry.pattern, bands)
    errors = _spelled(photometry, photometry.errors, bands) if photometry.errors else None
    if photometry.kind == "mag":
        return columns | {"mag": values, "mag_err": errors}
    columns |= {"mag": None, "flux": values} | ({"flux_err": errors} if errors else {})
    if photometry.lacks_unit:
        told = answers.flux_zero_point
        return columns | {"flux_zero_point": UNSET if told is None else told}
    return columns | ({} if photometry.zero_point is None else {"flux_zero_point": photometry.zero_point})


def _spelled(photometry: BandColumns, pattern: str, bands: Sequence[str]) -> str | dict[str, str]:
    """Columns as a pattern, or band by band where the table writes bands in the other case."""
    if all(band in photometry.columns for band in bands):
        return pattern
    return {band: pattern.replace("{band}", band if band in photometry.columns else band.swapcase()) for band in bands}


def _checked(table: TableFound, columns: Mapping[str, Any]) -> Columns:
    told = that_apply({**table.survey.columns, **columns}) if table.survey else dict(columns)
    return Columns.model_validate(told)


def _missing(read: SampleRead) -> dict[str, list[float]]:
    """The marks that a config must name: those of labels take the place of the usual 9.99, the others lie beyond 60."""
    found = {kind: [*marks] for kind, marks in read.marks.items()}
    if "z" in found and 9.99 not in found["z"]:
        found["z"].append(9.99)
    return found


def _titles(tables: Sequence[TableFound]) -> list[str]:
    """What the ledger calls tables: surveys by their names, others by their files', none twice."""
    titles: list[str] = []
    for table in tables:
        title = table.survey.name if table.survey else table.sample.title
        if title in titles and table.survey and side_of(table.survey, table.sample.path) is None:
            title = table.sample.title
        number = 2
        while title in titles and not (table.survey and side_of(table.survey, table.sample.path)):
            title, number = f"{table.sample.title}-{number}", number + 1
        titles.append(title)
    return titles


def _sides(table: TableFound, tables: Sequence[TableFound]) -> dict[str, Path]:
    """The files of a survey's split, where more than one was named."""
    if table.survey is None or side_of(table.survey, table.sample.path) is None:
        return {}
    alike = [t.sample.path for t in tables if t.survey is table.survey]
    sides = {side: path for path in alike if (side := side_of(table.survey, path))}
    return sides if len(sides) > 1 else {}


def _about(photometry: BandColumns) -> str:
    errors = f"errors {photometry.errors}" if photometry.errors else "no errors"
    unit = f", {photometry.why}" if photometry.why else ""
    return f"{'magnitudes' if photometry.kind == 'mag' else 'fluxes'} {photometry.pattern}{unit}, {errors}"
