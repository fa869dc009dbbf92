"""Which recipe for which sample: the best one, whether its lead is more than chance, and what LSST asks of each.

Everything is read off flat records (`mixz.metrics.summarize`, `mixz.metrics.summarize_differences`), so that the
terminal and the report say the same.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mixz.notebook.facts import Facts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mixz.metrics.summary import Record

DECIDING_METRIC = "hsc_loss"
"""Smallest is best: it counts bias, scatter and outliers in one number, and no galaxy for more than 1 (ours)."""

CHANCE = 0.05
"""A lead that chance gives this often is none; divided by how many recipes the best one is compared with (ours)."""


@dataclass(frozen=True)
class Check:
    """One LSST requirement on one recipe.

    Parameters
    ----------
    recipe, metric, value
        Whose metric, and its mean over members.
    limit, margin
        What |value| must stay below, and limit - |value|: positive when met.
    passes
        Whether it is met; None where there is no value.
    source
        The document that the limit is from.
    """

    recipe: str
    metric: str
    value: float
    limit: float
    margin: float
    passes: bool | None
    source: str


@dataclass(frozen=True)
class Lead:
    """How far the best recipe is ahead of another on the same galaxies.

    Parameters
    ----------
    over
        The other recipe.
    value
        Its metric.
    difference, error
        |metric| of the best minus |metric| of the other, and its standard error (NaN where it was not tested).
    p_value
        Two-sided: how often chance alone would make a difference as large (NaN where it was not tested).
    significant
        Whether p_value is at most 0.05 over the number of other recipes (Bonferroni, since the best one was picked
        among them); None where it was not tested.
    """

    over: str
    value: float
    difference: float
    error: float
    p_value: float
    significant: bool | None


@dataclass(frozen=True)
class Verdict:
    """What one sample says of all recipes.

    Parameters
    ----------
    truth, sample, z_range
        Whose labels, which galaxies, and which of them, as in the records.
    galaxies, left_out
        How many were judged, and how many test galaxies were not since some recipe gave them no redshift.
    metric
        What decides.
    best
        The recipe with the smallest |metric|; None where no recipe has a number.
    value, error
        Its metric (mean over members), and the standard error from resampling galaxies (NaN where not asked for).
    leads
        Over every other recipe that has a number, the closest one first.
    checks
        Every requirement on every recipe, in the records' order.
    """

    truth: str
    sample: str
    z_range: str
    galaxies: int
    left_out: int
    metric: str
    best: str | None
    value: float
    error: float
    leads: tuple[Lead, ...]
    checks: tuple[Check, ...]

    def __repr__(self) -> str:
        """Say in a line what it is."""
        return self._facts().line()

    def _repr_html_(self) -> str:
        return self._facts().html()

    def _facts(self) -> Facts:
        leads = {
            f"over {lead.over}": f"{lead.difference:+.4f} ± {lead.error:.4f}"
            + ("" if lead.significant is None else ", significant" if lead.significant else ", may be chance")
            for lead in self.leads
        }
        asked = {
            check.metric: f"{check.value:.4f} of at most {check.limit:g}{'' if check.passes else ': not met'}"
            for check in self.checks
            if check.recipe == self.best
        }
        return Facts(f"Verdict: {self.sentence()}", {"galaxies": f"{self.galaxies:,}", **leads, **asked})

    @property
    def runner_up(self) -> Lead | None:
        """The lead over the closest other recipe; None where there is none."""
        return self.leads[0] if self.leads else None

    @property
    def equals(self) -> tuple[str, ...]:
        """Recipes that the data cannot tell from the best one."""
        return tuple(lead.over for lead in self.leads if lead.significant is False)

    def lead_over(self, recipe: str) -> Lead | None:
        """The lead over a recipe; None for the best one, and for one that has no number."""
        return next((lead for lead in self.leads if lead.over == recipe), None)

    def checks_of(self, recipe: str) -> tuple[Check, ...]:
        """The requirements on one recipe."""
        return tuple(check for check in self.checks if check.recipe == recipe)

    @property
    def where(self) -> str:
        """Name the sample in words: ``many_band``, or ``true of test many_band`` for a simulation's truth."""
        return self.truth if self.sample == "test" else f"{self.truth} of {self.sample}"

    def sentence(self) -> str:
        """The verdict in one sentence, without markup."""
        if self.best is None:
            return f"{self.where}: no recipe has a number."
        found = f"{self.where}: {self.best} is best ({self.metric} {self.value:.4f}{_plus_minus(self.error)})"
        closest = self.runner_up
        if closest is None:
            return f"{self.where}: {self.best} is the only recipe ({self.metric} {self.value:.4f})."
        if closest.significant is None:
            return f"{found}; its lead over {closest.over} ({closest.value:.4f}) was not tested."
        if closest.significant:
            told = f"its lead over {closest.over} ({closest.value:.4f}) is significant"
        else:
            told = f"not significantly ahead of {_listed(self.equals)}"
        # Whoever reads "p = .02 is not significant" wants to know below what it would be.
        return f"{found}; {told} (p = {closest.p_value:.2g}; {CHANCE / len(self.leads):.2g} or less counts)."


