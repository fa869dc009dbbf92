"""One table of a first config as it is written: where it lies, its columns and labels, and what is said beside them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from mixz.data.looking.answers import UNSET
from mixz.data.looking.known_surveys import cuts_for
from mixz.settings.commented_yaml import Setting, flow

if TYPE_CHECKING:
    from pathlib import Path

    from mixz.data.looking.marks import SampleRead
    from mixz.data.looking.table_draft import TableDraft

MOST_TOLD = 8
"""Reasons for missing values that are told of a table, the commonest first."""


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
    elif draft.columns or draft.unseen:
        where.append(Setting("columns", dict(draft.columns), draft.unseen.remark() if draft.unseen else ""))
    where += [] if survey is None else _dust_entries(draft)
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
        "undetected": draft.unseen.remark() if draft.unseen else "",
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
    if draft.unseen is not None and not draft.unseen.seen:
        entries.append(Setting("", comment=draft.unseen.remark()))
    return entries


def _dust_entries(draft: TableDraft) -> list[Setting]:
    if draft.photometry is None:
        return []
    entries = []
    for name in draft.found.dust:
        if "{band}" in name:
            way = f'extinction: a_band, a_band: "{name}"'
        elif draft.found.survey is not None and "extinction_per_ebv" in draft.found.survey.columns:
            way = f"columns: {{extinction: ebv, ebv: {flow(name)}}}"
        else:
            way = f"extinction: ebv, ebv: {flow(name)}, extinction_per_ebv: {{g: 3.2, ...}}"
        entries.append(Setting("", comment=f"magnitudes are used as they are; to take dust of the Galaxy off: {way}"))
    return entries


def _other_photometry(draft: TableDraft) -> list[Setting]:
    """Other magnitudes and fluxes, and bands that were left out."""
    if draft.photometry is None:
        return []
    used = draft.photometry
    entries = [Setting("", comment=text) for text in draft.left_out]
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
