"""From the tables of a config to one GalaxySet: read, cut, match, join, split, and keep the ledger."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mixz.data.catalogue import apply_cuts, read_catalogue
from mixz.data.cuts import Ledger
from mixz.data.joined import concatenate
from mixz.data.labels import box_around, matched_names, read_labels, require_neighbours, separation_names, with_labels
from mixz.data.overlap import remove_overlap
from mixz.data.split import split_by_id, split_by_patch
from mixz.errors import MixzError
from mixz.galaxies import GalaxySet

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from mixz.data.catalogue import Catalogue, TellRows
    from mixz.settings.config import Config
    from mixz.settings.split import Split
    from mixz.settings.tables import Table

JOINED = "all tables"
"""What the ledger calls the galaxies of all tables together."""


def build_galaxies(config: Config, *, tell: TellRows | None = None) -> tuple[GalaxySet, Ledger]:
    """Build the galaxies of a config from its tables.

    Every table goes the same way: read the mapped columns, match the catalogues of labels that it names, keep galaxies
    with a label and all bands measured (or what `incomplete` lets pass), apply the cuts.  Then galaxies in two tables
    are left in one, the tables are joined, and the galaxies are split.

    Parameters
    ----------
    config
        What to build.
    tell
        Called with how many rows of a file are read, of how many, and the file's name.

    Raises
    ------
    MixzError
        A file, column or number is missing or wrong, a cut leaves nothing, or two galaxies share an id.
    """
    ledger = Ledger()
    sets = {table.title: _table_galaxies(table, config, ledger, tell) for table in config.tables}
    if config.overlap is not None:
        sets = remove_overlap(sets, config.overlap, ledger)
    sides = [_with_sides(sets[table.title], table, config.split) for table in config.tables]
    galaxies = concatenate(sides)
    counts = {side: int((galaxies.split == side).sum()) for side in galaxies.sides}
    ledger.enter(JOINED, "split", len(galaxies), len(galaxies), **counts)
    return galaxies, ledger


def read_pairs(config: Config) -> dict[str, GalaxySet]:
    """Read the tables that kernels are to be learned from (`learn_from`), by truth: labels, and one magnitude.

    They go the way of a config's tables, but for its cuts and its other bands, and are no part of the data set.

    Raises
    ------
    MixzError
        As `build_galaxies`.
    """
    alone = config.model_copy(update={"bands": (config.ref_band,), "cuts": (), "incomplete": "drop"})
    return {truth: _table_galaxies(table, alone, Ledger(), None) for truth, table in config.pair_tables().items()}


def _with_sides(galaxies: GalaxySet, table: Table, split: Split) -> GalaxySet:
    """Split a table's galaxies, but for those that came split: they stay on their sides."""
    if table.parts:
        return galaxies
    shares: dict[str, Any] = split.model_dump(include={"train", "validation", "conformal", "seed"})
    if split.by == "object_id":
        return replace(galaxies, split=split_by_id(galaxies.object_id, **shares))
    return replace(
        galaxies, split=split_by_patch(galaxies.ra_deg, galaxies.dec_deg, patch_deg=split.patch_deg, **shares)
    )


def _table_galaxies(table: Table, config: Config, ledger: Ledger, tell: TellRows | None) -> GalaxySet:
    frame, catalogue = _labelled_rows(table, config, ledger, tell)
    if not table.unlabelled:
        labels = frame[[f"z_{truth}" for truth in table.all_truths()]]
        frame = frame[ledger.apply(table.title, "has_a_label", labels.notna().any(axis=1).to_numpy())]
    frame = frame[ledger.apply(table.title, *_complete(frame, config))]
    frame = apply_cuts(frame, (*table.cuts, *config.cuts), ledger, title=table.title, where=catalogue.where)
    return _galaxies(frame, table, config, catalogue)


