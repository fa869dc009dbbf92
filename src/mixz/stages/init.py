"""`mixz init`: tables -> a first config, commented."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mixz.atomic import replacing, require_place
from mixz.data.looking.answers import UNSET, Answers
from mixz.data.looking.first_config import FirstConfig, first_config
from mixz.data.looking.table import look_at
from mixz.errors import MixzError
from mixz.progress import progress_bar
from mixz.settings.file import load_config

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from rich.console import Console

    from mixz.data.looking.answers import Question
    from mixz.data.looking.table import TableFound

    Ask = Callable[[Question], str]


def init(
    tables: Sequence[Path],
    output: Path,
    console: Console,
    answers: Answers,
    *,
    group: str | None = None,
    ask: Ask | None = None,
) -> FirstConfig:
    """Look at tables and write a first config for a run on them.

    Parameters
    ----------
    tables
        Tables in any format that mixz reads.
    output
        The config to write.  One that is there already stays, but for one that this function left open and nobody has
        touched: answers given afterwards complete it.
    console
        Where progress is shown.
    answers
        What a person has said already.
    group
        Which table of files that hold several.
    ask
        Asks a person; None where nobody is there: what is open is left to be set in the config, which no run accepts
        until it is.

    Raises
    ------
    MixzError
        A table cannot be read, holds no bands or no labels, or the config is there already.
    """
    _require_free(output)
    require_place(output)
    found = []
    with progress_bar("look", console) as bar:
        for number, path in enumerate(tables, start=1):
            found.append(look_at(path, group))
            bar(number, len(tables), path.name)
    if output.exists():
        _require_free(output, [_text(found, before, output) for before in answers.fewer()])
    asked: set[tuple[str, str]] = set()
    while True:
        first = first_config(found, answers, home=output.parent, name=output.stem)
        open_ones = [q for q in first.questions if (q.about, q.of) not in asked]
        if ask is None or not open_ones:
            break
        asked.add((open_ones[0].about, open_ones[0].of))
        answers = answers.told(open_ones[0], ask(open_ones[0]))
    with replacing(output) as draft:
        draft.write_text(first.text, encoding="utf-8")
        if all(question.default for question in first.questions):
            load_config(draft)
    return first


def _require_free(output: Path, untouched: Sequence[str] | None = None) -> None:
    """Refuse to write over a config, unless it waits for an answer and is one of some texts that nobody has touched."""
    if not output.exists():
        return
    there = output.read_text(encoding="utf-8", errors="replace") if output.is_file() else ""
    if UNSET not in there or (untouched is not None and there not in untouched):
        raise MixzError(f"{output} is there already", "a new file", "name another with -o, or move it away")


def _text(found: Sequence[TableFound], answers: Answers, output: Path) -> str:
    """The config that such answers give; nothing where they give none."""
    try:
        return first_config(found, answers, home=output.parent, name=output.stem).text
    except MixzError:
        return ""
