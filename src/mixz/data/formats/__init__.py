"""The file formats of tables, each by the library its field trusts; only the needed columns are read, in chunks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mixz.data.formats.ecsv import ECSV
from mixz.data.formats.feather import FEATHER
from mixz.data.formats.fits import FITS
from mixz.data.formats.fixed_width import FIXED_WIDTH
from mixz.data.formats.fixed_width_head import MRT_TITLE
from mixz.data.formats.format import MOST_BYTES, Format, Layout, TableSource
from mixz.data.formats.hats import HATS
from mixz.data.formats.hdf5 import HDF5
from mixz.data.formats.parquet import PARQUET
from mixz.data.formats.read_only import refusing
from mixz.data.formats.text import TEXT
from mixz.data.formats.votable import VOTABLE
from mixz.data.hats_folder import is_hats
from mixz.errors import MixzError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["FORMATS", "MOST_BYTES", "Format", "Layout", "TableSource", "format_of", "require_written"]

OTHER_TEXT = Format(TEXT.name, TEXT.layout, TEXT.rows, TEXT.chunks, refusing("text without commas"))

FORMATS: dict[str, Format] = {
    ".parquet": PARQUET,
    ".pq": PARQUET,
    ".feather": FEATHER,
    ".arrow": FEATHER,
    ".csv": TEXT,
    ".tsv": OTHER_TEXT,
    ".tab": OTHER_TEXT,
    ".txt": OTHER_TEXT,
    ".dat": OTHER_TEXT,
    ".cat": OTHER_TEXT,
    ".fits": FITS,
    ".fit": FITS,
    ".hdf5": HDF5,
    ".h5": HDF5,
    ".hdf": HDF5,
    ".ecsv": ECSV,
    ".tbl": FIXED_WIDTH,
    ".ipac": FIXED_WIDTH,
    ".mrt": FIXED_WIDTH,
    ".vot": VOTABLE,
    ".xml": VOTABLE,
    ".votable": VOTABLE,
}


def format_of(path: Path) -> Format:
    """Choose the format by the ending of the file's name (``.gz`` aside); HATS for a folder that is one.

    A file that ends as text and begins as FITS does is FITS, as SExtractor's catalogues are, and one that begins as a
    journal's machine-readable table does is that.

    Raises
    ------
    MixzError
        The ending is unknown.
    """
    if is_hats(path):
        return HATS
    name = path.name.lower().removesuffix(".gz")
    for ending, known in FORMATS.items():
        if name.endswith(ending):
            return _begins_as(path) or known if known is OTHER_TEXT else known
    raise MixzError(f"{path} has an unknown format", f"endings: {', '.join(FORMATS)}", "convert or rename the file")


def _begins_as(path: Path) -> Format | None:
    """What a file that ends as text is by its first letters, if no plain text."""
    if not path.is_file():
        return None
    with path.open("rb") as file:
        first = file.read(9)
    if first == b"SIMPLE  =":
        return FITS
    return FIXED_WIDTH if first.startswith(MRT_TITLE.encode()) else None


def require_written(path: Path) -> None:
    """Refuse a name of a format that is unknown or only read.

    Raises
    ------
    MixzError
        As said.
    """
    format_of(path).writer(path, None)
