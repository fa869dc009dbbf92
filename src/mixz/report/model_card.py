"""The model card: what a model is, what it learned from, how good it was found, and where it should not be used."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mixz.galaxies import CONFORMAL, SPLITS
from mixz.metrics.metric import columns
from mixz.report.cell import SMEARED, cell_of, is_corrected

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from mixz.metrics.summary import Record

NOT_JUDGED = "Not judged yet: `mixz evaluate` writes this section."

STEP_KEYS = ("weights", "loss", "freeze", "adapter_rank", "pull", "optimiser", "lr", "lr_factor", "schedule", "epochs")


def model_card(about: Mapping[str, Any], data: Mapping[str, Any], records: Sequence[Record] = ()) -> str:
    """Write a model's card in Markdown.

    Parameters
    ----------
    about
        What the model folder says of itself (``model.json``).
    data
        What the galaxies file that it was trained on says of itself.
    records
        The run's metrics; those of this recipe are shown.

    Examples
    --------
    >>> about = {"bands": ["g", "r"], "members": 2, "seed": 0, "network": {"hidden": [8]}, "lost": [],
    ...          "steps": [{"truths": ["spec"]}], "provenance": {"recipe": "spec", "simulated": True}}
    >>> print(model_card(about, {}).splitlines()[0])
    # Model card: spec
    """
    made = about.get("provenance", {})
    mine = [r for r in records if r["recipe"] == made.get("recipe")]
    sections = {
        "": _head(about, made),
        "What it learned from": _learned(about, made, data),
        "Bands": _bands(about, made),
        "Recipe": _recipe(about),
        "How good it is": _metrics(mine),
        "Probabilities and support": _support(about),
        "Known limits": "\n".join(f"- {limit}" for limit in _limits(about, made, data, mine)),
        "How it was made": _made(about, made, data),
    }
    return "\n\n".join(f"## {title}\n\n{text}" if title else text for title, text in sections.items()) + "\n"


def _head(about: Mapping[str, Any], made: Mapping[str, Any]) -> str:
    simulated = "\n\n**Trained on SIMULATED galaxies: not for real ones.**" if made.get("simulated") else ""
    of = f" of the run {made['config']}" if "config" in made else ""
    bands = ", ".join(_plain(band) for band in about["bands"] if band not in _own(about))
    may = f", and {', '.join(map(_plain, _own(about)))} where it has them" if _own(about) else ""
    return (
        f"# Model card: {_plain(made.get('recipe', 'a model'))}{simulated}\n\n"
        f"Estimates the redshift of a galaxy from its {bands} magnitudes (AB){may}: an "
        f"ensemble of {about['members']} networks from different random starts{_plain(of)}.\n\n"
        "`mixz predict FOLDER TABLE -o OUTPUT` uses it; the folder holds weights and JSON, never code."
    )


def _learned(about: Mapping[str, Any], made: Mapping[str, Any], data: Mapping[str, Any]) -> str:
    believed = [truth for step in about["steps"] for truth in step["truths"]]
    rows = []
    counted = made.get("galaxies", {})
    shown = [side for side in SPLITS if side != CONFORMAL or any(of.get(CONFORMAL) for of in counted.values())]
    for truth, sides in counted.items():
        kernel = data.get("kernels", {}).get(truth, "")
        if truth in made.get("kernel_corrections", {}):
            kernel += "; corrected per magnitude by galaxies with both labels (DATA_CARD.md)"
        z_range = data.get("z_range", {}).get(truth) or [math.nan] * 3
        counts = [f"{sides.get(side, 0):,}" for side in shown]
        used = "yes" if truth in believed else "no"
        rows.append([_plain(truth), used, *counts, f"{z_range[0]:g} to {z_range[2]:g}", _plain(kernel)])
    head = ["truth", "believed", *shown, "redshifts", "how wrong its labels can be"]
    taught = made.get("distilled")
    words = f"One network taught by the ensemble `{_plain(taught['teacher'])}`, which learned from: " if taught else ""
    sources = ", ".join(map(_plain, data.get("sources", []))) or "not recorded"
    return f"{words}Galaxies with a label of each kind, from {sources}:\n\n{_table(head, rows)}"


def _bands(about: Mapping[str, Any], made: Mapping[str, Any]) -> str:
    """Which bands a galaxy must have, which it may have, and how their zero points compare between systems."""
    own = _own(about)
    shared = [_plain(band) for band in about["bands"] if band not in own]
    told = [f"A galaxy needs {', '.join(shared)}."]
    if own:
        told.append(
            f"Where it has {', '.join(map(_plain, own))} too, these are used; training met every galaxy with and "
            "without them, and metrics say what they are worth (galaxies: test without them)."
        )
    found = made.get("zero_points", [])
    if not found:
        return " ".join(told)
    rows = [
        [_plain(z["band"]), _plain(z["system"]), _plain(z["against"]), f"{z['offset']:+.3f} ± {z['error']:.3f}",
         f"{z['galaxies']:,}", f"`columns: {{zero_points: {{{_plain(z['band'])}: {-z['offset']:.3f}}}}}`"
         if _to_take_off(z, own) else ("" if z["band"] in own else "adapters learn it")]
        for z in found
    ]  # fmt: skip
    head = ["band", "system", "against", "fainter by [mag]", "galaxies", "to take it off"]
    words = (
        "How far each band's zero point is from what the other bands expect, by galaxies of like magnitudes in another "
        "system (filters count too); to take it off, give the system's tables the line and train again:"
    )
    return f"{' '.join(told)}\n\n{words}\n\n{_table(head, rows)}"


def _own(about: Mapping[str, Any]) -> list[str]:
    return list(about["network"].get("own_bands") or [])


def _to_take_off(found: Mapping[str, Any], own: Sequence[str]) -> bool:
    """Whether an own band's offset is worth taking off: sure, and more than a hundredth of a magnitude."""
    return found["band"] in own and abs(found["offset"]) > max(0.01, 3 * found["error"])


