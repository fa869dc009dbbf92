"""The colours of truths, recipes and tomographic bins: each has one meaning, in every figure of every run.

All lie apart in a space that is even to the eye (OKLab; a test holds it), and are seen on white and on black paper.
"""

from __future__ import annotations

from itertools import chain, count
from typing import TYPE_CHECKING
from zlib import crc32

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# Truths: the paper draws the spectroscopic sample (the target) blue and the many-band one (the source) orange.
TRUTH_COLOURS = {"spec": "#0072B2", "many_band": "#E69F00", "true": "#aa1177"}
OTHER_TRUTHS = ("#118800", "#aa5566", "#0055cc", "#cc8855")
# Recipes: none has a truth's colour, the recipe `spec` not that of the truth `spec` either.
RECIPE_COLOURS = {
    "base": "#D55E00",
    "spec": "#009E73",
    "tl": "#CC79A7",
    "combo": "#56B4E9",
    "fused": "#8a6fc9",
    "bnn": "#8c510a",
    "tl_reverse": "#999933",
}
OTHER_RECIPES = (
    "#664499",
    "#2288ff",
    "#ff6666",
    "#667744",
    "#bb88ff",
    "#cc4499",
    "#66bb33",
    "#aa1133",
    "#6655dd",
    "#ee77dd",
    "#9999cc",
    "#9944aa",
)
FIRST_BIN, LAST_BIN = "#11666f", "#86d3d0"
"""Bins have an order, and so have their colours."""
GREY = "#8a8a8a"
"""What recipes and labels are compared with; seen on light and on dark."""

STRENGTH = 0.3
"""Of the paper's white and the ink's black that is mixed in, once colours must come a second and a third time."""


def truth_colour(truth: str, truths: Sequence[str]) -> str:
    """The colour of a truth: the paper's where it has one, else another.

    Parameters
    ----------
    truth
        One of them.
    truths
        Every truth of the report, so that no two have one colour.

    Examples
    --------
    >>> truth_colour("spec", ["spec"])
    '#0072B2'
    >>> truth_colour("grism", ["spec", "grism"]) == truth_colour("grism", ["grism"])
    True
    """
    return _given(TRUTH_COLOURS, OTHER_TRUTHS, {one: one for one in truths})[truth]


def recipe_colour(labels: Sequence[str], label: str) -> str:
    """The colour of a recipe: its own in every run, another where it has none or another run's recipe took it.

    Parameters
    ----------
    labels
        Every recipe of the report, so that it has one colour in all of its figures.
    label
        One of them.

    Examples
    --------
    >>> recipe_colour(["tl", "fused"], "fused") == recipe_colour(["fused"], "fused")
    True
    >>> recipe_colour(["mine", "tl"], "mine") == recipe_colour(["mine"], "mine")
    True
    >>> recipe_colour(["a: tl", "b: tl"], "a: tl") == recipe_colour(["a: tl", "b: tl"], "b: tl")
    False
    """
    return _given(RECIPE_COLOURS, OTHER_RECIPES, {one: one.rpartition(": ")[2] for one in labels})[label]


def bin_colours(bins: int) -> list[str]:
    """Colours of bins in their order, from dark to light.

    Examples
    --------
    >>> bin_colours(3)
    ['#11666f', '#4c9ca0', '#86d3d0']
    """
    return [_mixed(FIRST_BIN, LAST_BIN, k / max(bins - 1, 1)) for k in range(bins)]


def _given(own: Mapping[str, str], others: Sequence[str], names: Mapping[str, str]) -> dict[str, str]:
    """A colour for everything, by what it is called in other runs; no two have the same."""
    given: dict[str, str] = {}
    for one, name in names.items():
        colour = own.get(name, "")
        given[one] = colour if colour and colour not in given.values() else _free(one, others, set(given.values()))
    return given


def _free(name: str, others: Sequence[str], taken: set[str]) -> str:
    """A colour that nobody has: of those of the list that which the name leads to, so that it has it in other runs."""
    first = crc32(name.encode()) % len(others)
    sought = [(first + k) % len(others) for k in range(len(others))]
    return next(colour for k in chain(sought, count(len(others))) if (colour := _another(others, k)) not in taken)


def _another(colours: Sequence[str], k: int) -> str:
    """The k-th of some colours; after the last one they come again, lighter, and once more, darker."""
    again, place = divmod(k, len(colours))
    paper = "#ffffff" if again % 2 else "#000000"
    return _mixed(colours[place], paper, 1 - (1 - STRENGTH) ** ((again + 1) // 2))


def _mixed(first: str, second: str, share: float) -> str:
    """A colour between two others."""
    if not share:
        return first
    parts = [[int(colour[k : k + 2], 16) for k in (1, 3, 5)] for colour in (first, second)]
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in zip(*parts, strict=True))
