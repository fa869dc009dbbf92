"""Tables in HDF5 files, as h5py, astropy or pandas lay them out; no link is followed and nothing unpickled."""

from __future__ import annotations

from collections import defaultdict
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import h5py
import pandas as pd

from mixz.data.formats.format import Format, Layout, no_such_part, require_few_columns
from mixz.data.formats.hdf5_columns import compound_columns, group_columns, is_column, is_compound, plain_member
from mixz.data.formats.hdf5_damage import longest_text, require_short_texts, require_sound
from mixz.data.formats.hdf5_pandas import fixed_columns, is_pandas, table_columns
from mixz.data.table_frames import PIECE_BYTES
from mixz.data.table_writers import hdf5_writer
from mixz.errors import MixzError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mixz.data.formats.format import TableSource
    from mixz.data.formats.hdf5_columns import Hdf5Table

DEEPEST, MOST_TABLES = 8, 1000
"""Groups inside groups, and tables, that are looked at."""
TEXT_ROWS = 20_000
"""Rows of text of any length that are read at a time."""


def _places(group: Any, path: str = "", depth: int = 0) -> Iterator[str]:
    """The paths of all tables of a file."""
    if is_pandas(group):
        yield path or "/"
        return
    members = [(name, plain_member(group, name)) for name in group]
    if any(is_column(name, item) for name, item in members):
        yield path or "/"
    for name, item in members:
        if is_compound(item):
            yield f"{path}/{name}"
        elif isinstance(item, h5py.Group) and depth < DEEPEST:
            yield from _places(item, f"{path}/{name}", depth + 1)


def _all_places(file: h5py.File) -> list[str]:
    places: list[str] = []
    for place in _places(file):
        places.append(place.removeprefix("/") or "/")
        if len(places) > MOST_TABLES:
            raise ValueError(f"it holds more than {MOST_TABLES:,} tables")
    return places


def _guessed(file: h5py.File, path: str) -> Any:
    """The table that is meant where none is named: the columns at the root or in the only group, or the only table."""
    node: Any = file
    for _ in range(DEEPEST):
        members = [(name, plain_member(node, name)) for name in node]
        if is_pandas(node) or any(is_column(name, item) for name, item in members):
            return node
        inner = [item for _, item in members if isinstance(item, h5py.Group) or is_compound(item)]
        if len(inner) != 1 or is_compound(inner[0]):
            break
        node = inner[0]
    places = _all_places(file)
    if len(places) == 1:
        return _named(file, places[0])
    if not places:
        raise ValueError("it holds no table")
    raise MixzError(
        f"{path} has {len(places)} tables", f"tables: {', '.join(places[:40])}", "name one of them as `group`"
    )


def _named(file: h5py.File, group: str) -> Any:
    """A group or data set by its path; None where there is none, or a link on the way."""
    node: Any = file
    for name in group.strip("/").split("/") if group.strip("/") else ():
        node = plain_member(node, name) if isinstance(node, h5py.Group) else None
    return node


def _table(file: h5py.File, source: TableSource) -> Hdf5Table:
    node = _guessed(file, str(source.path)) if source.group is None else _named(file, str(source.group))
    if is_compound(node):
        name = node.name.rsplit("/", 1)[-1]
        return compound_columns(node, plain_member(node.parent, f"{name}.__table_column_meta__"))
    if not isinstance(node, h5py.Group):
        raise no_such_part(source, _all_places(file))
    if is_pandas(node):
        return table_columns(node) if "table" in node else fixed_columns(node)
    return group_columns(node)


@contextmanager
def _opened(path: Path) -> Iterator[h5py.File]:
    """A file that libhdf5 can be asked about."""
    require_sound(path)
    with h5py.File(path, "r") as file:
        yield file


def _layout(source: TableSource) -> Layout:
    with _opened(source.path) as file:
        table = _table(file, source)
        require_few_columns(len(table.columns))
        several = source.group is None and len(file) > 1
        return Layout(
            [column.name for column in table.columns if column.name not in table.masks.values()],
            {column.name: column.unit for column in table.columns if column.unit},
            table.beside | {column.name: column.odd for column in table.columns if column.odd},
            _all_places(file) if several else (),
            table.masks,
        )


def _rows(source: TableSource) -> int:
    with _opened(source.path) as file:
        return max((column.rows for column in _table(file, source).columns if not column.odd), default=0)


def _chunks(source: TableSource, columns: list[str], rows: int) -> Iterator[pd.DataFrame]:
    with _opened(source.path) as file:
        by_name = {column.name: column for column in _table(file, source).columns}
        wanted = [by_name[name] for name in columns]
        lengths = {column.rows for column in wanted}
        if len(lengths) > 1:
            raise ValueError(f"its columns have different lengths: {sorted(lengths)}")
        length = max(lengths, default=0)
        row_bytes = sum(max(column.row_bytes, 8) for column in wanted)
        if length * row_bytes > source.most_bytes:
            raise ValueError(f"its {length:,} rows of {row_bytes:,} bytes are more than are allowed here")
        if ragged := [column for column in wanted if column.is_ragged]:
            longest = longest_text(source.path)
            for dataset in {column.dataset.name: column.dataset for column in ragged}.values():
                require_short_texts(dataset, longest, source.path)
            rows = min(rows, TEXT_ROWS, PIECE_BYTES // (len(ragged) * longest))
        rows = max(1, min(rows, PIECE_BYTES // max(row_bytes, 1)))
        places = defaultdict(list)
        for column in wanted:
            places[column.dataset.name].append(column)
        for start in range(0, max(length, 1), rows):
            stop = min(start + rows, length)
            frame: dict[str, Any] = {}
            for together in places.values():
                dataset, names = together[0].dataset, list(dict.fromkeys(c.field for c in together if c.field))
                block = (dataset.fields(names) if names else dataset)[start:stop] if stop else dataset[:0]
                frame |= {column.name: column.take(block) for column in together}
            yield pd.DataFrame({name: frame[name] for name in columns}, index=pd.RangeIndex(stop - min(start, stop)))


HDF5 = Format("HDF5", _layout, _rows, _chunks, hdf5_writer, has_parts=True)
