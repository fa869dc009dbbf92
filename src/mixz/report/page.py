"""The report as one HTML file: verdict first, then the evidence; nothing in it needs a network."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from functools import cache
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markdown_it import MarkdownIt
from markupsafe import Markup

from mixz.metrics.verdict import verdicts
from mixz.report.browser import browse
from mixz.report.charts_judged import (
    metric_charts,
    prediction_charts,
    probability_charts,
    redshift_chart,
    residual_charts,
)
from mixz.report.charts_made import distribution_charts, training_charts
from mixz.report.estimates import estimate_charts, estimate_tables
from mixz.report.glossary import TERMS, term
from mixz.report.intervals import interval_charts, interval_tables, judged_intervals
from mixz.report.plot import Group, recipe_colour
from mixz.report.run import entries
from mixz.report.screen import SIMULATED
from mixz.report.vega import vega_script

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mixz.metrics.summary import Record
    from mixz.report.intervals import Held, JudgedBy
    from mixz.report.run import Entry, Run

TEMPLATES = Path(__file__).parent / "templates"
TABLE_METRICS = ("bias", "sigma_mad", "rms", "outlier_fraction", "catastrophic_fraction", "hsc_loss")
TABLE_PDF_METRICS = ("pit_ks", "coverage_68", "coverage_95", "crps", "cde_loss", "log_score")


def report_page(runs: Sequence[Run]) -> str:
    """Write the report of a run, or of several beside each other, as one HTML page.

    Parameters
    ----------
    runs
        One or more; their names must differ.
    """
    every = entries(runs)
    labels = [entry.label for entry in every]
    truths = list(dict.fromkeys(truth for run in runs for truth in run.truths))
    intervals = judged_intervals(every)
    sections = _sections(runs, every, truths, intervals)
    charts = [chart for groups in sections.values() for group in groups for chart in group.charts]
    data = {
        "charts": {chart.key: chart.spec | {"description": chart.description} for chart in charts},
        "galaxies": {run.name: browse(run, [e for e in every if e.run is run]) for run in runs},
        "records": _flat(runs),
        "recipes": {label: recipe_colour(labels, label) for label in labels},
        "terms": {name: f"{t.sentence} {t.formula}" for name, t in TERMS.items()},
    }
    return (
        environment()
        .get_template("report.html.jinja")
        .render(
            title=" and ".join(run.name for run in runs),
            runs=runs,
            simulated=SIMULATED if any(run.about.get("simulated") for run in runs) else "",
            recipes=data["recipes"],
            verdicts={run.name: verdicts(run.records, run.differences) for run in runs},
            lsst={run.name: verdicts(run.records, run.differences, z_range="lsst") for run in runs},
            tables=metric_tables(runs, TABLE_METRICS),
            pdf_tables=metric_tables(runs, TABLE_PDF_METRICS),
            estimate_tables=estimate_tables(runs),
            interval_tables=interval_tables(intervals),
            compared=comparison(runs) if len(runs) > 1 else [],
            sections=sections,
            cards=[(e.label, markdown(e.run.cards.get(e.recipe, ""))) for e in every],
            flowcharts=[
                (run.name, inline_svg(run.flowchart, f"flow-{k}")) for k, run in enumerate(runs) if run.flowchart
            ],
            terms=TERMS,
            data=script_json(data),
            vega=Markup(vega_script()),
            css=Markup((TEMPLATES / "page.css").read_text()),
            js=Markup((TEMPLATES / "page.js").read_text()),
        )
    )


@cache
def environment() -> Environment:
    """Give the templates' environment: everything is escaped, and a name that is not there is an error."""
    jinja = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    jinja.filters["figure"] = figure_of
    jinja.filters["term"] = term
    return jinja


def figure_of(value: float | None, digits: int = 4) -> str:
    """Write a number, or n/a where there is none.

    Examples
    --------
    >>> figure_of(0.12345), figure_of(float("nan")), figure_of(None), figure_of(-0.00001)
    ('0.1235', 'n/a', 'n/a', '0.0000')
    """
    if value is None or math.isnan(value):
        return "n/a"
    text = f"{value:.{digits}f}"
    return text.removeprefix("-") if float(text) == 0 else text.replace("-", "−")


def script_json(value: Any) -> Markup:
    """Write values as JSON that can stand inside a script element, whatever names are in them.

    Examples
    --------
    >>> print(script_json({"name": "</script>"}))
    {"name":"\\u003c/script\\u003e"}
    """
    text = json.dumps(value, allow_nan=False, separators=(",", ":"), ensure_ascii=True)
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(text)


def markdown(text: str) -> Markup:
    """Turn a card into HTML; HTML inside it stays text."""
    return Markup(MarkdownIt("commonmark", {"html": False}).enable("table").render(text))


def inline_svg(svg: str, prefix: str) -> Markup:
    """Cut an SVG file of ours down to what can stand in a page, its ids made its own."""
    start = svg.find("<svg")
    body = svg[max(start, 0) :]
    for mark in ('id="', 'href="#', "url(#"):
        body = body.replace(mark, f"{mark}{prefix}-")
    return Markup(body)


