"""The folder that `mixz nz` writes: n(z) of every bin and method as JSON, CSV, FITS, qp and SACC."""

from __future__ import annotations

import json
from importlib.metadata import version
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pandas as pd

from mixz.atomic import require_place
from mixz.bridges.nz.files import has_sacc, write_nz_qp, write_nz_sacc
from mixz.data.table_writers import Note, TableNotes
from mixz.data.tables import write_table
from mixz.errors import MixzError
from mixz.tomography.answers import BOTH, LABELS, POINTS, SPECTRA, STACK

if TYPE_CHECKING:
    from pathlib import Path

    from mixz.metrics.summary import Record
    from mixz.tomography.answers import Tomography

BEST_FIRST = (BOTH, LABELS, SPECTRA, STACK, POINTS)
"""Whose n(z) a file with one per bin holds: the first of these that answers."""
RECORD = "tomography.json"


def require_nz_place(output: Path) -> None:
    """Refuse a place where a folder cannot be written, or where something else than n(z) lies."""
    if not output.exists():
        require_place(output)
        return
    others = sorted(path.name for path in output.iterdir() if not _is_ours(path.name)) if output.is_dir() else []
    if others or not output.is_dir():
        what = f"{output} holds {others[0]}" if others else f"{output} is a file"
        raise MixzError(f"{what}, and would be replaced", "a new folder, or one that `mixz nz` wrote", "name another")


def _is_ours(name: str) -> bool:
    return name in (RECORD, "bins.csv") or name.startswith(("nz.", "nz_"))


def write_nz_files(found: Tomography, record: Record, folder: Path) -> None:
    """Write everything that is known of n(z) into a folder that is there."""
    (folder / RECORD).write_text(json.dumps(record, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    about = {"mixz": version("mixz"), **record.get("provenance", {})}
    long = pd.concat(
        [
            pd.DataFrame({"bin": k, "z_phot": one.name, "method": method, "z": nz.grid.z, "density": nz.pdf}).assign(
                low=nz.band()[0], high=nz.band()[1]
            )
            for k, one in enumerate(found.each)
            for method, nz in one.nz.items()
        ],
        ignore_index=True,
    )
    notes = {
        "bin": Note("", "number of the bin, from 0"),
        "z_phot": Note("", "the bin's edges in z_phot"),
        "method": Note("", "how n(z) was found"),
        "z": Note("", "redshift"),
        "density": Note("", "n(z), integrates to 1"),
        "low": Note("", "lower end of the 68 % band"),
        "high": Note("", "upper end of the 68 % band"),
    }
    for ending in ("csv", "fits"):
        write_table(long, folder / f"nz.{ending}", notes=TableNotes(notes, about, name="NZ"))
    rows = [
        {"bin": k, "z_phot": one["name"], "method": method, "galaxies": one["galaxies"]}
        | {key: told[key] for key in ("mean", "mean_error", "width", "width_error", "labels")}
        for k, one in enumerate(record["bins"])
        for method, told in one["methods"].items()
    ]
    write_table(pd.DataFrame(rows), folder / "bins.csv")
    methods = [method for method in BEST_FIRST if any(method in one.nz for one in found.each)]
    if find_spec("qp") is not None:
        for method in methods:
            write_nz_qp(found, method, folder)
    if has_sacc():
        write_nz_sacc(found, methods, folder / "nz.sacc", model=str(about.get("model", "")), mixz=about["mixz"])
