"""The paper's Figure 4 for any build: the ledger as a flow chart, with the run's own counts."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from matplotlib import style
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from mixz.report.figures import STYLE, colour_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

    from mixz.data.cuts import LedgerEntry

# Everything is laid out in inches, from the upper left corner.
MARGIN, WIDTH, GAP = 0.15, 2.6, 0.55
LINE, PADDING, ARROW = 0.165, 0.08, 0.36
INK, FAINT, PLAIN = "0.15", "0.5", "#6b7280"
MINUS = "\N{MINUS SIGN}"
SIDES = {"train": 0.62, "validation": 0.4, "test": 0.22}
"""The sides of the split, and how dark each is drawn."""


@dataclass(frozen=True)
class Origin:
    """What a table is made of, for the top of its lane: survey, files, and the truths its own labels are of."""

    survey: str
    files: Sequence[str]
    truths: Sequence[str] = ()


@dataclass(frozen=True)
class Card:
    """One box of the chart: a title and lines of a word and a number."""

    title: str
    lines: Sequence[tuple[str, str]]
    colour: str
    left: float
    top: float
    width: float = WIDTH
    filled: bool = False

    @property
    def bottom(self) -> float:
        """Where it ends."""
        return self.top + 2 * PADDING + LINE * (len(self.lines) + bool(self.title))

    @property
    def middle(self) -> float:
        """The middle of its width."""
        return self.left + self.width / 2


@dataclass
class Lane:
    """The column of one table: its boxes from top to bottom, and the galaxies that leave the last one."""

    left: float
    cards: list[Card] = field(default_factory=list)
    rows: int = 0
    ends: bool = False

    def below(self) -> float:
        """Where the next box may begin."""
        return self.cards[-1].bottom + ARROW if self.cards else MARGIN


def draw_flowchart(entries: Sequence[LedgerEntry], origins: Mapping[str, Origin], *, note: str = "") -> Figure:
    """Draw Figure 4: a lane per table, a box per stretch of cuts, and where matches and overlaps join the lanes.

    Parameters
    ----------
    entries
        The ledger of a build.
    origins
        Per table, and per catalogue matched to one, where it comes from.
    note
        Words under the figure, e.g. that the data are simulated.
    """
    lanes = _lanes(entries, origins)
    chart = _Chart(lanes)
    for group in _stretches(entries):
        chart.add(group)
    bottom = max(card.bottom for lane in lanes.values() for card in lane.cards) if not chart.end else chart.end.bottom
    with style.context(STYLE):
        size = 2 * MARGIN + len(lanes) * (WIDTH + GAP) - GAP, bottom + MARGIN + (0.22 if note else 0)
        figure = Figure(figsize=size)
        figure.set_layout_engine("none")  # the style's own makes room for axes with ticks
        FigureCanvasAgg(figure)
        axes = figure.add_axes((0, 0, 1, 1), xlim=(0, size[0]), ylim=(size[1], 0))
        axes.set_axis_off()
        chart.draw(axes)
        if note:
            axes.text(size[0] / 2, size[1] - MARGIN / 2, note, fontsize=7, color="0.35", ha="center", va="bottom")
        return figure


def _lanes(entries: Sequence[LedgerEntry], origins: Mapping[str, Origin]) -> dict[str, Lane]:
    """Give each table a lane with the box of its files on top."""
    truths = list(dict.fromkeys(t for origin in origins.values() for t in origin.truths))
    lanes: dict[str, Lane] = {}
    for entry in entries:
        if entry.table in lanes or "train" in entry.details:
            continue
        origin = origins.get(entry.table, Origin(entry.table, ()))
        colour = colour_of(origin.truths[0], truths) if origin.truths else PLAIN
        lane = Lane(MARGIN + len(lanes) * (WIDTH + GAP), rows=entry.rows_in)
        lines = [(_shortened(name), "") for name in origin.files]
        lane.cards.append(Card(_words(origin.survey), lines, colour, lane.left, MARGIN, filled=True))
        lanes[entry.table] = lane
    lowest = max(lane.cards[0].bottom for lane in lanes.values())
    for lane in lanes.values():  # the arrows out of the boxes of files begin on one line
        lane.cards[0] = replace(lane.cards[0], top=MARGIN + lowest - lane.cards[0].bottom)
    return lanes


def _stretches(entries: Sequence[LedgerEntry]) -> list[list[LedgerEntry]]:
    """Put plain cuts that follow each other on one table together; what joins lanes stands alone."""
    groups: list[list[LedgerEntry]] = []
    for entry in entries:
        last = groups[-1][-1] if groups else None
        if last and last.table == entry.table and not last.details and not entry.details:
            groups[-1].append(entry)
        else:
            groups.append([entry])
    return groups


class _Chart:
    """The boxes and arrows of one chart, laid out as the stretches of the ledger come."""

    def __init__(self, lanes: Mapping[str, Lane]) -> None:
        self.lanes = lanes
        self.joints: list[tuple[Card, Card, int, bool]] = []  # from, to, galaxies, only compared with
        self.end: Card | None = None

    def add(self, group: Sequence[LedgerEntry]) -> None:
        """Lay out the box of one stretch, below all that leads to it."""
        entry = group[0]
        if "train" in entry.details:
            self._close(entry)
            return
        lane = self.lanes[entry.table]
        other = self._other(entry)
        top = lane.below()
        if other is not None:
            between = sorted([lane.left, other.left])
            top = max(x.below() for x in self.lanes.values() if between[0] <= x.left <= between[1])
        colour = lane.cards[-1].colour
        if colour == PLAIN and other is not None and "labels_in" in entry.details:
            colour = other.cards[-1].colour  # with the labels come their galaxies' colour
        card = Card(_title(entry), _lines(group), colour, lane.left, top)
        if other is not None:
            self.joints.append((other.cards[-1], card, other.rows, "same_id" in entry.details))
            other.ends = other.ends or "labels_in" in entry.details
        self.joints.append((lane.cards[-1], card, entry.rows_in, False))
        lane.cards.append(card)
        lane.rows = group[-1].rows_out

    def _other(self, entry: LedgerEntry) -> Lane | None:
        """Give the lane that a match or an overlap reaches over to."""
        if "labels_in" in entry.details:
            return self.lanes.get(str(entry.details["labels"]))
        if "same_id" in entry.details:
            return self.lanes.get(entry.step.removeprefix("not_in_"))
        return None

    def _close(self, entry: LedgerEntry) -> None:
        """Lay out the box of all galaxies across the lanes that lead to it."""
        open_lanes = [lane for lane in self.lanes.values() if not lane.ends]
        left, right = open_lanes[0].left, open_lanes[-1].left + WIDTH
        top = max(lane.below() for lane in self.lanes.values())
        lines = [(side, f"{entry.details[side]:,}") for side in SIDES]
        self.end = Card(f"{entry.rows_out:,} galaxies", lines, INK, left, top, width=right - left)
        self.joints += [(lane.cards[-1], self.end, lane.rows, False) for lane in open_lanes]

    def draw(self, axes: Axes) -> None:
        """Draw arrows, then boxes over them."""
        for start, to, rows, compared in self.joints:
            _draw_arrow(axes, start, to, rows, compared=compared)
        for lane in self.lanes.values():
            for card in lane.cards:
                _draw_card(axes, card)
        if self.end:
            _draw_end(axes, self.end)


def _title(entry: LedgerEntry) -> str:
    if "labels_in" in entry.details:
        return f"{_words(entry.table)}: match within {entry.details['radius_arcsec']:g}″"
    if "same_id" in entry.details:
        return f"overlap with {_words(entry.step.removeprefix('not_in_'))}"
    return ""


def _lines(group: Sequence[LedgerEntry]) -> list[tuple[str, str]]:
    """Say in words and numbers what a stretch of the ledger does."""
    entry, told = group[0], group[0].details
    if "labels_in" in told:
        share = told["false_matches"] / entry.rows_out
        return [
            ("mutual nearest neighbours", f"{entry.rows_out:,}"),
            ("median separation", f"{told['median_arcsec']:.2f}″"),
            ("of these by chance, about", f"{told['false_matches']:,.1f} ({share:.2%})"),
        ]
    if "same_id" in told:
        return [("same object id", _taken(told["same_id"])), ("same place", _taken(told["same_place"]))]
    return [(_words(e.step), _taken(e.rows_in - e.rows_out)) for e in group]


def _taken(rows: int) -> str:
    return f"{MINUS}{rows:,}" if rows else "0"


def _draw_card(axes: Axes, card: Card) -> None:
    face = _tint(card.colour, 0.8 if card.filled else 0.1)
    ink = "white" if card.filled else INK
    axes.add_patch(_box(card.left, card.top, card.width, card.bottom - card.top, face, card.colour))
    y = card.top + PADDING + LINE / 2
    common: dict[str, Any] = {"va": "center", "clip_on": False}
    if card.title:
        axes.text(card.middle, y, card.title, fontsize=8.5, weight="bold", color=ink, ha="center", **common)
        y += LINE
    for words, number in card.lines:
        if number:
            shade = FAINT if number == "0" else INK
            axes.text(card.left + 0.1, y, words, fontsize=7.5, color=shade, **common)
            axes.text(card.left + card.width - 0.1, y, number, fontsize=7.5, color=shade, ha="right", **common)
        else:
            axes.text(card.middle, y, words, fontsize=6.5, color=ink, ha="center", **common)
        y += LINE


def _draw_end(axes: Axes, card: Card) -> None:
    """Draw the box of all galaxies with the split as a bar of its shares."""
    height = card.bottom - card.top
    axes.add_patch(_box(card.left, card.top, card.width, height, "white", INK))
    y = card.top + PADDING + LINE / 2
    axes.text(card.middle, y, card.title, fontsize=9.5, weight="bold", color=INK, ha="center", va="center")
    counts = {side: int(number.replace(",", "")) for side, number in card.lines}
    left, top = card.left + 0.1, card.top + PADDING + 1.35 * LINE
    for side, count in counts.items():
        width = (card.width - 0.2) * count / max(sum(counts.values()), 1)
        shade = _tint(PLAIN, SIDES[side])
        axes.add_patch(_box(left, top, width, card.bottom - PADDING - top, shade, "white"))
        words = f"{side}\n{count:,}" if width > 0.4 else ""
        axes.text(left + width / 2, (top + card.bottom - PADDING) / 2, words, fontsize=7.5, ha="center", va="center")
        left += width


def _draw_arrow(axes: Axes, start: Card, to: Card, rows: int, *, compared: bool) -> None:
    """Draw how many galaxies go from one box to the next; dashed where they are only compared with."""
    straight = to.left <= start.middle <= to.left + to.width
    line: dict[str, Any] = {"color": FAINT, "linewidth": 1.1, "linestyle": (0, (3, 2)) if compared else "-"}
    if straight:
        points = [(start.middle, start.bottom), (start.middle, to.top)]
    else:
        edge = to.left + to.width if start.left > to.left else to.left
        height = (to.top + to.bottom) / 2
        points = [(start.middle, start.bottom), (start.middle, height), (edge, height)]
    x, y = zip(*points[:-1], strict=True)
    if len(points) > 2 and not compared:  # a lane that is only compared with goes on downwards by itself
        axes.plot(x, y, solid_capstyle="round", **line)
    head = {"arrowstyle": "-|>", "shrinkA": 0, "shrinkB": 0, "mutation_scale": 9, **line}
    axes.annotate("", points[-1], points[-2], arrowprops=head)
    if not compared:
        words = {"fontsize": 8, "weight": "bold", "color": INK, "va": "center"}
        axes.text(start.middle + 0.07, start.bottom + ARROW / 2, f"{rows:,}", **words)  # type: ignore[arg-type]


def _box(left: float, top: float, width: float, height: float, face: Any, edge: Any) -> FancyBboxPatch:
    rounded = "round,pad=0,rounding_size=0.05"
    return FancyBboxPatch((left, top), width, height, boxstyle=rounded, facecolor=face, edgecolor=edge, linewidth=0.9)


def _tint(colour: str, strength: float) -> tuple[float, ...]:
    """Mix a colour with white."""
    return tuple(1 - strength * (1 - channel) for channel in to_rgb(colour))


def _words(name: str) -> str:
    return name.replace("_", " ")


def _shortened(name: str, length: int = 44) -> str:
    return name if len(name) <= length else f"{name[: length - 12]}…{name[-11:]}"
