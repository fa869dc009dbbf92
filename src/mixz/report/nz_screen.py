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
    if not _is_tested(record):
        return
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
    lines += reasons(record)
    if not _is_tested(record):
        lines.append("DESC SRD: no limit can be tested in any bin")
    elif any("from memory" in v["requirement"] for v in record["verdicts"]):
        lines.append("(from memory): nobody has read this limit in the SRD itself yet, see docs/tomography.md")
    return [*lines, *record["notes"]]


def reasons(record: Record) -> list[str]:
    """Why methods say nothing of bins: each reason once, with the methods and the bins that it holds of.

    Examples
    --------
    >>> none = {"stack": "no densities", "labels": "no labels", "both": "no labels"}
    >>> reasons({"bins": [{"name": "0-1", "why_not": none}, {"name": "1-2", "why_not": {"stack": "no densities"}}]})
    ['stack in every bin: no densities', 'labels, both in 0-1: no labels']
    """
    methods: dict[tuple[str, str], list[str]] = {}  # of a bin and a reason
    for one in record["bins"]:
        for method, why in one["why_not"].items():
            methods.setdefault((one["name"], why), []).append(method)
    bins: dict[tuple[str, str], list[str]] = {}  # of methods and a reason
    for (name, why), those in methods.items():
        bins.setdefault((", ".join(those), why), []).append(name)
    every = len(record["bins"])
    return [
        f"{those} in {'every bin' if len(names) == every else ', '.join(names)}: {why}"
        for (those, why), names in bins.items()
    ]


def _is_tested(record: Record) -> bool:
    return any(verdict["outcome"] != "cannot be tested" for verdict in record["verdicts"])


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
