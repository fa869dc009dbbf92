"""Figures for papers: the page's own plots, laid out in the width of a page, as PNG, PDF and SVG."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mixz.atomic import replacing
from mixz.report.vega import SCHEMA, svg_of, written

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from mixz.report.charts.chart import Chart, Panels, Spec
    from mixz.report.figures import Figure

# Lengths are in points, 72 to an inch.
WIDTH = 510.0
"""The width of a page of a journal, without its margins."""

GAP, AXIS, WIDEST = 12.0, 48.0, 220.0
"""Between panels, what an axis with its numbers and the gap take, and how wide one panel is at most."""

DPI = 200

FONT = "Liberation Sans, Arial, Helvetica, sans-serif"
GREY = "#595959"
THEME: Spec = {
    "background": "white",
    "font": FONT,
    "padding": 3,
    "axis": {
        "labelFontSize": 7,
        "titleFontSize": 8,
        "titleFontWeight": "normal",
        "titlePadding": 3,
        "grid": False,
        "tickCount": 4,
        "tickSize": 3,
        "tickWidth": 0.6,
        "domainWidth": 0.6,
        "domainColor": "black",
        "tickColor": "black",
        "labelFlush": False,
    },
    "legend": {
        "orient": "top",
        "direction": "horizontal",
        "columns": 8,
        "title": None,
        "labelFontSize": 8,
        "labelLimit": 220,
        "symbolSize": 40,
        "offset": 8,
        "symbolStrokeWidth": 1.6,
        "layout": {"top": {"anchor": "middle"}},
    },
    "title": {"fontSize": 8.5, "fontWeight": "normal", "offset": 6},
    "view": {"stroke": "black", "strokeWidth": 0.6},
    "concat": {"spacing": GAP},
    "line": {"strokeWidth": 1.1},
}
"""How plots look on paper, where the page has a theme of its own (`page.js`)."""

THINNER = {"strokeWidth": 0.6, "size": 0.4}
"""Lines and marks on paper are so much of those on the page, where they are seen from further off."""


def paper_figures(drawn: Mapping[Figure, Sequence[Panels]], *, note: str = "") -> dict[str, Spec]:
    """Lay out every figure that has panels, by the name of its file."""
    return {figure.file: paper_figure(figure, panels, note=note) for figure, panels in drawn.items() if panels}


def paper_figure(figure: Figure, panels: Sequence[Panels], *, note: str = "") -> Spec:
    """Lay the panels of a figure out for a paper, as one plot in Vega-Lite.

    Parameters
    ----------
    figure, panels
        What to lay out, and what it drew.
    note
        Words under the figure, e.g. that the data are simulated.
    """
    columns = max(_balanced(len(group.charts), figure.columns) for group in panels)
    width = round(min(WIDTH / columns - AXIS, WIDEST))
    height = round(width * figure.shape)
    rows: list[Spec] = []
    for group in panels:
        cells = [_cell(chart, width, height) for chart in group.charts]
        title = {"title": {"text": group.title, "anchor": "middle", "fontWeight": "bold"}} if group.title else {}
        rows.append({"concat": cells, "columns": _balanced(len(cells), columns), **title})
    params = {p["name"]: p for group in panels for chart in group.charts for p in chart.spec.get("params", ())}
    below = [words for words in (figure.caption, note) if words]
    words = {"text": below, "orient": "bottom", "anchor": "middle", "fontSize": 7, "color": GREY, "offset": 8}
    return {
        "$schema": SCHEMA,
        "config": THEME,
        "params": list(params.values()),  # only a whole plot may have some
        "vconcat": rows,
        **({"title": words} if below else {}),
    }


def save_figure(
    spec: Spec, folder: Path, name: str, endings: Sequence[str] = ("png", "pdf"), *, dpi: int = DPI
) -> list[Path]:
    """Save a plot in Vega-Lite, by default as PNG and PDF.

    Returns
    -------
    list of Path
        The files, in the order of `endings`.
    """
    return save_drawing(svg_of(spec), folder, name, endings, dpi=dpi)


def save_drawing(svg: str, folder: Path, name: str, endings: Sequence[str], *, dpi: int = DPI) -> list[Path]:
    """Save an SVG under further endings too."""
    paths = [folder / f"{name}.{ending}" for ending in endings]
    for path in paths:
        with replacing(path) as draft:
            draft.write_bytes(written(svg, path.suffix, dpi=dpi))
    return paths


def _balanced(panels: int, columns: int) -> int:
    """How many panels lie in a row, so that the rows are about equally long.

    Examples
    --------
    >>> _balanced(5, 4), _balanced(4, 4), _balanced(1, 4)
    (3, 4, 1)
    """
    rows = -(-panels // columns)
    return -(-panels // rows)


def _cell(chart: Chart, width: int, height: int) -> Spec:
    """One panel under its title, which stands at the same height above every panel, whatever the numbers of its axis.

    An axis that would only repeat the title goes without one.
    """
    plot = _on_paper({key: value for key, value in chart.spec.items() if key not in ("params", "height")}, chart.title)
    mark = {"type": "text", "text": chart.title, "baseline": "bottom", "fontSize": 8, "color": "black"}
    title = {"data": {"values": [{}]}, "mark": mark, "encoding": {"x": {"value": width / 2}, "y": {"value": -6}}}
    return {"layer": [plot, title], "width": width, "height": height}


def _on_paper(value: Any, title: str) -> Any:
    """Make lines and points those of paper, wherever they stand in a plot, and leave a title out."""
    if isinstance(value, list):
        return [_on_paper(item, title) for item in value]
    if not isinstance(value, dict) or "values" in value:  # data stay as they are
        return value
    own = {key: _on_paper(item, title) for key, item in value.items()}
    scaled = {key: own[key] * factor for key, factor in THINNER.items() if isinstance(own.get(key), int | float)}
    untitled = {"title": None} if own.get("title") == title else {}
    if "symbolType" in own:  # a legend, for which paper has room in a row
        own.pop("columns", None)
    return own | scaled | untitled
