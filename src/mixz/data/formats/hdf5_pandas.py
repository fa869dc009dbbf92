"""Tables that pandas wrote to HDF5: columns of a type lie together, and their names beside; objects are pickled, and
so are not read."""

from __future__ import annotations

import pickletools
from typing import TYPE_CHECKING, Any

import h5py

from mixz.data.formats.format import MOST_COLUMNS
from mixz.data.formats.hdf5_columns import Hdf5Column, Hdf5Table, is_bits, odd_type, plain_member, why_unreadable
from mixz.data.table_frames import decoded

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

NAMES = {"UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "STRING", "BINSTRING", "SHORT_BINSTRING"}
NUMBERS = {"INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1"}
AROUND = {"PROTO", "FRAME", "MARK", "LIST", "EMPTY_LIST", "APPEND", "APPENDS", "STOP"}
AROUND |= {"PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"}
"""What the pickle of a list of names consists of."""


def is_pandas(group: Any) -> bool:
    """Whether pandas wrote a table into a group."""
    return isinstance(group, h5py.Group) and _text(group.attrs, "pandas_type") in ("frame", "frame_table")


def fixed_columns(group: Any) -> Hdf5Table:
    """The columns of the fixed layout: blocks of a type, and the names of each one's."""
    names = _names(_member(group, "axis0"))
    found: dict[str, Hdf5Column] = {}
    for number in range(min(int(group.attrs["nblocks"]), MOST_COLUMNS)):
        values = _member(group, f"block{number}_values")
        items = _names(_member(group, f"block{number}_items"))
        for item, name in enumerate(items):
            found[name] = Hdf5Column(
                name, values, item=item, is_truth=is_bits(values), odd=_odd_block(values, len(items))
            )
    return Hdf5Table([found[name] for name in names if name in found])


def _odd_block(values: Any, columns: int) -> str:
    if "PSEUDOATOM" in values.attrs or values.dtype.kind == "O":
        return "pickled objects, which are not read"
    if "shape" in values.attrs:
        return ""
    if values.ndim != 2 or values.shape[1] != columns:
        return f"an array of shape {values.shape} for {columns} columns"
    return _odd(values, values.dtype, _text(values.attrs, "value_type"))


def table_columns(group: Any) -> Hdf5Table:
    """The columns of the table layout: fields of one compound data set, some with several columns in them."""
    table = _member(group, "table")
    found = []
    for number, name in enumerate(table.dtype.names):
        if name == "index":
            continue
        kind = table.dtype[name]
        said = table.attrs.get(f"{name}_kind")
        names = pickled_names(bytes(said)) if isinstance(said, bytes) else [name]
        if len(names) != (kind.shape or (1,))[0] or len(kind.shape) > 1:
            raise ValueError(f"its columns {name} are not as many as their names")
        truth = table.id.get_type().get_member_type(number)
        truth = truth.get_super() if isinstance(truth, h5py.h5t.TypeArrayID) else truth
        odd = _odd(table, kind.base, _text(table.attrs, f"{name}_dtype"))
        null = _text(table.attrs, f"{name}_nan_rep") or "nan" if kind.base.kind == "S" else None
        found += [
            Hdf5Column(
                one,
                table,
                field=name,
                item=item,
                null=null,
                is_truth=truth.get_class() == h5py.h5t.BITFIELD,
                odd=odd,
            )
            for item, one in enumerate(names)
        ]
    return Hdf5Table(found)


def _odd(item: Any, dtype: np.dtype[Any], meant: str) -> str:
    if meant.startswith(("datetime", "timedelta", "date")):
        return "dates"
    return why_unreadable(item) or odd_type(dtype)


def pickled_names(pickled: bytes) -> list[str]:
    """The names in the pickle of a list of them, read as a list of instructions that nobody carries out.

    Raises
    ------
    ValueError
        It is no pickle, or one of something else.

    Examples
    --------
    >>> import pickle
    >>> pickled_names(pickle.dumps(["ra", "dec"]))
    ['ra', 'dec']
    """
    found = []
    for instruction, told, _ in pickletools.genops(pickled):
        if instruction.name in NAMES | NUMBERS:
            found.append(str(told))
        elif instruction.name not in AROUND:
            raise ValueError("the names of its columns are pickled in a way that is not known")
    return found


def _member(group: Any, name: str) -> Any:
    item = plain_member(group, name)
    if not isinstance(item, h5py.Dataset):
        raise ValueError(f"pandas' {name} is missing in it")
    return item


def _names(item: Any) -> list[str]:
    if odd := why_unreadable(item) or odd_type(item.dtype):
        raise ValueError(f"the names of its columns are {odd}")
    if item.ndim != 1 or len(item) > MOST_COLUMNS:
        raise ValueError("the names of its columns are no list, or too long a one")
    return [decoded(name) if isinstance(name, bytes) else str(name) for name in item[:]]


def _text(attributes: Mapping[str, Any], name: str) -> str:
    said = attributes.get(name, "")
    return decoded(said) if isinstance(said, bytes) else str(said) if isinstance(said, str) else ""
