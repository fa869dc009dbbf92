"""How several tables go together: which lends its labels to which, and whether a galaxy is in two of them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from mixz.data.looking.answers import SAME, Question
from mixz.data.meaning.names import identities
from mixz.data.sky import Box

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mixz.arrays import Floats
    from mixz.data.looking.answers import Answers
    from mixz.data.looking.labels_chosen import LabelsChosen
    from mixz.data.looking.table import TableFound
    from mixz.data.looking.table_draft import TableDraft

RADIUS_ARCSEC = 1.0
"""Rows no farther apart are the same galaxy."""
ROWS_NUMBERED = 10
"""Ids that are whole numbers below so many times the number of rows may number the rows, in any table."""


@dataclass(frozen=True)
class Together:
    """What is set so that no galaxy counts twice, and none is taken for another.

    Parameters
    ----------
    keep
        The table whose rows stay where a galaxy is in two, one of spectra before others; ``""`` where none needs to.
    radius_arcsec
        How near rows of the same galaxy are; None goes by ids.
    why
        What says so.
    prefixed
        Which tables need a prefix before their ids.
    questions, remarks
        What could not be told, and what a person should know.
    """

    keep: str
    radius_arcsec: float | None
    why: str
    prefixed: frozenset[int]
    questions: tuple[Question, ...]
    remarks: tuple[str, ...]

    @property
    def overlap(self) -> dict[str, Any]:
        """The config's `overlap`."""
        return {"keep": self.keep, "radius_arcsec": self.radius_arcsec}


def matched(tables: Sequence[TableFound], labels: Sequence[LabelsChosen]) -> dict[int, list[int]]:
    """Which table lends its labels to which by a match on the sky: to those with magnitudes and without labels.

    A galaxy would need a counterpart in every catalogue that is matched, so it is one: that with the most rows.
    """
    lending = [k for k, chosen in enumerate(labels) if (chosen.truths or chosen.questions) and tables[k].positions]
    found = {}
    for k, table in enumerate(tables):
        if table.photometry and not labels[k].truths and not labels[k].questions and table.positions:
            near = [other for other in lending if _touch(table, tables[other])]
            if near:
                found[k] = [max(near, key=lambda other: tables[other].sample.rows)]
    return found


def repeated(drafts: Sequence[TableDraft], answers: Answers) -> Together:
    """Whether tables have galaxies in common, by ids and by places, and what to do about it."""
    keep, why = "", ""
    prefixed: set[int] = set()
    questions: list[Question] = []
    remarks: list[str] = []
    placed = all(draft.found.positions for draft in drafts)
    for (i, first), (j, second) in combinations(enumerate(drafts), 2):
        pair = f"{first.title} and {second.title}"
        same, because = _same_ids(first, second, answers)
        if same == "ask":
            questions.append(_question(pair))
            remarks.append(f"{pair}: {because}: taken for different galaxies (id_prefix)")
        if same in ("ask", "different"):
            prefixed |= {i, j}
        near = bool(first.found.positions and second.found.positions) and _touch(first.found, second.found)
        if not keep and (same == "same" or (near and placed)):
            keep = second.title if "spec" in second.all_truths() and "spec" not in first.all_truths() else first.title
            why = because if same == "same" else f"{pair} lie on the same sky: a galaxy in both is one"
            remarks.append(f"{why}; the rows of {keep} stay (overlap)")
    return Together(keep, RADIUS_ARCSEC if placed else None, why, frozenset(prefixed), tuple(questions), tuple(remarks))


def _same_ids(first: TableDraft, second: TableDraft, answers: Answers) -> tuple[str, str]:
    """Whether equal ids in two tables are the same galaxy: ``same``, ``different``, ``ask``, or nothing equal."""
    mine, yours = (_ids(draft.found) for draft in (first, second))
    numbered = [_are_row_numbers(draft.found, ids) for draft, ids in ((first, mine), (second, yours))]
    shared, at, there = np.intersect1d(mine, yours, return_indices=True)
    if not len(shared) and not all(numbered):
        return "", ""
    if answers.same_ids is not None:
        return ("same" if answers.same_ids else "different"), "equal ids, as you said"
    if first.found.object_id is None or second.found.object_id is None:
        return "different", ""
    if len(shared) and first.found.positions and second.found.positions:
        here, other = (_places(draft.found) for draft in (first, second))
        apart = np.hypot(here[0][at] - other[0][there], here[1][at] - other[1][there])
        agree = np.nanmedian(apart) * 3600 < 10 * RADIUS_ARCSEC if np.isfinite(apart).any() else False
        return ("same", f"{len(shared):,} ids are in both, at the same place") if agree else ("different", "")
    if all(numbered):
        return "ask", "their ids may number the rows of each"
    return "same", f"{len(shared):,} ids are in both"


def _question(pair: str) -> Question:
    return Question(
        "same_ids",
        pair,
        f"{pair} have equal ids that may be numbers of rows: are these",
        SAME,
        "--same-ids",
        "different",
    )


def _ids(found: TableFound) -> NDArray[Any]:
    """Names of a sample's galaxies as text; of a table without names those of its rows."""
    if found.object_id is None:
        return np.arange(len(found.sample.frame)).astype(str)
    names = identities(found.sample.frame[found.object_id])
    return np.array([f"{found.sample.path}:{k}" if name is None else name for k, name in enumerate(names)], dtype=str)


def _are_row_numbers(found: TableFound, ids: NDArray[Any]) -> bool:
    try:
        numbers = ids.astype(np.int64)
    except (ValueError, OverflowError):
        return False
    return bool(numbers.min() >= 0 and numbers.max() < ROWS_NUMBERED * max(found.sample.rows, 1))


def _touch(first: TableFound, second: TableFound) -> bool:
    """Whether two tables lie on the same sky, as far as samples tell."""
    box = Box.around(*_known(_places(first)), margin_arcsec=60)
    return bool(box.holds(*_known(_places(second))).any())


def _places(found: TableFound) -> tuple[Floats, Floats]:
    assert found.positions is not None
    ra, dec = (found.sample.degrees(name) for name in found.positions)
    return ra, dec


def _known(places: tuple[Floats, Floats]) -> tuple[Floats, Floats]:
    there = np.isfinite(places[0]) & np.isfinite(places[1]) & (np.abs(places[1]) <= 90)
    return places[0][there], places[1][there]
