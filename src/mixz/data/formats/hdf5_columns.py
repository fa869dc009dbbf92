"""Columns in HDF5 files: a data set each, or fields of one compound data set; only what lies in the file itself."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from mixz.data.formats.astropy_header import header_of
from mixz.data.parquet.rows import SUSPECT_BYTES, SUSPECT_RATIO
from mixz.data.table_frames import MOST_CELL_BYTES, PIECE_BYTES, decoded, numpy_column
from mixz.data.table_writers.hdf5 import MISSING, NO_TRUTH

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd
    from numpy.typing import NDArray

META = ".__table_column_meta__"
"""How astropy calls the data set beside a table that describes its columns."""


@dataclass(frozen=True)
class Hdf5Column:
    """A column: a data set, a field of one, or one of several columns that lie together in either.

    Parameters
    ----------
    name, unit
        What it is called, and its unit.
    dataset
        Where it lies.
    field
        The field of a compound data set; else empty.
    item
        Its number among columns that lie together; None: it lies alone.
    null
        Text that stands for none.
    is_truth
        Whether its numbers are truth values.
    odd
        Why it cannot be read; else empty.
    """

    name: str
    dataset: Any
    unit: str = ""
    field: str = ""
    item: int | None = None
    null: str | int | None = None
    is_truth: bool = False
    odd: str = ""

    @property
    def rows(self) -> int:
        """How many rows it has."""
        return int(self.dataset.shape[0]) if "shape" not in self.dataset.attrs else 0

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of what is read for it."""
        whole: np.dtype[Any] = self.dataset.dtype
        return whole[self.field] if self.field else whole

    @property
    def row_bytes(self) -> int:
        """Bytes that are read for a row."""
        return int(self.dtype.itemsize * math.prod(self.dataset.shape[1:]))

    @property
    def is_ragged(self) -> bool:
        """Whether it is text of any length."""
        return self.dtype.kind == "O"

    def take(self, block: NDArray[Any]) -> pd.Series[Any]:
        """Its values in a block of rows that was read."""
        values = block[self.field] if self.field else block
        if values.ndim > 1:
            values = values[:, self.item or 0]
        missing = values == self.null if isinstance(self.null, int) else None
        column = numpy_column(values.astype(bool) if self.is_truth else values, missing)
        return column.mask(column == self.null) if isinstance(self.null, str) else column


@dataclass(frozen=True)
class Hdf5Table:
    """A table.

    Parameters
    ----------
    columns
        Its columns.
    masks
        Which column tells where another has no value, by its name.
    beside
        What lies beside the columns and is none, such as images: what it holds.
    """

    columns: list[Hdf5Column]
    masks: dict[str, str] = field(default_factory=dict)
    beside: dict[str, str] = field(default_factory=dict)


def plain_member(group: Any, name: str) -> Any:
    """A member of a group; None if it is a link, to another file perhaps, or nothing."""
    link = group.get(name, getlink=True)
    return group[name] if isinstance(link, h5py.HardLink) else None


def is_compound(item: Any) -> bool:
    """Whether it is a table in one data set."""
    return bool(isinstance(item, h5py.Dataset) and item.ndim == 1 and _type(item).names is not None)


def is_column(name: str, item: Any) -> bool:
    """Whether it is a column of the group that it is in; images and the like stay on disk."""
    if not isinstance(item, h5py.Dataset) or is_compound(item) or name.endswith(META):
        return False
    return bool(item.ndim == 1 or (item.ndim == 2 and item.shape[1] == 1))


def group_columns(group: Any) -> Hdf5Table:
    """The data sets of a group as columns."""
    found: list[Hdf5Column] = []
    beside: dict[str, str] = {}
    for name in group:
        link = group.get(name, getlink=True)
        if not isinstance(link, h5py.HardLink):
            where = "in another file" if isinstance(link, h5py.ExternalLink) else "elsewhere"
            found.append(Hdf5Column(name, None, odd=f"a link to what lies {where}, which is not followed"))
            continue
        item = group[name]
        if not isinstance(item, h5py.Dataset) or is_compound(item) or name.endswith(META):
            continue
        if not is_column(name, item):
            beside[name] = f"{math.prod(item.shape[1:])} values per row" if item.ndim else "one number for all rows"
            continue
        odd = why_unreadable(item) or odd_type(_type(item))
        null = _null(item)
        truth = _is_bits(item.id.get_type()) or (null == NO_TRUTH and item.dtype == np.int8)
        found.append(Hdf5Column(name, item, _unit(item), null=null, is_truth=truth, odd=odd))
    return Hdf5Table(found, beside=beside)


