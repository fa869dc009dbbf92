"""Scores of the DESC challenge as tables: for the terminal a column per entry, in Markdown a row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Mapping

    Score = Mapping[str, float | int]

OURS = {
    "sigma_mad": "sigma_MAD",
    "outlier_fraction": "outliers",
    "bias": "bias",
    "rms": "RMS",
    "cde_loss": "CDE loss",
    "pit_ks": "PIT KS",
}
"""Metrics shown; the first four of zmode."""
THEIRS = ("mean", "std", "abs_outlier_rate", "ks", "CvM", "ksamp", "outlier")


def score_table(scores: Mapping[str, Score]) -> Table:
    """Lay scores out for the terminal, points of the challenge's tiers after each of its statistics."""
    table = Table(
        title="point metrics of zmode; points of the challenge in brackets", title_justify="left", box=box.SIMPLE
    )
    table.add_column("entry")
    for name in scores:
        table.add_column(name, justify="right", overflow="fold")
    cells = [_cells(name, score) for name, score in scores.items()]
    for label, *values in list(zip(_header(), *cells, strict=True))[1:]:
        table.add_row(label, *values)
    return table


def scores_markdown(scores: Mapping[str, Score]) -> str:
    """Lay scores out in Markdown.

    Examples
    --------
    >>> one = dict.fromkeys(OURS, 0.1) | {"points": 3, "points_max": 21, "n": 10}
    >>> one |= dict.fromkeys(THEIRS, 0.2) | {f"points_{name}": 1 for name in THEIRS}
    >>> print(scores_markdown({"fused": one}).splitlines()[-1][:59])
    | fused | 10 | 0.1000 | 0.1000 | 0.1000 | 0.1000 | 0.1000 |
    """
    header = _header()
    lines = ["| " + " | ".join(header) + " |", "|---|" + "---:|" * (len(header) - 1)]
    lines += ["| " + " | ".join(_cells(name, score)) + " |" for name, score in scores.items()]
    return "\n".join(lines)


def _header() -> list[str]:
    return ["entry", "galaxies", *OURS.values(), *THEIRS, "points"]


def _cells(name: str, score: Score) -> list[str]:
    ours = [f"{score[metric]:.4f}" for metric in OURS]
    theirs = [f"{score[metric]:.4g} ({score[f'points_{metric}']})" for metric in THEIRS]
    return [name, f"{score['n']:,}", *ours, *theirs, f"{score['points']}/{score['points_max']}"]
