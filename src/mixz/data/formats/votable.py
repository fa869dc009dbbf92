"""VOTables: astropy reads their rows, once it is known that they follow no link and say nothing outrageous."""

from __future__ import annotations

import io
import math
import re
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from xml.parsers import expat

import numpy as np
import pandas as pd
from astropy.io import votable

from mixz.data.formats.format import (
    Format,
    Layout,
    chosen_number,
    no_such_part,
    require_few_columns,
    require_packed_fairly,
    unpacked,
)
from mixz.data.formats.read_only import refusing
from mixz.data.parquet.rows import SUSPECT_RATIO
from mixz.data.table_frames import MOST_CELL_BYTES, numpy_column

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mixz.data.formats.format import TableSource

BYTES = {"boolean": 1, "bit": 1, "unsignedByte": 1, "short": 2, "int": 4, "long": 8, "char": 4, "unicodeChar": 4}
BYTES |= {"float": 4, "double": 8, "floatComplex": 8, "doubleComplex": 16}
"""Bytes of a value in memory."""


@dataclass
class _Described:
    """A table as its elements describe it."""

    names: list[str] = field(default_factory=list)
    title: str = ""
    identity: str = ""
    units: dict[str, str] = field(default_factory=dict)
    odd: dict[str, str] = field(default_factory=dict)
    row_bytes: int = 0
    said_rows: int = 0
    rows: int = 0

    def add(self, said: dict[str, str]) -> None:
        """Take in a FIELD."""
        name, kind, size = said.get("name") or said.get("ID", ""), said.get("datatype", ""), said.get("arraysize", "")
        self.names.append(name)
        require_few_columns(len(self.names))
        if unit := said.get("unit"):
            self.units[name] = unit
        lengths = [int(n) for n in re.findall(r"\d+", size)]
        several = math.prod(lengths) if lengths else 1
        if several * BYTES.get(kind, 16) > MOST_CELL_BYTES * 4:
            raise ValueError(f"column {name!r} has {several:,} values per row")
        self.row_bytes += max(several * BYTES.get(kind, 16), 8)
        if kind in ("char", "unicodeChar"):
            if "x" in size:
                self.odd[name] = f"{size} letters per row"
        elif kind.endswith("Complex"):
            self.odd[name] = "complex numbers"
        elif size not in ("", "1"):
            self.odd[name] = f"{size} values per row"


class _Scan:
    """A look through the elements of a VOTable before anything is made of them."""

    def __init__(self) -> None:
        self.tables: list[_Described] = []
        self.depth = 0

    def start(self, tag: str, said: dict[str, str]) -> None:
        tag = tag.rsplit(":", 1)[-1]
        if tag == "TABLE" and "ref" not in said:
            self.tables.append(_Described(title=said.get("name", ""), identity=said.get("ID", "")))
            self.tables[-1].said_rows = int(said.get("nrows") or 0)
        elif tag == "FIELD" and self.tables:
            self.tables[-1].add(said)
        elif tag == "TR" and self.tables:
            self.tables[-1].rows += 1
        elif tag in ("STREAM", "PARQUET", "FITS"):
            if tag != "STREAM" or any(name.rsplit(":", 1)[-1] == "href" for name in said):
                raise ValueError("its rows lie in another file, or in a format inside it, which is not followed")
            if said.get("encoding", "base64") != "base64":
                raise ValueError(f"its rows are packed as {said['encoding']}")

    @staticmethod
    def refuse_entity(*_: Any) -> None:
        raise ValueError("it declares entities, which no VOTable needs")


def _scan(source: TableSource) -> list[_Described]:
    """What the tables of a file say of themselves."""
    scan, left = _Scan(), source.most_bytes_whole
    parser = expat.ParserCreate()
    parser.StartElementHandler = scan.start
    parser.EntityDeclHandler = scan.refuse_entity
    with unpacked(source.path) as file:
        while block := file.read(1 << 20):
            left -= len(block)
            if left < 0:
                raise ValueError(f"it unpacks to more than {source.most_bytes_whole:,} bytes, and is read whole")
            require_packed_fairly(source.path, source.most_bytes_whole - left, SUSPECT_RATIO)
            parser.Parse(block)
    parser.Parse(b"", True)
    size = source.most_bytes_whole - left
    for table in scan.tables:
        rows = max(table.rows, table.said_rows)
        if table.said_rows > size or rows * table.row_bytes > source.most_bytes_whole:
            raise ValueError(f"it says that it has {rows:,} rows of {table.row_bytes:,} bytes")
    if not scan.tables:
        raise ValueError("it holds no TABLE")
    return scan.tables


def _chosen(source: TableSource) -> tuple[int, _Described, list[str]]:
    """The number of the table that was asked for, else of the first; what it says; and what all are called."""
    tables = _scan(source)
    titles = [f"{one.identity or one.title or 'without name'} ({k})" for k, one in enumerate(tables)]
    number = chosen_number(source.group) if source.group is not None else 0
    for k, table in enumerate(tables):
        if k == number or (number is None and source.group in (table.identity, table.title)):
            return k, table, titles
    raise no_such_part(source, titles)


def _layout(source: TableSource) -> Layout:
    _, table, titles = _chosen(source)
    return Layout(table.names, table.units, table.odd, titles)


def _rows(source: TableSource) -> int | None:
    _, table, _ = _chosen(source)
    return table.rows or table.said_rows or None


def _chunks(source: TableSource, columns: list[str], _: int) -> Iterator[pd.DataFrame]:
    number, table, _titles = _chosen(source)
    with unpacked(source.path) as file, warnings.catch_warnings(action="ignore"):
        whole = votable.parse(io.BytesIO(file.read(source.most_bytes_whole)), verify="ignore")
        found = list(whole.iter_tables())[number]
    places = [table.names.index(name) for name in columns]
    array = found.array
    series = {
        name: _column(array[array.dtype.names[k]], found.fields[k].datatype)
        for name, k in zip(columns, places, strict=True)
    }
    yield pd.DataFrame(series, index=pd.RangeIndex(len(array)))


def _column(values: Any, kind: str) -> pd.Series[Any]:
    data, mask = np.ma.getdata(values), np.ma.getmaskarray(values)
    if kind in ("boolean", "bit") and data.dtype.kind != "b":
        data = data.astype(bool)
    return numpy_column(data, mask)


VOTABLE = Format("VOTable", _layout, _rows, _chunks, refusing("a VOTable"), has_parts=True)