def _recipe(about: Mapping[str, Any]) -> str:
    lines = []
    for number, step in enumerate(about["steps"], start=1):
        settings = ", ".join(f"{key} {step[key]}" for key in STEP_KEYS if step.get(key) not in (None, [], 0, ""))
        lines.append(f"{number}. {' and '.join(map(_plain, step['truths']))}" + (f": {settings}" if settings else ""))
    network = ", ".join(f"{key} {value}" for key, value in about["network"].items() if value not in (None, False))
    lost = [f"member {one['member']} in step {one['step']}" for one in about.get("lost", [])]
    words = f"\n\nLost, since their loss was no number: {', '.join(lost)}." if lost else ""
    return "\n".join(lines) + f"\n\nNetwork: {network}.{words}"


def _metrics(records: Sequence[Record]) -> str:
    chosen = [r for r in records if r["z_range"] == "all" and r.get("bin") is None]
    if not chosen:
        return NOT_JUDGED
    every = (*columns(), *columns(of_densities=True))
    metrics = [metric for metric in every if any(r["metric"] == metric.name for r in chosen)]
    rows = []
    for truth, sample in dict.fromkeys((r["truth"], r["sample"]) for r in chosen):
        found = {r["metric"]: r for r in chosen if (r["truth"], r["sample"]) == (truth, sample)}
        n = f"{max(r['n'] for r in found.values()):,}"
        rows.append([_plain(truth), _plain(sample), n, *(_value(found.get(metric.name)) for metric in metrics)])
    head = ["judged on", "galaxies", "how many", *(metric.title for metric in metrics)]
    smeared = (
        f" Metrics of densities on noisy labels: {SMEARED}."
        if is_corrected(r for r in chosen if r["estimate"] == "pdf")
        else ""
    )
    return (
        "Mean and spread over members, all redshifts; ✓ or ✗ where LSST asks for a limit "
        f"(the requirement's own range is in `metrics.json`).{smeared}\n\n{_table(head, rows)}"
    )


def _value(record: Record | None) -> str:
    if record is None:
        return "n/a"
    cell = cell_of(record)
    if record["estimate"] == "pdf":
        return cell.text()
    mark = {True: " ✓", False: " ✗", None: ""}[record["passes"]]
    return replace(cell, corrected=math.nan).text() + mark


