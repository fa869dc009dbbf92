"""The command line: arguments and messages only; every verb is one call into `stages`.

The verbs import `stages` themselves: pandas, astropy and torch would make `mixz --help` wait.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from rich.console import Console

from mixz.cli import challenge
from mixz.cli.experiment import build, evaluate, report, run, train
from mixz.cli.files import fetch, mock, verify
from mixz.cli.models import distill, export, predict, serve
from mixz.errors import MixzError

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    help="Photometric redshifts from spectra and many-band labels, trained together and judged side by side.",
    epilog="Start with **mixz run** (the embedded demo), then write a config for your own tables: see docs/config.md.",
)
for verb in (run, build, train, predict, export, evaluate, report, serve, distill, fetch, mock, verify):
    app.command()(verb)
app.add_typer(challenge.app, name="challenge")

Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error (goes with every verb).")]


@app.callback()
def _options(debug: Debug = False) -> None:  # `main` reads it, so that it may stand anywhere
    """Photometric redshifts from spectra and many-band labels, trained together and judged side by side."""


def main() -> None:
    """Run the command line; a mistake of the user ends with one message and exit code 2."""
    arguments = [a for a in sys.argv[1:] if a != "--debug"]
    debug = len(arguments) < len(sys.argv) - 1
    try:
        app(arguments)
    except MixzError as error:
        if debug:
            raise
        Console(stderr=True).print(f"mixz: {error}", markup=False, highlight=False, soft_wrap=True)
        sys.exit(2)
    except KeyboardInterrupt:
        Console(stderr=True).print("mixz: stopped; every file written so far is whole", markup=False)
        sys.exit(130)
