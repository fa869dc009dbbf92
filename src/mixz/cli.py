"""The command line: arguments and messages only; every verb is one call into `stages`.

The verbs import `stages` themselves: pandas, astropy and torch would make `mixz --help` wait.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.console import Console

from mixz.config import Config, Device, Precision  # noqa: TC001  # typer reads annotations at run time
from mixz.config_file import load_config
from mixz.errors import MixzError
from mixz.metrics.verdict import verdicts
from mixz.report.markdown import Errors, markdown_pdf_table, markdown_table
from mixz.report.screen import (
    SIMULATED,
    ledger_table,
    metrics_tables,
    pdf_tables,
    ratio_lines,
    registry_table,
    verdict_lines,
)

if TYPE_CHECKING:
    from mixz.metrics.summary import Record

Z_RANGES = ("0.3-1.5", "all")
COMPARISON = Path("comparison.html")
LOCAL = "127.0.0.1"
DEMO = Path(__file__).parent / "demo" / "demo.yaml"

PdfKind = Literal["interp", "quant", "mixmod"]

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    help="Photometric redshifts from spectra and many-band labels, trained together and judged side by side.",
    epilog="Start with **mixz run** (the embedded demo), then write a config for your own tables: see docs/config.md.",
)

ConfigArgument = Annotated[Path, typer.Argument(metavar="CONFIG", help="YAML file: tables, bands, truths, recipes.")]
Out = Annotated[Path | None, typer.Option(help="Folder for results, instead of the config's `out`.")]
Members = Annotated[int | None, typer.Option(min=1, help="Random starts per recipe, instead of the config's.")]
MLflow = Annotated[
    bool, typer.Option("--mlflow", help="Log to MLflow: `mlruns` beside the results, or MLFLOW_TRACKING_URI.")
]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error (goes with every verb).")]


@app.callback()
def _options(debug: Debug = False) -> None:  # `main` reads it, so that it may stand anywhere
    """Photometric redshifts from spectra and many-band labels, trained together and judged side by side."""


@app.command()
def run(
    config: Annotated[Path | None, typer.Argument(metavar="[CONFIG]", help="YAML file; left out: the demo.")] = None,
    out: Out = None,
    members: Members = None,
    mlflow: MLflow = False,
) -> None:
    """Do everything: build, train, evaluate and report.

    Without CONFIG it runs the embedded demo, a small simulated survey. Results go to `out/<name>/`.

    Example: `mixz run configs/pair_a.yaml`
    """
    from mixz import stages

    settings = _settings(config or DEMO, out, members)
    console = _console()
    _announce(settings, console)
    console.print(ledger_table(stages.build(settings).entries))
    stages.train(settings, console)
    records = stages.evaluate(settings, console)
    _print_evaluation(records, stages.Results(settings).read_differences(), console)
    _print_report(stages.report(settings, console), console)
    console.print(f"metrics: {settings.folder / 'metrics.json'}   models: {settings.folder / 'models'}", soft_wrap=True)
    if mlflow:
        console.print(f"MLflow: {stages.track(settings)}", soft_wrap=True, highlight=False)


@app.command()
def build(
    config: ConfigArgument,
    out: Out = None,
    formats: Annotated[
        list[str] | None,
        typer.Option("--format", help="`galaxiesml-hdf5` or `fits`, besides Parquet (may be repeated)."),
    ] = None,
) -> None:
    """Read the tables, cut and split: writes `galaxies.parquet`, its `DATA_CARD.md` and `cuts.json`.

    Example: `mixz build configs/pair_a.yaml --format fits`
    """
    from mixz import stages

    settings = _settings(config, out)
    console = _console()
    _announce(settings, console)
    console.print(ledger_table(stages.build(settings, formats or ()).entries))
    _print_paths("data set", stages.Results(settings).built_paths(), console)


@app.command()
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
    from mixz import stages

    settings = _settings(config, out, members)
    console = _console()
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
    _print_paths("models", trained, console)


@app.command()
def predict(
    model: Annotated[Path, typer.Argument(help="Model folder, e.g. `out/pair_a/models/tl`, or an ONNX file.")],
    table: Annotated[
        Path,
        typer.Argument(help="Any table with the model's bands (Parquet, CSV, FITS, HDF5, ECSV), or a HATS folder."),
    ],
    output: Annotated[
        Path, typer.Option("-o", "--output", help="Table to write (its ending says the format), or a HATS folder.")
    ],
    mag: Annotated[str | None, typer.Option(help="Magnitude columns, e.g. '{band}_cmodel_mag'.")] = None,
    mag_err: Annotated[str | None, typer.Option(help="Error columns, for models that look at errors.")] = None,
    object_id: Annotated[str | None, typer.Option("--id", help="Column with the galaxies' names.")] = None,
    system: Annotated[
        str | None, typer.Option(help="The table's photometric system, where models know several.")
    ] = None,
    group: Annotated[str | None, typer.Option(help="Group inside an HDF5 file.")] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="HATS: processes to start here, instead of one per core.")
    ] = None,
    dask: Annotated[str | None, typer.Option(metavar="ADDRESS", help="HATS: a Dask scheduler, instead.")] = None,
    densities: Annotated[bool, typer.Option(help="HATS: write the densities too, if the model has them.")] = True,
    pdf: Annotated[PdfKind | None, typer.Option(help="Write a qp file (.hdf5 or .pq) with densities kept so.")] = None,
) -> None:
    """Estimate redshifts for any table that has the model's bands.

    Writes `object_id`, `z_phot` (mean over members) and `z_phot_std` (their scatter, not a redshift error). A galaxy
    without one of the bands gets no redshift (NaN). With `--pdf` it writes a qp file with the densities, as RAIL and
    the DESC challenge read them (Parquet as three files, qp's way). Of a HATS folder it makes a HATS folder, densities
    included, with Dask; interrupted, the same command goes on.

    Example: `mixz predict out/pair_a/models/tl galaxies.csv -o photoz.parquet`
    """
    from mixz import stages

    console = _console()
    lost = stages.predict(
        model,
        table,
        output,
        console,
        mag=mag,
        mag_err=mag_err,
        object_id=object_id,
        group=group,
        system=system,
        workers=workers,
        dask=dask,
        densities=densities,
        pdf=pdf,
    )
    if lost:
        console.print(f"{lost:,} galaxies lack a band and got no redshift (NaN)")
    _print_paths("photo-z", [output], console)


@app.command()
def export(
    model: Annotated[Path, typer.Argument(help="Model folder, e.g. `out/pair_a/models/tl`.")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="File to write; `model.onnx` in the model folder if left out.")
    ] = None,
) -> None:
    """Write a model as one ONNX file, which predicts the same without torch.

    Example: `mixz export out/pair_a/models/tl -o tl.onnx`
    """
    from mixz import stages

    _print_paths("model", [stages.export(model, output)], _console())


@app.command()
def evaluate(
    config: ConfigArgument,
    out: Out = None,
    members: Members = None,
    resamples: Annotated[
        int | None, typer.Option(min=0, help="Bootstrap resamples of the galaxies, for errors and significance.")
    ] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown tables.")] = False,
    errors: Annotated[Errors, typer.Option(help="Of the Markdown: spread over members, or bootstrap.")] = "spread",
    mlflow: MLflow = False,
) -> None:
    """Judge every recipe on every truth's test galaxies, and recipes against each other; prints the verdict first.

    Writes `metrics.json`, `differences.json`, `estimates.json` and the estimates themselves, `photoz/`.

    Example: `mixz evaluate configs/pair_a.yaml`
    """
    from mixz import stages

    settings = _settings(config, out, members)
    console = _console()
    _announce(settings, console)
    asked = stages.RESAMPLES if resamples is None else resamples
    records = stages.evaluate(settings, console, resamples=asked)
    if markdown:
        tables = [markdown_table(records, z_range=z, errors=errors) for z in Z_RANGES]
        tables += filter(None, [markdown_pdf_table(records, z_range="all")])
        console.print(*tables, sep="\n\n", markup=False, soft_wrap=True)
    else:
        _print_evaluation(records, stages.Results(settings).read_differences(), console)
    console.print(f"metrics: {settings.folder / 'metrics.json'}", soft_wrap=True)
    if mlflow:
        console.print(f"MLflow: {stages.track(settings)}", soft_wrap=True, highlight=False)


@app.command()
def report(
    runs: Annotated[
        list[Path], typer.Argument(metavar="CONFIG [OTHER]...", help="A config; or several configs or results folders.")
    ],
    out: Out = None,
    members: Members = None,
    output: Annotated[Path, typer.Option("-o", "--output", help="Page to write when runs are compared.")] = COMPARISON,
) -> None:
    """Write `report.html` (verdict, plots, tables in one file) and `figures/` for papers; or compare several runs.

    Example: `mixz report configs/pair_a.yaml`, or `mixz report out/pair_a out/pair_a_fast -o both.html`
    """
    from mixz import stages

    console = _console()
    if len(runs) > 1 or runs[0].is_dir():
        _print_paths("report", [stages.compare(runs, output, console)], console)
    else:
        _print_report(stages.report(_settings(runs[0], out, members), console), console)


@app.command()
def serve(
    model: Annotated[Path, typer.Argument(help="Model folder, e.g. `out/pair_a/models/tl`.")],
    host: Annotated[
        str, typer.Option(help="Address to listen on; others than this machine only if you say so.")
    ] = LOCAL,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")] = 8321,
    max_mb: Annotated[float, typer.Option(min=0.001, help="Largest table to accept, in megabytes.")] = 100.0,
    max_rows: Annotated[int, typer.Option(min=1, help="Most galaxies in a table.")] = 1_000_000,
) -> None:
    """Serve a model to your browser: drop a table in, get redshifts, plots and a download back; JSON for programs.

    Needs `pip install "mixz[serve]"`. Nothing that is sent to it is kept.

    Example: `mixz serve out/demo/models/tl`
    """
    from mixz import stages

    stages.serve(model, _console(), host=host, port=port, max_mb=max_mb, max_rows=max_rows)


@app.command()
def distill(
    config: ConfigArgument,
    recipe: Annotated[str, typer.Option(help="The recipe whose ensemble teaches.")] = "fused",
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Model folder to write.")] = None,
    hidden: Annotated[list[int] | None, typer.Option(help="Width of a layer (repeat for each).")] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="Passes over the galaxies.")] = None,
    out: Out = None,
    members: Members = None,
) -> None:
    """Teach an ensemble's densities to one network, for cheap use on billions of galaxies.

    Prints how far the network is from its teacher, on test galaxies.

    Example: `mixz distill configs/pair_a.yaml --recipe fused`
    """
    from mixz import stages

    console = _console()
    widths = tuple(hidden) if hidden else None
    settings = _settings(config, out, members)
    path, made = stages.distill(settings, console, recipe=recipe, output=output, hidden=widths, epochs=epochs)
    console.print(
        f"{made.galaxies:,} test galaxies: mean KL(ensemble | network) = {made.divergence:.4f} nats, "
        f"mean |dz| between their zbest = {made.shift:.5f}",
        highlight=False,
    )
    _print_paths("model", [path], console)


@app.command()
def fetch(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="Data sets, or `name/file` for one file.")
    ] = None,
    to: Annotated[Path, typer.Option(help="Folder for the files.")] = Path("data"),
    timeout: Annotated[float, typer.Option(min=1, help="Seconds of silence before trying again.")] = 60.0,
    show: Annotated[bool, typer.Option("--list", help="Print the data sets that mixz knows.")] = False,
) -> None:
    """Download public data sets, checked; a download that broke off goes on where it stopped.

    Where no checksum is published, the first download's is recorded in `mixz-fetch.lock.json` and kept to.

    Example: `mixz fetch galaxiesml_csv cosmos2020_classic --to data`
    """
    from mixz.data.registry import load_registry

    console = _console()
    if show:
        console.print(registry_table(load_registry()))
        return
    from mixz import stages

    for path, words in stages.fetch(names or (), to, console, timeout_s=timeout):
        console.print(f"{path}: {words}", soft_wrap=True, highlight=False)


@app.command()
def mock(
    galaxies: Annotated[int, typer.Option(min=100, help="How many, half of them in the COSMOS field.")] = 30_000,
    out: Annotated[Path | None, typer.Option(help="Folder to make for the files.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same survey.")] = 1,
    check: Annotated[bool, typer.Option("--check", help="Print the mock beside the real surveys.")] = False,
) -> None:
    """Simulate a survey: writes mock COSMOS2020, HSC and GalaxiesML files in the surveys' own formats.

    Needs `pip install "mixz[mock]"`. `--check` prints how real it looks; without `--out` it does only that.

    Example: `mixz mock --galaxies 30000 --out mock_survey`
    """
    from mixz import stages

    console = _console()
    for row in stages.mock(galaxies, out, console, seed=seed, check=check):
        console.print(str(row), highlight=False, markup=False)
    if out is not None:
        _print_paths("mock files", sorted(out.iterdir()), console)


challenge = typer.Typer(
    no_args_is_help=True,
    help="The DESC photo-z challenge, task sets 1 to 4: train, estimate, score, and a mock of set 3.",
)
app.add_typer(challenge, name="challenge")


@challenge.command("train")
def challenge_train(
    table: Annotated[Path, typer.Argument(help="Training table of the challenge.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Model file to write.")],
    members: Annotated[int, typer.Option(min=1, help="Random starts.")] = 5,
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the data.")] = 60,
    seed: Annotated[int, typer.Option(min=0, help="Seed of all random numbers.")] = 0,
) -> None:
    """Train `fused` on a training table of any task set; the model is one file.

    Example: `mixz challenge train pz_challenge_taskset_3_cardinal_training_10yr.hdf5 -o model.mixz`
    """
    from mixz.stages import challenge as stage

    _print_paths("model", [stage.train(table, output, members=members, epochs=epochs, seed=seed)], _console())


@challenge.command("estimate")
def challenge_estimate(
    model: Annotated[Path, typer.Argument(help="Model file.")],
    table: Annotated[Path, typer.Argument(help="Test table of the challenge.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="qp file to write (.hdf5).")],
) -> None:
    """Estimate redshifts for a test table: writes a qp file with `object_id` and `zmode`, as submissions have it.

    Example: `mixz challenge estimate model.mixz test.hdf5 -o pz_estimate.hdf5`
    """
    from mixz.stages import challenge as stage

    stage.estimate(model, table, output)
    _print_paths("photo-z", [output], _console())


@challenge.command("score")
def challenge_score(
    estimates: Annotated[list[Path], typer.Argument(help="qp files of the same galaxies, anyone's.")],
    truth: Annotated[Path, typer.Option(help="Table with object_id and redshift.")],
    markdown: Annotated[bool, typer.Option("--markdown", help="Print a Markdown table.")] = False,
) -> None:
    """Score qp files against true redshifts, by the challenge's tiers and by mixz's metrics.

    Example: `mixz challenge score pz_estimate.hdf5 --truth truth.hdf5`
    """
    from mixz.report.scores import score_table, scores_markdown
    from mixz.stages import challenge as stage

    scores = {path.stem: stage.score(path, truth) for path in estimates}
    console = _console()
    if markdown:
        console.print(scores_markdown(scores), markup=False, soft_wrap=True)
    else:
        console.print(score_table(scores))


@challenge.command("mock")
def challenge_mock(
    out: Annotated[Path, typer.Option(help="Folder to make for the files.")],
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same tables.")] = 1,
) -> None:
    """Simulate task set 3 from the galaxies that RAIL ships: training, test and truth tables.

    Needs `pip install "mixz[rail]"`.

    Example: `mixz challenge mock --out mock_challenge`
    """
    from mixz.stages import challenge as stage

    console = _console()
    console.print(SIMULATED, style="yellow")
    _print_paths("mock challenge", stage.mock(out, seed=seed), console)


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


def _settings(path: Path, out: Path | None, members: int | None = None) -> Config:
    changes = {"out": out, "members": members}
    return load_config(path).model_copy(update={k: v for k, v in changes.items() if v is not None})


def _console() -> Console:
    """Print to the terminal at its width; to a file or pipe at a width that breaks no line."""
    console = Console()
    return console if console.is_terminal else Console(width=120)


def _announce(config: Config, console: Console) -> None:
    console.print(f"{config.name}  (config digest {config.digest()})", highlight=False)
    from mixz.data.provenance import is_simulated

    if is_simulated(config):
        console.print(SIMULATED, style="yellow")


def _print_evaluation(records: list[Record], differences: list[Record], console: Console) -> None:
    for text in verdict_lines(verdicts(records, differences)):
        console.print(text)
    for z_range in Z_RANGES:
        console.print(*metrics_tables(records, differences, z_range=z_range), sep="\n")
    for table in pdf_tables(records, z_range="all"):
        console.print(table)
    for line in ratio_lines(records):
        console.print(line, highlight=False)


def _print_report(paths: list[Path], console: Console) -> None:
    _print_paths("report", paths[:1], console)
    console.print(f"figures: {len(paths) - 1} files in {paths[-1].parent}", soft_wrap=True, highlight=False)


def _print_paths(what: str, paths: list[Path], console: Console) -> None:
    for path in paths:
        console.print(f"{what}: {path}", soft_wrap=True, highlight=False)