def _support(about: Mapping[str, Any]) -> str:
    fitted, held_out = about.get("fitted", []), about.get("held_out", {})
    told = []
    if "calibration" in fitted:
        told.append("Densities are recalibrated by the labels of held-out galaxies.")
    if "intervals" in fitted:
        told.append(
            "Intervals are conformal: on galaxies like the held-out ones at least as often right as they say. They are "
            "learned from a third of these, which neither training nor calibration looked at."
        )
    if {"calibration", "intervals"} & set(fitted):
        told.append(_held_out(held_out.get("sides", {})))
    if "why" in held_out:
        told.append(f"Not all could be had: {_plain(held_out['why'])}.")
    if "support" in fitted:
        told.append(
            "Each prediction says whether training covered the galaxy: 2 by spectra, 1 by noisier labels, 0 not."
        )
    else:
        told.append(
            "The model does not say which galaxies its training covered. Trust it within the magnitudes, colours and "
            "redshifts of the galaxies above, measured in the same way."
        )
    return " ".join(told)


def _held_out(sides: Mapping[str, Mapping[str, int]]) -> str:
    """Which galaxies were held out, and what else looked at them.

    Examples
    --------
    >>> print(_held_out({"many_band": {"conformal": 900}, "spec": {"conformal": 1200}}))
    Held out are of many_band 900 of the conformal side, of spec 1,200 of the conformal side.
    """
    of_truths = [
        f"of {_plain(truth)} " + " and ".join(f"{n:,} of the {side} side" for side, n in counts.items())
        for truth, counts in sides.items()
        if counts
    ]
    if not of_truths:
        return "Which galaxies were held out is not recorded."
    also = any("validation" in counts for counts in sides.values())
    chose = " Those of the validation side that calibrate also chose the epoch." if also else ""
    return f"Held out are {', '.join(of_truths)}.{chose}"


def _limits(
    about: Mapping[str, Any], made: Mapping[str, Any], data: Mapping[str, Any], records: Sequence[Record]
) -> list[str]:
    limits = []
    if made.get("simulated"):
        limits.append("It has seen simulated galaxies only: no number here says anything about a real survey.")
    believed = {truth for step in about["steps"] for truth in step["truths"]}
    if believed == {"spec"}:
        limits.append("It believes spectra only, which are of bright and easy galaxies; fainter ones are extrapolated.")
    if any(str(data.get("kernels", {}).get(truth, "")).startswith("cosmos2020") for truth in believed):
        limits.append("Part of its labels are photometric redshifts themselves, some per cent of them far off.")
    network = about["network"]
    if not network.get("drop_bands"):
        limits.append("A galaxy without one of the bands that it needs gets no redshift.")
    if own := _own(about):
        limits.append(
            f"Nothing carries another survey's {', '.join(map(_plain, own))} into those of training: where its zero "
            "points or filters differ, redshifts are better asked without these bands."
        )
    if network.get("head") not in ("binned", "mixture") and network.get("kind") != "bayesian":
        limits.append("It gives points, no probabilities: `z_phot_std` is the scatter of members, not an error.")
    limits.append("Magnitudes from another camera, or measured in another way, shift its redshifts.")
    if any(r["truth"] != "spec" and r["sample"] == "test" for r in records):
        limits.append("Metrics of single redshifts on noisy labels count the labels' own errors as the model's.")
    return limits


def _made(about: Mapping[str, Any], made: Mapping[str, Any], data: Mapping[str, Any]) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in made.get("versions", {}).items()) or "not recorded"
    rows = [
        ["train digest", f"`{made.get('train_digest', 'not recorded')}`"],
        ["build digest of its galaxies", f"`{data.get('build_digest', 'not recorded')}`"],
        ["versions", versions],
        ["device", f"{made.get('device', 'not recorded')}, {made.get('precision', '')}".strip(", ")],
        ["seed", str(about.get("seed", ""))],
        ["photometric systems", ", ".join(filter(None, about.get("systems", []))) or "one"],
        ["model format", str(about.get("format", ""))],
    ]
    return _table(["", ""], rows)


def _plain(text: Any) -> str:
    """Keep names from being read as Markdown or HTML."""
    return str(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("|", "\\|")


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    rule = ["---"] * len(head)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, rule, *rows))
