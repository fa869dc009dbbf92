"""Columns of FITS tables as the standard lays them out in the bytes of a row (Pence et al. 2010, section 7)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mixz.data.table_frames import MOST_CELL_BYTES, numpy_column

if TYPE_CHECKING:
    import pandas as pd
    from astropy.io.fits import Header
    from numpy.typing import NDArray

BINARY = {
    "L": "S1",
    "B": "u1",
    "I": ">i2",
    "J": ">i4",
    "K": ">i8",
    "E": ">f4",
    "D": ">f8",
    "C": ">c8",
    "M": ">c16",
    "A": "S",
    "X": "V",
    "P": ">i8",
    "Q": "V16",
}
"""numpy's types of the letters of TFORM."""
ODD = {"C": "complex numbers", "M": "complex numbers", "X": "bits", "P": "several values per row"}
ODD["Q"] = ODD["P"]
OFFSETS = {("u1", -128): np.int8, (">i2", 1 << 15): np.uint16, (">i4", 1 << 31): np.uint32, (">i8", 1 << 63): np.uint64}
"""TZERO with which a type of whole numbers stands for the other one of its width."""


@dataclass(frozen=True)
class FitsColumn:
    """A column: where it lies in a row, what it holds, and what its numbers mean.

    Parameters
    ----------
    name, unit
        TTYPE and TUNIT.
    offset, width
        Bytes of a row before it, and its own.
    letter
        That of TFORM.
    null
        TNULL: a whole number as it is stored, or the text of an ASCII table.
    scale, zero
        TSCAL and TZERO.
    odd
        What it holds, if more than one value per row; else empty.
    """

    name: str
    unit: str
    offset: int
    width: int
    letter: str
    null: Any
    scale: float
    zero: float
    odd: str = ""

    def read(self, block: NDArray[np.uint8], rows: int, row_bytes: int) -> pd.Series[Any]:
        """Its values in some rows."""
        kind = f"S{self.width}" if self.is_text else BINARY[self.letter]
        if not self.width or not rows:
            stored = np.zeros(rows, "S1" if self.is_text else kind)
        else:
            stored = np.ndarray((rows,), kind, block, self.offset, (row_bytes,))
        if self.letter.islower():
            return _of_text(np.char.strip(stored), self)
        if self.letter == "A":
            null = None if self.null is None else np.char.rstrip(stored) == str(self.null).encode()
            return numpy_column(stored, null)
        if self.letter == "L":
            return numpy_column(stored == b"T", (stored != b"T") & (stored != b"F"))
        if stored.dtype.kind == "f":
            return numpy_column(stored if not self.is_scaled else stored * self.scale + self.zero)
        null = None if self.null is None else stored == self.null
        if not self.is_scaled:
            return numpy_column(stored, null)
        if self.scale == 1 and (kind, self.zero) in OFFSETS:
            shifted = _shifted(stored, np.dtype(OFFSETS[kind, int(self.zero)]))
            # astropy writes TNULL of such a column as the number that it means, against the standard.
            return numpy_column(shifted, None if null is None else null | (shifted == self.null))
        return numpy_column(stored * self.scale + self.zero, null)

    @property
    def is_text(self) -> bool:
        """Whether its bytes are text, numbers of an ASCII table among them."""
        return self.letter == "A" or self.letter.islower()

    @property
    def is_scaled(self) -> bool:
        """Whether its numbers are not as they are stored."""
        return self.scale != 1 or self.zero != 0


def _shifted(stored: NDArray[Any], to: np.dtype[Any]) -> NDArray[Any]:
    """Whole numbers of the other sign: the highest bit turned over."""
    native = stored.astype(stored.dtype.newbyteorder("="))
    unsigned = native.view(f"u{native.dtype.itemsize}") ^ (1 << (8 * native.dtype.itemsize - 1))
    return unsigned.astype(f"u{native.dtype.itemsize}").view(to)


def _of_text(words: NDArray[Any], column: FitsColumn) -> pd.Series[Any]:
    """Numbers of an ASCII table: a field of blanks is none, and Fortran writes exponents with D."""
    missing = words == b""
    if column.null is not None:
        missing |= words == str(column.null).strip().encode()
    filled: NDArray[Any] = np.where(missing, b"0", words)
    if column.letter == "i":
        whole = filled.astype(np.int64)
        return numpy_column(whole if not column.is_scaled else whole * column.scale + column.zero, missing)
    numbers = np.char.replace(np.char.upper(filled), b"D", b"E").astype(np.float64)
    return numpy_column(numbers * column.scale + column.zero, missing)


def binary_columns(header: Header) -> list[FitsColumn]:
    """The columns of a binary table.

    Raises
    ------
    ValueError
        The standard does not know such a column.
    """
    found, offset = [], 0
    for number in range(1, int(header["TFIELDS"]) + 1):
        form = str(header[f"TFORM{number}"]).strip()
        match = re.match(r"(\d*)([LXBIJKAEDCMPQ])", form)
        if match is None:
            raise ValueError(f"its column {number} has the unknown format {form!r}")
        count, letter = int(match[1] or 1), match[2]
        each = 1 if letter == "A" else np.dtype(BINARY[letter]).itemsize
        width = -(-count // 8) if letter == "X" else count * each
        odd = ODD.get(letter, "")
        if not odd and letter == "A":
            odd = _odd_text(header, number, count, form)
        elif not odd and count != 1:
            odd = f"{count} values per row"
        found.append(_column(header, number, offset, width, letter, odd))
        offset += width
    return found


def _odd_text(header: Header, number: int, count: int, form: str) -> str:
    """Why a column of letters is not one text per row."""
    shape = [int(n) for n in re.findall(r"\d+", str(header.get(f"TDIM{number}", "")))]
    substring = re.match(r"\d*A(\d+)$", form)
    several = int(np.prod(shape[1:], dtype=float)) if len(shape) > 1 else 1
    if substring and int(substring[1]) and count > int(substring[1]):
        several = count // int(substring[1])
    if several > 1:
        return f"{several} texts per row"
    return f"{count:,} letters per row" if count > MOST_CELL_BYTES else ""


def ascii_columns(header: Header) -> list[FitsColumn]:
    """The columns of an ASCII table, whose letters are small but for text.

    Raises
    ------
    ValueError
        The standard does not know such a column.
    """
    found = []
    for number in range(1, int(header["TFIELDS"]) + 1):
        form = str(header[f"TFORM{number}"]).strip()
        match = re.match(r"([AIFED])(\d+)", form)
        if match is None:
            raise ValueError(f"its column {number} has the unknown format {form!r}")
        letter = match[1] if match[1] == "A" else match[1].lower()
        offset = int(header[f"TBCOL{number}"]) - 1
        found.append(_column(header, number, offset, int(match[2]), letter, ""))
    return found


def _column(header: Header, number: int, offset: int, width: int, letter: str, odd: str) -> FitsColumn:
    return FitsColumn(
        name=str(header.get(f"TTYPE{number}", f"col{number}")).strip(),
        unit=str(header.get(f"TUNIT{number}", "")).strip(),
        offset=offset,
        width=width,
        letter=letter,
        null=header.get(f"TNULL{number}"),
        scale=float(header.get(f"TSCAL{number}", 1)) if letter not in "AL" else 1,
        zero=float(header.get(f"TZERO{number}", 0)) if letter not in "AL" else 0,
        odd=odd,
    )
