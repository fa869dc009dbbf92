"""One table of a first config: its column map as a build will read it, and what is said beside it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mixz.data.looking.answers import UNSET
from mixz.data.looking.known_surveys import cuts_for, side_of
from mixz.data.looking.marks import SampleRead, reading
from mixz.settings.commented_yaml import Setting, flow
from mixz.surveys.columns import Columns, that_apply

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from mixz.data.looking.answers import Answers
    from mixz.data.looking.labels_chosen import LabelsChosen
    from mixz.data.looking.photometry_columns import BandColumns
    from mixz.data.looking.table import TableFound

MOST_TOLD = 8
"""Reasons for missing values that are told of a table, the commonest first."""


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

    def all_truths(self) -> list[str]:
        """The truths of it and of what is matched to it."""
        return [*self.labels.truths, *(truth for match in self.matches for truth in match.labels.truths)]

    @property
    def remarks(self) -> list[str]:
        """What a person should know of it."""
        found = [f"{self.title}: {text}" for text in self.labels.remarks]
        if self.photometry is not None:
            found.insert(0, f"{self.title}: {self.found.sample.extent}; {_about(self.photometry)}")
        if self.reading is not None and self.photometry is not None:
            share = self.reading.complete.mean()
            found.append(f"{self.title}: {share:.0%} of the rows are measured in every band")
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
    if read is not None and (marks := _missing(read)) and table.survey is None:
        columns = {**columns, "missing": marks}
    return TableDraft(table, labels, title, sides, photometry, columns, is_open, read, matches)


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
    told = that_apply(dict(table.survey.columns)) if table.survey else dict(columns)
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


def table_entries(draft: TableDraft, prefix: str, home: Path, *, among: int = 1) -> tuple[Setting, ...]:
    """What a config says of a table, with comments, `among` so many tables."""
    found, where = draft.found, []
    survey = found.survey
    if survey is not None:
        where.append(Setting("survey", survey.name, f"{survey.about}; brings its column map and labels"))
    if draft.sides:
        where.append(Setting("parts", {side: written(path, home) for side, path in draft.sides.items()}))
    else:
        where.append(Setting("path", written(found.sample.path, home), found.sample.extent))
    if found.sample.group is not None:
        where.append(Setting("group", found.sample.group, f"of the file's tables: {', '.join(found.parts)}"))
    default = survey.name if survey else found.sample.title
    if draft.title != default:
        where.append(Setting("name", draft.title, "what the ledger calls it"))
    if prefix:
        where.append(Setting("id_prefix", prefix, "equal ids in another table are different galaxies"))
    if among > 1:
        where.append(Setting("", comment=f"measured in other filters than another table? system: {draft.title}, say"))
    if survey is None:
        where.append(Setting("columns", _column_entries(draft)))
        where += _other_photometry(draft)
    where += _label_entries(draft)
    if draft.photometry is not None and not draft.all_truths() and not draft.labels.questions:
        where.append(Setting("unlabelled", True, "no labels were found in it: it is there as a target of steps only"))
    if draft.matches:
        where.append(
            Setting("match", [table_entries(match, "", home) for match in draft.matches], "labels, by place on the sky")
        )
    if survey is not None and (cuts := cuts_for(survey, found.columns)):
        where.append(Setting("cuts", cuts, "the survey's own, as published or in use; leave out what you do not want"))
    return tuple(where)


def written(path: Path, home: Path) -> str:
    """A path as a config in the folder `home` says it."""
    try:
        relative = os.path.relpath(path, home)
    except ValueError:  # another drive
        return str(path)
    return f"./{relative}" if relative.startswith("~") else relative


def _column_entries(draft: TableDraft) -> tuple[Setting, ...]:
    columns, found = draft.columns, draft.found
    comments = {
        "object_id": found.id_note
        or ("" if found.object_id else "no column of names: galaxies are called by their rows"),
        "ra": "degrees, or what its unit says; for matches, overlaps and a split by sky",
        "mag": "magnitudes are taken to be AB",
        "mag_err": "" if columns.get("mag_err") else "no columns of errors were found",
        "flux_zero_point": _zero_point_comment(draft),
        "missing": f"what repeats beside all others: {_marks_words(draft.reading)}" if draft.reading else "",
    }
    if draft.photometry is not None and draft.photometry.kind == "flux":
        comments["flux"] = draft.photometry.why
        comments["mag"] = "computed from fluxes"
    entries = [Setting(key, value, comments.get(key, "")) for key, value in columns.items()]
    if found.position_note:
        entries.append(Setting("", comment=f"no positions: {found.position_note}"))
    return (*entries, *_taken_entries(draft), *_dust_entries(draft))


def _zero_point_comment(draft: TableDraft) -> str:
    if draft.zero_point_open:
        return (
            "SET THIS: nothing says the unit of the fluxes. AB magnitude of a flux of 1: nJy 31.4, uJy 23.9, nanomaggy "
            "22.5, Jy 8.9, HSC counts 27"
        )
    return (
        "AB magnitude of a flux of 1" if draft.photometry is None or not draft.photometry.why else draft.photometry.why
    )


def _marks_words(read: SampleRead) -> str:
    return ", ".join(f"{value:g} ({count:,} times)" for marks in read.marks.values() for value, count in marks.items())


def _taken_entries(draft: TableDraft) -> list[Setting]:
    """What a build will take for missing, as the sample has it."""
    if draft.reading is None or not draft.reading.taken:
        return []
    often = sorted(draft.reading.taken.items(), key=lambda item: -item[1])
    told = [f"{column}: {reason} ({count:,} rows)" for (column, reason), count in often[:MOST_TOLD]]
    more = f"; and {len(often) - MOST_TOLD} reasons more" if len(often) > MOST_TOLD else ""
    entries = [Setting("", comment=f"taken for missing (docs/values.md): {'; '.join(told)}{more}")]
    reasons = {reason for (_, reason) in draft.reading.taken}
    if (mark := next((m for m in ("99", "-99", "999") if f"is {m}" in reasons), "")) and draft.photometry is not None:
        entries.append(
            Setting("", comment=f"where {mark} means observed and nothing seen: undetected: [{mark}], and above "
                  "incomplete: undetected, with networks that see it (network: {asinh: true})")
        )  # fmt: skip
    return entries


def _dust_entries(draft: TableDraft) -> list[Setting]:
    if draft.photometry is None:
        return []
    entries = []
    for name in draft.found.dust:
        if "{band}" in name:
            way = f'extinction: a_band, a_band: "{name}"'
        else:
            way = f"extinction: ebv, ebv: {flow(name)}, extinction_per_ebv: {{g: 3.2, ...}}"
        entries.append(Setting("", comment=f"magnitudes are used as they are; to take dust of the Galaxy off: {way}"))
    return entries


def _about(photometry: BandColumns) -> str:
    errors = f"errors {photometry.errors}" if photometry.errors else "no errors"
    unit = f", {photometry.why}" if photometry.why else ""
    return f"{'magnitudes' if photometry.kind == 'mag' else 'fluxes'} {photometry.pattern}{unit}, {errors}"


def _other_photometry(draft: TableDraft) -> list[Setting]:
    """Other magnitudes and fluxes, and bands that were left out."""
    if draft.photometry is None:
        return []
    used = draft.photometry
    left = [f"{b} (in {used.measured[b]:.0%} of the rows)" for b in used.columns if b not in used.bands]
    entries = [Setting("", comment=f"bands left out, for every galaxy needs all: {', '.join(left)}")] if left else []
    others = [one.pattern for one in draft.found.photometry if one is not used]
    if others:
        entries.append(Setting("", comment=f"other magnitudes or fluxes in it: {', '.join(others[:6])}"))
    return entries


def _label_entries(draft: TableDraft) -> list[Setting]:
    chosen, found = draft.labels, draft.found
    entries = [Setting("", comment=remark) for remark in chosen.remarks]
    truths = dict(chosen.truths)
    for question in chosen.questions:
        choices = ", ".join(f"{name} ({words})" for name, words in question.choices.items())
        entries.append(Setting("", comment=f"SET THIS in place of {UNSET}: {question.text} {choices}"))
    if truths and not (found.survey and truths == dict(found.survey.truths)):
        entries.append(Setting("truths", truths))
    if found.survey is None:
        for truth, column in truths.items():
            entries += _error_entries(draft, truth, column)
        if truths and (qualities := found.qualities[:4]):
            example = f"truth_cuts: {{{next(iter(truths))}: [{{name: secure, column: {qualities[0]}, min: 3}}]}}"
            sure = f"{', '.join(qualities)} may say how sure redshifts are; to believe some only: {example}"
            entries.append(Setting("", comment=sure))
    return entries


def _error_entries(draft: TableDraft, truth: str, column: str) -> list[Setting]:
    """What may be the errors of labels, which the kernel `reported` would go by."""
    there = set(draft.found.columns)
    pairs = [(f"{column}_l68", f"{column}_u68"), (f"{column}_low", f"{column}_high"), (f"{column}_lo", f"{column}_hi")]
    single = [f"{column}_err", f"{column}_error", f"{column}err", f"e_{column}", f"{column}_std"]
    errors: list[Any] = [list(pair) for pair in pairs if there.issuperset(pair)] + [n for n in single if n in there]
    if not errors or truth == "spec":
        return []
    text = f"truth_errors: {{{truth}: {flow(errors[0])}}}, with truths: {{{truth}: {{kernel: reported}}}} above"
    return [Setting("", comment=f"each label as wrong as the table says: {text}")]
