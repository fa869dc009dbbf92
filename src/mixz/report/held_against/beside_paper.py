"""The paper and a run: every claim beside what was measured, with errors and in words; published numbers too."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from mixz.metrics.metric import METRICS
from mixz.report.held_against.claims import CLAIMS, LSTM_MDN, RANGE, Claim, Covered, Meets, Smaller, Worse
from mixz.report.held_against.reproduced import (
    Answer,
    Judgement,
    judge_limit,
    judge_share,
    judge_smaller,
    judge_worse,
)
from mixz.report.screen import SIMULATED

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from mixz.metrics.summary import Record
    from mixz.report.run import Run

GALAXIESML = {"galaxiesml", "galaxiesml_photometry"}
HSC, COSMOS = {"hsc_pdr2", "hsc_pdr3"}, {"cosmos2020_classic", "cosmos2020_farmer"}

ONLY_SIMULATED = Judgement(Answer.UNKNOWN, "no claim can be tested on simulated galaxies")
"""What is said of every claim where galaxies are simulated, whatever was measured."""

RULE = (
    "Intervals and errors (±, one standard error) come from resampling the test galaxies and the members. They know "
    "nothing of the choices that are ours, nor of the paper's own errors, which its abstract does not give. A ratio "
    "without an upper end is one over a metric that may be zero."
)


def holds_the_papers_galaxies(about: Mapping[str, Any]) -> bool:
    """Whether a run is on TransferZ and GalaxiesML, by the surveys that its galaxies file says it was built from.

    Examples
    --------
    >>> tables = [{"survey": "transferz"}, {"survey": "galaxiesml_photometry"}]
    >>> holds_the_papers_galaxies({"settings": {"tables": tables}}), holds_the_papers_galaxies({})
    (True, False)
    """
    tables = about.get("settings", {}).get("tables", [])
    surveys = {table.get("survey") for table in tables}
    labelled = any(
        table.get("survey") in HSC and COSMOS & {match.get("survey") for match in table.get("match", ())}
        for table in tables
    )
    return bool(surveys & GALAXIESML) and ("transferz" in surveys or labelled)


def paper_section(run: Run) -> str:
    """Tell in Markdown of every claim: what the paper says, what the run measured, and what follows."""
    simulated = bool(run.about.get("simulated"))
    rows = []
    for claim in CLAIMS:
        measured, judgement = held_against(run, claim)
        told = ONLY_SIMULATED if simulated else judgement
        rows.append([claim.source, _where(claim), measured, f"**{told.answer}**: {told.why}", claim.reading])
    head = ["paper", "claim", "this run", "so it is", "what the abstract does not say, and is ours"]
    parts = [f"**{SIMULATED}.**"] if simulated else []
    parts += [_head(run), _table(head, rows), RULE]
    published = _published(run)
    return "\n\n".join([*parts, *([published] if published else [])]) + "\n"


def held_against(run: Run, claim: Claim) -> tuple[str, Judgement]:
    """What a run measured of a claim, in words, and what follows from it."""
    match claim:
        case Smaller() | Worse():
            return _ratio(run, claim)
        case Covered():
            return _covered(run, claim)
        case Meets():
            return _met(run, claim)
    raise TypeError(f"no rule for {type(claim).__name__}")


def _ratio(run: Run, claim: Smaller | Worse) -> tuple[str, Judgement]:
    place = {"truth": claim.truth, "sample": "test", "z_range": claim.z_range, "metric": claim.metric}
    both = [_one(run.records, place | {"recipe": recipe}) for recipe in (claim.over, claim.under)]
    for recipe, record in zip((claim.over, claim.under), both, strict=True):
        if record is None or math.isnan(record["mean"]):
            return "", Judgement(Answer.UNKNOWN, f"the run has no number of `{recipe}`")
    low, high = _interval(run.differences, place, claim)
    over, under = (r for r in both if r is not None)
    between = "" if math.isnan(low) else f" ({_interval_words(low, high)})"
    values = f"{_value(over)} over {_value(under)}"
    judgement = (
        judge_smaller(low, high, allowed=claim.allowed) if isinstance(claim, Smaller) else judge_worse(low, high)
    )
    times = _times(abs(over["mean"]), abs(under["mean"]))
    return f"`{claim.over}` / `{claim.under}` {times}{between}: {values}", judgement


def _interval(differences: Iterable[Record], place: Mapping[str, Any], claim: Smaller | Worse) -> tuple[float, float]:
    """The 95 % interval of over / under, whichever way round `evaluate` compared the two; NaN where it did not."""
    forth = _one(differences, {**place, "recipe": claim.over, "against": claim.under})
    back = _one(differences, {**place, "recipe": claim.under, "against": claim.over})
    record = forth or back
    if record is None or "ratio_low" not in record:
        return math.nan, math.nan
    # A file has null, read as NaN, for an end that is infinite.
    low, high = (math.inf if math.isnan(record[end]) else float(record[end]) for end in ("ratio_low", "ratio_high"))
    return (low, high) if forth else (_inverse(high), _inverse(low))


def _inverse(ratio: float) -> float:
    return 1 / ratio if ratio else math.inf


def _covered(run: Run, claim: Covered) -> tuple[str, Judgement]:
    photoz = run.photoz.get(claim.recipe)
    if photoz is None or photoz.z_sigma_members is None or claim.truth not in run.test.truths:
        return "", Judgement(Answer.UNKNOWN, f"the run has no errors of `{claim.recipe}`")
    rows = np.flatnonzero(run.test.has(claim.truth) & np.isfinite(photoz.z_phot))
    if not rows.size:
        return "", Judgement(Answer.UNKNOWN, f"`{claim.recipe}` gives no test galaxy a redshift")
    off = np.abs(photoz.z_phot_members[:, rows] - run.test.z[claim.truth][rows])
    each = (off <= photoz.z_sigma_members[:, rows]).mean(axis=1)
    share = float(each.mean())
    of_members = float(each.std(ddof=1) / math.sqrt(len(each))) if len(each) > 1 else 0.0
    error = math.hypot(math.sqrt(share * (1 - share) / rows.size), of_members)
    judgement = judge_share(share, error, claimed=claim.share, digit=claim.digit)
    return f"{100 * share:.1f} ± {100 * error:.1f} % of {rows.size:,}", judgement


def _met(run: Run, claim: Meets) -> tuple[str, Judgement]:
    place = {"truth": claim.truth, "sample": "test", "z_range": claim.z_range, "metric": claim.metric}
    record = _one(run.records, place | {"recipe": claim.recipe})
    requirement = METRICS[claim.metric].requirement
    if record is None or requirement is None or math.isnan(record["mean"]):
        return "", Judgement(Answer.UNKNOWN, f"the run has no number of `{claim.recipe}`")
    return f"{_value(record)}, asked: < {requirement.limit:g}", judge_limit(
        record["mean"], _error(record), limit=requirement.limit
    )


def _head(run: Run) -> str:
    """How much the run is like the paper's."""
    spec = [r for r in run.records if r["truth"] == "spec" and r["sample"] == "test" and r.get("bin") is None]
    galaxies = {r["z_range"]: r["n"] for r in spec}
    members = max((r["members"] for r in spec if r.get("members")), default=0)
    counted = f"{galaxies.get('all', 0):,} test galaxies with spectra, {galaxies.get(RANGE, 0):,} of them in {RANGE}"
    return f"{members} members a recipe (the paper: 100), {counted}."


