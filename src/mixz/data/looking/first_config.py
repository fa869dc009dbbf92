"""A first config for tables that were looked at: what is sure is set, what is not is said beside it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mixz.data.looking.answers import ZERO_POINTS, Question
from mixz.data.looking.labels_chosen import labels_chosen
from mixz.data.looking.table_draft import TableDraft, bands_of, drafted
from mixz.data.looking.table_entries import table_entries
from mixz.data.looking.together import matched, repeated
from mixz.data.looking.wavelengths import in_order
from mixz.errors import MixzError, nearest
from mixz.settings.commented_yaml import Setting, commented_yaml

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from mixz.data.looking.answers import Answers
    from mixz.data.looking.labels_chosen import LabelsChosen
    from mixz.data.looking.table import TableFound
    from mixz.data.looking.together import Together

KNOWN_RECIPES = {
    frozenset({"spec"}): ["spec", "fused"],
    frozenset({"many_band"}): ["base", "fused"],
    frozenset({"spec", "many_band"}): ["base", "spec", "tl", "combo", "fused"],
}
"""The recipes that compare what can be learned of which labels; `fused` alone elsewhere."""
ABOUT = (
    "A first config, written by `mixz init` from what the tables look like. Read it before you believe a result: what "
    "is sure is set, what is not is said beside it. All keys: docs/config.md."
)
GRISM_SIGMA = 0.003
"""Scatter of grism redshifts, in units of 1 + z (ours)."""


@dataclass(frozen=True)
class FirstConfig:
    """A first config.

    Parameters
    ----------
    text
        The YAML.
    questions
        What could not be told: the config is refused until it is said.
    remarks
        What a person should know before believing a result.
    """

    text: str
    questions: tuple[Question, ...]
    remarks: tuple[str, ...]


def first_config(tables: Sequence[TableFound], answers: Answers, *, home: Path, name: str = "") -> FirstConfig:
    """Write the config of a first run on some tables.

    Parameters
    ----------
    tables
        What was found in them.
    answers
        What a person has said.
    home
        The folder that the config will lie in.
    name
        The run's name; by default the first table's.

    Raises
    ------
    MixzError
        There are no bands, no labels, or none that the tables have in common.
    """
    answers.require_used([column for table in tables for column in table.columns])
    labels = _for_training([labels_chosen(table, answers) for table in tables])
    partners = matched(tables, labels)
    bands = _bands(tables, partners, answers)
    drafts = drafted(tables, labels, bands, answers, partners)
    _require_labels(tables, labels)
    together = repeated(drafts, answers)
    truths = list(dict.fromkeys(truth for draft in drafts for truth in draft.all_truths()))
    questions = [question for chosen in labels for question in chosen.questions]
    questions += [*_zero_points(drafts), *together.questions]
    written = [
        table_entries(draft, _prefix(draft, k, together), home, among=len(drafts)) for k, draft in enumerate(drafts)
    ]
    entries = [
        Setting("", comment=ABOUT),
        Setting("name", _name(name or tables[0].sample.title), "results go to out/<name>/"),
        Setting("bands", list(bands), "by wavelength; every galaxy needs all of them: fewer bands, more galaxies"),
        *([] if not together.keep else [Setting("overlap", together.overlap, together.why)]),
        *_truths(truths),
        *_recipes(truths),
        Setting("members", 5, "random starts per recipe; 10 and more for a result, 2 for a look"),
        *_networks(drafts),
        Setting("training", "fast", "a short schedule (ours); or: paper"),
        Setting("tables", written),
    ]
    used = {draft.found.sample.path for one in drafts for draft in (one, *one.matches)}
    used |= {path for draft in drafts for path in draft.sides.values()}
    remarks = [remark for draft in drafts for remark in draft.remarks]
    remarks += [
        f"{table.sample.path.name}: not used: no magnitudes, and no other table needs its labels on the same sky"
        for table in tables
        if table.sample.path not in used
    ]
    return FirstConfig(commented_yaml(entries), tuple(questions), (*remarks, *together.remarks))


def _for_training(labels: Sequence[LabelsChosen]) -> list[LabelsChosen]:
    """The same labels; where a simulation's true redshifts are all there are, they stand for spectra.

    A truth named `true` is what other labels are judged by: none is trained on it, or judged by it alone.
    """
    if {truth for chosen in labels for truth in chosen.truths} != {"true"} or any(one.questions for one in labels):
        return list(labels)
    told = "SIMULATED: true redshifts stand for spectra, since there are no other labels"
    return [
        replace(one, truths={"spec": one.truths["true"]}, remarks=(*one.remarks, told)) if one.truths else one
        for one in labels
    ]


def _prefix(draft: TableDraft, number: int, together: Together) -> str:
    return f"{_name(draft.title)}-" if number in together.prefixed else ""


def _bands(tables: Sequence[TableFound], partners: Mapping[int, Sequence[int]], answers: Answers) -> list[str]:
    """The bands that all tables of magnitudes have, or those that were asked for."""
    lent = {other for others in partners.values() for other in others}
    measured = [table for k, table in enumerate(tables) if table.photometry and k not in lent]
    if not measured:
        raise MixzError(
            "no table has magnitudes or fluxes in two bands or more, by its columns' names",
            "columns such as mag_g, g_cmodel_mag, HSC_g_FLUX, g_cModelFlux",
            "write a config by hand: columns: {mag: ...} maps any names (docs/config.md)",
        )
    if answers.bands:
        for table in measured:
            offered = table.photometry[0].columns
            if not any(bands_of(one, answers.bands) for one in table.photometry):
                lacking = [band for band in answers.bands if band not in offered]
                raise MixzError(
                    f"{table.sample.path} has no bands {', '.join(lacking or answers.bands)}"
                    f"{nearest((lacking or answers.bands)[0], offered)}",
                    f"bands: {', '.join(offered)}",
                    "correct --bands",
                )
        return list(answers.bands)
    common = [
        band
        for band in measured[0].photometry[0].bands
        if all(any(bands_of(one, [band]) for one in table.photometry) for table in measured)
    ]
    while len(common) > 1 and not all(any(bands_of(one, common) for one in t.photometry) for t in measured):
        common.pop()
    if len(common) < 2:
        own = "; ".join(f"{t.sample.path.name}: {', '.join(t.photometry[0].bands)}" for t in measured)
        raise MixzError("the tables have no two bands in common", f"bands: {own}", "give tables of the same bands")
    return in_order(common)


def _require_labels(tables: Sequence[TableFound], labels: Sequence[LabelsChosen]) -> None:
    if any(chosen.truths or chosen.questions for chosen in labels):
        return
    where = ", ".join(table.sample.path.name for table in tables)
    shown = ", ".join(list(tables[0].columns)[:40])
    raise MixzError(
        f"no column of {where} looks like redshifts to learn from",
        f"columns: {shown}",
        "say which it is: --truth spec=COLUMN; or name a catalogue of labels on the same sky too, to be matched",
    )


def _zero_points(drafts: Sequence[TableDraft]) -> list[Question]:
    """The question which unit fluxes are in, once for all tables."""
    for draft in drafts:
        if draft.zero_point_open and draft.photometry is not None:
            return [
                Question(
                    "flux_zero_point",
                    draft.title,
                    f"{draft.found.sample.path.name} columns {draft.photometry.pattern!r} are fluxes in a unit that "
                    "nothing says: AB magnitude of a flux of 1?",
                    ZERO_POINTS,
                    "--flux-zero-point 31.4",
                )
            ]
    return []


def _truths(truths: Sequence[str]) -> list[Setting]:
    """How wrong labels of truths are that mixz does not know by name."""
    new = {}
    for truth in truths:
        if truth == "grism":
            new[truth] = {"kernel": "gaussian", "sigma": GRISM_SIGMA}
    comment = "how wrong these labels can be; scatter of grism redshifts in units of 1 + z (ours)"
    return [Setting("truths", new, comment)] if new else []


def _recipes(truths: Sequence[str]) -> list[Setting]:
    known = KNOWN_RECIPES.get(frozenset(truths) & {"spec", "many_band"})
    if known:
        return [
            Setting("recipes", known, "what is trained side by side; fused believes each label as far as it can be")
        ]
    return [Setting("recipes", ["fused"], "believes each label as far as it can be believed")]


def _networks(drafts: Sequence[TableDraft]) -> list[Setting]:
    """What networks see: faint galaxies too, where a table says that it observed them in vain."""
    about = "learns faster (ours); leave it out for the paper group's inputs"
    if not any(draft.unseen and draft.unseen.seen for draft in drafts):
        return [Setting("network", {"inputs": "whitened"}, about)]
    return [
        Setting("incomplete", "undetected", "galaxies stay that were observed in every band, seen or not"),
        Setting("network", {"inputs": "whitened", "asinh": True}, f"{about}; asinh: finite where nothing was seen"),
    ]


def _name(title: str) -> str:
    """A run's name of a table's: letters, digits and ``_.-``."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "_", title).strip("_.-") or "survey"
