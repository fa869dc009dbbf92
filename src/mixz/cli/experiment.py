"""The verbs of an experiment: from a config to a report, in one go or step by step."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mixz.cli.arguments import ConfigArgument, Members, MLflow, Out, settings_of
from mixz.cli.loading import loading
from mixz.cli.messages import (
    Z_RANGES,
    announce,
    print_asked,
    print_evaluation,
    print_ledger,
    print_paths,
    print_report,
    print_tomography,
    terminal,
)
from mixz.errors import MixzError
from mixz.report.cell import Errors
from mixz.settings.choices import Device, Precision

if TYPE_CHECKING:
    from rich.console import Console

AsJson = Annotated[bool, typer.Option("--json", help="Print the verdict as JSON, and all else to standard error.")]
COMPARISON = Path("comparison.html")
DEMO = Path(__file__).parents[1] / "demo" / "demo.yaml"


def run(
    config: Annotated[Path | None, typer.Argument(metavar="[CONFIG]", help="YAML file; left out: the demo.")] = None,
    out: Out = None,
    members: Members = None,
    mlflow: MLflow = False,
) -> None:
    """Do everything: build, train, evaluate and report; and n(z) of tomographic bins where the config asks for it.

    Without CONFIG it runs the embedded demo, a small simulated survey. Results go to `out/<name>/`.

    Example: `mixz run configs/pair_a.yaml`
    """
    settings = settings_of(config or DEMO, out, members)
    with loading():
        from mixz import stages

        import_module("mixz.model")  # a missing torch is told before anything is built
    console = terminal()
    announce(settings, console)
    print_ledger(stages.build(settings, (), console), console)
    stages.train(settings, console)
    records = stages.evaluate(settings, console)
    print_evaluation(records, stages.Results(settings).read_differences(), console)
    print_tomography(stages.tomography(settings, console), console)
    print_report(stages.report(settings, console), console)
    console.print(f"metrics: {settings.folder / 'metrics.json'}   models: {settings.folder / 'models'}", soft_wrap=True)
    if mlflow:
        console.print(f"MLflow: {stages.track(settings)}", soft_wrap=True, highlight=False)


def build(
    config: ConfigArgument,
    out: Out = None,
    formats: Annotated[
        list[str] | None,
        typer.Option("--format", help="`galaxiesml-hdf5` or `fits`, besides Parquet (may be repeated)."),
    ] = None,
) -> None:
    """Read the tables, cut and split: writes `galaxies.parquet`, its `DATA_CARD.md` and `cuts.json`.

    Prints what every step took, every value that was taken for missing, and what looks odd.

    Example: `mixz build configs/pair_a.yaml --format fits`
    """
    settings = settings_of(config, out)
    with loading():
        from mixz import stages

    console = terminal()
    announce(settings, console)
    print_ledger(stages.build(settings, formats or (), console), console)
    print_paths("data set", stages.Results(settings).built_paths(), console)


def train(
    config: ConfigArgument,
    recipe: Annotated[list[str] | None, typer.Option(help="Only this recipe (may be repeated).")] = None,
    out: Out = None,
    members: Members = None,
    device: Annotated[Device, typer.Option(help="Where to train.")] = "cpu",
    precision: Annotated[Precision, typer.Option(help="How exactly to multiply; tf32 needs cuda.")] = "float32",
    workers: Annotated[int | None, typer.Option(min=1, help="Spread members over so many Dask processes here.")] = None,
    dask: Annotated[str | None, typer.Option(metavar="ADDRESS", help="... or over a Dask scheduler's workers.")] = None,
    restart: Annotated[bool, typer.Option("--restart", help="Begin anew; do not go on from a checkpoint.")] = False,
) -> None:
    """Train the recipes on the built galaxies: writes `models/<recipe>/`.

    A run that was interrupted goes on where it was, and gives the same weights.

    Example: `mixz train configs/pair_a.yaml --recipe tl`
    """
    settings = settings_of(config, out, members)
    with loading():
        from mixz import stages

        import_module("mixz.model")
    console = terminal()
    announce(settings, console)
    trained = stages.train(
        settings,
        console,
        recipes=recipe or (),
        device=device,
        precision=precision,
        restart=restart,
        dask=dask,
        workers=workers,
    )
    print_paths("models", trained, console)


def evaluate(
    config: ConfigArgument,
    out: Out = None,
    members: Members = None,
    resamples: Annotated[
        int | None, typer.Option(min=0, help="Bootstrap resamples of the galaxies, for errors and significance.")
    ] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown tables.")] = False,
    errors: Annotated[Errors, typer.Option(help="Of the Markdown: spread over members, or bootstrap.")] = "spread",
    as_json: AsJson = False,
    mlflow: MLflow = False,
) -> None:
    """Judge every recipe on every truth's test galaxies, and recipes against each other; prints the verdict first.

    Writes `metrics.json`, `differences.json`, `estimates.json` and the estimates themselves, `photoz/`; and with a
    section `tomography` in the config `tomography.json` and `nz/` (docs/tomography.md).

    Example: `mixz evaluate configs/pair_a.yaml`
    """
    settings = settings_of(config, out, members)
    with loading():
        from mixz import stages
        from mixz.metrics.verdict import verdicts
        from mixz.report.markdown import markdown_pdf_table, markdown_table
        from mixz.report.verdict_json import as_values, json_of

    console = terminal(beside=as_json)
    announce(settings, console)
    asked = stages.RESAMPLES if resamples is None else resamples
    records = stages.evaluate(settings, console, resamples=asked)
    if markdown:
        tables = [markdown_table(records, z_range=z, errors=errors) for z in Z_RANGES]
        tables += filter(None, [markdown_pdf_table(records, z_range="all")])
        print_asked("\n\n".join(tables))
    elif as_json:
        print_asked(json_of(as_values(verdicts(records, stages.Results(settings).read_differences()))))
    else:
        print_evaluation(records, stages.Results(settings).read_differences(), console)
    print_tomography(stages.tomography(settings, console), console)
    console.print(f"metrics: {settings.folder / 'metrics.json'}", soft_wrap=True)
    if mlflow:
        console.print(f"MLflow: {stages.track(settings)}", soft_wrap=True, highlight=False)


def report(
    runs: Annotated[
        list[Path], typer.Argument(metavar="CONFIG [OTHER]...", help="A config; or several configs or results folders.")
    ],
    out: Out = None,
    members: Members = None,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="Page to write; of several runs by default `comparison.html`."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write `report.html` (verdict, plots, tables in one file) and `figures/` for papers; or compare several runs.

    Of a results folder alone it renews `report.html`, whose figures stay. With `-o` it writes that page and no other.

    Example: `mixz report configs/pair_a.yaml`, or `mixz report out/pair_a out/pair_a_fast -o both.html`
    """
    with loading():
        from mixz import stages
        from mixz.metrics.verdict import verdicts
        from mixz.report.verdict_json import as_values, json_of

    console = terminal(beside=as_json)
    if len(runs) > 1 or runs[0].is_dir() or output is not None:
        if out is not None or members is not None:
            raise MixzError("--out or --members of runs as they are", "one config, without -o", "leave them out")
        if len(runs) == 1 and output is None:
            print_paths("report", [stages.renew_page(runs[0], console)], console)
        else:
            print_paths("report", [stages.compare(runs, output or COMPARISON, console)], console)
            _tell_untouched(runs, console)
        if as_json:
            print_asked(json_of({name: as_values(found) for name, found in stages.verdicts_of(runs).items()}))
        return
    settings = settings_of(runs[0], out, members)
    print_report(stages.report(settings, console), console)
    if as_json:
        results = stages.Results(settings)
        print_asked(json_of(as_values(verdicts(results.read_records(), results.read_differences()))))


def _tell_untouched(runs: list[Path], console: Console) -> None:
    """Say of a single run that the page in its folder is not the one that was written."""
    if len(runs) == 1:
        console.print(
            f"the report in the run's own folder stays as it is; `mixz report {runs[0]}` renews it",
            highlight=False,
            markup=False,
            soft_wrap=True,
        )
