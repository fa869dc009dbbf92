"""The data card: what a built data set is, in words for people, written from the file's own metadata."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from mixz.data.data_set.column_notes import column_notes
from mixz.data.fetching.registry import load_registry
from mixz.galaxies import GALAXIES_DIGEST

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

TABLE_ENDINGS = tuple(f"{layer}{ending}" for layer in ("", "_wide") for ending in (".fits", ".csv", ".parquet"))
"""How tables that a query yields may be called after it."""

# Drawn from the kernels themselves at z 0.2 to 1.8, at i 21 and 24.5: NMAD, and |dz| > 0.15.
NOISE = {
    "cosmos2020": "by 0.009-0.03 (1 + z), and 0.1-1.5 % (i = 21) to 6-9 % (i = 24.5)",
    "cosmos2020_measured": "by 0.008 (i = 21) to 0.04 (1 + z) (i = 24.5), and 0.4-0.7 % to 9-15 %",
}
COSMOS2020_LABELS = (
    "By the kernel above, COSMOS2020-like labels scatter about the truth {} of them are outliers: no model can be "
    "shown to be better than that on them."
)

PAPER = """@misc{Soriano2024,
  author = {Soriano, Jonathan and Saikrishnan, Srinath and Seenivasan, Vikram and Boscoe, Bernie and Singal, Jack and
            Do, Tuan},
  title  = {Using different sources of ground truths and transfer learning to improve the generalization of photometric
            redshift estimation},
  year   = {2024},
  eprint = {2411.18054}
}
"""


def data_card(about: Mapping[str, Any], columns: Sequence[str]) -> str:
    """Write a data set's card in Markdown.

    Parameters
    ----------
    about
        What the galaxies file says about itself (`read_provenance`).
    columns
        Names of its columns.
    """
    sections = {
        "": _head(about),
        "What is in it": _counts(about),
        "Labels and how wrong they can be": _labels(about),
        "Columns": _columns(about, columns),
        "How it was made": _made(about),
        "Known limits": "\n".join(f"- {limit}" for limit in _limits(about)),
        "Citation": _citation(about),
    }
    return "\n\n".join(f"## {title}\n\n{text}" if title else text for title, text in sections.items()) + "\n"


def _head(about: Mapping[str, Any]) -> str:
    simulated = "\n\n**SIMULATED: no galaxy in it is real.**" if about["simulated"] else ""
    sides, total = list(about["counts"]["galaxies"]), sum(about["counts"]["galaxies"].values())
    return (
        f"# Data card: {about['name']}{simulated}\n\n"
        f"{total:,} galaxies with magnitudes in {', '.join(about['bands'])} and redshift labels of "
        f"{len(about['truths'])} kinds ({', '.join(about['truths'])}), one row per galaxy, split into "
        f"{', '.join(sides[:-1])} and {sides[-1]}; for training and judging photometric redshifts.\n\n"
        "`galaxies.parquet` is the data set.  It carries units and meanings in its columns' metadata, and all that "
        "this card says in its table metadata (key `mixz`)."
    )


def _counts(about: Mapping[str, Any]) -> str:
    rows, names = [], list(about["counts"]["galaxies"])
    for name, sides in about["counts"].items():
        title = "all galaxies" if name == "galaxies" else f"with a label of {name}"
        rows.append([title, *(f"{sides[side]:,}" for side in names), f"{sum(sides.values()):,}"])
    return _table(["", *names, "together"], rows, numbers=len(names) + 1)


def _labels(about: Mapping[str, Any]) -> str:
    rows = []
    for truth in about["truths"]:
        z_range = [f"{z:g}" for z in about["z_range"][truth]] or ["none"] * 3
        rows.append([truth, about["kernels"][truth] + _learned(about, truth), *z_range])
    return _table(["truth", "error kernel", "least z", "median z", "largest z"], rows, numbers=3)


def _learned(about: Mapping[str, Any], truth: str) -> str:
    """What the build learned of a truth's kernel."""
    scale, corrections = about["kernel_scales"].get(truth), about["kernel_corrections"].get(truth)
    if scale is not None:
        words = "; labels found to be {scale:g} ± {error:g} times as far off, from {pairs:,} galaxies with both"
        return words.format(**scale)
    if corrections is None:
        return ""
    bins = zip(("", *map("{:g}".format, corrections["borders"])), corrections["bins"], strict=True)
    told = "; ".join(_correction(low, found) for low, found in bins)
    return f"; corrected per magnitude in {about['settings']['ref_band']} by galaxies with both labels: {told}"


def _correction(low: str, found: Mapping[str, Any]) -> str:
    """What the galaxies of one bin of magnitude said."""
    where = f"from {low}" if low else "brightest"
    if not found["galaxies"]:
        return f"{where}: no galaxies, as it was"
    told = {
        name: f"{found[name]:.2g}" + (f" ± {found[f'{name}_error']:.1g}" if found[f"{name}_error"] is not None else "")
        for name in ("width", "outliers", "offset")
    }
    words = "{0}: {1:,} galaxies, width × {width}, outliers {outliers}, offset {offset}"
    return words.format(where, found["galaxies"], **told)


