"""What stands for "missing" in which kind of column, and the account of every value that was taken for it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from mixz.data.meaning.numbers import close_to, column_of, numbers, units_of
from mixz.data.meaning.units import parsed
from mixz.errors import MixzError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from mixz.arrays import Floats, Mask
    from mixz.data.meaning.units import Unit
    from mixz.surveys.columns import Columns

NINES = (99.0, 99.9, 99.99, 999.0, 999.9, 999.99, 9999.0)
USUAL = (*NINES, *(-nine for nine in NINES))
USUAL_MARKS: Mapping[str, tuple[float, ...]] = {
    "mag": USUAL,
    "mag_err": USUAL,
    "z": (*USUAL, 9.99),
    "z_err": (*USUAL, 9.99),
}
"""Numbers that stand for "none" in a kind of column where `columns.missing` does not say otherwise."""
SUSPECT = tuple(mark for mark in USUAL if mark != 99)
"""Numbers that are often marks: in a column where they are taken as numbers they are worth a word."""
REPEATED_SHARE = 0.01
"""Share of a column's values from which one that repeats exactly is named."""
REPEATED_LEAST, REPEATED_ALONE, TIMES_THE_OTHERS = 4, 20, 3
"""Fewer equal values than this (or than that where a column has no other) are chance, and so are those that are not so
many times as frequent as nearly all others that repeat."""
NAMED = 5
"""How many repeated values of a column are named, at most."""


@dataclass(frozen=True)
class Values:
    """A column's numbers as the table has them.

    Parameters
    ----------
    name
        The column.
    data
        Shape (row,), NaN where empty.
    unit
        Its unit, where it has one.
    precision
        The type in which the table holds it; of text single precision.
    """

    name: str
    data: Floats
    unit: Unit | None
    precision: np.dtype[Any]

    @classmethod
    def of(cls, frame: pd.DataFrame, name: str, *, where: str) -> Values:
        """Read a column of a table.

        Raises
        ------
        MixzError
            It is not there, or holds no numbers.
        """
        dtype = column_of(frame, name, where=where).dtype
        kind = getattr(dtype, "numpy_dtype", dtype)
        # Text may have been written from single precision: 99.900002.
        precision = kind if isinstance(kind, np.dtype) and kind.kind in "iuf" else np.dtype(np.float32)
        return cls(name, numbers(frame, name, where=where), parsed(units_of(frame).get(name, "")), precision)

    def are(self, marks: Sequence[float | str]) -> Mask:
        """Which values are one of some marks (numbers, ``nan`` or ``inf``), shape (row,)."""
        found = np.zeros(len(self.data), dtype=bool)
        for mark in marks:
            found |= (
                np.isnan(self.data) if mark == "nan" else close_to(self.data, float(mark), precision=self.precision)
            )
        return found


