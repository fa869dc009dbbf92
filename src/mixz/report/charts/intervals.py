"""Do intervals hold the redshift as often as they say?  Counted per recipe and magnitude, as tables and plots."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from mixz.densities.grid import Grid
from mixz.metrics.bins import I_EDGES, bins_between
from mixz.metrics.intervals import inside, mass_inside
from mixz.report.charts.chart import SQUARE, Chart, Panels, Rows, Spec, axis, by_recipe, number, only_shown, rule
from mixz.report.evidence import LEAST_IN_BIN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mixz.arrays import Floats
    from mixz.metrics.bins import Bin
    from mixz.report.run import ReportEntry, Run, Runs

BINS = bins_between("i", I_EDGES)
"""Where intervals are counted apart, beside all galaxies."""

BEYOND_CHANCE = 3.0
"""An interval is called too short where its share is this many errors below what it says: of some dozen bins that are
honest, few look so (ours)."""


@dataclass(frozen=True)
class JudgedBy:
    """Galaxies whose intervals are judged: those that a truth has labelled, and whose redshifts they are judged by."""

    truth: str
    members: str
    noisy: bool

    @property
    def title(self) -> str:
        """What stands above its plots."""
        if self.noisy:
            return f"Judged on the redshifts that {self.truth} labels allow"
        return f"Judged on {self.truth}" + ("" if self.members == self.truth else f" of {self.members} galaxies")


@dataclass(frozen=True)
class Held:
    """How often a recipe's intervals of one nominal coverage held the redshift, of all galaxies of a place or a bin.

    Parameters
    ----------
    recipe
        The recipe's label in the report.
    level
        The nominal coverage, 0 to 1.
    bin
        The bin of magnitude; None for all galaxies.
    n, share
        How many galaxies, and the share of them whose redshift is inside.
    half_width
        The median of (high - low) / 2 / (1 + z_phot).
    """

    recipe: str
    level: float
    bin: Bin | None
    n: int
    share: float
    half_width: float

    @property
    def chance(self) -> float:
        """How far the share of honest intervals strays by chance: sqrt(c (1 - c) / n)."""
        return float(np.sqrt(self.level * (1 - self.level) / self.n)) if self.n else float("nan")

    @property
    def too_short(self) -> bool:
        """Whether fewer are inside than chance explains; more may be, since each truth must have its share."""
        return bool(self.share < self.level - BEYOND_CHANCE * self.chance)


@lru_cache(maxsize=1)  # counted once for plots and tables
def judged_intervals(runs: Runs) -> dict[JudgedBy, list[Held]]:
    """How often the intervals of each recipe that has some hold the redshift, wherever that is known."""
    found: dict[JudgedBy, list[Held]] = {}
    for entry in runs.entries:
        if entry.photoz.intervals:
            for place in _places(entry.run):
                if held := _held(entry, place):
                    found.setdefault(place, []).extend(held)
    return found


def interval_tables(runs: Runs) -> list[dict[str, Any]]:
    """Lay out a table per place: a row per recipe and nominal coverage, a column per bin of magnitude."""
    tables = []
    for place, every in judged_intervals(runs).items():
        rows: dict[tuple[str, float], dict[Bin | None, Held]] = {}
        for held in every:
            rows.setdefault((held.recipe, held.level), {})[held.bin] = held
        bins = [b for b in BINS if any(held.bin == b for held in every)]
        tables.append({"judged": place, "bins": bins, "rows": rows})
    return tables


def interval_panels(runs: Runs) -> list[Panels]:
    """The share of redshifts inside against magnitude, a plot per nominal coverage, wherever they are judged."""
    found = []
    for place, every in judged_intervals(runs).items():
        levels = dict.fromkeys(held.level for held in every)
        charts = [_chart(place, level, [h for h in every if h.level == level], runs.labels) for level in levels]
        found.append(Panels(place.title, charts))
    return found


def _places(run: Run) -> list[JudgedBy]:
    """Name what a run's intervals are judged by: each truth, and for noisy ones also the simulation's own redshifts."""
    own = [t for t in run.test.truths if t not in run.truths and run.test.has(t).any()]
    noisy = {truth: not run.known[truth].exact for truth in run.truths}
    labels = [JudgedBy(truth, truth, noisy[truth]) for truth in run.truths]
    return [
        *labels,
        *(JudgedBy(truth, members, noisy=False) for truth in own for members in run.truths if noisy[members]),
    ]


def _held(entry: ReportEntry, place: JudgedBy) -> list[Held]:
    test, photoz = entry.run.test, entry.photoz
    rows = np.flatnonzero(test.has(place.truth) & test.has(place.members) & np.isfinite(photoz.z_phot))
    mag, z_phot, z_label = entry.run.mag_ref(test)[rows], photoz.z_phot[rows], test.z[place.truth][rows]
    allowed = _allowed(entry, place.truth, rows) if place.noisy else None
    where = {None: np.ones(len(rows), dtype=bool)} | {
        b: b.holds(mag_ref=mag, z_ref=z_label, z_phot=z_phot) for b in BINS
    }
    held = []
    for level, every in photoz.intervals.items():
        ends = every[rows]
        if allowed is None or photoz.z_grid is None:
            holds = inside(ends, z_ref=z_label)
        else:
            holds = mass_inside(ends, allowed, z_grid=photoz.z_grid)
        half_width = (ends[:, 1] - ends[:, 0]) / 2 / (1 + z_phot)
        for b, mask in where.items():
            here = mask & np.isfinite(holds)
            if here.sum() >= LEAST_IN_BIN:
                share, half = float(holds[here].mean()), float(np.median(half_width[here]))
                held.append(Held(entry.label, float(level) / 100, b, int(here.sum()), share, half))
    return held


def _allowed(entry: ReportEntry, truth: str, rows: NDArray[np.intp]) -> Floats | None:
    """The densities of the redshifts behind noisy labels; None where the labels are as good as the redshift."""
    photoz, labels = entry.photoz, entry.run.labels(truth, rows)
    if photoz.pdf is None or photoz.z_grid is None or labels.at_face_value(grid := Grid(photoz.z_grid)):
        return None
    return np.asarray(grid.density(labels.allowed(grid.mass(photoz.pdf[rows]), grid)))


def _chart(place: JudgedBy, level: float, found: Sequence[Held], labels: Sequence[str]) -> Chart:
    shown = [label for label in labels if label in {held.recipe for held in found}]
    colours = by_recipe(labels, shown, narrow=True)
    x = axis("mag", "i [AB mag]", scale={"zero": False, "padding": 10})
    scale = {"zero": False}
    share = axis("share", "share inside", scale=scale, axis={"format": ".0%"})
    tooltip = [
        {"field": "recipe"},
        {"field": "mag", "title": "i, middle of the bin"},
        {"field": "share", "title": "share inside", "format": ".1%"},
        {"field": "half", "title": "half-width / (1 + z)", "format": ".3f"},
        {"field": "n", "title": "galaxies"},
    ]
    lines: Spec = {"mark": {"type": "line", "strokeWidth": 2}, "encoding": {"x": x, "y": share, **colours}}
    bars: Spec = {
        "mark": {"type": "rule", "strokeWidth": 1.4},
        "encoding": {
            "x": x,
            "y": axis("low", "share inside", scale=scale),
            "y2": {"field": "high"},
            "color": colours["color"],
        },
    }
    dots: Spec = {
        "mark": {"type": "point", "filled": True, "size": 34},
        "encoding": {"x": x, "y": share, "color": colours["color"], "tooltip": tooltip},
    }
    told = "; ".join(f"{held.recipe} {held.share:.1%} of {held.n:,} galaxies" for held in found if held.bin is None)
    return Chart(
        f"{level:.0%} intervals",
        {
            "data": {"values": _points(found)},
            **only_shown(labels),
            "layer": [rule(y=level), bars, lines, dots],
            "height": SQUARE,
        },
        f"Share of galaxies whose redshift is inside the {level:.0%} interval, in bins of i magnitude; bars are how "
        f"far an honest share strays by chance. {place.title}, all magnitudes: {told}.",
        metric=f"interval_{level * 100:.0f}",
    )


def _points(found: Sequence[Held]) -> Rows:
    """The marks of a plot: a row per recipe and bin."""
    return [
        {
            "recipe": held.recipe,
            "mag": (held.bin.low + held.bin.high) / 2,
            "share": number(held.share),
            "low": number(max(held.share - held.chance, 0)),
            "high": number(min(held.share + held.chance, 1)),
            "half": number(held.half_width),
            "n": held.n,
        }
        for held in found
        if held.bin is not None
    ]
