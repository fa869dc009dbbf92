"""`mixz mock`: a simulated survey as the surveys' own files, and how real it looks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mixz.errors import MixzError
from mixz.progress import busy

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from mixz.mock.realism import Row


def mock(galaxies: int, out: Path | None, console: Console, *, seed: int, check: bool = False) -> list[Row]:
    """Simulate a survey, write it as the surveys' own files, and compare it with the real ones.

    Parameters
    ----------
    galaxies
        How many, half of them in the COSMOS field.
    out
        The folder to make; None writes nothing, and is for `check`.
    console
        Where progress goes.
    seed
        The same seed gives the same survey.
    check
        Give the comparison, else nothing.

    Raises
    ------
    MixzError
        `galaxies` is too small, `out` exists or cannot be written, or an optional package is missing.
    """
    from mixz.mock.files import check_new, write_surveys
    from mixz.mock.realism import compare
    from mixz.mock.survey import simulate

    if out is None and not check:
        raise MixzError("mixz mock has nothing to do", "--out DIR, --check, or both", "add --out mock_survey")
    if out is not None:
        check_new(out)
    with busy(f"simulate {galaxies:,} galaxies", console):
        survey = simulate(galaxies, seed=seed)
        if out is not None:
            write_surveys(survey, out)
    return compare(survey) if check else []