def _published(run: Run) -> str:
    """Numbers published of the same test side, and ours below; empty where the run has another test side."""
    if LSTM_MDN.file not in run.about.get("sources", ()):
        return ""
    metrics = list(LSTM_MDN.values["all"])
    rows = []
    for z_range, theirs in LSTM_MDN.values.items():
        galaxies = f"{LSTM_MDN.galaxies:,}" if z_range == "all" else ""
        rows.append([_range(z_range), LSTM_MDN.name, galaxies, *(f"{theirs[name]:g}" for name in metrics)])
        for recipe in run.photoz:
            place = {"truth": "spec", "sample": "test", "z_range": z_range, "recipe": recipe}
            found = [_one(run.records, place | {"metric": name}) for name in metrics]
            n = next((f"{r['n']:,}" for r in found if r is not None), "")
            rows.append([_range(z_range), f"`{recipe}`", n, *(_value(r) for r in found)])
    head = ["labels", "", "galaxies", *(METRICS[name].title for name in metrics)]
    simulated = " These galaxies are SIMULATED, so the rows must not be compared." if run.about.get("simulated") else ""
    return (
        f"### Published numbers on the same test side\n\nOf `{LSTM_MDN.file}`, against spectra; {LSTM_MDN.source}."
        f"{simulated}\n\n{_table(head, rows)}"
    )


def _where(claim: Claim) -> str:
    """The claim, and on which galaxies it is tested."""
    truth, z_range = getattr(claim, "truth", ""), getattr(claim, "z_range", "all")
    return f"{claim.words} ({truth}, {_range(z_range)})"


def _range(z_range: str) -> str:
    return {"all": "all redshifts", "lsst": "i < 25, 0.3 < z_phot < 3"}.get(z_range, z_range)


def _one(records: Iterable[Record], place: Mapping[str, Any]) -> Record | None:
    """The record of one place that is of no bin."""
    return next((r for r in records if r.get("bin") is None and place.items() <= r.items()), None)


def _error(record: Record) -> float:
    """The standard error of a mean over members: of the galaxies, and of so few members."""
    of_members = record["std"] / math.sqrt(record["members"]) if record.get("members", 0) > 1 else 0.0
    return math.hypot(record["bootstrap"], of_members)


def _value(record: Record | None) -> str:
    if record is None or math.isnan(record["mean"]):
        return "n/a"
    error = _error(record)
    return f"{record['mean']:.4f}" + ("" if math.isnan(error) else f" ± {error:.4f}")


def _times(over: float, under: float) -> str:
    """The ratio of two sizes.

    Examples
    --------
    >>> _times(3.0, 2.0), _times(3.0, 0.0), _times(0.0, 0.0)
    ('1.50', 'without end', 'none of both')
    """
    if under:
        return f"{over / under:.2f}"
    return "without end" if over else "none of both"


def _interval_words(low: float, high: float) -> str:
    """A 95 % interval in words.

    Examples
    --------
    >>> _interval_words(1.2, 1.4), _interval_words(3.0, math.inf), _interval_words(0.0, math.inf)
    ('95 %: 1.20 to 1.40', '95 %: at least 3.00', '95 %: any, both may be zero')
    """
    if math.isinf(low):
        return "95 %: without end"
    if math.isinf(high) and low == 0:
        return "95 %: any, both may be zero"
    return f"95 %: at least {low:.2f}" if math.isinf(high) else f"95 %: {low:.2f} to {high:.2f}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    cells = [[text.replace("|", "\\|") for text in row] for row in (head, ["---"] * len(head), *rows)]
    return "\n".join(f"| {' | '.join(row)} |" for row in cells)
