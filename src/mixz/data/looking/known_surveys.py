"""Whether a table is one of a survey that mixz knows: all that its constants name is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mixz.surveys import SURVEYS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from mixz.surveys import Survey


def survey_of(names: Sequence[str], path: Path | None = None) -> Survey | None:
    """The survey that has a table with these columns, of this file's name if several have; None where none has.

    Examples
    --------
    >>> bands = [f"{band}_cmodel_{kind}" for band in "grizy" for kind in ("mag", "magsigma")]
    >>> survey_of([*bands, "hsc_id", "z"]).name, survey_of([*bands, "z"])
    ('transferz', None)
    """
    there = set(names)
    # Siblings share their columns, and differ in what their files are called.
    for survey in sorted(SURVEYS.values(), key=lambda s: path is None or side_of(s, path) is None):
        needed = [survey.columns.get(key) for key in ("object_id", "ra", "dec")]
        needed += [*survey.marks, *survey.truths.values()]
        for errors in survey.truth_errors.values():
            needed += [errors] if isinstance(errors, str) else errors
        if survey.marks and there.issuperset(name for name in needed if name is not None):
            return survey
    return None


def cuts_for(survey: Survey, names: Iterable[str]) -> list[str]:
    """The names of the survey's cuts that a table with these columns can be given.

    Examples
    --------
    >>> cuts_for(SURVEYS["transferz"], ["z"])
    ['redshift_range']
    """
    there = set(names) | {"abs", "min", "max", "sqrt", "log10", "isnan"}
    return [cut.name for cut in survey.cuts if there.issuperset(cut.words())]


def side_of(survey: Survey, path: Path) -> str | None:
    """Which side of the survey's split a file is, by its published name; None for other files."""
    return next((side for side, name in survey.parts.items() if name == path.name), None)
