"""The verbs of files: public ones downloaded, mock ones simulated, results verified."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from mixz.cli.loading import loading
from mixz.cli.messages import health_lines, print_asked, print_paths, terminal


def fetch(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="Data sets, or `name/file` for one file.")
    ] = None,
    to: Annotated[Path, typer.Option(help="Folder for the files.")] = Path("data"),
    timeout: Annotated[float, typer.Option(min=1, help="Seconds of silence before trying again.")] = 60.0,
    show: Annotated[bool, typer.Option("--list", help="Print the data sets that mixz knows.")] = False,
    registry: Annotated[
        Path | None, typer.Option(help="YAML file with other data sets, or a mirror's addresses (docs/fetch.md).")
    ] = None,
) -> None:
    """Download public data sets, checked; a download that broke off goes on where it stopped.

    `paper` stands for all that configs/paper.yaml reads. Where no checksum is published, the first download's is
    recorded in `mixz-fetch.lock.json` and kept to.

    Example: `mixz fetch paper`, or `mixz fetch galaxiesml_csv cosmos2020_classic --to data`
    """
    with loading():
        from mixz import stages
        from mixz.data.fetching.registry import REGISTRY_PATH, load_registry
        from mixz.report.screen import registry_table

    console, known = terminal(), load_registry(registry or REGISTRY_PATH)
    if show:
        console.print(registry_table(known.data_sets))
        for name, group in known.groups.items():
            console.print(f"{name}: {', '.join(group.data_sets)}; {group.purpose}", soft_wrap=True, highlight=False)
        return
    for path, words in stages.fetch(names or (), to, console, timeout_s=timeout, registry=known):
        console.print(f"{path}: {words}", soft_wrap=True, highlight=False)


def mock(
    galaxies: Annotated[int, typer.Option(min=100, help="How many, half of them in the COSMOS field.")] = 30_000,
    out: Annotated[Path | None, typer.Option(help="Folder to make for the files.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same survey.")] = 1,
    check: Annotated[bool, typer.Option("--check", help="Print the mock beside the real surveys.")] = False,
) -> None:
    """Simulate a survey: writes mock COSMOS2020, HSC, GalaxiesML and TransferZ files in the surveys' own formats.

    Needs the extra `mock` (`mixz doctor` says how to install it). `--check` prints how real it looks; without `--out`
    it does only that.

    Example: `mixz mock --galaxies 30000 --out mock_survey`
    """
    with loading():
        from mixz import stages

    console = terminal()
    for row in stages.mock(galaxies, out, console, seed=seed, check=check):
        console.print(str(row), highlight=False, markup=False)
    if out is not None:
        print_paths("mock files", sorted(out.iterdir()), console)


def verify(
    path: Annotated[
        Path, typer.Argument(help="A results folder, a model folder, a `.mixz` or `.onnx` file, `galaxies.parquet`.")
    ],
) -> None:
    """Check that every byte is as mixz wrote it, and that files were made from what lies beside them.

    A results folder keeps the SHA-256 of its files, and of what each was made from, in `digests.json`; models, ONNX
    files and `galaxies.parquet` carry their own. Prints what was checked, then each file that has changed, is missing
    or is stale (made from galaxies, a model or estimates that are no longer there); exit code 1 if there is one. What
    others put into the folder is named, and left alone.

    It finds accidents and mix-ups, not forgers: who changes a file on purpose can write a new digest too.

    Example: `mixz verify out/pair_a`, or `mixz verify tl.mixz`
    """
    with loading():
        from mixz import stages

    console = terminal()
    found = stages.verify(path)
    print_paths("whole", found.whole, console)
    print_paths("not mixz's", found.unknown, console)
    for line in found.wrong:
        console.print(f"WRONG: {line}", soft_wrap=True, highlight=False, markup=False)
    console.print(f"{path}: {len(found.whole)} files are whole, {len(found.wrong)} are not", highlight=False)
    if found.wrong:
        raise typer.Exit(1)


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Say what is installed and how to install the rest, on which devices it can train, and what is kept where.

    Exit code 1 if something is missing that mixz always needs. To be sent along when something goes wrong.

    Example: `mixz doctor`
    """
    with loading():
        from mixz import stages

        found = stages.doctor()  # asks torch for its devices
    if as_json:
        print_asked(json.dumps(found.as_dict(), indent=1))
    else:
        print_asked("\n".join(health_lines(found)))
    if not found.is_well:
        raise typer.Exit(1)
