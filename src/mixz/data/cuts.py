"""Named cuts, and the ledger that says how many galaxies each step took."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from mixz.data.expressions import evaluate
from mixz.data.meaning.exact import bits, equal, floats, plain
from mixz.data.meaning.numbers import require_columns
from mixz.errors import MixzError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pandas as pd

    from mixz.arrays import Floats, Mask
    from mixz.data.meaning.missing import Account
    from mixz.surveys.columns import Cut


TAKEN = "taken for missing"
"""What a ledger calls its count of values that were taken for missing."""


@dataclass(frozen=True)
class LedgerEntry:
    """One line of the ledger: a step on one table, galaxies in and out, and what else is to be told of it."""

    table: str
    step: str
    rows_in: int
    rows_out: int
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class Ledger:
    """The account of a build: every step that may take galaxies writes one entry.

    Beside the steps it tells what was taken for missing, by column and reason, and what a person should look at.

    Examples
    --------
    >>> ledger = Ledger()
    >>> kept = ledger.apply("cosmos", "galaxies_only", np.array([True, False, True]))
    >>> ledger.as_rows()
    [{'table': 'cosmos', 'step': 'galaxies_only', 'rows_in': 3, 'rows_out': 2}]
    """

    entries: list[LedgerEntry] = field(default_factory=list)
    missing: list[dict[str, Any]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def apply(self, table: str, step: str, keep: Mask) -> Mask:
        """Enter a step that keeps the rows of `keep`, and give the mask back.

        Raises
        ------
        MixzError
            The step leaves no galaxy; the message names it and the steps before.
        """
        self.enter(table, step, len(keep), int(keep.sum()))
        return keep

    def enter(self, table: str, step: str, rows_in: int, rows_out: int, **details: Any) -> None:
        """Enter a step by its numbers.

        Raises
        ------
        MixzError
            The step leaves no galaxy.
        """
        self.entries.append(LedgerEntry(table, step, rows_in, rows_out, details))
        if not rows_out:
            trail = ", ".join(f"{e.step} {e.rows_in} -> {e.rows_out}" for e in self.entries if e.table == table)
            raise MixzError(f"{table}: no galaxy is left after {step!r} ({trail})", "at least one", f"loosen {step!r}")

    def take_over(self, table: str, accounts: Iterable[Account]) -> None:
        """Enter what was taken for missing in a table's files, by column and reason, and what a person should see."""
        taken: Counter[tuple[str, str]] = Counter()
        for account in accounts:
            taken.update(account.taken)
            self.warnings += account.warnings()
        self.missing += [{"table": table, "column": c, "reason": r, "values": n} for (c, r), n in taken.items()]

    def missing_rows(self) -> list[dict[str, Any]]:
        """What was taken for missing, as rows of the same file: no galaxy goes in that step."""
        return [{"step": TAKEN, **row} for row in self.missing]

    def as_rows(self) -> list[dict[str, Any]]:
        """The entries as plain dictionaries, for JSON and tables."""
        names = ("table", "step", "rows_in", "rows_out")
        return [{name: getattr(e, name) for name in names} | dict(e.details) for e in self.entries]


def kept(cut: Cut, frame: pd.DataFrame, *, where: str) -> Mask:
    """Which rows of a table a cut keeps, shape (row,).

    Parameters
    ----------
    cut
        The cut.
    frame
        The columns that it speaks of.
    where
        The table, for messages.

    Raises
    ------
    MixzError
        It speaks of what is neither a column nor arithmetic, or compares a column with what it cannot hold.

    Examples
    --------
    >>> import pandas as pd
    >>> from mixz.surveys.columns import Cut
    >>> table = pd.DataFrame({"kind": ["GALAXY", "STAR"], "flags": [4, 8]})
    >>> kept(Cut(name="galaxies", column="kind", equals="GALAXY"), table, where="demo")
    array([ True, False])
    >>> kept(Cut(name="clean", column="flags & 4", equals=0), table, where="demo")
    array([False,  True])
    """
    if cut.repeated or cut.column in frame:
        values = plain(_column(frame, cut.column, where))
    else:
        values = evaluate(
            cut.column,
            lambda name: floats(_column(frame, name, where), where=where),
            bits=lambda name: bits(_column(frame, name, where), where=where),
        )
    if cut.repeated:
        return unrepeated(cut, values)
    if not cut.wanted:
        return passes(cut, floats(values, where=where))
    found = np.logical_or.reduce([equal(values, wanted, where=where) for wanted in cut.wanted])
    return np.asarray(np.where(values.isna(), cut.missing == "keep", found))


def _column(frame: pd.DataFrame, name: str, where: str) -> pd.Series[Any]:
    require_columns([name], list(frame.columns), where=where)
    return frame[name]


def passes(cut: Cut, values: Floats) -> Mask:
    """Which galaxies pass a cut's bounds on their `values`, shape (galaxy,).

    Examples
    --------
    >>> from mixz.surveys.columns import Cut
    >>> passes(Cut(name="bright", column="mag_i", max=24), np.array([23, 25, np.nan]))
    array([ True, False, False])
    >>> passes(Cut(name="good", column="z_spec", above=0, missing="keep"), np.array([0.5, 0, np.nan]))
    array([ True, False,  True])
    """
    missing = np.isnan(values)
    keep = ~missing
    if cut.min is not None:
        keep &= values >= cut.min
    if cut.max is not None:
        keep &= values <= cut.max
    if cut.above is not None:
        keep &= values > cut.above
    if cut.below is not None:
        keep &= values < cut.below
    return np.asarray(keep | missing if cut.missing == "keep" else keep)


def unrepeated(cut: Cut, values: pd.Series[Any]) -> Mask:
    """Which rows a cut on repeated values keeps, shape (row,); values may be text.

    Examples
    --------
    >>> import pandas as pd
    >>> from mixz.surveys.columns import Cut
    >>> names = pd.Series(["a", "b", "a", None, None])
    >>> unrepeated(Cut(name="once", column="name", repeated="first"), names)
    array([ True,  True, False, False, False])
    >>> unrepeated(Cut(name="once", column="name", repeated="drop", missing="keep"), names)
    array([False,  True, False,  True,  True])
    """
    values = plain(values)
    missing = values.isna().to_numpy()
    again = values.duplicated(keep="first" if cut.repeated == "first" else False).to_numpy()
    return np.asarray(np.where(missing, cut.missing == "keep", ~again))
