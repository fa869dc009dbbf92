"""FITS tables written piece by piece: rows lie beside the file until all is known that stands above them."""

from __future__ import annotations

import io
import json
import math
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from astropy.io import fits

from mixz.data.table_writers.notes import Note, TableNotes, known_unit
from mixz.data.table_writers.plain_columns import Nulls, PlainColumn, null_of, plain
from mixz.data.table_writers.text_files import opened

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pandas as pd
    from numpy.typing import NDArray

    from mixz.data.table_writers.append import Append

FITS_BLOCK = 2880
"""Bytes; every part of a FITS file fills a number of these."""
COPIED_ROWS = 100_000
"""Rows laid out at a time."""
WIDER = {np.dtype(np.uint8): np.int16, np.dtype(np.uint16): np.int32, np.dtype(np.uint32): np.int64}
"""Unsigned numbers have no one to spare for null, and readers do not agree where they are shifted."""
CARDS = {
    "mixz": ("CREATOR", "program that wrote this table"),
    "name": ("DATASET", "name of the data set"),
    "config_digest": ("CONFIG", "digest of the whole config"),
    "build_digest": ("BUILD", "digest of what decides the galaxies"),
    "simulated": ("SIMULATE", "T: no real galaxies"),
    "bands": ("BANDS", "bands of the magnitudes"),
    "truths": ("TRUTHS", "kinds of redshift labels"),
    "model": ("MODEL", "recipe of the model"),
    "config": ("RUN", "name of the config that the model is from"),
    "train_digest": ("TRAINED", "digest of what decides the model"),
    "trained_on_simulation": ("SIMTRAIN", "T: the model has seen no real galaxies"),
    "input": ("INPUT", "name of the table of magnitudes"),
}
"""Parts of a provenance that have a card of their own; the card MIXZ has all of it as JSON."""


@contextmanager
def fits_writer(path: Path, notes: TableNotes | None = None) -> Iterator[Append]:
    """Append to a FITS table (ASCII only).

    Units are TUNIT, meanings TCOMM (and in COMMENT, where astropy looks), the provenance stands in cards of its own and
    whole in MIXZ.  Missing whole numbers are TNULL, the least number of their type, only where a column lacks some;
    missing text is empty text.  Nothing signed is smaller than 16 bits: astropy takes 8 of them for truth values.
    """
    rows = _FitsRows(path.with_name("rows"))
    yield rows.append
    with opened(path) as file:
        file.write(fits.PrimaryHDU().header.tostring().encode())
        file.write(rows.header(notes or TableNotes()).tostring().encode())
        written = rows.copy_to(file)
        file.write(bytes(-written % FITS_BLOCK))
    rows.path.unlink()


@dataclass
class _FitsRows:
    """The rows of a table as bytes in a file of their own, each piece with text as wide as it needs."""

    path: Path
    types: dict[str, np.dtype[Any]] = field(default_factory=dict)
    pieces: list[tuple[int, np.dtype[Any]]] = field(default_factory=list)
    nulls: Nulls = field(default_factory=Nulls)

    def append(self, frame: pd.DataFrame) -> None:
        columns = {str(name): plain(values) for name, values in frame.items()}
        for name, column in columns.items():
            self._see(name, column)
        # Where a value is missing stands beside it.
        parts = {name: _as_bytes(name, column) for name, column in columns.items()}
        row = np.dtype([(f"{k}{part}", values.dtype) for k, both in enumerate(parts.values()) for part, values in both])
        block = np.empty(len(frame), row)
        for k, both in enumerate(parts.values()):
            for part, values in both:
                block[f"{k}{part}"] = values
        with self.path.open("ab") as file:
            block.tofile(file)
        self.pieces.append((len(frame), row))

    def _see(self, name: str, column: PlainColumn) -> None:
        """Keep in mind what the column's type must hold.

        Raises
        ------
        TypeError, ValueError
            FITS has no such type, or no number is left that can stand for a missing one.
        """
        dtype = column.data.dtype
        if dtype.kind == "f" and dtype.itemsize > 8:
            raise TypeError(f"column {name!r} is of type {dtype}, of which FITS has none")
        if self.types.setdefault(name, dtype) != dtype:
            raise TypeError(f"column {name!r} is {self.types[name]} first and {dtype} later")
        if not column.is_numbered:
            return
        if dtype.kind == "i" and dtype.itemsize > 1:
            self.nulls.see(name, column, null_of(dtype))
        elif column.missing.any():
            if dtype == np.uint64:
                raise TypeError(f"column {name!r} lacks numbers, for which FITS has no sign among unsigned 64 bits")
            self.nulls.lacking.add(name)

    def _final(self) -> dict[str, np.dtype[Any]]:
        """The type of each column as readers see it."""
        found = {}
        for k, (name, dtype) in enumerate(self.types.items()):
            if dtype.kind == "O":
                width = max((row[f"{k}"].itemsize for _, row in self.pieces), default=1)
                found[name] = np.dtype(f"S{max(width, 1)}")
            elif dtype == np.int8:
                found[name] = np.dtype(np.int16)
            else:
                found[name] = np.dtype(WIDER.get(dtype, dtype)) if name in self.nulls.lacking else dtype
        return found

    def header(self, notes: TableNotes) -> fits.Header:
        """What stands above the rows."""
        types, written = self._final(), io.BytesIO()
        told = TableNotes({name: _in_ascii(notes.of(name)) for name in types})
        told.as_astropy(types).write(written, format="fits")
        written.seek(0)
        with fits.open(written) as hdus:
            header: fits.Header = hdus[1].header.copy()
        header["NAXIS2"] = sum(rows for rows, _ in self.pieces)
        for number, name in enumerate(types, start=1):
            if name in self.nulls.lacking:
                header.set(f"TNULL{number}", null_of(types[name]), after=f"TFORM{number}")
            if meaning := told.of(name).meaning:
                header[f"TCOMM{number}"] = meaning
        if notes.name:
            header["EXTNAME"] = notes.name
        for key, word, about in _cards(notes):
            header[key] = (word, about)
        if notes.provenance:
            header["MIXZ"] = notes.json  # astropy cuts it into cards
        return header

    def copy_to(self, file: IO[bytes]) -> int:
        """Write all rows as FITS has them, and tell how many bytes that is."""
        types = self._final()
        stored = np.dtype([(str(k), _stored(dtype)) for k, dtype in enumerate(types.values())])
        written = 0
        self.path.touch()
        with self.path.open("rb") as old:
            for rows, row in self.pieces:
                for start in range(0, rows, COPIED_ROWS):
                    block = np.fromfile(old, row, min(COPIED_ROWS, rows - start))
                    new = np.empty(len(block), stored)
                    for k, dtype in enumerate(types.values()):
                        missing = block[f"{k}?"] if f"{k}?" in (row.names or ()) else None
                        new[str(k)] = _laid_out(block[str(k)], missing, dtype)
                    written += file.write(new.tobytes())
        return written


