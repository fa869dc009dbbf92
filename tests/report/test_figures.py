"""Figures for papers: every one of the list is drawn as it is on the page, with its colours, in the width of a page."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from toy_run import toy_run

from mixz.report.charts.chart import Chart, Panels, rows
from mixz.report.figures import FIGURES, Figure, draw_figures
from mixz.report.paper import WIDTH, paper_figure, paper_figures
from mixz.report.run import Runs
from mixz.report.vega import svg_of, written

NOTE = "SIMULATED galaxies"


def chart(title: str) -> Chart:
    encoding = {axis: {"field": axis, "type": "quantitative", "title": title} for axis in ("x", "y")}
    return Chart(title, {"data": {"values": rows(x=[1, 2], y=[1, 2])}, "mark": "point", "encoding": encoding}, title)


@pytest.fixture(scope="module")
def svgs() -> dict[str, str]:
    drawn = draw_figures(Runs([toy_run(("base", "bnn", "fused", "tl", "combo", "spec"))]))
    return {name: svg_of(spec) for name, spec in paper_figures(drawn, note=NOTE).items()}


def test_every_figure_of_the_page_is_there_for_papers(svgs: dict[str, str]) -> None:
    assert set(svgs) == {figure.file for figure in FIGURES}
    assert {"figure_1_distributions", "figure_2_predictions", "figure_3_metrics", "residuals", "training"} <= set(svgs)


def test_all_say_that_galaxies_are_simulated(svgs: dict[str, str]) -> None:
    assert [name for name, svg in svgs.items() if NOTE not in svg] == []


def test_all_fit_a_page(svgs: dict[str, str]) -> None:
    for name, svg in svgs.items():
        width = float(svg.split('width="')[1].split('"')[0])
        assert 0.6 * WIDTH < width < 1.1 * WIDTH, f"{name} is {width} points wide"


def test_all_have_the_colours_of_recipes_or_truths(svgs: dict[str, str]) -> None:
    for name, svg in svgs.items():
        picture = np.asarray(Image.open(io.BytesIO(written(svg, ".png", dpi=72))).convert("RGB")).astype(int)
        assert (picture.std(axis=2) > 25).mean() > 0.001, f"{name} shows no colour"


def test_what_cannot_be_drawn_is_left_out() -> None:
    names = paper_figures(draw_figures(Runs([toy_run(("base",))])))
    assert "figure_3_metrics" in names
    assert not {"probabilities", "intervals", "estimates", "quality"} & set(names)


@pytest.mark.parametrize(("panels", "columns"), [(1, 1), (4, 4), (5, 3), (9, 3)])
def test_rows_are_about_equally_long(panels: int, columns: int) -> None:
    figure = replace(FIGURES[0], columns=4)
    spec = paper_figure(figure, [Panels("", [chart(f"c{k}") for k in range(panels)])])
    assert spec["vconcat"][0]["columns"] == columns
    assert len(spec["vconcat"][0]["concat"]) == panels


def test_a_figure_is_added_in_one_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mixz.report.page.vega_script", lambda: "")
    new = Figure("toy", "A toy of a figure", "In *words*.", lambda _: [Panels("", [chart("toy axis")])])
    monkeypatch.setattr("mixz.report.figures.FIGURES", (*FIGURES, new))
    from mixz.report.page import report_page

    runs = Runs([toy_run(("base",), galaxies=90)])
    drawn = draw_figures(runs)
    page = report_page(runs, drawn)
    assert '<section id="toy"' in page
    assert "A toy of a figure" in page
    assert "<em>words</em>" in page
    assert 'href="#toy"' in page
    assert "toy axis" in svg_of(paper_figures(drawn)["toy"])