@dataclass
class Account:
    """The account of a table's values: what was taken for missing, by column and reason, and what looks like a mark.

    It holds the same however the table is cut into pieces.

    Parameters
    ----------
    where
        What to call the table.
    rows
        How many rows it has at most, where that is known.

    Examples
    --------
    >>> account = Account("a.csv")
    >>> account.take("mag_g", "is 99", np.array([True, False, True]))
    array([ True, False,  True])
    >>> account.taken
    Counter({('mag_g', 'is 99'): 2})
    """

    where: str
    rows: int | None = None
    taken: Counter[tuple[str, str]] = field(default_factory=Counter)
    notes: dict[str, None] = field(default_factory=dict)
    seen: dict[str, _Repeats] = field(default_factory=dict)
    suspect: Counter[tuple[str, float]] = field(default_factory=Counter)
    judged: dict[str, _Judged] = field(default_factory=dict)

    def take(self, column: str, reason: str, which: Mask) -> Mask:
        """Enter values that are taken for missing, and give their mask back."""
        if count := int(np.count_nonzero(which)):
            self.taken[column, reason] += count
        return which

    def marked(self, values: Values, kind: str, columns: Columns, among: Mask | None = None) -> Mask:
        """Which values say that there is none: empty ones, infinite ones, and the marks of their kind of column.

        Parameters
        ----------
        values
            The column.
        kind
            What it is: ``mag``, ``mag_err``, ``flux``, ``flux_err``, ``z``, ``z_err``, ``dust`` or ``other``.
        columns
            The column map, which may name marks by kind or by column.
        among
            The rows in question; all if not given.
        """
        data = values.data
        asked = np.ones(len(data), dtype=bool) if among is None else among
        found = self.take(values.name, "empty", np.isnan(data) & asked)
        found = found | self.take(values.name, "infinite", np.isinf(data) & asked)
        for mark in marks_of(values.name, kind, columns):
            found |= self.take(values.name, f"is {mark:g}", values.are([mark]) & asked & ~found)
        return found

    def watch(self, name: str, values: Floats) -> None:
        """Look for values that repeat exactly among those that are believed; NaN is passed over."""
        found, counts = np.unique(values[np.isfinite(values)], return_counts=True)
        again = counts > 1  # all others together would fill the memory
        seen = self.seen.setdefault(name, _Repeats())
        seen.count, seen.others = seen.count + int(counts.sum()), seen.others + int((~again).sum())
        seen.repeated.update(dict(zip(found[again].tolist(), counts[again].tolist(), strict=True)))

    def watch_marks(self, name: str, values: Floats) -> None:
        """Look for numbers that are marks elsewhere, in a column where every number is believed."""
        for mark in SUSPECT:
            if count := int(np.count_nonzero(values == mark)):
                self.suspect[name, mark] += count

    def note(self, text: str) -> None:
        """Say something of the table once."""
        self.notes[text] = None

    def require(self, what: str, name: str, values: Floats, low: float, high: float, *, do: str) -> None:
        """Look whether a column can be what it should: refused once many of its values lie outside low to high.

        Raises
        ------
        MixzError
            However the rest may be, too many values lie outside.
        """
        judged = self.judged.setdefault(name, _Judged(what, low, high, do))
        judged.add(values)
        if self.rows is not None and judged.strange > STRANGERS * self.rows:
            raise judged.refusal(name, self.where)

    def finish(self) -> None:
        """Judge the whole table.

        Raises
        ------
        MixzError
            A column does not hold what it should.
        """
        for name, judged in self.judged.items():
            if judged.strange > STRANGERS * judged.seen:
                raise judged.refusal(name, self.where)

    def warnings(self) -> list[str]:
        """Name what a person should look at: values that repeat exactly, and what was noted."""
        return [
            *self.notes,
            *(
                f"{self.where} column {name!r}: {count:,} values are exactly {value:g}; if that stands for none, say "
                f"so under columns: missing: {{{name}: [{value:g}]}}"
                for name, value, count in self._odd()
            ),
        ]

    def remarks(self) -> list[str]:
        """The same without the table's name and without counts: equal for all parts of a table of which it holds.

        Examples
        --------
        >>> account = Account("part 7")
        >>> account.note("part 7 is asked without y: it lacks columns of these bands")
        >>> account.remarks()
        ['is asked without y: it lacks columns of these bands']
        """
        noted = [text.removeprefix(self.where).lstrip(": ") for text in self.notes]
        odd = [
            f"column {name!r}: many values are exactly {value:g}; if that stands for none, say so under columns: "
            f"missing: {{{name}: [{value:g}]}}"
            for name, value, _ in self._odd()
        ]
        return [*noted, *odd]

    def _odd(self) -> list[tuple[str, float, int]]:
        """Column, value and count of what repeats exactly, or is a mark elsewhere."""
        repeated = [(name, *often) for name, seen in self.seen.items() for often in seen.often()]
        return [*repeated, *((name, mark, count) for (name, mark), count in self.suspect.items())]


@dataclass
class _Repeats:
    """Values of a column that repeat exactly, and how many others there are."""

    count: int = 0
    others: int = 0
    repeated: Counter[float] = field(default_factory=Counter)

    def often(self) -> list[tuple[float, int]]:
        """The values that repeat so much more often than the others that they may stand for something."""
        found = []
        for value, count in self.repeated.most_common(NAMED):
            rest = [n for v, n in self.repeated.items() if v != value]
            usual = np.quantile(rest, 0.9) if rest else 1
            alone = not rest and not self.others
            least = max(REPEATED_ALONE if alone else REPEATED_LEAST, REPEATED_SHARE * self.count)
            if count >= least and count > TIMES_THE_OTHERS * usual:
                found.append((value, count))
        return found


STRANGERS = 0.2
"""Share of values outside a range from which a column is not what it should be."""


@dataclass
class _Judged:
    """Whether a column's values lie where they should."""

    what: str
    low: float
    high: float
    do: str
    seen: int = 0
    strange: int = 0
    example: float = np.nan

    def add(self, values: Floats) -> None:
        values = values[np.isfinite(values)]
        outside = values[(values < self.low) | (values > self.high)]
        if len(outside) and not self.strange:
            self.example = float(outside[0])
        self.seen, self.strange = self.seen + len(values), self.strange + len(outside)

    def refusal(self, name: str, where: str) -> MixzError:
        return MixzError(
            f"{where} column {name!r} holds no {self.what}: {self.strange:,} of {self.seen:,} values lie outside "
            f"{self.low:g} to {self.high:g}, e.g. {self.example:.3g}",
            f"{self.what} between {self.low:g} and {self.high:g}",
            self.do,
        )


def marks_of(name: str, kind: str, columns: Columns) -> tuple[float, ...]:
    """The numbers that stand for "none" in a column: as the config says for it, or for its kind, or the usual ones."""
    told = columns.missing
    return told.get(name, told.get(kind, USUAL_MARKS.get(kind, ())))