def _as_bytes(name: str, column: PlainColumn) -> list[tuple[str, NDArray[Any]]]:
    """The values of a column, and where they may be missing also where they are, by what their names end in.

    Raises
    ------
    ValueError
        Text has letters that FITS cannot hold.
    """
    if column.is_text:
        strange = next((word for word in column.data if not (word.isascii() and word.isprintable())), None)
        if strange is not None:
            raise ValueError(f"{name} {strange!r} has a letter that FITS cannot hold")
        array = column.data.astype("S") if len(column.data) else np.zeros(0, "S1")
        return [("", array if array.dtype.itemsize else array.astype("S1"))]
    may_lack = column.data.dtype.kind in "iub"
    return [("", column.data), ("?", column.missing)] if may_lack else [("", column.data)]


def _stored(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The type of a column's bytes: truth values as letters, unsigned numbers shifted to signed ones."""
    if dtype.kind == "b":
        return np.dtype("S1")
    if dtype.kind == "u" and dtype.itemsize > 1:
        return np.dtype(f">i{dtype.itemsize}")
    return dtype.newbyteorder(">")


def _laid_out(values: NDArray[Any], missing: NDArray[Any] | None, dtype: np.dtype[Any]) -> NDArray[Any]:
    if dtype.kind == "b":
        letters = np.where(values, b"T", b"F")
        return letters if missing is None else np.where(missing, b"", letters)
    if dtype.kind == "u" and dtype.itemsize > 1:
        half = dtype.type(1 << (8 * dtype.itemsize - 1))
        shifted: NDArray[Any] = (values.astype(dtype) ^ half).view(f"i{dtype.itemsize}")
        return shifted
    if dtype.kind == "i" and missing is not None:
        return np.where(missing, dtype.type(null_of(dtype)), values.astype(dtype))
    return values


def _in_ascii(note: Note) -> Note:
    """A note of which FITS can hold both parts: letters it lacks are escaped, units it lacks go along as words."""
    unit, meaning = known_unit(note.unit), note.meaning
    try:
        in_fits = unit.to_string("fits") if unit is not None else ""
    except ValueError:
        in_fits = ""
    if note.unit and not in_fits:
        meaning = f"{meaning} [{note.unit}]".strip()
    return Note(in_fits, _escaped(meaning))


def _cards(notes: TableNotes) -> Iterator[tuple[str, Any, str]]:
    for part, (key, about) in CARDS.items():
        word: Any = notes.provenance.get(part)
        if isinstance(word, list | tuple):
            word = ",".join(map(str, word))
        if part == "mixz" and word is not None:
            word = f"mixz {word}"
        if isinstance(word, str):
            yield key, _escaped(word), about
        elif isinstance(word, bool | int) or (isinstance(word, float) and math.isfinite(word)):
            yield key, word, about


def _escaped(words: str) -> str:
    return json.dumps(words)[1:-1].replace('\\"', '"') if not (words.isascii() and words.isprintable()) else words
