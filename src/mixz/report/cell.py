"""What a table says of one metric, whatever the table is made of: a value, its error, and what noisy labels hide."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mixz.metrics.summary import Record

Errors = Literal["spread", "bootstrap"]

CORRECTED = "→ ensemble, corrected for the labels' error"
SMEARED = "of densities smeared by the labels' errors; in brackets, of them as they are"
"""What arrows and brackets of tables mean, of point estimates and of densities."""


@dataclass(frozen=True)
class Cell:
    """The numbers of one cell of a table; NaN where there is none.

    Parameters
    ----------
    value, error
        The metric, and what follows its ±.
    corrected
        Of point estimates, the ensemble's metric corrected for the labels' error.
    as_they_are
        Of densities where the value is of smeared ones, the metric of the densities as they are.
    """

    value: float
    error: float
    corrected: float = math.nan
    as_they_are: float = math.nan

    def text(self) -> str:
        """All of it in a line.

        Examples
        --------
        >>> Cell(0.12344, 0.01).text(), Cell(-2.5, math.nan, as_they_are=-2.25).text()
        ('0.1234 ± 0.0100', '-2.5000 (-2.2500)')
        """
        if math.isnan(self.value):
            return "n/a"
        error = "" if math.isnan(self.error) else f" ± {self.error:.4f}"
        corrected = "" if math.isnan(self.corrected) else f" → {self.corrected:.4f}"
        as_they_are = "" if math.isnan(self.as_they_are) else f" ({self.as_they_are:.4f})"
        return f"{self.value:.4f}{error}{corrected}{as_they_are}"


def cell_of(record: Record, *, errors: Errors = "spread") -> Cell:
    """What to say of a record.

    Of point estimates the mean over members, and the ensemble's metric corrected for the labels' error.  Of densities
    those smeared by the labels' error where that is known, since an honest one looks honest only so, and beside that
    the densities as they are.

    Parameters
    ----------
    record
        As `mixz.metrics.summarize` and `mixz.metrics.summarize_pdf` give it.
    errors
        What follows the ± of point estimates: the ``spread`` over members, or the ``bootstrap`` error of their mean.
    """
    if record["estimate"] != "pdf":
        error = record["std" if errors == "spread" else "bootstrap"]
        return Cell(record["mean"], error, corrected=record.get("corrected", math.nan))
    if is_corrected([record]):
        return Cell(record["corrected"], record["corrected_error"], as_they_are=record["mean"])
    return Cell(record["mean"], record["bootstrap"])


def is_corrected(records: Iterable[Record]) -> bool:
    """Whether some metric of a table is corrected for the labels' error."""
    return any(not math.isnan(r.get("corrected", math.nan)) for r in records)
