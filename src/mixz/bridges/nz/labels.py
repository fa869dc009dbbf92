"""Labels of a table for tomography: which columns hold them, how wrong they are, and what is told where none are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mixz.bridges.model_columns import Asked
from mixz.data.data_set.galaxies_file import is_galaxies, read_provenance
from mixz.data.meaning.numbers import require_columns
from mixz.data.tables import table_columns
from mixz.errors import MixzError, nearest
from mixz.settings.truths import KNOWN_SETTINGS, TruthSettings
from mixz.truths.truth import Truths

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from pathlib import Path

    from mixz.arrays import Floats
    from mixz.bridges.models import PhotoZModel


def labels_of(available: Sequence[str], truths: Iterable[str], named: Iterable[tuple[str, str]] = ()) -> dict[str, str]:
    """Per truth the column of its labels, where a table has one: the one that is named, or ``z_<truth>``.

    Examples
    --------
    >>> labels_of(["mag_g", "z_spec"], ["spec", "many_band"])
    {'spec': 'z_spec'}
    >>> labels_of(["mag_g", "Z_BEST"], ["spec", "many_band"], [("spec", "Z_BEST")])
    {'spec': 'Z_BEST'}
    """
    sought = {name: f"z_{name}" for name in truths} | dict(named)
    return {name: column for name, column in sought.items() if column in available}


def truths_of(table: Path) -> Truths:
    """How wrong the labels of a table are: as its build had it, where it is a galaxies file; else the known truths."""
    if not is_built(table):
        return Truths(tuple(settings.truth(name) for name, settings in KNOWN_SETTINGS.items()))
    about = read_provenance(table)
    told = {n: TruthSettings.model_validate(s) for n, s in about.get("settings", {}).get("truths", {}).items()}
    known = Truths(tuple(settings.truth(name) for name, settings in (KNOWN_SETTINGS | told).items()))
    return known.scaled({name: found["scale"] for name, found in about.get("kernel_scales", {}).items()})


def is_built(table: Path) -> bool:
    """Whether a table is a galaxies file, as `mixz build` writes them."""
    return table.is_file() and table.suffix == ".parquet" and is_galaxies(table)


def naming_of(model: PhotoZModel, labels: Path, columns: Asked, truths: Truths) -> Asked:
    """How a table of labels names its columns: as the table does, where it has these; else as training tables do.

    Raises
    ------
    MixzError
        It lacks a column of labels that was named, or has names of its own for all, as mixz built it.
    """
    if is_built(labels):
        if columns.labels:
            raise MixzError(f"--z for {labels}", "a table that mixz did not build", "leave it out: its names are known")
        return Asked(system=columns.system)
    available = table_columns(labels)
    require_named(columns, truths, available, labels)
    try:
        columns.needed(model, available, where=str(labels))
    except MixzError:
        return Asked(system=columns.system, labels=columns.labels)
    return columns


def require_named(columns: Asked, truths: Truths, available: Sequence[str], where: Path) -> None:
    """Refuse truths that nobody knows, and columns of labels that a table lacks."""
    for truth, _ in columns.labels:
        truths[truth]  # which says what truths there are
    require_columns([column for _, column in columns.labels], available, where=str(where), do="name another with --z")


def require_labels(z: Mapping[str, Floats], where: Path) -> None:
    """Refuse a table of labels without any."""
    if not any(np.isfinite(label).any() for label in z.values()):
        raise MixzError(
            f"{where} holds no label",
            f"redshifts in a column z_<truth>, e.g. {', '.join(f'z_{name}' for name in KNOWN_SETTINGS)}",
            "name its column, e.g. --z spec=ZBEST, give another table, or leave --labels out",
        )


def require_representative(representative: str | None, labels: Collection[str], where: Path) -> None:
    """Refuse representative labels that nobody has."""
    if representative and representative not in labels:
        raise MixzError(
            f"representative labels {representative!r}",
            f"truths of {where}: {', '.join(labels) or 'none'}",
            f"name one of these{nearest(representative, labels)}",
        )


def without_labels(where: Path) -> str:
    """What to tell of a table without labels where none other is given."""
    return (
        f"{where} has no labels, in a column z_spec or z_many_band: so there is no n(z) but the stack, and nothing is "
        "tested; --z names its column of labels, --labels a table that has some, e.g. a run's galaxies.parquet"
    )
