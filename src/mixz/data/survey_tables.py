"""Whether a file is of the survey that a config says: by its columns, their positions, and what their values are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from mixz.data.formats import format_of
from mixz.data.formats.text import TEXT
from mixz.data.formats.text_head import first_row
from mixz.data.tables import require_table
from mixz.errors import MixzError
from mixz.surveys import SURVEYS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from mixz.surveys import Survey

LOOKED_AT = 2000
"""Rows whose values are compared with what a survey's may be."""
MOST_OUTSIDE = 0.1
"""Share of values outside their range, marks of missing ones among them, up to which a column fits (ours)."""


def names_by_position(path: Path, survey: Survey | None) -> tuple[str, ...]:
    """The names that a survey gives a text file's columns by position; none where the file has these names itself.

    Raises
    ------
    MixzError
        The file has another number of columns, or cannot be read.
    """
    if survey is None or not survey.positions:
        return ()
    require_table(path)
    if format_of(path).name != TEXT.name:
        return ()
    try:
        found, named = first_row(path)
    except (ValueError, OSError, EOFError) as error:
        raise MixzError(f"{path} cannot be read: {error}", "a whole text table", "fetch it again") from error
    if named and (set(found) & set(survey.positions) or _others_with(found, survey)):
        return ()
    if len(found) != len(survey.positions):
        raise MixzError(
            f"{path} has {len(found)} columns without the names of {survey.name}, so that they go by position",
            f"{len(survey.positions)} columns: {', '.join(survey.positions)}",
            "fetch the published file again, or give it a first line with these names",
        )
    return survey.positions


def require_survey(path: Path, survey: Survey | None, available: Sequence[str]) -> None:
    """Refuse another survey's file: its columns may be there and mean something else.

    Raises
    ------
    MixzError
        It is one.
    """
    if survey is None:
        return
    lacking = [name for name in survey.marks if name not in available]
    if not lacking:
        return
    for other in _others_with(available, survey):
        raise MixzError(
            f"{path} is a {other.name} table, not {survey.name}: it has {', '.join(other.marks)} and no {lacking[0]}",
            f"{survey.about}",
            f"set survey: {other.name}, or name the other file",
        )


def require_ranges(chunk: pd.DataFrame, path: Path, survey: Survey | None) -> None:
    """Refuse a column whose values are not what the survey's can be: it is another one.

    Raises
    ------
    MixzError
        More than `MOST_OUTSIDE` of its values lie outside the survey's range.
    """
    if survey is None:
        return
    rows = chunk.iloc[:: max(1, len(chunk) // LOOKED_AT)]
    for name, (lowest, highest) in survey.ranges.items():
        if name not in rows:
            continue
        told = rows[name].dropna().astype(str)
        values = pd.to_numeric(told, errors="coerce").to_numpy(np.float64)
        outside = ~((values >= lowest) & (values <= highest)) & (told.str.lower() != "nan").to_numpy()
        if len(outside) and outside.mean() > MOST_OUTSIDE:
            raise MixzError(
                f"{path}: {outside.mean():.0%} of the values of {_place(name, survey)} lie outside {lowest:g} to "
                f"{highest:g}, e.g. {told[outside].iloc[0]!r}",
                f"the columns of {survey.name}: {survey.about}",
                "another file or another order of columns: check it, or map its columns without `survey`",
            )


def _others_with(available: Sequence[str], survey: Survey) -> list[Survey]:
    """The other surveys whose marks are all among these columns."""
    others = [other for other in SURVEYS.values() if other is not survey and other.marks != survey.marks]
    return [other for other in others if other.marks and all(name in available for name in other.marks)]


def _place(name: str, survey: Survey) -> str:
    return f"{name} (column {survey.positions.index(name) + 1})" if name in survey.positions else name
