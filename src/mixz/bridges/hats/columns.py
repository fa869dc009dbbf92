"""Photo-z as the columns of a HATS catalogue, in Rubin's layout, and how they lie in Parquet."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from mixz.bridges.hats.rounding import rounded
from mixz.data.table_writers import Note, TableNotes

if TYPE_CHECKING:
    from mixz.photoz import PhotoZ

ALGORITHM = "mixz"
"""First part of the names of columns, as Rubin's photo-z tables have them: {algorithm}_z_{estimate}."""
NESTED = f"{ALGORITHM}_interp"
"""The column of densities."""


def rubin_columns(photoz: PhotoZ, *, densities: bool) -> dict[str, pa.Array]:
    """Estimates, and densities where there are any, as Rubin's photo-z tables have them.

    Parameters
    ----------
    photoz
        Some galaxies' photo-z.
    densities
        Whether to lay the densities out too.
    """
    columns = {
        f"{ALGORITHM}_{rubin_name(name)}": pa.array(np.asarray(column.data, np.float32) if column.unit else column.data)
        for name, column in photoz.columns().items()
        if name != "object_id" and not (name == "z_phot" and photoz.points)
    }
    if densities and photoz.pdf is not None:
        columns[NESTED] = _nested(photoz)
    return columns


def rubin_notes(photoz: PhotoZ) -> TableNotes:
    """What those columns are."""
    notes = {f"{ALGORITHM}_{rubin_name(name)}": Note("", column.about) for name, column in photoz.columns().items()}
    return TableNotes(notes | {NESTED: Note("", "density of the redshift: nodes xvals, density yvals there")})


def how_to_write(schema: pa.Schema) -> dict[str, Any]:
    """What `pyarrow.parquet.ParquetWriter` takes: densities pack best byte by byte, and no two numbers are the same.

    The grid, the same for all galaxies, packs to nothing; to look it up in a dictionary takes longer.
    """
    return {
        "compression": "zstd",
        "use_dictionary": False,
        "use_byte_stream_split": [f"{NESTED}.yvals.list.element"] if NESTED in schema.names else False,
        "write_statistics": [name for name in schema.names if name != NESTED],
    }


def rubin_name(name: str) -> str:
    """The name of one of our columns as Rubin's photo-z tables have it.

    Examples
    --------
    >>> rubin_name("zmode"), rubin_name("z_low_68")
    ('z_mode', 'z_low_68')
    """
    return re.sub(r"^z(?=[a-z])", "z_", name)


def _nested(photoz: PhotoZ) -> pa.Array:
    """Densities as a nested column: per galaxy a small table of redshift and density; null where there is none."""
    assert photoz.pdf is not None
    assert photoz.z_grid is not None
    known = ~np.isnan(photoz.z_phot)
    offsets = np.concatenate([[0], np.cumsum(known * photoz.pdf.shape[1])]).astype(np.int32)
    density = rounded(np.ascontiguousarray(photoz.pdf if known.all() else photoz.pdf[known], dtype=np.float32)).ravel()
    grid = np.tile(photoz.z_grid.astype(np.float32), known.sum())
    lists = [pa.ListArray.from_arrays(offsets, pa.array(values)) for values in (grid, density)]
    return pa.StructArray.from_arrays(lists, names=["xvals", "yvals"], mask=pa.array(~known))
