"""What the verbs print: ledger and metrics as tables with LSST's verdict, the paper's ratios in words, the registry."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from rich import box
from rich.table import Table
from rich.text import Text

from mixz.galaxies import SPLITS
from mixz.metrics.metric import METRICS, columns
from mixz.metrics.summary import ratios
from mixz.metrics.verdict import verdicts
from mixz.report.cell import CORRECTED, SMEARED, cell_of, is_corrected
from mixz.report.held_against.claims import RANGE, claimed_ratio

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mixz.data.cuts import LedgerEntry
    from mixz.data.fetching.registry import DataSet, RemoteFile
    from mixz.metrics.summary import Record
    from mixz.metrics.verdict import Verdict
    from mixz.truths.by_magnitude import BinCorrection

SIMULATED = "SIMULATED galaxies: no number here says anything about a real survey"
"""Stands wherever numbers or figures are made from a simulation."""

MARKS = {True: "✓", False: "✗", None: ""}
STYLES = {True: "green", False: "red", None: ""}
PAPER_REFINED = ("tl", "combo")
IN_RATIOS = ("bias", "rms", "outlier_fraction", "catastrophic_fraction")


def ledger_table(entries: Sequence[LedgerEntry]) -> Table:
    """Lay the ledger of a build out as a table."""
    table = Table(title="galaxies in and out of every step", title_justify="left")
    for name in ("table", "step"):
        table.add_column(name)
    for name in ("in", "out", "taken"):
        table.add_column(name, justify="right")
    notes = [_note(e) for e in entries]
    if any(notes):
        table.add_column("note")
    for e, note in zip(entries, notes, strict=True):
        numbers = (f"{e.rows_in:,}", f"{e.rows_out:,}", f"{e.rows_in - e.rows_out:,}")
        table.add_row(e.table, e.step, *numbers, *([note] if any(notes) else []))
    return table


def missing_table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """Lay out what a build took for missing, by table, column and reason."""
    table = Table(title="values taken for missing", title_justify="left")
    for name in ("table", "column", "because it"):
        table.add_column(name)
    table.add_column("values", justify="right")
    for row in rows:
        table.add_row(row["table"], row["column"], row["reason"], f"{row['values']:,}")
    return table


def corrections_table(found: Sequence[BinCorrection], borders: Sequence[float]) -> Table:
    """Lay out how a kernel is corrected in each bin of magnitude that has galaxies."""
    table = Table(title="corrections of the kernel", title_justify="left", box=box.SIMPLE_HEAD)
    for name in ("from mag", "to", "galaxies", "width of core x", "outliers", "offset in dz"):
        table.add_column(name, justify="right")
    for low, high, one in zip(("", *borders), (*borders, ""), found, strict=True):
        if one.galaxies:
            numbers = ((one.width, one.width_error), (one.outliers, one.outliers_error), (one.offset, one.offset_error))
            told = (f"{value:.3f} ± {error:.3f}" if error is not None else f"{value:.3f}" for value, error in numbers)
            table.add_row(str(low), str(high), f"{one.galaxies:,}", *told)
    return table


def registry_table(registry: Mapping[str, DataSet]) -> Table:
    """Lay the data sets that can be fetched out as a table: sizes, how each file is checked, what it is for."""
    table = Table(title="public data sets for `mixz fetch`", title_justify="left", box=box.SIMPLE_HEAD)
    table.add_column("name", no_wrap=True)
    table.add_column("file", overflow="fold")
    table.add_column("GB", justify="right")
    table.add_column("checked by")
    table.add_column("for")
    for name, data_set in registry.items():
        if data_set.query:
            table.add_row(name, f"{data_set.query} (needs an account)", "", "", data_set.purpose)
        for number, file in enumerate(data_set.files):
            first = (name, data_set.purpose) if number == 0 else ("", "")
            table.add_row(first[0], file.name, _gigabytes(file), _check(file, data_set), first[1])
    return table


def _gigabytes(file: RemoteFile) -> str:
    if file.bytes:
        return f"{file.bytes / 1e9:.1f}"
    return f"~{file.about_bytes / 1e9:.1f}" if file.about_bytes else "?"


def _check(file: RemoteFile, data_set: DataSet) -> str:
    if file.checksum:
        return file.checksum.partition(":")[0].upper()
    return "Zenodo's MD5" if data_set.record else "first SHA-256"


def _note(entry: LedgerEntry) -> str:
    """In a few words, what a match, an overlap or the split has to tell beyond its rows."""
    told = entry.details
    if "labels_in" in told:
        return f'{told["labels_in"]:,} labels, {told["median_arcsec"]:.2f}", {told["false_matches"]:,} by chance'
    if "same_id" in told:
        return f"{told['same_id']:,} by id, {told['same_place']:,} by place"
    return ", ".join(f"{told[side]:,} {side}" for side in SPLITS if side in told)


def verdict_lines(found: Sequence[Verdict]) -> list[Text]:
    """The verdict on each sample in a sentence, and below it what LSST asks of the best recipe, with margins.

    Examples
    --------
    >>> common = {"truth": "spec", "sample": "test", "z_range": "all", "n": 9, "recipe": "tl"}
    >>> asked = {"metric": "bias", "mean": 0.001, "requirement": 0.003, "passes": True, "requirement_source": "SRD"}
    >>> loss = {"metric": "hsc_loss", "mean": 0.08, "requirement": None}
    >>> for line in verdict_lines(verdicts([common | asked, common | loss])):
    ...     print(line.plain)
    spec: tl is the only recipe (hsc_loss 0.0800).
      LSST: bias ✓ by 0.002
    """
    lines = []
    for verdict in found:
        line = Text(verdict.sentence())
        line.stylize("bold", 0, len(verdict.where) + 1)
        closest = verdict.runner_up
        if verdict.best is not None:
            start = len(verdict.where) + 2
            sure = closest is not None and closest.significant
            line.stylize("bold green" if sure else "bold", start, start + len(verdict.best))
        lines.append(line)
        checks = verdict.checks_of(verdict.best) if verdict.best is not None else ()
        if checks:
            told = [
                (f"{METRICS[c.metric].title} {MARKS[c.passes]} by {abs(c.margin):.2g}", STYLES[c.passes])
                for c in checks
            ]
            parts = [part for one in told for part in (one, ", ")][:-1]
            lines.append(Text.assemble("  LSST: ", *parts))
    return lines


def metrics_tables(records: Sequence[Record], differences: Sequence[Record] = (), *, z_range: str) -> list[Table]:
    """Lay the records of one redshift range out: a table per sample, a row per recipe, mean and spread over members.

    A tick or cross says whether the mean meets the LSST requirement that stands in the heading; a star marks the best
    recipe, and a wave those that the data cannot tell from it.  Where labels are noisy, a third line tells the
    ensemble's metric corrected for their error.
    """
    names = [metric.name for metric in columns()]
    chosen = [r for r in records if r["z_range"] == z_range and r["metric"] in names]
    found = {(v.truth, v.sample): v for v in verdicts(records, differences, z_range=z_range)}
    samples = dict.fromkeys((r["truth"], r["sample"]) for r in chosen)
    return [
        _sample_table([r for r in chosen if (r["truth"], r["sample"]) == sample], found[sample]) for sample in samples
    ]


def _title(first: Record, z_range: str) -> str:
    galaxies = "test galaxies" if first["sample"] == "test" else f"{first['sample']} galaxies"
    inside = {"all": "", "lsst": ", LSST's range"}.get(z_range, f", label in {z_range}")
    without = first.get("left_out", 0)
    left_out = f" ({without:,} more have no redshift by some recipe)" if without else ""
    return f"judged on {first['truth']}: {first['n']:,} {galaxies}{inside}{left_out}"


def _sample_table(records: Sequence[Record], verdict: Verdict) -> Table:
    first = records[0]
    members = first["members"]
    spread = f"mean ± spread of {members} members" if members > 1 else "1 member: another start may come out otherwise"
    title = f"{_title(first, verdict.z_range)}; {spread}"
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), title_style="bold")
    table.add_column("recipe\nLSST", overflow="fold")
    limits = {r["metric"]: r.get("requirement") for r in records}
    for metric in columns():
        limit = limits.get(metric.name)
        table.add_column(f"{metric.title}\n{'' if limit is None else f'< {limit:g}'}", justify="right", no_wrap=True)
    for recipe in dict.fromkeys(r["recipe"] for r in records):
        cells = {r["metric"]: r for r in records if r["recipe"] == recipe}
        table.add_row(_name(recipe, verdict), *(_cell(cells[metric.name]) for metric in columns()))
    notes = []
    if verdict.best is not None and verdict.leads:
        notes.append(f"★ best {METRICS[verdict.metric].title}" + (", ≈ not told from it" if verdict.equals else ""))
    if is_corrected(records):
        notes.append(CORRECTED)
    if notes:
        table.caption, table.caption_justify = "; ".join(notes), "left"
    return table


def _name(recipe: str, verdict: Verdict) -> Text:
    if recipe == verdict.best and verdict.leads:
        return Text(f"★ {recipe}", style="bold")
    return Text(f"≈ {recipe}" if recipe in verdict.equals else f"  {recipe}")


def _cell(record: Record) -> Text:
    found = cell_of(record)
    if math.isnan(found.value):
        return Text("n/a", style="dim")
    mark = MARKS[record["passes"]]
    under = " " * (len(mark) + 1) if mark else ""
    cell = Text(f"{found.value:.4f} {mark}".rstrip(), style=STYLES[record["passes"]])
    if not math.isnan(found.error):
        cell.append(f"\n±{found.error:.4f}{under}")
    if not math.isnan(found.corrected):
        cell.append(f"\n→{found.corrected:.4f}{under}", style="dim")
    if not math.isnan(found.as_they_are):
        cell.append(f"\n({found.as_they_are:.4f})", style="dim")
    return cell


def pdf_tables(records: Sequence[Record], *, z_range: str) -> list[Table]:
    """Lay the records of densities out, a table per sample and a row per recipe that has any; none where none has.

    Where labels are noisy, numbers are of the densities smeared by the labels' errors, and below of them as they are.
    """
    metrics = columns(of_densities=True)
    chosen = [r for r in records if r["z_range"] == z_range and r["metric"] in {metric.name for metric in metrics}]
    tables = []
    for truth, sample in dict.fromkeys((r["truth"], r["sample"]) for r in chosen):
        mine = [r for r in chosen if (r["truth"], r["sample"]) == (truth, sample)]
        table = Table(
            title=f"densities {_title(mine[0], z_range)}",
            title_justify="left",
            title_style="bold",
            box=box.SIMPLE_HEAD,
            padding=(0, 1, 0, 0),
        )
        table.add_column("recipe\nhonest:", overflow="fold")
        for metric in metrics:
            honest = f"{metric.best:g}" if metric.asks_honesty else ""
            table.add_column(f"{metric.title}\n{honest}", justify="right", no_wrap=True)
        for recipe in dict.fromkeys(r["recipe"] for r in mine):
            cells = {r["metric"]: r for r in mine if r["recipe"] == recipe}
            table.add_row(recipe, *(_cell(cells[metric.name]) for metric in metrics))
        if is_corrected(mine):
            table.caption, table.caption_justify = Text(SMEARED), "left"
        tables.append(table)
    return tables


def ratio_lines(records: Sequence[Record], *, truth: str = "spec", over: str = "base") -> list[str]:
    """The paper's ratios in words: how many times smaller each metric is than `over`'s, on a truth's test galaxies.

    Examples
    --------
    >>> common = {"truth": "spec", "sample": "test", "z_range": "0.3-1.5", "metric": "rms"}
    >>> ratio_lines([common | {"recipe": "base", "mean": 0.12}, common | {"recipe": "tl", "mean": 0.08}])
    ['base / tl on spec, 0.3-1.5: rms 1.50 (paper 1.5)']
    """
    recipes = {r["recipe"] for r in records}
    lines = []
    for under in PAPER_REFINED:
        for z_range in (RANGE, "all"):
            if not {over, under} <= recipes:
                continue
            values = ratios(records, over=over, under=under, truth=truth, z_range=z_range)
            place = {"over": over, "under": under, "truth": truth, "z_range": z_range}
            told = [_ratio(m, values[m], claimed_ratio(m, **place)) for m in IN_RATIOS if m in values]
            if told:
                lines.append(f"{over} / {under} on {truth}, {z_range}: {', '.join(told)}")
    return lines


def _ratio(metric: str, value: float, claim: float | None) -> str:
    name = "|bias|" if metric == "bias" else metric
    told = "down to none" if math.isinf(value) else f"{value:.2f}"
    return f"{name} {told}" + (f" (paper {claim:g})" if claim else "")
