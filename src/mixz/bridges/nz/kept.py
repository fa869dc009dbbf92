"""Sums and samples of a catalogue's parts as files of plain arrays; by its digest a reader knows a whole one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mixz.atomic import replacing
from mixz.bridges.nz.tables import NzTable
from mixz.densities.grid import Grid
from mixz.digest import digest_of_file
from mixz.errors import MixzError
from mixz.photoz import PhotoZ
from mixz.tomography.sums import DensitySums, PartSums, SumLayout

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    Arrays = Mapping[str, Any]

PHOTOZ = (
    *("object_id", "z_phot_members", "z_sigma_members", "z_grid", "pdf", "z_rms_members"),
    *("odds", "risk", "support"),
)
"""Fields of photo-z that are arrays."""
BESIDE = ("mag", "ra_deg", "dec_deg", "names", "side", "patch")
"""Those of the rows of a table."""


def is_whole(path: Path, digest: str) -> bool:
    """Whether a file is there with all its bytes as they were written."""
    try:
        return digest_of_file(path) == digest
    except MixzError:
        return False


def write_sums(path: Path, layout: SumLayout, sums: PartSums) -> str:
    """Write a part's sums, and give the digest of the file."""
    return _write(path, {**_of_layout(layout), "row": sums.row, "values": sums.values})


def read_sums(path: Path) -> tuple[SumLayout, PartSums]:
    """Read a part's sums."""
    arrays = _read(path)
    return _layout(arrays), PartSums(arrays["row"], arrays["values"])


def write_total(path: Path, total: DensitySums) -> str:
    """Write the sums of all parts so far, and give the digest of the file."""
    return _write(path, {**_of_layout(total.layout), "summed": total.summed})


def read_total(path: Path) -> DensitySums:
    """Read the sums of all parts so far."""
    arrays = _read(path)
    return DensitySums.of(_layout(arrays), arrays["summed"])


def write_sample(path: Path, rows: NzTable) -> str:
    """Write a part's galaxies of the sample, and give the digest of the file."""
    one = {f"photoz.{name}": getattr(rows.photoz, name) for name in PHOTOZ}
    one |= {name: getattr(rows, name) for name in BESIDE}
    named = {f"{field}/{name}": values for field, several in _named(rows).items() for name, values in several.items()}
    return _write(path, {name: values for name, values in (one | named).items() if values is not None})


def read_sample(path: Path) -> NzTable:
    """Read a part's galaxies of the sample."""
    arrays = _read(path)

    def several(field: str) -> dict[str, NDArray[Any]]:
        return {name.partition("/")[2]: arrays[name] for name in arrays if name.startswith(f"{field}/")}

    plain: dict[str, Any] = {name: arrays.get(f"photoz.{name}") for name in PHOTOZ}
    beside: dict[str, Any] = {name: arrays.get(name) for name in BESIDE}
    photoz = PhotoZ(**plain, points=several("photoz.points"), intervals=several("photoz.intervals"))
    return NzTable(photoz, z=several("z"), columns=several("columns"), z_err=several("z_err"), **beside)


def _named(rows: NzTable) -> dict[str, Arrays]:
    """What rows have by names that others choose."""
    photoz = {"photoz.points": rows.photoz.points, "photoz.intervals": rows.photoz.intervals}
    return {**photoz, "z": rows.z, "columns": rows.columns, "z_err": rows.z_err}


def _of_layout(layout: SumLayout) -> dict[str, NDArray[Any]]:
    counts = np.array([layout.patches, layout.members, int(layout.truth)])
    return {"edges": np.asarray(layout.edges), "z": np.asarray(layout.grid.z), "counts": counts}


def _layout(arrays: Arrays) -> SumLayout:
    patches, members, truth = (int(count) for count in arrays["counts"])
    return SumLayout(arrays["edges"], Grid(arrays["z"]), patches, members, bool(truth))


def _write(path: Path, arrays: Arrays) -> str:
    with replacing(path) as draft:
        np.savez(draft, **arrays)
    return digest_of_file(path)


def _read(path: Path) -> dict[str, Any]:
    with np.load(path, allow_pickle=False) as file:
        return dict(file)
