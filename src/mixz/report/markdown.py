"""The metrics as a Markdown table, for READMEs and notebooks."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mixz.metrics.summary import Record

COLUMNS = {
    "bias": "bias",
    "sigma_mad": "sigma_MAD",
    "rms": "RMS",
    "outlier_fraction": "outliers",
    "catastrophic_fraction": "catastrophic",
    "hsc_loss": "HSC loss",
}


def markdown_table(records: Sequence[Record], *, z_range: str) -> str:
    """Lay the records of one redshift range out: a row per sample and recipe, mean ± spread over members.

    Bold numbers meet the LSST requirement of their column.

    Examples
    --------
    >>> record = {"recipe": "tl", "truth": "spec", "sample": "test", "z_range": "all", "n": 9, "std": 0.001}
    >>> metrics = [record | {"metric": m, "mean": 0.002, "passes": m == "bias"} for m in COLUMNS]
    >>> print(markdown_table(metrics, z_range="all").splitlines()[-1])
    | spec | tl | 9 | **0.0020 ± 0.0010** | 0.0020 ± 0.0010 | 0.0020 ± 0.0010 | ...
    """
    chosen = [r for r in records if r["z_range"] == z_range]
    lines = [
        "| judged on | recipe | galaxies | " + " | ".join(COLUMNS.values()) + " |",
        "|---|---|---:|" + "---:|" * len(COLUMNS),
    ]
    rows = dict.fromkeys((r["truth"], r["sample"], r["recipe"]) for r in chosen)
    samples = list(dict.fromkeys(row[:2] for row in rows))
    for truth, sample, recipe in sorted(rows, key=lambda row: samples.index(row[:2])):
        cells = {r["metric"]: r for r in chosen if (r["truth"], r["sample"], r["recipe"]) == (truth, sample, recipe)}
        where = truth if sample == "test" else f"{truth} ({sample.removeprefix('test ')})"
        numbers = " | ".join(_cell(cells[metric]) for metric in COLUMNS)
        lines.append(f"| {where} | {recipe} | {cells['bias']['n']:,} | {numbers} |")
    return "\n".join(lines)


def _cell(record: Record) -> str:
    if math.isnan(record["mean"]):
        return "n/a"
    spread = "" if math.isnan(record["std"]) else f" ± {record['std']:.4f}"
    text = f"{record['mean']:.4f}{spread}"
    return f"**{text}**" if record["passes"] else text
