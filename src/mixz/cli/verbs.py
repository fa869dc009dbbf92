"""All verbs under one program, and its own help.

The verbs import `stages` themselves: pandas, astropy and torch would make `mixz --help` wait.
"""

from __future__ import annotations

from typing import Annotated

import typer

from mixz.cli import challenge
from mixz.cli.experiment import build, evaluate, report, run, train
from mixz.cli.files import fetch, mock, verify
from mixz.cli.models import distill, export, predict, serve
from mixz.cli.tomography import nz

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    help="Photometric redshifts from spectra and many-band labels, trained together and judged side by side.",
    epilog="Start with **mixz run** (the embedded demo), then write a config for your own tables: see docs/config.md.",
)
for verb in (run, build, train, predict, export, nz, evaluate, report, serve, distill, fetch, mock, verify):
    app.command()(verb)
app.add_typer(challenge.app, name="challenge")

Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error (goes with every verb).")]


@app.callback()
def _options(debug: Debug = False) -> None:  # `main` reads it, so that it may stand anywhere
    """Photometric redshifts from spectra and many-band labels, trained together and judged side by side."""
