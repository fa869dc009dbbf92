"""`mixz init`: a first config for somebody's tables, and the questions that only they can answer."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mixz.cli.loading import loading
from mixz.cli.messages import print_paths, terminal
from mixz.errors import MixzError

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

    from mixz.data.looking.answers import Question


def init(
    tables: Annotated[list[Path], typer.Argument(metavar="TABLE...", help="Tables of galaxies, or HATS folders.")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Config to write; by default the first table's name, `.yaml`.")
    ] = None,
    truth: Annotated[
        list[str] | None,
        typer.Option(help="What a column of redshifts is: `spec=COLUMN`, `many_band=`, `true=`, `grism=`, `none=`."),
    ] = None,
    bands: Annotated[str | None, typer.Option(help="The bands to use, e.g. `g,r,i,z`.")] = None,
    flux_zero_point: Annotated[
        float | None, typer.Option(help="AB magnitude of a flux of 1, where nothing says it: nJy 31.4, uJy 23.9.")
    ] = None,
    same_ids: Annotated[
        bool | None,
        typer.Option("--same-ids/--different-ids", help="Whether equal ids in two tables are one galaxy."),
    ] = None,
    nothing_seen: Annotated[
        bool | None,
        typer.Option(
            "--nothing-seen/--not-observed",
            help="What 99 and fluxes that are not positive say of a band; left out: as galaxies that have them look.",
        ),
    ] = None,
    group: Annotated[str | None, typer.Option("--group", "--hdu", help="Which table in the file.")] = None,
) -> None:
    """Look at tables and write a first config, commented: bands, labels, names, places, marks of missing values.

    Reads a sample of each table. On a terminal it asks what it cannot tell; elsewhere the config says what to set, and
    no run accepts it before. Then `mixz run` works on it.

    Example: `mixz init deep_field.parquet`, or `mixz init deep.fits wide.csv --truth spec=redshift -o my_survey.yaml`
    """
    with loading():
        from mixz import stages
        from mixz.data.looking.answers import Answers

    console = terminal()
    answers = Answers(
        bands=tuple(band.strip() for band in (bands or "").split(",") if band.strip()),
        truths=dict(map(_of_column, truth or ())),
        flux_zero_point=flux_zero_point,
        same_ids=same_ids,
        nothing_seen=nothing_seen,
    )
    config = output or Path(f"{_stem(tables[0])}.yaml")
    first = stages.init(tables, config, console, answers, group=group, ask=_asking(console))
    for remark in first.remarks:
        console.print(remark, soft_wrap=True, highlight=False, markup=False)
    open_ones = [question for question in first.questions if not question.default]
    for question in open_ones:
        console.print(
            f"TO SET: {question.text}  ({question.option}, or where {config} says SET_ME)",
            style="yellow",
            soft_wrap=True,
            highlight=False,
            markup=False,
        )
    print_paths("config", [config], console)
    if not open_ones:
        console.print(f"next: read it, then mixz run {config}", soft_wrap=True, highlight=False, markup=False)


def _stem(table: Path) -> str:
    """The name of a table's file without its endings; of a folder its own."""
    return table.resolve().name.removesuffix(".gz").rsplit(".", 1)[0] or "survey"


def _of_column(told: str) -> tuple[str, str]:
    """A column, and the truth that it is said to be."""
    from mixz.data.looking.answers import KINDS

    kind, equals, column = told.partition("=")
    allowed = (*KINDS, "grism")
    if not equals or not column or kind not in allowed:
        raise MixzError(
            f"--truth {told}", f"KIND=COLUMN with a kind of {', '.join(allowed)}", "e.g. --truth spec=redshift"
        )
    return column, kind


def _asking(console: Console) -> Callable[[Question], str] | None:
    """A function that asks on a terminal; None where nobody can answer."""
    if not (console.is_terminal and sys.stdin.isatty()):
        return None

    def ask(question: Question) -> str:
        console.print(question.text, style="bold", highlight=False, markup=False)
        for name, words in question.choices.items():
            console.print(f"  {name}: {words}", highlight=False, markup=False)
        default = question.default or None
        while True:
            answer: str = str(typer.prompt("which", default=default)).strip()
            if answer in question.choices or (question.about == "flux_zero_point" and _is_number(answer)):
                return answer
            console.print(f"one of: {', '.join(question.choices)}", highlight=False)

    return ask


def _is_number(text: str) -> bool:
    try:
        return abs(float(text)) < 100
    except ValueError:
        return False
