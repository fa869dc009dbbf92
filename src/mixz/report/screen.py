"""What the verbs print: ledger and metrics as tables with LSST's verdict, the paper's ratios in words, the registry."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rich import box
from rich.table import Table
from rich.text import Text

from mixz.metrics.summary import PAPER_CLAIMS, ratios
from mixz.schema import SPLITS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mixz.data.cuts import Entry
    from mixz.data.registry import DataSet, RemoteFile
    from mixz.metrics.summary import Record

SIMULATED = "SIMULATED galaxies: no number here says anything about a real survey"
"""Stands wherever numbers or figures are made from a simulation."""

COLUMNS = ("bias", "sigma_mad", "rms", "outlier_fraction", "catastrophic_fraction", "hsc_loss")
PAPER_REFINED = ("tl", "combo")
RATIO_METRICS = ("bias", "rms", "outlier_fraction", "catastrophic_fraction")


def ledger_table(entries: Sequence[Entry]) -> Table:
    """Lay the ledger of a build out as a table."""
    table = Table(title="galaxies in and out of every step", title_justify="left")
    for name in ("table", "step"):
        table.add_column(name)
    for name in ("in", "out", "taken"):
        table.add_column(name, justify="right")
    notes = [_note(e) for e in entries]
    if any(notes):
        table.add_column("note")
    for e, note in zip(entries, notes, strict=True):
        numbers = (f"{e.rows_in:,}", f"{e.rows_out:,}", f"{e.rows_in - e.rows_out:,}")
        table.add_row(e.table, e.step, *numbers, *([note] if any(notes) else []))
    return table


def registry_table(registry: Mapping[str, DataSet]) -> Table:
    """Lay the data sets that can be fetched out as a table: sizes, how each file is checked, what it is for."""
    table = Table(title="public data sets for `mixz fetch`", title_justify="left", box=box.SIMPLE_HEAD)
    table.add_column("name", no_wrap=True)
    table.add_column("file", overflow="fold")
    table.add_column("GB", justify="right")
    table.add_column("checked by")
    table.add_column("for")
    for name, data_set in registry.items():
        if data_set.query:
            table.add_row(name, f"{data_set.query} (needs an account)", "", "", data_set.purpose)
        for number, file in enumerate(data_set.files):
            first = (name, data_set.purpose) if number == 0 else ("", "")
            table.add_row(first[0], file.name, _gigabytes(file), _check(file, data_set), first[1])
    return table


def _gigabytes(file: RemoteFile) -> str:
    if file.bytes:
        return f"{file.bytes / 1e9:.1f}"
    return f"~{file.about_bytes / 1e9:.1f}" if file.about_bytes else "?"


def _check(file: RemoteFile, data_set: DataSet) -> str:
    if file.checksum:
        return file.checksum.partition(":")[0].upper()
    return "Zenodo's MD5" if data_set.record else "first SHA-256"


def _note(entry: Entry) -> str:
    """Say in a few words what a match, an overlap or the split has to tell beyond its rows."""
    told = entry.details
    if "labels_in" in told:
        return f'{told["labels_in"]:,} labels, {told["median_arcsec"]:.2f}", {told["false_matches"]:,} by chance'
    if "same_id" in told:
        return f"{told['same_id']:,} by id, {told['same_place']:,} by place"
    return ", ".join(f"{told[side]:,} {side}" for side in SPLITS if side in told)


def metrics_tables(records: Sequence[Record], *, z_range: str) -> list[Table]:
    """Lay the records of one redshift range out: a table per sample, a row per recipe, mean and spread over members.

    A tick or cross says whether the mean meets the LSST requirement that stands in the heading.
    """
    chosen = [r for r in records if r["z_range"] == z_range]
    samples = dict.fromkeys((r["truth"], r["sample"]) for r in chosen)
    return [_sample_table([r for r in chosen if (r["truth"], r["sample"]) == sample], z_range) for sample in samples]


def _sample_table(records: Sequence[Record], z_range: str) -> Table:
    first = records[0]
    galaxies = "test galaxies" if first["sample"] == "test" else f"{first['sample']} galaxies"
    inside = {"all": "", "lsst": ", LSST's range"}.get(z_range, f", label in {z_range}")
    title = (
        f"judged on {first['truth']}: {first['n']:,} {galaxies}{inside}; mean ± spread of {first['members']} members"
    )
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), title_style="bold")
    table.add_column("recipe\nLSST", no_wrap=True)
    limits = {r["metric"]: r["requirement"] for r in records}
    for metric in COLUMNS:
        limit = limits.get(metric)
        heading = metric.replace("_fraction", "")
        table.add_column(f"{heading}\n{'' if limit is None else f'< {limit:g}'}", justify="right", no_wrap=True)
    for recipe in dict.fromkeys(r["recipe"] for r in records):
        cells = {r["metric"]: r for r in records if r["recipe"] == recipe}
        table.add_row(recipe, *(_cell(cells[metric]) for metric in COLUMNS))
    return table


def _cell(record: Record) -> Text:
    mean, std = record["mean"], record["std"]
    if math.isnan(mean):
        return Text("n/a", style="dim")
    mark, style = {True: " ✓", False: " ✗", None: ""}[record["passes"]], {True: "green", False: "red", None: ""}
    spread = "" if math.isnan(std) else f"\n±{std:.4f}{' ' * len(mark)}"
    return Text(f"{mean:.4f}{mark}{spread}", style=style[record["passes"]])


def ratio_lines(records: Sequence[Record], *, truth: str = "spec", over: str = "base") -> list[str]:
    """Spell the paper's ratios out: how many times smaller each metric is than `over`'s, on a truth's test galaxies.

    Examples
    --------
    >>> common = {"truth": "spec", "sample": "test", "z_range": "0.3-1.5", "metric": "rms"}
    >>> ratio_lines([common | {"recipe": "base", "mean": 0.12}, common | {"recipe": "tl", "mean": 0.08}])
    ['base / tl on spec, 0.3-1.5: rms 1.50 (paper 1.5)']
    """
    recipes = {r["recipe"] for r in records}
    lines = []
    for under in PAPER_REFINED:
        for z_range in ("0.3-1.5", "all"):
            if not {over, under} <= recipes:
                continue
            values = ratios(records, over=over, under=under, truth=truth, z_range=z_range)
            told = [_ratio(m, values[m], z_range) for m in RATIO_METRICS if m in values]
            if told:
                lines.append(f"{over} / {under} on {truth}, {z_range}: {', '.join(told)}")
    return lines


def _ratio(metric: str, value: float, z_range: str) -> str:
    name = "|bias|" if metric == "bias" else metric
    claim = PAPER_CLAIMS.get(metric) if z_range == "0.3-1.5" else None
    told = "down to none" if math.isinf(value) else f"{value:.2f}"
    return f"{name} {told}" + (f" (paper {claim:g})" if claim else "")
