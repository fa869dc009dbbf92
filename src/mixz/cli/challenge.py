"""`mixz challenge`: the verbs of the DESC photo-z challenge."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mixz.cli.loading import loading
from mixz.cli.messages import print_paths, terminal

app = typer.Typer(
    no_args_is_help=True,
    help="The DESC photo-z challenge, task sets 1 to 4: train, estimate, score, and a mock of set 3.",
)


@app.command()
def train(
    table: Annotated[Path, typer.Argument(help="Training table of the challenge.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Model file to write.")],
    members: Annotated[int, typer.Option(min=1, help="Random starts.")] = 5,
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the data.")] = 60,
    seed: Annotated[int, typer.Option(min=0, help="Seed of all random numbers.")] = 0,
) -> None:
    """Train `fused` on a training table of any task set; the model is one file.

    Example: `mixz challenge train pz_challenge_taskset_3_cardinal_training_10yr.hdf5 -o model.mixz`
    """
    with loading():
        from mixz.stages import challenge as stage

    console = terminal()
    trained = stage.train(table, output, members=members, epochs=epochs, seed=seed, console=console)
    print_paths("model", [trained], console)


@app.command()
def estimate(
    model: Annotated[Path, typer.Argument(help="Model file.")],
    table: Annotated[Path, typer.Argument(help="Test table of the challenge.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="qp file to write (.hdf5).")],
) -> None:
    """Estimate redshifts for a test table: writes a qp file with `object_id` and `zmode`, as submissions have it.

    Example: `mixz challenge estimate model.mixz test.hdf5 -o pz_estimate.hdf5`
    """
    with loading():
        from mixz.stages import challenge as stage

    stage.estimate(model, table, output)
    print_paths("photo-z", [output], terminal())


@app.command()
def score(
    estimates: Annotated[list[Path], typer.Argument(help="qp files of the same galaxies, anyone's.")],
    truth: Annotated[Path, typer.Option(help="Table with object_id and redshift.")],
    markdown: Annotated[bool, typer.Option("--markdown", help="Print a Markdown table.")] = False,
) -> None:
    """Score qp files against true redshifts, by the challenge's tiers and by mixz's metrics.

    Example: `mixz challenge score pz_estimate.hdf5 --truth truth.hdf5`
    """
    with loading():
        from mixz.report.scores import score_table, scores_markdown
        from mixz.stages import challenge as stage

    scores = {path.stem: stage.score(path, truth) for path in estimates}
    console = terminal()
    if markdown:
        console.print(scores_markdown(scores), markup=False, soft_wrap=True)
    else:
        console.print(score_table(scores))


@app.command()
def mock(
    out: Annotated[Path, typer.Option(help="Folder to make for the files.")],
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same tables.")] = 1,
) -> None:
    """Simulate task set 3 from the galaxies that RAIL ships: training, test and truth tables.

    Needs the extra `rail` (`mixz doctor` says how to install it).

    Example: `mixz challenge mock --out mock_challenge`
    """
    with loading():
        from mixz.report.screen import SIMULATED
        from mixz.stages import challenge as stage

    console = terminal()
    console.print(SIMULATED, style="yellow")
    print_paths("mock challenge", stage.mock(out, seed=seed), console)
