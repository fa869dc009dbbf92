"""The verdict, read off records worked by hand."""

from __future__ import annotations

import math
from typing import Any

import pytest

from mixz.metrics.verdict import verdicts

Rows = list[dict[str, Any]]


def records(sample: str = "test", metric: str = "hsc_loss", **means: float) -> Rows:
    common = {"truth": "spec", "sample": sample, "z_range": "all", "metric": metric, "n": 900, "requirement": None}
    return [common | {"recipe": recipe, "mean": mean, "bootstrap": 0.002} for recipe, mean in means.items()]


def difference(recipe: str, against: str, value: float, p_value: float) -> dict[str, Any]:
    place = {"truth": "spec", "sample": "test", "z_range": "all", "metric": "hsc_loss"}
    return place | {"recipe": recipe, "against": against, "difference": value, "error": 0.01, "p_value": p_value}


def test_the_smallest_is_best_and_the_closest_comes_first() -> None:
    tested = [difference("tl", "base", -0.04, 0.001), difference("combo", "tl", 0.01, 0.2)]
    verdict = verdicts(records(base=0.12, tl=0.08, combo=0.09), tested)[0]
    assert (verdict.best, verdict.value, verdict.error, verdict.galaxies) == ("tl", 0.08, 0.002, 900)
    assert [(lead.over, lead.difference, lead.significant) for lead in verdict.leads] == [
        ("combo", -0.01, False),  # told the other way round
        ("base", -0.04, True),
    ]
    assert verdict.equals == ("combo",)
    assert verdict.lead_over("base") == verdict.leads[1]
    assert verdict.lead_over("tl") is None
    told = (
        "spec: tl is best (hsc_loss 0.0800 ± 0.0020); not significantly ahead of combo (p = 0.2; 0.025 or less counts)."
    )
    assert verdict.sentence() == told


def test_picking_the_best_of_many_asks_for_more() -> None:
    two = verdicts(records(a=0.1, b=0.2), [difference("a", "b", -0.1, 0.03)])[0]
    three = verdicts(
        records(a=0.1, b=0.2, c=0.3), [difference("a", "b", -0.1, 0.03), difference("a", "c", -0.2, 0.02)]
    )[0]
    assert [lead.significant for lead in two.leads + three.leads] == [True, False, True]


def test_what_was_not_tested_is_not_called_significant() -> None:
    verdict = verdicts(records(a=0.1, b=0.2))[0]
    assert verdict.runner_up is not None
    assert (verdict.runner_up.significant, verdict.equals) == (None, ())
    assert verdict.runner_up.difference == pytest.approx(-0.1)
    assert verdict.sentence().endswith("its lead over b (0.2000) was not tested.")


def test_one_recipe_alone() -> None:
    verdict = verdicts(records(a=0.1))[0]
    assert (verdict.best, verdict.runner_up, verdict.equals) == ("a", None, ())
    assert verdict.sentence() == "spec: a is the only recipe (hsc_loss 0.1000)."


def test_no_number_is_never_best() -> None:
    verdict = verdicts(records(a=math.nan, b=0.2, c=0.3), [difference("b", "c", -0.1, 0.01)])[0]
    assert (verdict.best, [lead.over for lead in verdict.leads]) == ("b", ["c"])
    nothing = verdicts(records(a=math.nan))[0]
    assert nothing.best is None
    assert math.isnan(nothing.value)
    assert nothing.sentence() == "spec: no recipe has a number."
    assert verdicts([]) == []


def test_requirements_with_their_margins() -> None:
    asked = {"requirement": 0.003, "requirement_source": "LPM-17"}
    rows = [
        r | asked | {"passes": r["mean"] > -0.003} for r in records(metric="bias", base=-0.005, tl=0.001)
    ] + records(base=0.2, tl=0.1)
    verdict = verdicts(rows)[0]
    checks = [(c.recipe, c.metric, c.limit, c.passes, round(c.margin, 6)) for c in verdict.checks]
    assert checks == [("base", "bias", 0.003, False, -0.002), ("tl", "bias", 0.003, True, 0.002)]
    assert verdict.checks_of("tl") == verdict.checks[1:]
    assert verdict.checks[0].source == "LPM-17"


def test_samples_and_metrics_are_kept_apart() -> None:
    rows = records(a=0.1, b=0.2) + records(sample="test many_band", a=0.2, b=0.1) + records(metric="rms", a=2, b=1)
    first, second = verdicts(rows, [difference("a", "b", -0.1, 0.01)])
    assert (first.best, second.best) == ("a", "b")
    assert second.where == "spec of test many_band"
    assert second.leads[0].significant is None, "tested on the other sample only"
    assert verdicts(rows, metric="rms")[0].best == "b"
