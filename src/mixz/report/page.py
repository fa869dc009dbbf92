"""The report as one HTML file: verdict first, then the evidence; nothing in it needs a network."""

from __future__ import annotations

import json
import math
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markdown_it import MarkdownIt
from markupsafe import Markup

from mixz.metrics.metric import METRICS, Metric, columns
from mixz.metrics.verdict import verdicts
from mixz.report.browser import browse
from mixz.report.cell import cell_of
from mixz.report.charts.colours import GREY, recipe_colour, truth_colour
from mixz.report.charts.estimates import estimate_tables
from mixz.report.charts.intervals import interval_tables
from mixz.report.charts.lead import lead_charts
from mixz.report.charts.tomography import tomography_tables
from mixz.report.glossary import terms
from mixz.report.headline import headline, threshold_words
from mixz.report.held_against.beside_paper import holds_the_papers_galaxies, paper_section
from mixz.report.screen import SIMULATED
from mixz.report.vega import vega_script

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mixz.metrics.summary import Record
    from mixz.report.charts.chart import Chart, Panels
    from mixz.report.figures import Figure
    from mixz.report.headline import Headline
    from mixz.report.run import Run, Runs

TEMPLATES = Path(__file__).parent / "templates"


def report_page(runs: Runs, drawn: Mapping[Figure, Sequence[Panels]]) -> str:
    """The report of a run, or of several beside each other, as one HTML page.

    Parameters
    ----------
    runs
        One or more; their names must differ.
    drawn
        Their figures (`mixz.report.figures.draw_figures`).
    """
    every, explained = runs.each, terms()
    known = list(dict.fromkeys(truth for run in every for truth in (*runs.truths, *run.test.truths)))
    heads = {run.name: headline(run) for run in every}
    leads = {run.name: _lead_charts(runs, run, heads[run.name], k) for k, run in enumerate(every)}
    charts = [chart for panels in drawn.values() for group in panels for chart in group.charts]
    charts += [chart for some in leads.values() for chart in some]
    data = {
        "charts": {chart.key: chart.spec | {"description": chart.description} for chart in charts},
        "galaxies": {run.name: browse(run, [e for e in runs.entries if e.run is run]) for run in every},
        "records": _flat(every),
        "recipes": {label: recipe_colour(runs.labels, label) for label in runs.labels},
        "truths": {truth: truth_colour(truth, known) for truth in known},
        "grey": GREY,
        "terms": {name: f"{t.sentence} {t.formula}" for name, t in explained.items()},
    }
    return (
        environment()
        .get_template("report.html.jinja")
        .render(
            title=" and ".join(run.name for run in every),
            runs=every,
            simulated=SIMULATED if any(run.about.get("simulated") for run in every) else "",
            recipes=data["recipes"],
            heads=heads,
            leads=leads,
            threshold=threshold_words(),
            sentence_of=partial(_coloured, runs),
            verdicts={run.name: verdicts(run.records, run.differences) for run in every},
            lsst={run.name: verdicts(run.records, run.differences, z_range="lsst") for run in every},
            tables=metric_tables(every, columns()),
            pdf_tables=metric_tables(every, columns(of_densities=True)),
            estimate_tables=estimate_tables(every),
            interval_tables=interval_tables(runs),
            paper=[(run.name, paper_section(run)) for run in every if holds_the_papers_galaxies(run.about)],
            tomography_tables=tomography_tables(runs),
            compared=comparison(every) if len(every) > 1 else [],
            drawn=drawn,
            cards=[(e.label, markdown(e.run.cards.get(e.recipe, ""))) for e in runs.entries],
            flowcharts=[
                (run.name, inline_svg(run.flowchart, f"flow-{k}")) for k, run in enumerate(every) if run.flowchart
            ],
            terms=explained,
            data=script_json(data),
            vega=Markup(vega_script()),
            css=Markup((TEMPLATES / "page.css").read_text()),
            js=Markup((TEMPLATES / "page.js").read_text()),
        )
    )


def _lead_charts(runs: Runs, run: Run, told: Headline, k: int) -> list[Chart]:
    judged = [] if told.lead is None else [told.lead, *told.others]
    return lead_charts(runs, run, judged, key=f"lead-{k}")


def _coloured(runs: Runs, run: Run, told: Headline) -> list[tuple[str, str]]:
    """The parts of a sentence, recipes with their colours."""
    return [
        (part.text, recipe_colour(runs.labels, runs.label_of(run, part.text)) if part.is_recipe else "")
        for part in told.sentence
    ]


@cache
def environment() -> Environment:
    """The templates' environment: everything is escaped, and a name that is not there is an error."""
    jinja = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    jinja.filters["figure"] = figure_of
    jinja.filters["markdown"] = markdown
    jinja.filters["cell"] = cell_of
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


def metric_tables(runs: Sequence[Run], metrics: Sequence[Metric]) -> list[dict[str, Any]]:
    """Lay out a table per run, sample and redshift range: a row per recipe that has such metrics, a column for each."""
    tables = []
    names = [metric.name for metric in metrics]
    for run in runs:
        asked = [r for r in _unbinned(run) if r["metric"] in names]
        found = {r["metric"] for r in asked}
        for place in dict.fromkeys((r["truth"], r["sample"], r["z_range"]) for r in asked):
            mine = [r for r in asked if (r["truth"], r["sample"], r["z_range"]) == place]
            rows = {
                recipe: {r["metric"]: r for r in mine if r["recipe"] == recipe}
                for recipe in dict.fromkeys(r["recipe"] for r in mine)
            }
            shown = [name for name in names if name in found]
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
                    "best": {name: _best(METRICS[name], rows) for name in shown},
                }
            )
    return tables


def _best(metric: Metric, rows: dict[str, dict[str, Record]]) -> str | None:
    """Name the recipe whose number in the table is nearest to a metric's best value."""
    values = {name: cell_of(found[metric.name]).value for name, found in rows.items() if metric.name in found}
    known = {
        n: (v if math.isinf(metric.best) else abs(v - metric.best)) for n, v in values.items() if not math.isnan(v)
    }
    return min(known, key=lambda name: known[name]) if len(known) > 1 else None


def comparison(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """Set the first run's metrics beside each other run's, for the recipes and samples that both have."""
    first = runs[0]
    rows = []
    for other in runs[1:]:
        theirs = {_place(r): r for r in _unbinned(other)}
        for mine in _unbinned(first):
            same = theirs.get(_place(mine))
            if same is None or not METRICS[mine["metric"]].in_tables:
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
    """All records as one table of columns and rows, for sorting and filtering in the page."""
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
