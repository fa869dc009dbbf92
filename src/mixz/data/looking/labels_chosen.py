"""Which of a table's redshifts become labels of which truth, and what is to be said of the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mixz.data.looking.answers import KINDS, NO_LABEL, UNSET, Question

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mixz.data.looking.answers import Answers
    from mixz.data.looking.redshift_columns import RedshiftColumn
    from mixz.data.looking.table import TableFound


@dataclass(frozen=True)
class LabelsChosen:
    """The labels of a table.

    Parameters
    ----------
    truths
        Per truth the column of its labels.
    remarks
        What is said of every column of redshifts.
    questions
        What could not be told.
    """

    truths: Mapping[str, str]
    remarks: tuple[str, ...]
    questions: tuple[Question, ...]


def labels_chosen(found: TableFound, answers: Answers) -> LabelsChosen:
    """Choose the labels of a table: one column per truth, the first that is sure to be of it.

    What cannot be told stays open, and no run accepts a config in which it does.
    """
    truths: dict[str, str] = {}
    remarks, questions = [], []
    sure = [one for one in found.redshifts if one.looks in ("spec", "grism", "many_band", "true")]
    for one in found.redshifts:
        told = _told(found, one.column, answers)
        looks = told or one.looks
        if not told and (looks == "unknown" or (looks == "photo" and not sure)):
            questions.append(_question(found, one))
            looks = UNSET
        if looks in truths or looks in (NO_LABEL, "photo", "rival", "copy"):
            remarks.append(f"{one.column}: not used: {_why_not(one, looks, truths)}; {_share(one)}")
            continue
        truths[looks] = one.column
        why = "as you said" if one.column in answers.truths else "as the survey has it" if told else one.why
        remarks.append(f"{one.column}: {_words(looks)} ({why}); {_share(one)}")
    known = {one.column for one in found.redshifts}
    for column, truth in answers.truths.items():
        if column not in known and column in found.columns and truth != NO_LABEL:
            truths[truth] = column
            remarks.append(f"{column}: {_words(truth)} (as you said)")
    return LabelsChosen(truths, tuple(remarks), tuple(questions))


def _told(found: TableFound, column: str, answers: Answers) -> str:
    """What a person says of a column; of a survey that mixz knows its constants, which leave all others out."""
    if column in answers.truths:
        return answers.truths[column]
    if found.survey and found.survey.truths:
        return next((truth for truth, its in found.survey.truths.items() if its == column), NO_LABEL)
    return ""


def _question(found: TableFound, one: RedshiftColumn) -> Question:
    what = "a photo-z" if one.looks == "photo" else "redshifts"
    return Question(
        "truth",
        one.column,
        f"{found.sample.path.name} column {one.column!r} holds {what}: of which kind?",
        KINDS,
        f"--truth spec={one.column}",
    )


def _why_not(one: RedshiftColumn, looks: str, truths: Mapping[str, str]) -> str:
    if looks in truths:
        return f"{truths[looks]} is {_words(looks)} too"
    if looks == "rival":
        return f"it scatters as a photo-z from few bands does ({one.why})"
    return {
        "copy": one.why,
        "photo": f"a photo-z, from how many bands nothing says; as a label: --truth many_band={one.column}",
        NO_LABEL: "no label",
    }[looks]


def _words(truth: str) -> str:
    return {UNSET: "of a kind that is to be said", "grism": "grism spectra"}.get(truth, KINDS.get(truth, truth))


def _share(one: RedshiftColumn) -> str:
    return f"{one.share:.0%} of the rows have one"
