"""n(z) of tomographic bins for a terminal: means and widths by every method, and the DESC SRD's verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mixz.metrics.summary import Record

MARKS = {"met": "met", "missed": "MISSED", "cannot be tested": "untested"}
REFERENCES = ("truth", "both")


def reference_of(one: Record) -> str:
    """The method that a bin's others are compared with."""
    return next((name for name in REFERENCES if name in one["methods"]), "")


def nz_tables(record: Record) -> Iterator[Table]:
    """Means of every bin by every method, and the verdict on them; nothing of a recipe without densities."""
    if "bins" not in record:
        return
    name = f" of {record['recipe']}" if "recipe" in record else ""
    simulated = " SIMULATED" if record.get("simulated") else ""
    methods = list(dict.fromkeys(method for one in record["bins"] for method in one["methods"]))
    table = Table(title=f"Mean redshift of the bins{name}{simulated}", title_justify="left")
    for column in ("z_phot", "galaxies", *methods):
        table.add_column(column, justify="right")
    for one in record["bins"]:
        told = [one["methods"].get(method) for method in methods]
        cells = ["" if t is None else with_error(t["mean"], t["mean_error"]) for t in told]
        table.add_row(one["name"], f"{one['galaxies']:,}", *cells)
    yield table
    asked = list(dict.fromkeys(v["requirement"] for v in record["verdicts"]))
    table = Table(title=f"DESC SRD{name}: bins that meet, miss, cannot be tested", title_justify="left")
    for column in ("method", *asked):
        table.add_column(column, justify="right")
    for method in dict.fromkeys(v["method"] for v in record["verdicts"]):
        table.add_row(method, *(counted(record, method, requirement) for requirement in asked))
    yield table


def nz_lines(record: Record) -> list[str]:
    """What else must be said, a line each."""
    if "why_not" in record:
        return [f"n(z) of {record['recipe']}: {record['why_not']}"]
    lines = [f"in no bin: {n:,} ({reason})" for reason, n in record["left_out"].items()]
    for one in record["bins"]:
        lines += [f"{one['name']}, {method}: {why}" for method, why in one["why_not"].items()]
    return [*lines, *record["notes"]]


def counted(record: Record, method: str, requirement: str) -> str:
    """How many bins meet, miss and cannot be tested, e.g. ``3 / 1 / 1``.

    Examples
    --------
    >>> one = {"method": "stack", "requirement": "lens Y10 mean", "outcome": "met"}
    >>> counted({"verdicts": [one, one | {"outcome": "missed"}]}, "stack", "lens Y10 mean")
    '1 / 1 / 0'
    """
    found = [v["outcome"] for v in record["verdicts"] if (v["method"], v["requirement"]) == (method, requirement)]
    return " / ".join(str(found.count(outcome)) for outcome in MARKS)


def with_error(value: Any, error: Any) -> str:
    """A number and its error.

    Examples
    --------
    >>> with_error(0.51234, 0.0042), with_error(0.5, None)
    ('0.5123 ± 0.0042', '0.5000')
    """
    return f"{value:.4f}" if error is None else f"{value:.4f} ± {error:.4f}"
