"""What a table says of one metric, whatever the table is made of: a value, its error, and what noisy labels hide."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from mixz.metrics.metric import METRICS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mixz.metrics.summary import Record

Errors = Literal["spread", "bootstrap"]

CORRECTED = "→ ensemble, corrected for the labels' error"
SMEARED = "PIT and coverage: densities smeared by the labels' error; → other metrics of these too"
"""What the arrows of tables mean, of point estimates and of densities."""


@dataclass(frozen=True)
class Cell:
    """The numbers of one cell of a table; NaN where there is none.

    Parameters
    ----------
    value, error
        The metric, and what follows its ±.
    corrected
        The metric corrected for the labels' error, where that stands beside the value.
    """

    value: float
    error: float
    corrected: float

    def text(self, digits: int = 4) -> str:
        """All of it in a line.

        Examples
        --------
        >>> Cell(0.12344, 0.01, float("nan")).text(), Cell(-2.5, float("nan"), -2.25).text(2)
        ('0.1234 ± 0.0100', '-2.50 → -2.25')
        """
        if math.isnan(self.value):
            return "n/a"
        error = "" if math.isnan(self.error) else f" ± {self.error:.{digits}f}"
        corrected = "" if math.isnan(self.corrected) else f" → {self.corrected:.{digits}f}"
        return f"{self.value:.{digits}f}{error}{corrected}"


def cell_of(record: Record, *, errors: Errors = "spread") -> Cell:
    """What to say of a record.

    Of point estimates the mean over members, and the ensemble's metric corrected for the labels' error.  Of densities
    the ensemble's: PIT and coverage of densities smeared by the labels' error where that is known, since an honest one
    looks honest only so; other metrics as they are, and of smeared densities beside that.

    Parameters
    ----------
    record
        As `mixz.metrics.summarize` and `mixz.metrics.summarize_pdf` give it.
    errors
        What follows the ± of point estimates: the ``spread`` over members, or the ``bootstrap`` error of their mean.
    """
    corrected = record.get("corrected", math.nan)
    if METRICS[record["metric"]].asks_honesty and not math.isnan(corrected):
        return Cell(corrected, record["corrected_error"], math.nan)
    of_density = record["estimate"] == "pdf"
    error = record["bootstrap"] if of_density or errors == "bootstrap" else record["std"]
    return Cell(record["mean"], error, corrected)


def is_corrected(records: Iterable[Record]) -> bool:
    """Whether some metric of a table is corrected for the labels' error."""
    return any(not math.isnan(r.get("corrected", math.nan)) for r in records)
