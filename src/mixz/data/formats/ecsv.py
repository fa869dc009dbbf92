"""ECSV: text tables whose types, units and masks stand above the rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa

from mixz.data.formats.astropy_header import MOST_HEADER_BYTES, header_of
from mixz.data.formats.format import Format, Layout, require_few_columns, unpacked
from mixz.data.formats.text import lines_below, text_batches
from mixz.data.formats.text_head import TextHead, fields
from mixz.data.table_frames import WHOLE, pieces, typed_column
from mixz.data.table_writers import ecsv_writer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mixz.data.formats.astropy_header import AstropyHeader
    from mixz.data.formats.format import TableSource

TYPES = {str(np.dtype(kind.numpy_dtype)): arrow for arrow, kind in WHOLE.items()}
TYPES |= {"bool": pa.bool_(), "float16": pa.float32(), "float32": pa.float32(), "float64": pa.float64()}
TYPES |= {"float128": pa.float64(), "string": pa.string()}
"""Arrow's types of ECSV's."""


def _head(source: TableSource) -> tuple[TextHead, AstropyHeader]:
    """What stands above the rows."""
    above: list[str] = []
    start, line = 0, b""
    with unpacked(source.path) as file:
        while line := file.readline(MOST_HEADER_BYTES):
            start += len(line)
            if start > MOST_HEADER_BYTES:
                raise ValueError(f"what stands above its rows is longer than {MOST_HEADER_BYTES:,} bytes")
            if line.strip() and not line.startswith(b"#"):
                break
            above.append(line.decode().rstrip("\r\n"))
    if not above or not above[0].startswith("# %ECSV"):
        raise ValueError("it does not begin with # %ECSV, as ECSV does")
    yaml = [line.removeprefix("#").removeprefix(" ") for line in above[1:]]
    header = header_of([line for line in yaml if line.strip()])
    delimiter = "," if "delimiter: ','" in yaml else None
    names = fields(line.decode().strip(), delimiter)
    if names != list(header.types):
        raise ValueError(
            f"the names of its columns, {', '.join(names)}, are not those above: {', '.join(header.types)}"
        )
    require_few_columns(len(names))
    return TextHead(names, delimiter, start), header


def _layout(source: TableSource) -> Layout:
    head, header = _head(source)
    unknown = {name: f"{kind} per row" for name, kind in header.types.items() if kind not in TYPES}
    names = [name for name in head.names if name not in header.masks.values()]
    return Layout(names, header.units, unknown | header.shaped, masks=header.masks)


def _rows(source: TableSource) -> int | None:
    return lines_below(source.path, _head(source)[0].start)


def _chunks(source: TableSource, columns: list[str], rows: int) -> Iterator[pd.DataFrame]:
    head, header = _head(source)
    kinds = [TYPES[header.types[name]] for name in columns]
    numbers = [head.names.index(name) for name in columns]
    empty = True
    for piece in pieces(text_batches(source, head, numbers), rows):
        empty = False
        series = {name: typed_column(piece[k], kinds[k], name) for k, name in enumerate(columns)}
        yield pd.DataFrame(series, index=pd.RangeIndex(len(piece)))
    if empty:
        yield pd.DataFrame(
            {n: typed_column(pa.chunked_array([], pa.binary()), k, n) for n, k in zip(columns, kinds, strict=True)}
        )


ECSV = Format("ECSV", _layout, _rows, _chunks, ecsv_writer)
