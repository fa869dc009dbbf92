"""Named cuts, each a mask, and the ledger that says how many galaxies each one took."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from mixz.errors import MixzError

if TYPE_CHECKING:
    from mixz.config import Cut
    from mixz.schema import Floats, Mask


@dataclass(frozen=True)
class Entry:
    """One line of the ledger: a step on one table, galaxies in and out."""

    table: str
    step: str
    rows_in: int
    rows_out: int


@dataclass
class Ledger:
    """The account of a build: every step that may take galaxies writes one entry.

    Examples
    --------
    >>> ledger = Ledger()
    >>> kept = ledger.apply("cosmos", "galaxies_only", np.array([True, False, True]))
    >>> ledger.entries
    [Entry(table='cosmos', step='galaxies_only', rows_in=3, rows_out=2)]
    """

    entries: list[Entry] = field(default_factory=list)

    def apply(self, table: str, step: str, keep: Mask) -> Mask:
        """Enter a step that keeps the rows of `keep`, and give the mask back.

        Raises
        ------
        MixzError
            The step leaves no galaxy; the message names it and the steps before.
        """
        self.entries.append(Entry(table, step, len(keep), int(keep.sum())))
        if not keep.any():
            trail = ", ".join(f"{e.step} {e.rows_in} -> {e.rows_out}" for e in self.entries if e.table == table)
            raise MixzError(f"{table}: no galaxy is left after {step!r} ({trail})", "at least one", f"loosen {step!r}")
        return keep

    def as_rows(self) -> list[dict[str, Any]]:
        """Give the entries as plain dictionaries, for JSON and tables."""
        return [asdict(entry) for entry in self.entries]


def passes(cut: Cut, values: Floats) -> Mask:
    """Say which galaxies pass a cut on their `values`, shape (galaxy,).

    Examples
    --------
    >>> from mixz.config import Cut
    >>> passes(Cut(name="bright", column="mag_i", max=24), np.array([23, 25, np.nan]))
    array([ True, False, False])
    >>> passes(Cut(name="good", column="z_spec", min=0.01, missing="keep"), np.array([0.5, 0, np.nan]))
    array([ True, False,  True])
    """
    missing = np.isnan(values)
    keep = ~missing
    if cut.min is not None:
        keep &= values >= cut.min
    if cut.max is not None:
        keep &= values <= cut.max
    if cut.equals is not None:
        keep &= values == cut.equals
    return np.asarray(keep | missing if cut.missing == "keep" else keep)
