"""All verbs under one program, and its own help.

The verbs import `stages` themselves: pandas, astropy and torch would make `mixz --help` wait.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import Annotated

import typer

from mixz.cli import challenge
from mixz.cli.experiment import build, evaluate, report, run, train
from mixz.cli.files import doctor, fetch, mock, verify
from mixz.cli.first_config import init
from mixz.cli.models import distill, export, kernel, predict, serve
from mixz.cli.tomography import nz

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    help="Photometric redshifts from spectra and many-band labels, trained together and judged side by side.",
    epilog="Start with **mixz run** (the embedded demo), then **mixz init TABLE** for your own; keys: docs/config.md.",
)
for verb in (
    init,
    run,
    build,
    train,
    predict,
    export,
    nz,
    evaluate,
    report,
    serve,
    distill,
    kernel,
    fetch,
    mock,
    verify,
    doctor,
):
    app.command()(verb)
app.add_typer(challenge.app, name="challenge")


def _tell_version(asked: bool) -> None:
    if asked:
        typer.echo(f"mixz {version('mixz')}")
        raise typer.Exit


Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="Say errors only, and what --json or --markdown ask for.")]
Verbose = Annotated[bool, typer.Option("-v", "--verbose", help="Also say what libraries do, and the time it took.")]
Version = Annotated[
    bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Print the version and stop.")
]


@app.callback()
def _options(  # `main` reads all but the last, so that they may stand anywhere
    debug: Debug = False, quiet: Quiet = False, verbose: Verbose = False, version: Version = False
) -> None:
    """Photometric redshifts from spectra and many-band labels, trained together and judged side by side."""
