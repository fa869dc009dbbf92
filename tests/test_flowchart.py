"""The flow chart: every number of the ledger stands in it, whatever the shape of the build."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from mixz.data.cuts import LedgerEntry
from mixz.report.flowchart import Origin, draw_flowchart
from mixz.report.paper import save_drawing
from mixz.report.screen import ledger_table

MATCH = {"labels": "cosmos", "labels_in": 90, "radius_arcsec": 1.0, "median_arcsec": 0.12, "false_matches": 3.4}
OVERLAP = {"same_id": 5, "same_place": 1, "labels": "both"}
SPLIT = {"train": 84, "validation": 18, "test": 18}
ENTRIES = [
    LedgerEntry("cosmos", "galaxies_only", 1234, 90),
    LedgerEntry("hsc", "near_cosmos", 4321, 200),
    LedgerEntry("hsc", "match_cosmos", 200, 80, MATCH),
    LedgerEntry("hsc", "extended", 80, 76),
    LedgerEntry("ml", "secure", 60, 50),
    LedgerEntry("hsc", "not_in_ml", 76, 70, OVERLAP),
    LedgerEntry("all tables", "split", 120, 120, SPLIT),
]
ORIGINS = {"cosmos": Origin("cosmos2020_classic", ["a.fits"], ["many_band"]), "ml": Origin("ml", ["b.csv"], ["spec"])}


def words(entries: list[LedgerEntry], **settings: str) -> list[str]:
    drawing = ElementTree.fromstring(draw_flowchart(entries, ORIGINS, **settings))
    return [text.text or "" for text in drawing.iter("{http://www.w3.org/2000/svg}text")]


def test_every_number_is_drawn() -> None:
    drawn = words(ENTRIES, note="SIMULATED")
    for expected in ("1,234", "90", "4,321", "200", "80", "76", "70", "50", "3.4 (4.25%)", "120 galaxies", "SIMULATED"):
        assert expected in drawn
    assert drawn[drawn.index("train") + 1] == "84"
    assert "cosmos2020 classic" in drawn


@pytest.mark.parametrize("entries", [ENTRIES[:1], ENTRIES[4:5] + ENTRIES[6:], ENTRIES[1:2], ENTRIES[:4] + ENTRIES[6:]])
def test_simpler_builds_have_simpler_charts(entries: list[LedgerEntry], tmp_path: Path) -> None:
    paths = save_drawing(draw_flowchart(entries, {}), tmp_path, "chart", ("svg", "png"))
    ElementTree.parse(paths[0])
    ink = np.asarray(Image.open(paths[1]).convert("L")) < 250
    assert 0.01 < ink.mean() < 0.9
    assert not ink[:3].any()
    assert not ink[-3:].any(), "nothing is cut off"
    assert not ink[:, -3:].any()


def test_names_cannot_break_the_drawing() -> None:
    assert "a<b> & c" in words([LedgerEntry("a<b> & c", "cut", 3, 2)])


def test_the_table_tells_of_matches_too() -> None:
    table = ledger_table(ENTRIES)
    notes = list(table.columns[-1].cells)
    assert notes[2] == '90 labels, 0.12", 3.4 by chance'
    assert notes[5] == "5 by id, 1 by place"
    assert notes[6] == "84 train, 18 validation, 18 test"
