"""What `mixz run` prints: the metrics as a table with LSST's verdict, and the paper's ratios in words."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from mixz.metrics.summary import PAPER_CLAIMS, ratios

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mixz.data.cuts import Entry
    from mixz.metrics.summary import Record

COLUMNS = ("bias", "sigma_mad", "rms", "outlier_fraction", "catastrophic_fraction", "hsc_loss")
RATIO_METRICS = ("bias", "rms", "outlier_fraction", "catastrophic_fraction")


def ledger_table(entries: Sequence[Entry]) -> Table:
    """Lay the ledger of a build out as a table."""
    table = Table(title="galaxies in and out of every step", title_justify="left")
    for name in ("table", "step"):
        table.add_column(name)
    for name in ("in", "out", "taken"):
        table.add_column(name, justify="right")
    for e in entries:
        table.add_row(e.table, e.step, f"{e.rows_in:,}", f"{e.rows_out:,}", f"{e.rows_in - e.rows_out:,}")
    return table


def metrics_table(records: Sequence[Record], *, z_range: str, title: str) -> Table:
    """Lay the records of one redshift range out: a row per sample and recipe, mean +- spread over members.

    A tick or cross beside a number says whether it meets the LSST requirement of its column's heading.
    """
    chosen = [r for r in records if r["z_range"] == z_range]
    table = Table(title=title, title_justify="left")
    for name in ("judged on", "recipe", "galaxies"):
        table.add_column(name, justify="right" if name == "galaxies" else "left", no_wrap=True)
    limits = {r["metric"]: r["requirement"] for r in chosen}
    for metric in COLUMNS:
        limit = f"\nLSST < {limits[metric]:g}" if limits.get(metric) is not None else "\n"
        table.add_column(metric.replace("_fraction", "\nfraction") + limit, justify="right")
    samples = list(dict.fromkeys((r["truth"], r["sample"]) for r in chosen))
    for truth, sample in samples:
        rows = [r for r in chosen if (r["truth"], r["sample"]) == (truth, sample)]
        for recipe in dict.fromkeys(r["recipe"] for r in rows):
            cells = {r["metric"]: r for r in rows if r["recipe"] == recipe}
            label = truth if sample == "test" else f"{truth}, {sample.removeprefix('test ')}"
            count = f"{cells['bias']['n']:,}"
            table.add_row(label, recipe, count, *(_cell(cells[m]) for m in COLUMNS), end_section=False)
        table.add_section()
    return table


def _cell(record: Record) -> Text:
    mean, std = record["mean"], record["std"]
    if mean is None or math.isnan(mean):
        return Text("n/a", style="dim")
    spread = "" if std is None or math.isnan(std) else f" ±{std:.4f}"
    mark, style = {True: (" ✓", "green"), False: (" ✗", "red"), None: ("", "")}[record["passes"]]
    return Text(f"{mean:.4f}{spread}{mark}", style=style)


def ratio_lines(records: Sequence[Record], *, truth: str = "spec", over: str = "base") -> list[str]:
    """Spell the paper's ratios out: how many times smaller each metric is than `over`'s, on a truth's test galaxies.

    Examples
    --------
    >>> common = {"truth": "spec", "sample": "test", "z_range": "0.3-1.5", "metric": "rms"}
    >>> ratio_lines([common | {"recipe": "base", "mean": 0.12}, common | {"recipe": "tl", "mean": 0.08}])
    ['base / tl on spec, 0.3-1.5: rms 1.50 (paper 1.5)']
    """
    recipes = list(dict.fromkeys(r["recipe"] for r in records))
    z_ranges = list(dict.fromkeys(r["z_range"] for r in records))
    lines = []
    for under in (recipe for recipe in recipes if recipe != over and over in recipes):
        for z_range in z_ranges:
            values = ratios(records, over=over, under=under, truth=truth, z_range=z_range)
            told = [_ratio(m, values[m], z_range, under) for m in RATIO_METRICS if m in values]
            if told:
                lines.append(f"{over} / {under} on {truth}, {z_range}: {', '.join(told)}")
    return lines


def _ratio(metric: str, value: float, z_range: str, under: str) -> str:
    name = "|bias|" if metric == "bias" else metric
    claim = PAPER_CLAIMS.get(metric) if z_range == "0.3-1.5" and under in ("tl", "combo") else None
    return f"{name} {value:.2f}" + (f" (paper {claim:g})" if claim else "")
