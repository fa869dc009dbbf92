"""What verbs say: of which config they are, what they found, where they wrote it.

What lays tables out is loaded when there is one: every verb, and `mixz --help`, waits for this file.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from rich.console import Console

from mixz.cli.loudness import is_quiet

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from mixz.data.cuts import Ledger
    from mixz.metrics.summary import Record
    from mixz.settings.config import Config
    from mixz.stages.doctor import Health
    from mixz.truths.by_magnitude import BinCorrection

Z_RANGES = ("0.3-1.5", "all")


class _Patient(Console):
    """Prints for as long as somebody listens; then the work goes on all the same, in silence."""

    def on_broken_pipe(self) -> None:
        """Let what was the pipe lead nowhere."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.file.fileno())
        os.close(nowhere)


def terminal(*, beside: bool = False) -> Console:
    """Print to the terminal at its width; to a file or pipe at a width that breaks no line.

    Parameters
    ----------
    beside
        Whether standard output is for something else, JSON say: then all is said on standard error.
    """
    console = _Patient(stderr=beside, quiet=is_quiet())
    return console if console.is_terminal else _Patient(width=120, stderr=beside, quiet=is_quiet())


def print_asked(text: str) -> None:
    """Print what was asked for on standard output, however quiet a verb is to be, and nothing else there."""
    listening = _Patient(width=120)
    listening.print(text, markup=False, highlight=False, soft_wrap=True)


def announce(config: Config, console: Console) -> None:
    """Which config it is, whether its galaxies are simulated, and what stands for i magnitudes."""
    from mixz.data.data_set.provenance import is_simulated
    from mixz.report.screen import SIMULATED
    from mixz.settings.bands import in_place_of_i

    console.print(f"{config.name}  (config digest {config.digest()})", highlight=False)

    if is_simulated(config):
        console.print(SIMULATED, style="yellow")
    settings = config.truth_settings()
    noisy = any(settings[truth].kernel != "exact" for table in config.tables for truth in table.all_truths())
    if noisy and (note := in_place_of_i(config.ref_band)):
        console.print(note, style="yellow", highlight=False)


def print_ledger(ledger: Ledger, console: Console) -> None:
    """Print what every step took, what was taken for missing, and what a person should look at."""
    from mixz.report.screen import ledger_table, missing_table

    console.print(ledger_table(ledger.entries))
    if ledger.missing:
        console.print(missing_table(ledger.missing))
    for text in ledger.warnings:
        console.print(text, style="yellow", highlight=False, markup=False)


def print_evaluation(records: list[Record], differences: list[Record], console: Console) -> None:
    """Print the verdict, then the numbers behind it."""
    from mixz.metrics.verdict import verdicts
    from mixz.report.screen import metrics_tables, pdf_tables, ratio_lines, verdict_lines

    for text in verdict_lines(verdicts(records, differences)):
        console.print(text)
    for z_range in Z_RANGES:
        console.print(*metrics_tables(records, differences, z_range=z_range), sep="\n")
    for table in pdf_tables(records, z_range="all"):
        console.print(table)
    for line in ratio_lines(records):
        console.print(line, highlight=False)


def print_tomography(records: Sequence[Record], console: Console) -> None:
    """Print mean and width of every bin and their verdict, a table per recipe."""
    from mixz.report.nz_screen import nz_lines, nz_tables

    for record in records:
        for table in nz_tables(record):
            console.print(table)
        for line in nz_lines(record):
            console.print(line, highlight=False, markup=False, soft_wrap=True)


def print_corrections(found: Sequence[BinCorrection], console: Console) -> None:
    """Print how a kernel is corrected, bin by bin of magnitude."""
    from mixz.report.screen import corrections_table
    from mixz.truths.by_magnitude import MAG_BORDERS

    console.print(corrections_table(found, MAG_BORDERS))


def print_report(paths: list[Path], console: Console) -> None:
    """Tell where the page is, and count the figures."""
    print_paths("report", paths[:1], console)
    console.print(f"figures: {len(paths) - 1} files in {paths[-1].parent}", soft_wrap=True, highlight=False)


def print_paths(what: str, paths: list[Path], console: Console) -> None:
    """Tell where something was written, a line per file, none broken."""
    for path in paths:
        console.print(f"{what}: {path}", soft_wrap=True, highlight=False)


def health_lines(found: Health) -> list[str]:
    """What `mixz doctor` says, a line each."""
    lines = [f"{name}: {words}" for name, words in found.versions.items()]
    lines += ["", "always needed"]
    lines += [f"  {name} {number}" for name, number in found.packages.items()]
    lines += ["", "extras"]
    for name, extra in found.extras.items():
        there = ", ".join(f"{package} {number}" for package, number in extra.there.items())
        lacking = f"lacks {', '.join(extra.lacking)}: {extra.install}" if extra.lacking else ""
        lines.append(f"  {name}: {'; '.join(filter(None, [there, lacking]))}")
    lines += ["", "devices", *(f"  {device}" for device in found.devices)]
    lines += ["", "kept", *(f"  {name}: {words}" for name, words in found.places.items())]
    return lines