def verdicts(
    records: Sequence[Record],
    differences: Sequence[Record] = (),
    *,
    z_range: str = "all",
    metric: str = DECIDING_METRIC,
) -> list[Verdict]:
    """Judge the recipes on every sample of a run.

    Parameters
    ----------
    records
        As `mixz.metrics.summarize` gives them, one per recipe, sample, range and metric.
    differences
        As `mixz.metrics.summarize_differences` gives them, each pair of recipes in either order; where a pair is
        missing its lead counts as not tested.
    z_range
        The range of galaxies, e.g. ``"all"`` or ``"0.3-1.5"``.
    metric
        What decides: the smallest absolute mean over members is best.

    Returns
    -------
    list of Verdict
        One per (truth, sample), in the records' order; empty where there are no records of this range.

    Examples
    --------
    >>> common = {"truth": "spec", "sample": "test", "z_range": "all", "metric": "hsc_loss", "n": 900}
    >>> records = [common | {"recipe": "base", "mean": 0.12}, common | {"recipe": "tl", "mean": 0.08}]
    >>> found = {"recipe": "base", "against": "tl", "difference": 0.04, "error": 0.01, "p_value": 0.01}
    >>> verdict = verdicts(records, [common | found])[0]
    >>> verdict.best, verdict.leads[0].over, verdict.leads[0].difference, verdict.leads[0].significant
    ('tl', 'base', -0.04, True)
    >>> verdict.sentence()
    'spec: tl is best (hsc_loss 0.0800); its lead over base (0.1200) is significant (p = 0.01; 0.05 or less counts).'
    """
    chosen = [r for r in records if r["z_range"] == z_range]
    tested = {
        (r["truth"], r["sample"], r["recipe"], r["against"]): r
        for r in differences
        if r["z_range"] == z_range and r["metric"] == metric
    }
    samples = dict.fromkeys((r["truth"], r["sample"]) for r in chosen)
    return [
        _verdict([r for r in chosen if (r["truth"], r["sample"]) == sample], tested, z_range, metric)
        for sample in samples
    ]


def _verdict(
    records: Sequence[Record], tested: dict[tuple[str, str, str, str], Record], z_range: str, metric: str
) -> Verdict:
    truth, sample = records[0]["truth"], records[0]["sample"]
    found = {r["recipe"]: r for r in records if r["metric"] == metric}
    # Python's sort keeps the order of equals, so that of two equal recipes the one named first is best.
    ranked = sorted((r for r in found if not math.isnan(found[r]["mean"])), key=lambda r: abs(found[r]["mean"]))
    best, others = (ranked[0], ranked[1:]) if ranked else (None, [])
    limit = CHANCE / max(len(others), 1)
    leads = [_lead(found[best], found[other], tested, (truth, sample), limit) for other in others if best is not None]
    return Verdict(
        truth=truth,
        sample=sample,
        z_range=z_range,
        galaxies=max((r["n"] for r in found.values()), default=0),
        left_out=max((r.get("left_out", 0) for r in found.values()), default=0),
        metric=metric,
        best=best,
        value=found[best]["mean"] if best is not None else math.nan,
        error=found[best].get("bootstrap", math.nan) if best is not None else math.nan,
        leads=tuple(leads),
        checks=tuple(_check(r) for r in records if r.get("requirement") is not None),
    )


def _lead(
    best: Record,
    other: Record,
    tested: dict[tuple[str, str, str, str], Record],
    place: tuple[str, str],
    limit: float,
) -> Lead:
    names = best["recipe"], other["recipe"]
    forth, back = tested.get((*place, *names)), tested.get((*place, *names[::-1]))
    record = forth or back
    if record is None or math.isnan(record["p_value"]):
        return Lead(names[1], other["mean"], abs(best["mean"]) - abs(other["mean"]), math.nan, math.nan, None)
    difference = record["difference"] if record is forth else -record["difference"]
    significant = record["p_value"] <= limit
    return Lead(names[1], other["mean"], difference, record["error"], record["p_value"], significant)


def _check(record: Record) -> Check:
    named = {key: record[key] for key in ("recipe", "metric")}
    value, limit = record["mean"], record["requirement"]
    return Check(
        **named,
        value=value,
        limit=limit,
        margin=limit - abs(value),
        passes=record["passes"],
        source=record["requirement_source"],
    )


def _plus_minus(error: float) -> str:
    return "" if math.isnan(error) else f" ± {error:.4f}"


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
