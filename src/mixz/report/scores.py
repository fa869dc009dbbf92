"""Scores of the DESC challenge as tables: for the terminal a column per entry, in Markdown a row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.table import Table

from mixz.metrics.metric import METRICS, columns

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mixz.metrics.metric import Metric

    Score = Mapping[str, float | int]

OF_DENSITIES = ("cde_loss", "pit_ks")
"""Metrics of densities that are scored beside those of zmode."""

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
    >>> one = {metric.name: 0.1 for metric in ours()} | {"points": 3, "points_max": 21, "n": 10}
    >>> one |= dict.fromkeys(THEIRS, 0.2) | {f"points_{name}": 1 for name in THEIRS}
    >>> print(scores_markdown({"fused": one}).splitlines()[-1][:59])
    | fused | 10 | 0.1000 | 0.1000 | 0.1000 | 0.1000 | 0.1000 |
    """
    header = _header()
    lines = ["| " + " | ".join(header) + " |", "|---|" + "---:|" * (len(header) - 1)]
    lines += ["| " + " | ".join(_cells(name, score)) + " |" for name, score in scores.items()]
    return "\n".join(lines)


def ours() -> list[Metric]:
    """Our metrics beside the challenge's own: those of tables, of zmode, and two of densities."""
    return [*columns(), *(METRICS[name] for name in OF_DENSITIES)]


def _header() -> list[str]:
    return ["entry", "galaxies", *(metric.title for metric in ours()), *THEIRS, "points"]


def _cells(name: str, score: Score) -> list[str]:
    own = [f"{score[metric.name]:.4f}" for metric in ours()]
    theirs = [f"{score[metric]:.4g} ({score[f'points_{metric}']})" for metric in THEIRS]
    return [name, f"{score['n']:,}", *own, *theirs, f"{score['points']}/{score['points_max']}"]
