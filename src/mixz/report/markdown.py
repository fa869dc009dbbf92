"""The metrics as a Markdown table, for READMEs and notebooks."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from mixz.metrics.summary import Record

COLUMNS = {
    "bias": "bias",
    "sigma_mad": "sigma_MAD",
    "rms": "RMS",
    "outlier_fraction": "outliers",
    "catastrophic_fraction": "catastrophic",
    "hsc_loss": "HSC loss",
}


PDF_COLUMNS = {
    "pit_ks": "PIT KS",
    "coverage_68": "in 68 %",
    "coverage_90": "in 90 %",
    "coverage_95": "in 95 %",
    "crps": "CRPS",
    "cde_loss": "CDE loss",
}

Errors = Literal["spread", "bootstrap"]


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
    >>> metrics = [record | {"metric": m, "mean": 0.002, "passes": m == "bias"} for m in COLUMNS]
    >>> print(markdown_table(metrics, z_range="all").splitlines()[-1])
    | spec | tl | 9 | **0.0020 ± 0.0010** | 0.0020 ± 0.0010 | 0.0020 ± 0.0010 | ...
    """
    chosen = [r for r in records if r["z_range"] == z_range and r["metric"] in COLUMNS]
    return _table(chosen, COLUMNS, lambda record: _cell(record, "std" if errors == "spread" else "bootstrap"))


def markdown_pdf_table(records: Sequence[Record], *, z_range: str) -> str:
    """Lay the records of densities out, with bootstrap errors; empty where no recipe has densities.

    Where labels are noisy, numbers are of the densities smeared by the labels' errors, and in brackets as they are.
    """
    chosen = [r for r in records if r["z_range"] == z_range and r["metric"] in PDF_COLUMNS]
    return _table(chosen, PDF_COLUMNS, _pdf_cell) if chosen else ""


def _table(chosen: Sequence[Record], columns: Mapping[str, str], cell: Callable[[Record], str]) -> str:
    lines = [
        "| judged on | recipe | galaxies | " + " | ".join(columns.values()) + " |",
        "|---|---|---:|" + "---:|" * len(columns),
    ]
    rows = dict.fromkeys((r["truth"], r["sample"], r["recipe"]) for r in chosen)
    samples = list(dict.fromkeys(row[:2] for row in rows))
    for truth, sample, recipe in sorted(rows, key=lambda row: samples.index(row[:2])):
        cells = {r["metric"]: r for r in chosen if (r["truth"], r["sample"], r["recipe"]) == (truth, sample, recipe)}
        where = truth if sample == "test" else f"{truth} ({sample.removeprefix('test ')})"
        numbers = " | ".join(cell(cells[metric]) for metric in columns)
        lines.append(f"| {where} | {recipe} | {next(iter(cells.values()))['n']:,} | {numbers} |")
    return "\n".join(lines)


def _cell(record: Record, error: str) -> str:
    text = _number(record["mean"], record[error])
    return f"**{text}**" if record["passes"] else text


def _pdf_cell(record: Record) -> str:
    if math.isnan(record["corrected"]):
        return _number(record["mean"], record["bootstrap"])
    return f"{_number(record['corrected'], record['corrected_error'])} ({record['mean']:.4f})"


def _number(value: float, error: float) -> str:
    if math.isnan(value):
        return "n/a"
    return f"{value:.4f}" + ("" if math.isnan(error) else f" ± {error:.4f}")
