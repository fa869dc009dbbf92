"""The paper's Figure 4 for any build: the ledger as a flow chart, with the run's own counts."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from html import escape
from typing import TYPE_CHECKING

from mixz.report.charts.colours import truth_colour
from mixz.report.paper import FONT, GREY

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mixz.data.cuts import LedgerEntry

# Everything is laid out in points, from the upper left corner.
MARGIN, WIDTH, GAP = 11.0, 187.0, 40.0
LINE, PADDING, ARROW, INSET = 12.0, 6.0, 26.0, 7.0
INK, FAINT, PLAIN = "#262626", "#808080", "#6b7280"
MINUS = "\N{MINUS SIGN}"
SIDES = {"train": 0.62, "validation": 0.4, "conformal": 0.31, "test": 0.22}
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


def draw_flowchart(entries: Sequence[LedgerEntry], origins: Mapping[str, Origin], *, note: str = "") -> str:
    """Draw Figure 4: a lane per table, a box per stretch of cuts, and where matches and overlaps join the lanes.

    Parameters
    ----------
    entries
        The ledger of a build.
    origins
        Per table, and per catalogue matched to one, where it comes from.
    note
        Words under the figure, e.g. that the data are simulated.

    Returns
    -------
    str
        An SVG, of a pixel to a point.
    """
    lanes = _lanes(entries, origins)
    chart = _Chart(lanes)
    for group in _stretches(entries):
        chart.add(group)
    bottom = max(card.bottom for lane in lanes.values() for card in lane.cards) if not chart.end else chart.end.bottom
    width, height = 2 * MARGIN + len(lanes) * (WIDTH + GAP) - GAP, bottom + MARGIN + (16 if note else 0)
    below = [_text(width / 2, height - MARGIN, note, 7, colour=GREY, anchor="middle")] if note else []
    size = f'width="{width:g}" height="{height:g}" viewBox="0 0 {width:g} {height:g}"'
    paper = '<rect width="100%" height="100%" fill="white"/>'
    body = "\n".join([paper, *chart.drawn(), *below])
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="{escape(FONT)}">\n{body}\n</svg>\n'


def _lanes(entries: Sequence[LedgerEntry], origins: Mapping[str, Origin]) -> dict[str, Lane]:
    """A lane per table, with the box of its files on top."""
    truths = list(dict.fromkeys(t for origin in origins.values() for t in origin.truths))
    lanes: dict[str, Lane] = {}
    for entry in entries:
        if entry.table in lanes or "train" in entry.details:
            continue
        origin = origins.get(entry.table, Origin(entry.table, ()))
        colour = truth_colour(origin.truths[0], truths) if origin.truths else PLAIN
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
        """The lane that a match or an overlap reaches over to."""
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
        lines = [(side, f"{entry.details[side]:,}") for side in SIDES if side in entry.details]
        self.end = Card(f"{entry.rows_out:,} galaxies", lines, INK, left, top, width=right - left)
        self.joints += [(lane.cards[-1], self.end, lane.rows, False) for lane in open_lanes]

    def drawn(self) -> list[str]:
        """Arrows, then boxes over them."""
        arrows = [_arrow(start, to, rows, compared=compared) for start, to, rows, compared in self.joints]
        cards = [_card(card) for lane in self.lanes.values() for card in lane.cards]
        return [*arrows, *cards, *([_end(self.end)] if self.end else [])]


def _title(entry: LedgerEntry) -> str:
    if "labels_in" in entry.details:
        return f"{_words(entry.table)}: match within {entry.details['radius_arcsec']:g}″"
    if "same_id" in entry.details:
        return f"overlap with {_words(entry.step.removeprefix('not_in_'))}"
    return ""


def _lines(group: Sequence[LedgerEntry]) -> list[tuple[str, str]]:
    """In words and numbers, what a stretch of the ledger does."""
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


def _card(card: Card) -> str:
    face = _tint(card.colour, 0.8 if card.filled else 0.1)
    ink = "white" if card.filled else INK
    drawn = [_box(card.left, card.top, card.width, card.bottom - card.top, face, card.colour)]
    y = card.top + PADDING + LINE / 2
    if card.title:
        drawn.append(_text(card.middle, y, card.title, 8.5, colour=ink, anchor="middle", bold=True))
        y += LINE
    for words, number in card.lines:
        if number:
            shade = FAINT if number == "0" else INK
            drawn.append(_text(card.left + INSET, y, words, 7.5, colour=shade))
            drawn.append(_text(card.left + card.width - INSET, y, number, 7.5, colour=shade, anchor="end"))
        else:
            drawn.append(_text(card.middle, y, words, 6.5, colour=ink, anchor="middle"))
        y += LINE
    return "\n".join(drawn)


def _end(card: Card) -> str:
    """The box of all galaxies with the split as a bar of its shares."""
    drawn = [_box(card.left, card.top, card.width, card.bottom - card.top, "white", INK)]
    drawn.append(_text(card.middle, card.top + PADDING + LINE / 2, card.title, 9.5, anchor="middle", bold=True))
    counts = {side: int(number.replace(",", "")) for side, number in card.lines}
    left, top = card.left + INSET, card.top + PADDING + 1.35 * LINE
    height = card.bottom - PADDING - top
    for side, count in counts.items():
        width = (card.width - 2 * INSET) * count / max(sum(counts.values()), 1)
        drawn.append(_box(left, top, width, height, _tint(PLAIN, SIDES[side]), "white"))
        if width > 29:
            for line, words in enumerate((side, f"{count:,}")):
                drawn.append(_text(left + width / 2, top + height / 2 + (line - 0.5) * 9, words, 7.5, anchor="middle"))
        left += width
    return "\n".join(drawn)


def _arrow(start: Card, to: Card, rows: int, *, compared: bool) -> str:
    """How many galaxies go from one box to the next; dashed where they are only compared with."""
    if to.left <= start.middle <= to.left + to.width:
        points = [(start.middle, start.bottom), (start.middle, to.top)]
        along = (0.0, 1.0)
    else:
        edge = to.left + to.width if start.left > to.left else to.left
        height = (to.top + to.bottom) / 2
        points = [(start.middle, start.bottom), (start.middle, height), (edge, height)]
        along = (1.0 if edge > start.middle else -1.0, 0.0)
    if len(points) > 2 and compared:
        del points[0]  # a lane that is only compared with goes on downwards by itself
    (x, y), (dx, dy) = points[-1], along
    head = [(x, y), (x - 6 * dx - 2.4 * dy, y - 6 * dy - 2.4 * dx), (x - 6 * dx + 2.4 * dy, y - 6 * dy + 2.4 * dx)]
    points[-1] = (x - 4 * dx, y - 4 * dy)
    dashes = ' stroke-dasharray="3 2"' if compared else ""
    drawn = [
        f'<polyline points="{_points(points)}" fill="none" stroke="{FAINT}" stroke-width="1"{dashes}/>',
        f'<polygon points="{_points(head)}" fill="{FAINT}"/>',
    ]
    if not compared:
        drawn.append(_text(start.middle + 5, start.bottom + ARROW / 2, f"{rows:,}", 8, bold=True))
    return "\n".join(drawn)


def _points(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def _text(
    x: float, y: float, words: str, size: float, *, colour: str = INK, anchor: str = "start", bold: bool = False
) -> str:
    """Words whose middle is at a height."""
    style = f'font-size="{size:g}" fill="{colour}" text-anchor="{anchor}"' + (' font-weight="bold"' if bold else "")
    return f'<text x="{x:.1f}" y="{y + 0.35 * size:.1f}" {style}>{escape(words)}</text>'


def _box(left: float, top: float, width: float, height: float, face: str, edge: str) -> str:
    place = f'x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{height:.1f}" rx="3.5"'
    return f'<rect {place} fill="{face}" stroke="{edge}" stroke-width="0.9"/>'


def _tint(colour: str, strength: float) -> str:
    """Mix a colour with white.

    Examples
    --------
    >>> _tint("#000000", 0.0), _tint("#000000", 1.0)
    ('#ffffff', '#000000')
    """
    channels = (int(colour[k : k + 2], 16) for k in (1, 3, 5))
    return "#" + "".join(f"{round(255 - strength * (255 - channel)):02x}" for channel in channels)


def _words(name: str) -> str:
    return name.replace("_", " ")


def _shortened(name: str, length: int = 44) -> str:
    return name if len(name) <= length else f"{name[: length - 12]}…{name[-11:]}"