def compound_columns(item: Any, meta: Any) -> Hdf5Table:
    """The fields of a compound data set as columns, with what astropy wrote beside it."""
    unreadable = why_unreadable(item)
    units: dict[str, str] = {}
    masks: dict[str, str] = {}
    names = item.dtype.names
    if isinstance(meta, h5py.Dataset) and meta.ndim == 1 and not why_unreadable(meta):
        header = header_of([decoded(line) if isinstance(line, bytes) else str(line) for line in meta[:]])
        units, masks = header.units, {n: m for n, m in header.masks.items() if {n, m} <= set(names)}
    kinds = item.id.get_type()
    found = []
    for number, name in enumerate(names):
        odd = unreadable or _odd_shape(item.dtype[name].shape) or odd_type(item.dtype[name].base)
        truth = _is_bits(kinds.get_member_type(number))
        found.append(Hdf5Column(name, item, units.get(name, ""), name, is_truth=truth, odd=odd))
    return Hdf5Table(found, masks)


def _odd_shape(shape: tuple[int, ...]) -> str:
    return "" if shape in ((), (1,)) else f"{math.prod(shape)} values per row"


def odd_type(dtype: np.dtype[Any]) -> str:
    """Why values of a type are no column; empty where they are one."""
    if h5py.check_ref_dtype(dtype) is not None:
        return "references"
    if dtype.kind == "O" and h5py.check_string_dtype(dtype) is None:
        return "objects" if h5py.check_vlen_dtype(dtype) is None else "several values per row"
    if dtype.kind not in "biufSO":
        return "complex numbers" if dtype.kind == "c" else f"{dtype}"
    return f"{dtype.itemsize:,} bytes per row" if dtype.itemsize > MOST_CELL_BYTES else ""


def why_unreadable(item: Any) -> str:
    """Why a data set is not read: it lies elsewhere, or unpacks to more than there can be; empty where it is read."""
    if item.is_virtual or item.external:
        return "data of another file, which is not followed"
    plan = item.id.get_create_plist()
    for number in range(plan.get_nfilters()):
        code, _, _, called = plan.get_filter(number)
        if not h5py.h5z.filter_avail(code):
            return f"data packed with {decoded(called) or 'a filter'} ({code}), which is not installed"
    if item.chunks and math.prod(item.chunks) * item.dtype.itemsize > 2 * PIECE_BYTES:
        return f"data in chunks of more than {2 * PIECE_BYTES:,} bytes"
    if item.size and not item.id.get_storage_size():
        return "nothing: it was never written"
    return ""


def require_plain(path: Path) -> None:
    """Refuse a file for another library to read whole, where it leads elsewhere or says it holds far more than it does.

    Raises
    ------
    ValueError
        It has a link, data of another file, or a data set of far more bytes than lie there for it.
    """
    with h5py.File(path) as file:
        seen, groups = set[int](), [file["/"]]
        while groups:
            group = groups.pop()
            if (place := h5py.h5o.get_info(group.id).addr) in seen:
                continue
            seen.add(place)
            for name in group:
                item = plain_member(group, name)
                if isinstance(item, h5py.Group):
                    groups.append(item)
                elif isinstance(item, h5py.Dataset):
                    _require_stored(item)
                else:
                    raise ValueError(f"{group.name} {name!r} is a link or no data, which is not followed")


def _require_stored(item: Any) -> None:
    said, stored = item.size * _type(item).itemsize, item.id.get_storage_size()
    why = why_unreadable(item)
    if not why and said > SUSPECT_BYTES and said > SUSPECT_RATIO * stored:
        why = f"{said:,} bytes by what it says, of which {stored:,} are there"
    if why:
        raise ValueError(f"{item.name} holds {why}")


def _type(item: Any) -> np.dtype[Any]:
    """The type of a data set; of one that numpy does not know, one that is no column."""
    try:
        known: np.dtype[Any] = item.dtype
    except TypeError:
        return np.dtype("V1")
    return known


def _is_bits(kind: Any) -> bool:
    """Whether values are of a byte of bits, as PyTables writes truth values."""
    if isinstance(kind, h5py.h5t.TypeArrayID):
        kind = kind.get_super()
    return bool(kind.get_class() == h5py.h5t.BITFIELD and kind.get_size() == 1)


def is_bits(item: Any) -> bool:
    """Whether a data set is of truth values as PyTables writes them."""
    return _is_bits(item.id.get_type())


def _null(item: Any) -> int | None:
    """The whole number that stands for a missing one, as mixz writes it."""
    said = item.attrs.get(MISSING)
    return int(said) if isinstance(said, int | np.integer) else None


def _unit(item: Any) -> str:
    for name in ("unit", "units"):
        said = item.attrs.get(name)
        if isinstance(said, str | bytes):
            return decoded(said) if isinstance(said, bytes) else said
    return ""
