"""The report at a glance: the verdict in one sentence, and the few numbers behind it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from mixz.metrics.metric import METRICS, columns
from mixz.metrics.verdict import CHANCE, verdicts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mixz.metrics.verdict import Verdict
    from mixz.report.run import Run


class Said(NamedTuple):
    """A part of a sentence: words, or the name of a recipe."""

    text: str
    is_recipe: bool = False


@dataclass(frozen=True)
class Tile:
    """A number that stands by itself.

    Parameters
    ----------
    title, value
        What it is, and the number as text.
    note
        A few words below it.
    metric
        The metric it is, for its explanation; empty if none.
    passes
        Whether it meets what is asked of it; None where nothing is.
    """

    title: str
    value: str
    note: str = ""
    metric: str = ""
    passes: bool | None = None


@dataclass(frozen=True)
class Headline:
    """The verdict on a run in a sentence, and the numbers of the recipe that it names.

    Parameters
    ----------
    sentence
        Its parts.
    lead
        The verdict that the sentence begins with; None where nothing was judged.
    others
        Verdicts on the run's other truths, of the same range of redshifts.
    tiles
        Numbers of the best recipe on the lead's galaxies.
    """

    sentence: tuple[Said, ...]
    lead: Verdict | None
    others: tuple[Verdict, ...]
    tiles: tuple[Tile, ...]

    @property
    def words(self) -> str:
        """The sentence without its parts."""
        return "".join(part.text for part in self.sentence)


def headline(run: Run) -> Headline:
    """What a run comes to: on the labels that are exact first, on the others after.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> from mixz.truths.known import KNOWN_TRUTHS
    >>> common = {"truth": "spec", "sample": "test", "z_range": "all", "metric": "hsc_loss", "n": 900, "bin": None}
    >>> records = [common | {"recipe": "base", "mean": 0.12}, common | {"recipe": "tl", "mean": 0.08}]
    >>> lead = {"recipe": "tl", "against": "base", "difference": -0.04, "error": 0.04, "p_value": 0.3}
    >>> one = SimpleNamespace(records=records, differences=[common | lead], known=KNOWN_TRUTHS)
    >>> headline(one).words
    'tl is best on spec labels, though these galaxies cannot tell it from base.'
    """
    judged = [v for v in verdicts(run.records, run.differences) if v.sample == "test" and not _simulated(run, v)]
    with_best = [v for v in judged if v.best is not None]
    if not with_best:
        return Headline((Said("No recipe has a number to judge it by."),), None, (), ())
    lead = next((v for v in with_best if v.truth in run.known.exact), with_best[0])
    others = tuple(v for v in with_best if v is not lead)
    sentence = _clause(lead)
    for other in others:
        sentence += [Said("; "), *_clause(other, before=lead.best)]
    return Headline((*sentence, Said(".")), lead, others, _tiles(run, lead))


def threshold_words() -> str:
    """What p is and below what it counts, for whoever reads that a small one does not."""
    return (
        f"p is how often chance alone gives a lead as large on as many galaxies. A lead counts where p is at most "
        f"{CHANCE:g} divided by how many recipes the best one is compared with, because it was picked as the best of "
        f"them (Bonferroni): among four others {CHANCE / 4:.2g}, so that p = 0.02 is then not significant."
    )


def _simulated(run: Run, verdict: Verdict) -> bool:
    return verdict.truth in run.known and run.known[verdict.truth].simulated


def _clause(verdict: Verdict, *, before: str | None = None) -> list[Said]:
    """What is said of one sample; the best recipe is not named again where it is the one before."""
    best = Said(verdict.best or "", is_recipe=True)
    on = f"on {verdict.truth} labels"
    if not verdict.leads:
        loss = f"{METRICS[verdict.metric].title} {verdict.value:.4f}"
        return [best, Said(f" is the only recipe judged {on} ({loss})")]
    said = [Said("it is"), Said(f" best {on} too")] if before == verdict.best else [best, Said(f" is best {on}")]
    if verdict.equals:
        return [*said, Said(", though these galaxies cannot tell it from "), *_listed(verdict.equals)]
    if any(lead.significant is None for lead in verdict.leads):
        return [*said, Said(" (by more than chance? that was not tested)")]
    return [*said, Said(", by more than chance")]


def _listed(recipes: Sequence[str]) -> list[Said]:
    parts: list[Said] = []
    for k, recipe in enumerate(recipes):
        between = "" if k == 0 else " and " if k == len(recipes) - 1 else ", "
        parts += [Said(between), Said(recipe, is_recipe=True)]
    return [part for part in parts if part.text]


def _tiles(run: Run, lead: Verdict) -> tuple[Tile, ...]:
    """The metrics of the best recipe in the verdict's own range of redshifts, and what LSST makes of it."""
    mine = {
        r["metric"]: r
        for r in run.records
        if (r["recipe"], r["truth"], r["sample"], r["z_range"], r.get("bin"))
        == (lead.best, lead.truth, lead.sample, lead.z_range, None)
    }
    tiles = [
        Tile(metric.title, f"{mine[metric.name]['mean']:.4f}", _error(mine[metric.name]), metric.name)
        for metric in sorted(columns(), key=lambda metric: metric.name != lead.metric)
        if metric.name in mine and not math.isnan(mine[metric.name]["mean"])
    ]
    in_lsst = verdicts(run.records, run.differences, z_range="lsst")
    asked = [c for v in in_lsst if v.where == lead.where for c in v.checks_of(lead.best or "") if c.passes is not None]
    if asked:
        met = sum(bool(check.passes) for check in asked)
        tiles.append(
            Tile("LSST's requirements", f"{met} of {len(asked)} met", "in LSST's range", passes=met == len(asked))
        )
    return (*tiles, Tile("galaxies", f"{lead.galaxies:,}", f"tested, with {lead.truth} labels"))


def _error(record: dict[str, float]) -> str:
    error = record.get("bootstrap", math.nan)
    return "" if math.isnan(error) else f"± {error:.4f}"