def _columns(about: Mapping[str, Any], columns: Sequence[str]) -> str:
    notes = column_notes(columns, bands=about["bands"], truths=about["truths"])
    return _table(["column", "unit", "meaning"], [[f"`{c}`", note.unit, note.meaning] for c, note in notes.items()])


def _made(about: Mapping[str, Any]) -> str:
    steps = [
        [
            row["table"],
            row["step"],
            f"{row['rows_in']:,}",
            f"{row['rows_out']:,}",
            f"{row['rows_in'] - row['rows_out']:,}",
        ]
        for row in about["ledger"]
    ]
    taken = [
        [row["table"], f"`{row['column']}`", row["reason"], f"{row['values']:,}"] for row in about["taken_for_missing"]
    ]
    missing = _table(["table", "column", "reason", "values"], taken, numbers=1) if taken else "Nothing."
    versions = ", ".join(f"{name} {number}" for name, number in about["libraries"].items())
    settings = yaml.safe_dump(about["settings"], sort_keys=False, allow_unicode=True, width=110)
    return (
        f"By mixz {about['mixz']} (Python {about['python']}, {versions}) from {', '.join(about['sources'])}.  "
        f"Build digest `{about['build_digest']}`, config digest `{about['config_digest']}`.\n\n"
        f"{_contents(about)}"
        f"{_table(['table', 'step', 'in', 'out', 'taken'], steps, numbers=3)}\n\n"
        f"Values of the input that were taken for missing:\n\n{missing}\n\n"
        f"All settings that decide the galaxies:\n\n```yaml\n{settings}```"
    )


def _contents(about: Mapping[str, Any]) -> str:
    """The digests of what went in and of what came out."""
    rows = [[one["name"], f"`{one['sha256']}`"] for one in about.get("inputs", ())]
    rows += [["the galaxies of this data set", f"`{about[GALAXIES_DIGEST]}`"]] if GALAXIES_DIGEST in about else []
    return f"{_table(['content', 'SHA-256'], rows)}\n\n" if rows else ""


def _limits(about: Mapping[str, Any]) -> list[str]:
    limits = []
    if about["simulated"]:
        limits.append("It is simulated: no figure made from it says anything about a real survey.")
    kernels = {words.split(":")[0] for words in about["kernels"].values()}
    limits += [COSMOS2020_LABELS.format(noise) for kernel, noise in NOISE.items() if kernel in kernels]
    if "spec" in about["truths"] and len(about["truths"]) > 1:
        limits.append("Galaxies with spectra are those that others chose to observe: not a fair sample of the rest.")
    if len(about["systems"]) > 1:
        limits.append(
            f"The magnitudes are of several photometric systems ({', '.join(about['systems'])}), as measured."
        )
    if any(row["step"] == "all_bands_measured" for row in about["ledger"]):
        limits.append("Only galaxies measured in every band are in it.")
    limits += [
        "Magnitudes are as in the input tables, but for what the settings above say.",
        _split_limit(about["settings"]["split"]),
    ]
    came_split = [table["name"] for table in about["settings"]["tables"] if table.get("parts")]
    if came_split:
        limits.append(f"Galaxies of {', '.join(came_split)} stay on the sides on which they were published.")
    return limits


def _split_limit(split: Mapping[str, Any]) -> str:
    sides = ["train", "validation", *(["conformal"] if split.get("conformal") else []), "test"]
    shares = "/".join(f"{split[side]:g}" for side in sides)
    if split.get("by", "object_id") == "object_id":
        return (
            f"The split ({shares}, seed {split['seed']}) goes by the hash of the object id: neighbours in the same "
            "large-scale structure are on different sides."
        )
    return f"The split ({shares}, seed {split['seed']}) goes by {split['by']}: shares hold only roughly."


def _citation(about: Mapping[str, Any]) -> str:
    own = (
        f"@misc{{{about['name']},\n  title = {{{about['name']}: galaxies for photometric redshifts}},\n"
        f"  note  = {{built with mixz {about['mixz']}, build digest {about['build_digest']}}}\n}}\n"
    )
    known = {name: entry for name, entry in _known_files().items() if name in about["sources"]}
    entries = [own, *dict.fromkeys(known.values())]
    if {"many_band", "spec"} <= set(about["truths"]):
        entries.append(PAPER)  # whose two data sets these are, in role
    unknown = [name for name in about["sources"] if name not in known]
    words = "Cite this data set and what it rests on."
    if unknown:
        words += f"  Not known to mixz, so yours to add: where {', '.join(unknown)} came from."
    return words + "\n\n```bibtex\n" + "\n".join(entries) + "```"


def _known_files() -> dict[str, str]:
    """The BibTeX entry of every public file that the registry knows, and of the tables its queries yield."""
    citations: dict[str, str] = {}
    for data_set in load_registry().data_sets.values():
        names = [file.name for file in data_set.files]
        if data_set.query:
            names += [data_set.query.replace(".sql", ending) for ending in TABLE_ENDINGS]
        citations |= dict.fromkeys(names, data_set.citation)
    return citations


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: int = 0) -> str:
    """Lay out a Markdown table whose last `numbers` columns are numbers."""
    rule = ["---"] * (len(head) - numbers) + ["---:"] * numbers
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, rule, *rows))
