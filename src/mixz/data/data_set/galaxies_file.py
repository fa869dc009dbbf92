"""`galaxies.parquet`: a GalaxySet on disk, with units and where it came from in the file's own metadata."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from mixz.atomic import replacing
from mixz.data.data_set.column_notes import column_notes
from mixz.data.table_writers import MIXZ_KEY, TableNotes, noted
from mixz.digest import OPEN_SEAL, seal, seal_of
from mixz.errors import MixzError
from mixz.galaxies import GALAXIES_DIGEST, GalaxySet

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

METADATA_KEY = MIXZ_KEY.encode()
AGAIN = "run `mixz build` again"


def write_galaxies(galaxies: GalaxySet, path: str | Path, *, provenance: Mapping[str, Any] | None = None) -> None:
    """Write galaxies as Parquet.

    Columns: object_id, split, system, mag_<band>, mag_err_<band>, z_<truth>; and where known ra_deg, dec_deg,
    z_err_low_<truth> and z_err_high_<truth> (the reach of the label's 68 % interval) and what was carried along.

    Parameters
    ----------
    galaxies
        What to write.
    path
        The file; appears whole or not at all.
    provenance
        Anything JSON can hold about where the galaxies came from.
    """
    columns = galaxies_columns(galaxies)
    names = {"bands": galaxies.bands, "truths": galaxies.truths}
    names |= {"truths_with_errors": tuple(galaxies.z_err), "carried": tuple(galaxies.carried)}
    about = {**names, **(provenance or {}), GALAXIES_DIGEST: galaxies.digest()}
    notes = TableNotes(column_notes(columns, bands=galaxies.bands, truths=galaxies.truths), about)
    lengths = {name: v.dtype.itemsize // 4 for name, v in columns.items() if v.dtype.kind == "U"}
    table = noted(pa.table(columns), notes, lengths=lengths)
    with replacing(path) as draft:
        pq.write_table(table.replace_schema_metadata({**table.schema.metadata, b"seal": OPEN_SEAL}), draft)
        seal(draft)


def galaxies_columns(galaxies: GalaxySet) -> dict[str, NDArray[Any]]:
    """Lay galaxies out as the columns of a table, in the order of the file."""
    columns: dict[str, NDArray[Any]] = {name: getattr(galaxies, name) for name in ("object_id", "split", "system")}
    for kind in ("mag", "mag_err"):
        columns |= {f"{kind}_{band}": getattr(galaxies, kind)[:, k] for k, band in enumerate(galaxies.bands)}
    columns |= {f"z_{truth}": label for truth, label in galaxies.z.items()}
    return columns | _extras(galaxies)


def read_galaxies(path: str | Path) -> GalaxySet:
    """Read what `write_galaxies` wrote.

    Raises
    ------
    MixzError
        The file is missing or was not written by `write_galaxies`, or any byte of it has changed since.
    """
    about = read_provenance(path)
    try:
        return _galaxies(about, pq.read_table(path, memory_map=False))
    except (OSError, pa.ArrowException, ValueError, KeyError, TypeError) as error:
        raise _no_galaxies(Path(path), f": {error}") from error


def _galaxies(about: Mapping[str, Any], table: pa.Table) -> GalaxySet:
    """The galaxies in a file's columns, by what the file says of itself."""
    bands = tuple(about["bands"])
    kinds = {
        kind: np.column_stack([table[f"{kind}_{band}"].to_numpy() for band in bands]) for kind in ("mag", "mag_err")
    }
    return GalaxySet(
        np.asarray(table["object_id"].to_pylist()),
        bands,
        **kinds,
        z={truth: table[f"z_{truth}"].to_numpy() for truth in about["truths"]},
        split=np.asarray(table["split"].to_pylist(), dtype=str),
        system=np.asarray(table["system"].to_pylist(), dtype=str),
        z_err={
            truth: np.column_stack([table[f"z_err_{side}_{truth}"].to_numpy() for side in ("low", "high")])
            for truth in about.get("truths_with_errors", ())
        },
        **{name: table[name].to_numpy() for name in ("ra_deg", "dec_deg") if name in table.column_names},
        carried={name: table[name].to_numpy() for name in about.get("carried", ())},
        table=np.asarray(table["table"].to_pylist(), dtype=str) if "table" in table.column_names else None,  # type: ignore[arg-type]
    )


def is_galaxies(path: Path) -> bool:
    """Whether a Parquet file is one that `write_galaxies` wrote: its magnitudes are as training wants them."""
    try:
        return METADATA_KEY in (pq.read_schema(path).metadata or {})
    except (OSError, ValueError, pa.ArrowException):
        return False


def _extras(galaxies: GalaxySet) -> dict[str, Any]:
    """The columns that only some galaxy sets have."""
    columns: dict[str, Any] = {}
    if np.isfinite(galaxies.ra_deg).any():
        columns |= {"ra_deg": galaxies.ra_deg, "dec_deg": galaxies.dec_deg}
    if (galaxies.table != "").any():
        columns["table"] = galaxies.table
    for truth, widths in galaxies.z_err.items():
        columns |= {f"z_err_low_{truth}": widths[:, 0], f"z_err_high_{truth}": widths[:, 1]}
    return columns | dict(galaxies.carried)


def read_provenance(path: str | Path) -> dict[str, Any]:
    """Read what a galaxies file says about itself.

    Raises
    ------
    MixzError
        The file is missing or was not written by `write_galaxies`, or any byte of it has changed since.
    """
    path = Path(path)
    if not path.is_file():
        raise MixzError(f"no galaxies file {path}", "a file that `mixz build` wrote", "run `mixz build` first")
    if seal_of(path, do=AGAIN) is None:
        raise _no_galaxies(path, " of this version: it has no seal")
    try:
        about: dict[str, Any] = json.loads((pq.read_schema(path).metadata or {})[METADATA_KEY])
    except (OSError, pa.ArrowException, ValueError, KeyError) as error:
        raise _no_galaxies(path) from error
    if "truths" not in about:
        raise _no_galaxies(path)
    return about


def _no_galaxies(path: Path, why: str = "") -> MixzError:
    return MixzError(f"{path} is no galaxies file{why}", "a file that `mixz build` wrote", AGAIN)
