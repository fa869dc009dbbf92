"""One meaning per colour: in the lists that colours are from, and in every plot of a page."""

from __future__ import annotations

import itertools
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from toy_run import toy_run

from mixz.report.charts import colours
from mixz.report.charts.colours import bin_colours, recipe_colour, truth_colour
from mixz.report.charts.lead import lead_charts
from mixz.report.figures import draw_figures
from mixz.report.headline import headline
from mixz.report.run import Runs

HEX = re.compile(r"#[0-9a-fA-F]{6}\b")
PICKED = {
    "truths": [*colours.TRUTH_COLOURS.values(), *colours.OTHER_TRUTHS],
    "recipes": [*colours.RECIPE_COLOURS.values(), *colours.OTHER_RECIPES],
    "compared": [colours.GREY],
}
RECIPES = ("spec", "base", "tl", "fused", "tl_reverse", "bnn", "mine", "theirs")


def oklab(colour: str) -> Any:
    """Where a colour lies in OKLab (Ottosson 2020), times 100."""
    part = np.array([int(colour[k : k + 2], 16) for k in (1, 3, 5)]) / 255
    light = np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)
    cones = np.cbrt(np.array([[0.4122, 0.5363, 0.0514], [0.2119, 0.6807, 0.1074], [0.0883, 0.2817, 0.63]]) @ light)
    return 100 * np.array([[0.2105, 0.7936, -0.0041], [1.978, -2.4286, 0.4506], [0.0259, 0.7828, -0.8087]]) @ cones


def test_no_two_of_the_lists_look_alike() -> None:
    every = [colour for some in PICKED.values() for colour in some]
    for one, other in itertools.combinations(every, 2):
        assert np.linalg.norm(oklab(one) - oklab(other)) > 7, f"{one} and {other}"
    for colour, shade in itertools.product(every, bin_colours(6)):
        assert np.linalg.norm(oklab(colour) - oklab(shade)) > 3, f"{colour} and the bins' {shade}"


def test_colours_do_not_run_out() -> None:
    names = [f"recipe {k}" for k in range(60)]
    given = {recipe_colour(names, name) for name in names} | {truth_colour(name, names[:20]) for name in names[:20]}
    assert len(given) == 80


@pytest.mark.parametrize("order", [RECIPES, RECIPES[::-1]])
def test_a_recipe_has_its_colour_whatever_stands_beside_it(order: tuple[str, ...]) -> None:
    for name in RECIPES:
        assert recipe_colour(order, name) == recipe_colour(RECIPES, name)


def meanings(spec: Any, found: dict[str, set[str]], about: str = "") -> None:
    """Add what every colour of a plot stands for: a value of a field, or what the plot itself is about."""
    if isinstance(spec, list):
        for one in spec:
            meanings(one, found, about)
    if not isinstance(spec, dict):
        return
    encoded = spec.get("color")
    if isinstance(encoded, dict) and "field" in encoded:
        assert encoded.get("scale", {}).get("range"), f"colours of {encoded['field']} are left to the theme"
        field = {"name": "recipe"}.get(encoded["field"], encoded["field"])
        for value, colour in zip(encoded["scale"]["domain"], encoded["scale"]["range"], strict=True):
            found[colour].add(f"{field} {value.lstrip('★≈ ')}")
        return
    for key, one in spec.items():
        if key in ("values", "description"):
            continue
        if isinstance(one, str) and HEX.fullmatch(one):
            found[one].add(about if one != colours.GREY else "compared")
        else:
            meanings(one, found, about)


def test_a_colour_of_the_page_has_one_meaning() -> None:
    runs = Runs([toy_run(RECIPES[:-1], name="a"), toy_run(("fused", "theirs"), name="b")])
    found: dict[str, set[str]] = defaultdict(set)
    for figure, panels in draw_figures(runs).items():
        for group in panels:
            truth = group.title.removeprefix("Judged on ").rpartition(": ")[2]
            for chart in group.charts:
                by_truth = figure.name in ("predictions", "kernels")
                recipe = chart.recipe or chart.title.removeprefix("PIT of ")
                meanings(chart.spec, found, f"truth {truth}" if by_truth else f"recipe {recipe}")
    told = headline(runs.each[0])
    assert told.lead is not None
    for chart in lead_charts(runs, runs.each[0], [told.lead], key="lead"):
        meanings(chart.spec, found)
    assert found["#0072B2"] == {"truth spec"}
    assert found[recipe_colour(runs.labels, "a: spec")] == {"recipe a: spec"}
    assert {colour: told for colour, told in found.items() if len(told) > 1} == {}


def dashed(spec: Any) -> Iterator[dict[str, Any]]:
    """The encodings of all plots in a specification that tell values apart by dashes."""
    if isinstance(spec, list):
        for one in spec:
            yield from dashed(one)
    if isinstance(spec, dict):
        if isinstance(spec.get("strokeDash"), dict) and "field" in spec["strokeDash"]:
            yield spec
        for key, one in spec.items():
            if key not in ("values", "description"):
                yield from dashed(one)


def test_dashes_can_be_told_apart_in_every_legend() -> None:
    drawn = draw_figures(Runs([toy_run(RECIPES[:4], name="a")]))
    found = {}
    for figure, panels in drawn.items():
        for encoding in (one for group in panels for chart in group.charts for one in dashed(chart.spec)):
            found[figure.name] = encoding["strokeDash"]
            with_it = [
                e for e in encoding.values() if isinstance(e, dict) and e.get("field") == found[figure.name]["field"]
            ]
            legend: dict[str, Any] = {}
            for one in with_it:  # Vega joins the legends of one field
                legend |= one.get("legend") or {}
            assert legend.get("symbolType") == "stroke", figure.name
            assert legend["symbolSize"] >= 160, figure.name
    assert len(found) >= 4
    assert found["quality"]["scale"]["range"] == [[1, 0], [2, 2]]


def test_scripts_have_no_colours_of_their_own() -> None:
    templates = Path(colours.__file__).parents[1] / "templates"
    for script in ("page.js", "serve.js"):
        assert HEX.findall((templates / script).read_text()) == []