def _sections(
    runs: Sequence[Run], every: Sequence[Entry], truths: Sequence[str], intervals: Mapping[JudgedBy, Sequence[Held]]
) -> dict[str, list[Group]]:
    """Put every plot under the heading it belongs to."""
    labels = [entry.label for entry in every]
    per_truth = {t: [e for e in every if t in e.run.truths] for t in truths}
    sections = {
        "metrics": [Group("", metric_charts(runs, every, truths))],
        "predictions": [Group(f"Judged on {t}", prediction_charts(of, t, truths)) for t, of in per_truth.items()],
        "residuals": [Group(f"Judged on {t}", residual_charts(of, t)) for t, of in per_truth.items()],
        "probabilities": [Group(f"Judged on {t}", probability_charts(of, t)) for t, of in per_truth.items()],
        "intervals": interval_charts(intervals, labels),
        "estimates": estimate_charts(runs, truths, labels),
        "redshifts": [Group("", [c for t, of in per_truth.items() if (c := redshift_chart(of, t)) is not None])],
        "distributions": [Group(run.name if len(runs) > 1 else "", distribution_charts(run, truths)) for run in runs],
        "training": [Group("", training_charts(every))],
    }
    number = count()
    return {
        name: [
            replace(g, charts=[replace(c, key=f"chart-{next(number)}") for c in g.charts]) for g in groups if g.charts
        ]
        for name, groups in sections.items()
    }


def metric_tables(runs: Sequence[Run], metrics: Sequence[str]) -> list[dict[str, Any]]:
    """Lay out a table per run, sample and redshift range: a row per recipe that has such metrics, a column for each."""
    tables = []
    for run in runs:
        asked = [r for r in _unbinned(run) if r["metric"] in metrics]
        found = {r["metric"] for r in asked}
        for place in dict.fromkeys((r["truth"], r["sample"], r["z_range"]) for r in asked):
            mine = [r for r in asked if (r["truth"], r["sample"], r["z_range"]) == place]
            rows = {
                recipe: {r["metric"]: r for r in mine if r["recipe"] == recipe}
                for recipe in dict.fromkeys(r["recipe"] for r in mine)
            }
            shown = [metric for metric in metrics if metric in found]
            limits = {r["metric"]: r["requirement"] for r in mine if r["requirement"] is not None}
            tables.append(
                {
                    "run": run.name,
                    "truth": place[0],
                    "sample": place[1],
                    "z_range": place[2],
                    "n": max(r["n"] for r in mine),
                    "metrics": shown,
                    "limits": limits,
                    "rows": rows,
                    "best": {metric: _best(metric, rows) for metric in shown},
                }
            )
    return tables


def _best(metric: str, rows: dict[str, dict[str, Record]]) -> str | None:
    """Name the recipe nearest to a metric's best value."""
    goal = term(metric).best
    values = {name: found[metric]["mean"] for name, found in rows.items() if metric in found}
    known = {n: (v if math.isinf(goal) else abs(v - goal)) for n, v in values.items() if not math.isnan(v)}
    return min(known, key=lambda name: known[name]) if len(known) > 1 else None


def comparison(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """Set the first run's metrics beside each other run's, for the recipes and samples that both have."""
    first = runs[0]
    rows = []
    for other in runs[1:]:
        theirs = {_place(r): r for r in _unbinned(other)}
        for mine in _unbinned(first):
            same = theirs.get(_place(mine))
            if same is None or mine["metric"] not in (*TABLE_METRICS, *TABLE_PDF_METRICS):
                continue
            spread = math.hypot(*(0.0 if math.isnan(r["std"]) else r["std"] for r in (mine, same)))
            rows.append(
                {key: mine[key] for key in ("recipe", "truth", "sample", "z_range", "metric")}
                | {"other": other.name, "a": mine["mean"], "b": same["mean"]}
                | {"difference": same["mean"] - mine["mean"], "spread": spread, "n_a": mine["n"], "n_b": same["n"]}
            )
    return rows


def _unbinned(run: Run) -> list[Record]:
    return [r for r in run.records if r.get("bin") is None]


def _place(record: Record) -> tuple[Any, ...]:
    return tuple(record[key] for key in ("recipe", "truth", "sample", "z_range", "metric"))


def _flat(runs: Sequence[Run]) -> dict[str, Any]:
    """Give all records as one table of columns and rows, for sorting and filtering in the page."""
    columns = ["run", "recipe", "truth", "sample", "range", "metric", "mean", "spread", "ensemble", "bootstrap"]
    columns += ["corrected", "galaxies", "LSST", "verdict"]
    rows = [
        [
            run.name,
            r["recipe"],
            r["truth"],
            r["sample"],
            r["z_range"],
            r["metric"],
            *(_json_number(r.get(key)) for key in ("mean", "std", "ensemble", "bootstrap", "corrected")),
            r["n"],
            r["requirement"],
            {True: "pass", False: "fail", None: ""}[r["passes"]],
        ]
        for run in runs
        for r in run.records
    ]
    if len(runs) == 1:
        columns, rows = columns[1:], [row[1:] for row in rows]
    return {"columns": columns, "rows": rows}


def _json_number(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(f"{value:.6g}")