def _complete(frame: pd.DataFrame, config: Config) -> tuple[str, NDArray[np.bool_]]:
    """Name the cut on unmeasured bands that the config asks for, and say which galaxies pass it.

    Bands that some table has not decide nothing: networks do without them.
    """
    mag, err = (frame[[f"{kind}_{band}" for band in config.shared_bands]].to_numpy() for kind in ("mag", "mag_err"))
    measured = np.isfinite(mag)
    if config.incomplete == "drop":
        return "all_bands_measured", measured.all(axis=1)
    if config.incomplete == "undetected":
        return "all_bands_observed", (measured | np.isposinf(err)).all(axis=1) & measured.any(axis=1)
    return "a_band_measured", measured.any(axis=1)


def _labelled_rows(
    table: Table, config: Config, ledger: Ledger, tell: TellRows | None
) -> tuple[pd.DataFrame, Catalogue]:
    """Read a table and, where it names catalogues of labels, keep the rows that are matched to all of them."""
    labels = [read_labels(match, ledger, end=config.z_end(), tell=tell) for match in table.match]
    near = box_around(labels[0], margin_arcsec=table.match[0].radius_arcsec) if labels else None
    cuts = (*table.cuts, *config.cuts)
    catalogue = read_catalogue(
        table, config.bands, cuts, ours=matched_names(table), near=near, end=config.z_end(), tell=tell
    )
    frame = catalogue.frame
    ledger.take_over(table.title, catalogue.accounts)
    if labels:
        require_neighbours(frame, catalogue, labels[0], table.match[0])
        ledger.enter(table.title, f"near_{table.match[0].title}", catalogue.rows, len(frame))
        frame = with_labels(frame, catalogue, labels, table, ledger)
    return frame, catalogue


def _galaxies(frame: pd.DataFrame, table: Table, config: Config, catalogue: Catalogue) -> GalaxySet:
    """Turn rows in our names into galaxies."""
    ids = np.asarray([f"{table.id_prefix}{i}" for i in frame["object_id"].tolist()], dtype=str)
    _require_unique(ids, table.title, catalogue)
    truths = table.all_truths()
    errors = [t for t in truths if f"z_err_low_{t}" in frame]
    carried = [name for source in (table, *table.match) for name in source.carry]
    return GalaxySet(
        ids,
        config.bands,
        mag=frame[[f"mag_{band}" for band in config.bands]].to_numpy(np.float32),
        mag_err=frame[[f"mag_err_{band}" for band in config.bands]].to_numpy(np.float32),
        z={t: frame[f"z_{t}"].to_numpy(np.float64) for t in truths},
        z_err={t: frame[[f"z_err_low_{t}", f"z_err_high_{t}"]].to_numpy(np.float64) for t in errors},
        split=frame["side"].to_numpy(str) if table.parts else None,  # type: ignore[arg-type]  # no side yet
        system=np.full(len(frame), table.system),
        ra_deg=frame["ra_deg"].to_numpy(),
        dec_deg=frame["dec_deg"].to_numpy(),
        carried={name: frame[name].to_numpy(np.float64) for name in [*carried, *separation_names(table)]},
        table=np.full(len(frame), table.title),
    )


def _require_unique(ids: NDArray[np.str_], title: str, catalogue: Catalogue) -> None:
    names, counts = np.unique(ids, return_counts=True)
    again = counts > 1
    if again.any():
        rounded = catalogue.rounded_ids
        raise MixzError(
            f"{catalogue.where}: {int(again.sum()):,} object ids occur more than once in {title}, "
            f"e.g. {str(names[again][0])!r}",
            "each galaxy once",
            "the ids are floating-point numbers beyond what these hold exactly, so that neighbours became one: write "
            "them as 64-bit whole numbers or as text, or name another column"
            if rounded
            else "name the column that tells galaxies apart, or, where rows really repeat, keep one of each by a cut: "
            "{name: once, column: <the id column>, repeated: first}",
        )
