"""Photo-z tables: what their columns are and say of themselves, and a recipe's estimates with all their members."""

from __future__ import annotations

import json
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from mixz.atomic import replacing
from mixz.data.table_writers import Note, TableNotes, noted
from mixz.errors import MixzError
from mixz.photoz import BESIDE, PhotoZ

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from mixz.bridges.models import PhotoZModel
    from mixz.galaxies import GalaxySet

Z_GRID = b"z_grid"
"""Name under which a photo-z table keeps the nodes of its densities, in Parquet's metadata."""


def photoz_frame(photoz: PhotoZ, *, beside: Mapping[str, pd.Series[Any] | NDArray[Any]] | None = None) -> pd.DataFrame:
    """Estimates as a table, without members and densities.

    Parameters
    ----------
    photoz
        What to lay out.
    beside
        Further columns of the same galaxies, e.g. their positions; they stand after ``object_id``, whose values and
        type they may tell themselves, as the table had them.

    Examples
    --------
    >>> names = pd.Series([7, None], dtype="Int64")
    >>> photoz_frame(PhotoZ([1, 2], [[0.5, 0.6]]), beside={"object_id": names, "ra": np.array([1.0, 2.0])})
       object_id   ra  z_phot  z_phot_std
    0          7  1.0     0.5         NaN
    1       <NA>  2.0     0.6         NaN
    """
    columns: dict[str, Any] = {name: column.data for name, column in photoz.columns().items()}
    others = {
        name: values.array if isinstance(values, pd.Series) else values for name, values in (beside or {}).items()
    }
    return pd.DataFrame(
        {"object_id": columns["object_id"]} | others | {n: c for n, c in columns.items() if n not in others}
    )


def photoz_notes(
    photoz: PhotoZ,
    provenance: Mapping[str, Any],
    *,
    members: bool = False,
) -> TableNotes:
    """What a photo-z table says of itself.

    Parameters
    ----------
    photoz
        Any of its galaxies.
    provenance
        Where they come from.
    members
        Whether it has a column for every member's estimates.

    Examples
    --------
    >>> photoz_notes(PhotoZ([1], [[0.5]]), {}).of("z_phot_std")
    Note(unit='', meaning="redshift: scatter of the members' estimates (not an error)")
    """
    notes = {
        name: Note("", f"redshift: {column.about}" if column.unit and "redshift" not in column.about else column.about)
        for name, column in photoz.columns(members=members).items()
    }
    along = {name: Note(column.unit, column.about) for name, column in BESIDE.items()}
    return TableNotes(along | notes, provenance, name="PHOTOZ")


def photoz_provenance(model: PhotoZModel, **told: str) -> dict[str, Any]:
    """Where estimates of a model come from: mixz's version, what is known of the model, and what is told besides."""
    about = {
        "mixz": version("mixz"),
        "model": model.provenance.get("recipe"),
        "config": model.provenance.get("config"),
        "train_digest": model.provenance.get("train_digest"),
        "trained_on_simulation": model.provenance.get("simulated"),
        **told,
    }
    return {name: word for name, word in about.items() if word is not None}


def write_photoz_table(path: Path, photoz: PhotoZ, about: Mapping[str, Any]) -> None:
    """Write estimates, every member's among them, and densities with their grid, as Parquet.

    Parameters
    ----------
    path, photoz
        The file, and what goes in.
    about
        Where the estimates come from.
    """
    table = pa.table({name: pa.array(column.data) for name, column in photoz.columns(members=True).items()})
    if photoz.pdf is not None and photoz.z_grid is not None:
        table = table.append_column("pdf", _as_lists(photoz.pdf.astype(np.float32)))
        table = table.replace_schema_metadata({Z_GRID: json.dumps(photoz.z_grid.tolist())})
    table = noted(table, photoz_notes(photoz, about, members=True))
    with replacing(path) as draft:
        pq.write_table(table, draft)


def read_photoz_table(path: Path, galaxies: GalaxySet) -> PhotoZ:
    """Read what `write_photoz_table` wrote of these galaxies.

    Raises
    ------
    MixzError
        It is of other galaxies.
    """
    table = pq.read_table(path)
    if not np.array_equal(np.asarray(table["object_id"].to_pylist()), galaxies.object_id):
        raise MixzError(f"{path} is of other galaxies", "this run's test galaxies", "run `mixz evaluate` again")
    grid = json.loads((table.schema.metadata or {}).get(Z_GRID, b"null"))
    columns = {name: table[name].to_numpy() for name in table.column_names if name not in ("object_id", "pdf")}
    pdf = _from_lists(table["pdf"]) if grid else None
    return PhotoZ.from_columns(columns | {"object_id": galaxies.object_id}, z_grid=grid, pdf=pdf)


def _as_lists(values: NDArray[np.floating[Any]]) -> pa.Array:
    """Turn an array of shape (galaxy, n) into a column of lists."""
    return pa.FixedSizeListArray.from_arrays(pa.array(np.ascontiguousarray(values).ravel()), values.shape[1])


def _from_lists(column: pa.ChunkedArray) -> NDArray[np.floating[Any]]:
    """Turn a column of lists of one length into an array of shape (galaxy, n)."""
    whole = column.combine_chunks()
    values: NDArray[np.floating[Any]] = whole.flatten().to_numpy(zero_copy_only=False)
    return values.reshape(len(column), whole.type.list_size)
