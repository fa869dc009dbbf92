"""The paper's claims beside a run: the rule that judges them, and a section whose answers are known."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from toy_run import page_of, toy_run

from mixz.metrics import METRICS
from mixz.photoz import PhotoZ
from mixz.report.held_against.beside_paper import ONLY_SIMULATED, held_against, holds_the_papers_galaxies, paper_section
from mixz.report.held_against.claims import CLAIMS, JONES, LSTM_MDN, Covered, Meets, Smaller, Worse
from mixz.report.held_against.reproduced import Answer, judge_limit, judge_smaller
from mixz.report.run import Run

DOCS = Path(__file__).parents[2] / "docs"
PAPERS = [{"survey": "transferz"}, {"survey": "galaxiesml_photometry"}]
REAL = {"simulated": False, "settings": {"tables": PAPERS}, "sources": ["hsc_test.csv"], "ledger": []}


def record(recipe: str, metric: str, mean: float, **changes: Any) -> dict[str, Any]:
    common = {"truth": "spec", "sample": "test", "z_range": "0.3-1.5", "bin": None, "estimate": "mean", "n": 100}
    errors = {"std": 0.0, "members": 4, "bootstrap": 0.0005, "corrected": math.nan, "ensemble": mean}
    asked = {"requirement": None, "passes": None, "margin": None, "requirement_source": None}
    return common | errors | asked | {"recipe": recipe, "metric": metric, "mean": mean} | changes


def compared(recipe: str, against: str, metric: str, low: float, high: float, **changes: Any) -> dict[str, Any]:
    common = {"truth": "spec", "sample": "test", "z_range": "0.3-1.5", "bin": None, "ratio": 1.0}
    return common | {
        "recipe": recipe, "against": against, "metric": metric, "ratio_low": low, "ratio_high": high
    } | changes  # fmt: skip


def run_of(records: list[dict[str, Any]], differences: list[dict[str, Any]], **about: Any) -> Run:
    return replace(toy_run(), about=REAL | about, records=records, differences=differences)


RMS = next(c for c in CLAIMS if isinstance(c, Smaller) and (c.metric, c.under) == ("rms", "tl"))
WORSE = next(c for c in CLAIMS if isinstance(c, Worse) and (c.metric, c.under) == ("rms", "tl"))
BOTH = [record("base", "rms", 0.12), record("tl", "rms", 0.08)]


@given(st.floats(0, 20), st.floats(0, 20))
def test_a_ratio_that_may_be_one_never_reproduces(a: float, b: float) -> None:
    low, high = min(a, b), max(a, b)
    found = judge_smaller(low, high, allowed=(1.45, 1.55)).answer
    assert (found is Answer.REPRODUCED) == (low > 1 and high >= 1.45)
    assert (found is Answer.UNKNOWN) == (low <= 1 and high >= 1.45)


def test_a_digit_leaves_room_for_rounding() -> None:
    assert RMS.allowed == (1.45, 1.55)
    bias = next(c for c in CLAIMS if isinstance(c, Smaller) and (c.metric, c.under) == ("bias", "tl"))
    assert bias.allowed == (4.5, 5.5)


def test_without_errors_nothing_is_told() -> None:
    assert judge_smaller(math.nan, math.nan, allowed=(1, 2)).answer is Answer.UNKNOWN
    assert judge_limit(0.001, math.nan, limit=0.003).answer is Answer.UNKNOWN
    measured, found = held_against(run_of(BOTH, []), RMS)
    assert measured.startswith("`base` / `tl` 1.50: 0.1200")
    assert found.answer is Answer.UNKNOWN


def test_a_ratio_is_judged_whichever_way_it_was_compared() -> None:
    forth = held_against(run_of(BOTH, [compared("base", "tl", "rms", 1.25, 2.0)]), RMS)
    back = held_against(run_of(BOTH, [compared("tl", "base", "rms", 0.5, 0.8)]), RMS)
    assert forth == back
    assert forth[0] == "`base` / `tl` 1.50 (95 %: 1.25 to 2.00): 0.1200 ± 0.0005 over 0.0800 ± 0.0005"
    assert forth[1].answer is Answer.REPRODUCED


def test_a_ratio_over_what_may_be_zero_has_no_upper_end() -> None:
    """In a file its end is null, which is read as NaN."""
    for run in (
        run_of(BOTH, [compared("base", "tl", "rms", 1.25, math.nan)]),
        run_of(BOTH, [compared("tl", "base", "rms", 0.0, 0.8)]),
    ):
        measured, found = held_against(run, RMS)
        assert "95 %: at least 1.25" in measured
        assert found.answer is Answer.REPRODUCED


def test_none_against_none_tells_nothing() -> None:
    none = [record(recipe, "rms", 0.0) for recipe in ("base", "tl")]
    measured, found = held_against(run_of(none, [compared("base", "tl", "rms", 0.0, math.inf)]), RMS)
    assert "none of both (95 %: any, both may be zero)" in measured
    assert found.answer is Answer.UNKNOWN


@pytest.mark.parametrize("end", [math.inf, math.nan])
def test_some_against_none_at_all_is_without_end(end: float) -> None:
    some = [record("base", "rms", 0.1), record("tl", "rms", 0.0)]
    forth = held_against(run_of(some, [compared("base", "tl", "rms", end, end)]), RMS)
    back = held_against(run_of(some, [compared("tl", "base", "rms", 0.0, 0.0)]), RMS)
    assert forth == back
    assert "without end (95 %: without end)" in forth[0]
    assert forth[1].answer is Answer.REPRODUCED


def test_bins_and_other_truths_are_not_mistaken_for_the_claims_place() -> None:
    other = [compared("base", "tl", "rms", 9, 10, bin="i 20-22"), compared("base", "tl", "rms", 9, 10, truth="grism")]
    assert held_against(run_of(BOTH, other), RMS)[1].answer is Answer.UNKNOWN


def test_a_loss_is_judged_on_many_band_labels() -> None:
    records = [r | {"truth": "many_band"} for r in (record("base", "rms", 0.08), record("tl", "rms", 0.1))]
    lost = [compared("base", "tl", "rms", 0.7, 0.9, truth="many_band")]
    assert held_against(run_of(records, lost), WORSE)[1].answer is Answer.REPRODUCED
    assert held_against(run_of(BOTH, [compared("base", "tl", "rms", 0.7, 0.9)]), WORSE)[1].answer is Answer.UNKNOWN


def test_requirements_are_judged_with_both_errors() -> None:
    claim = next(c for c in CLAIMS if isinstance(c, Meets) and (c.metric, c.recipe) == ("bias", "tl"))
    # 0.003 is asked; 0.0025 + 2 sqrt(0.0003^2 + 0.0008^2 / 4) = 0.0035
    unsure = record("tl", "bias", -0.0025, std=0.0008, bootstrap=0.0003, z_range="lsst")
    assert held_against(run_of([unsure], []), claim)[0] == "-0.0025 ± 0.0005, asked: < 0.003"
    assert held_against(run_of([unsure], []), claim)[1].answer is Answer.UNKNOWN
    sure = unsure | {"std": 0.0, "bootstrap": 0.0002}
    assert held_against(run_of([sure], []), claim)[1].answer is Answer.REPRODUCED
    assert held_against(run_of([sure | {"mean": 0.02}], []), claim)[1].answer is Answer.NOT_REPRODUCED


def test_coverage_counts_labels_within_a_members_own_sigma() -> None:
    claim = next(c for c in CLAIMS if isinstance(c, Covered))
    run = toy_run(galaxies=9000)
    test = run.test
    rows = np.flatnonzero(test.has("spec"))
    z = np.nan_to_num(test.z["spec"], nan=0.5)
    off = np.ones(len(test))
    off[rows[: round(0.672 * len(rows))]] = -0.5  # this share lies within one sigma, below the label or above
    bnn = PhotoZ(test.object_id, np.stack([z + 0.05 * off] * 3), np.full((3, len(test)), 0.04))
    measured, found = held_against(replace(run, about=REAL, photoz={"bnn": bnn}), claim)
    assert measured == f"67.2 ± 1.2 % of {len(rows):,}"
    assert found.answer is Answer.REPRODUCED
    none = PhotoZ(test.object_id, np.full((3, len(test)), np.nan), np.full((3, len(test)), np.nan))
    for photoz in ({"bnn": none}, {"bnn": PhotoZ(test.object_id, bnn.z_phot_members)}, {}):
        assert held_against(replace(run, photoz=photoz), claim)[1].answer is Answer.UNKNOWN


def test_simulated_galaxies_test_no_claim() -> None:
    differences = [compared("base", "tl", "rms", 1.25, 2.0)]
    assert "**reproduced**" in paper_section(run_of(BOTH, differences))
    told = paper_section(run_of(BOTH, differences, simulated=True))
    assert told.startswith("**SIMULATED")
    assert told.count(ONLY_SIMULATED.why) == len(CLAIMS)
    assert "**reproduced**" not in told
    assert "SIMULATED, so the rows must not be compared" in told


def test_published_rows_stand_beside_ours_on_their_test_side_only() -> None:
    records = [record("base", name, 0.05, z_range="all") for name in ("bias", "rms")]
    told = paper_section(run_of(records, []))
    assert "| all redshifts | LSTM-MDN (published) | 28,640 | 0.0013 | 0.0239 | 0.13 |" in told
    assert "| all redshifts | `base` | 100 | 0.0500 ± 0.0005 | n/a | 0.0500 ± 0.0005 |" in told
    assert LSTM_MDN.name not in paper_section(run_of(records, [], sources=["HSC_v6.csv"]))
    assert set(LSTM_MDN.values["all"]) < set(METRICS)


@pytest.mark.parametrize(
    ("tables", "papers"),
    [
        (PAPERS, True),
        ([{"survey": "hsc_pdr2", "match": [{"survey": "cosmos2020_classic"}]}, {"survey": "galaxiesml"}], True),
        ([{"survey": "hsc_pdr2", "match": []}, {"survey": "galaxiesml"}], False),
        ([{"survey": "transferz"}], False),
        ([{"survey": None}], False),
    ],
)
def test_the_section_is_shown_on_the_papers_galaxies_only(tables: list[dict[str, Any]], *, papers: bool) -> None:
    run = toy_run(about=REAL | {"settings": {"tables": tables}})
    assert holds_the_papers_galaxies(run.about) is papers
    page = page_of([run])
    assert ('id="paper"' in page) is papers
    assert (JONES in page) is papers


def test_the_page_of_the_docs_has_every_claim_and_every_published_number() -> None:
    page = " ".join((DOCS / "paper.md").read_text().split())
    for claim in CLAIMS:
        told = claim.words.partition(": ")[2].partition(",")[0]
        assert told in page, f"docs/paper.md does not tell: {claim.words}"
        assert claim.source in page
    for values in LSTM_MDN.values.values():
        for number in values.values():
            assert f"{number:g}" in page
