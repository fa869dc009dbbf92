"""The metrics as a Markdown table, for READMEs and notebooks."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from mixz.metrics.metric import columns
from mixz.report.cell import SMEARED, cell_of, is_corrected

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mixz.metrics.metric import Metric
    from mixz.metrics.summary import Record
    from mixz.report.cell import Errors


def markdown_table(records: Sequence[Record], *, z_range: str, errors: Errors = "spread") -> str:
    """Lay the records of one redshift range out: a row per sample and recipe, mean ± spread over members.

    Bold numbers meet the LSST requirement of their column.

    Parameters
    ----------
    errors
        What follows the ±: the ``spread`` over members, or the ``bootstrap`` error of their mean.

    Examples
    --------
    >>> record = {"recipe": "tl", "truth": "spec", "sample": "test", "z_range": "all", "n": 9, "std": 0.001}
    >>> record |= {"estimate": "mean", "mean": 0.002}
    >>> metrics = [record | {"metric": m.name, "passes": m.name == "bias"} for m in columns()]
    >>> print(markdown_table(metrics, z_range="all").splitlines()[-1])
    | spec | tl | 9 | **0.0020 ± 0.0010** | 0.0020 ± 0.0010 | 0.0020 ± 0.0010 | ...
    """

    def cell(record: Record) -> str:
        text = replace(cell_of(record, errors=errors), corrected=math.nan).text()
        return f"**{text}**" if record["passes"] else text

    return _table([r for r in records if r["z_range"] == z_range], columns(), cell)


def markdown_pdf_table(records: Sequence[Record], *, z_range: str) -> str:
    """Lay the records of densities out, with bootstrap errors; empty where no recipe has densities.

    Where labels are noisy, numbers are of the densities smeared by the labels' errors, and in brackets as they are; a
    line below says so.
    """
    metrics = columns(of_densities=True)
    names = {metric.name for metric in metrics}
    chosen = [r for r in records if r["z_range"] == z_range and r["metric"] in names]
    if not chosen:
        return ""
    words = f"\n\nMetrics on noisy labels: {SMEARED}." if is_corrected(chosen) else ""
    return _table(chosen, metrics, lambda record: cell_of(record).text()) + words


def _table(records: Sequence[Record], metrics: Sequence[Metric], cell: Callable[[Record], str]) -> str:
    names = [metric.name for metric in metrics]
    chosen = [r for r in records if r["metric"] in names]
    lines = [
        "| judged on | recipe | galaxies | " + " | ".join(metric.title for metric in metrics) + " |",
        "|---|---|---:|" + "---:|" * len(metrics),
    ]
    rows = dict.fromkeys((r["truth"], r["sample"], r["recipe"]) for r in chosen)
    samples = list(dict.fromkeys(row[:2] for row in rows))
    for truth, sample, recipe in sorted(rows, key=lambda row: samples.index(row[:2])):
        cells = {r["metric"]: r for r in chosen if (r["truth"], r["sample"], r["recipe"]) == (truth, sample, recipe)}
        where = truth if sample == "test" else f"{truth} ({sample.removeprefix('test ')})"
        numbers = " | ".join(cell(cells[name]) for name in names)
        lines.append(f"| {where} | {recipe} | {next(iter(cells.values()))['n']:,} | {numbers} |")
    return "\n".join(lines)
