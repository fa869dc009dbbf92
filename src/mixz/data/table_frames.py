"""Table frames: the columns of every file format as the one kind of pandas columns that the rest of mixz reads.

Whole numbers and truth values are pandas' nullable ones, floating-point numbers are numpy's with NaN where missing,
text is text with missing values; the types of a column never depend on its values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

MOST_CELL_BYTES = 65_536
"""Bytes of text in a cell: a name is shorter, a file that is no table may hold anything."""
PIECE_BYTES = 1 << 27
"""Bytes of a piece of a table in memory, whatever number of rows was asked for."""

WHOLE: dict[pa.DataType, Any] = {
    pa.int8(): pd.Int8Dtype(),
    pa.int16(): pd.Int16Dtype(),
    pa.int32(): pd.Int32Dtype(),
    pa.int64(): pd.Int64Dtype(),
    pa.uint8(): pd.UInt8Dtype(),
    pa.uint16(): pd.UInt16Dtype(),
    pa.uint32(): pd.UInt32Dtype(),
    pa.uint64(): pd.UInt64Dtype(),
    pa.bool_(): pd.BooleanDtype(),
}
"""pandas' nullable types of Arrow's whole numbers and truth values."""


def numpy_column(values: NDArray[Any], missing: NDArray[np.bool_] | None = None) -> pd.Series[Any]:
    """A one-dimensional array as a column of a table frame.

    Parameters
    ----------
    values
        Numbers in any byte order, truth values, or text: of fixed width, its padding of blanks and NULs is dropped.
    missing
        Where there is no value; NaN and empty text are missing besides.

    Raises
    ------
    ValueError
        The array holds none of these, or text longer than `MOST_CELL_BYTES`.

    Examples
    --------
    >>> numpy_column(np.array([1, 2], ">i2"), np.array([False, True])).tolist()
    [1, <NA>]
    >>> numpy_column(np.array([b"a ", b""])).isna().tolist()
    [False, True]
    """
    values = np.asarray(values)
    kind = values.dtype.kind
    if kind in "SUO":
        return text_column(_arrow_text(values), missing=missing, padded=True)
    if kind not in "biuf":
        raise ValueError(f"it holds {values.dtype}, neither numbers nor text")
    native = values.astype(_wide_enough(values.dtype), copy=True)
    if kind == "f":
        if missing is not None:
            native[missing] = np.nan
        return pd.Series(native)
    mask = np.zeros(len(values), bool) if missing is None else np.array(missing, bool)
    made = pd.arrays.BooleanArray(native, mask) if kind == "b" else pd.arrays.IntegerArray(native, mask)
    return pd.Series(made)


def _wide_enough(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The type in the machine's byte order; of floating-point numbers the nearest of 32 or 64 bits."""
    if dtype.kind == "f":
        return np.dtype(np.float32 if dtype.itemsize <= 4 else np.float64)
    return dtype.newbyteorder("=")


def _arrow_text(values: NDArray[Any]) -> pa.Array:
    """Text as Arrow has it; bytes stay bytes."""
    if values.dtype.kind == "U":
        return pa.array(values, pa.large_string())
    if values.dtype.kind == "S":
        packed = np.ascontiguousarray(values)
        width = pa.binary(max(values.dtype.itemsize, 1))
        return pa.FixedSizeBinaryArray.from_buffers(width, len(packed), [None, pa.py_buffer(packed.tobytes())])
    if any(not (value is None or value != value or isinstance(value, str | bytes)) for value in values):
        raise ValueError("it holds objects, neither numbers nor text")
    cells = [value.encode() if isinstance(value, str) else value for value in values]
    return pa.array([cell if isinstance(cell, bytes) else None for cell in cells], pa.large_binary())


def arrow_frames(batch: pa.RecordBatch) -> Iterator[pd.DataFrame]:
    """Rows of Arrow as table frames; as several, where text that the file holds once would fill the memory."""
    parts = -(-_unpacked_bytes(batch) // PIECE_BYTES) or 1
    step = -(-len(batch) // parts) or 1
    for start in range(0, max(len(batch), 1), step):
        yield arrow_frame(batch.slice(start, step))


def _unpacked_bytes(batch: pa.RecordBatch) -> int:
    """How many bytes the dictionaries of a batch would fill when written out."""
    total = 0
    for column in batch.columns:
        if pa.types.is_dictionary(column.type) and is_text(column.type.value_type):
            lengths = pc.binary_length(column.dictionary)
            longest = pc.max(lengths).as_py() or 0
            if longest > MOST_CELL_BYTES:
                raise ValueError(_too_long(longest))
            total += pc.sum(lengths.take(column.indices)).as_py() or 0
    return int(total)


def arrow_frame(batch: pa.RecordBatch) -> pd.DataFrame:
    """Rows of Arrow as one table frame.

    Examples
    --------
    >>> arrow_frame(pa.record_batch({"id": [1, None], "z": [0.5, None]})).dtypes.tolist()
    [Int64Dtype(), dtype('float64')]
    """
    columns = [arrow_column(column) for column in batch.columns]
    frame = pd.concat(columns, axis=1) if columns else pd.DataFrame(index=pd.RangeIndex(len(batch)))
    return frame.set_axis(batch.schema.names, axis=1)


def arrow_column(column: pa.Array) -> pd.Series[Any]:
    """An Arrow array as a column of a table frame.

    Raises
    ------
    ValueError
        A number does not fit, or text is longer than `MOST_CELL_BYTES`.
    """
    if isinstance(column, pa.ExtensionArray):
        column = column.storage
    kind = column.type
    if pa.types.is_dictionary(kind):
        return arrow_column(column.dictionary_decode())
    if pa.types.is_fixed_size_list(kind):
        return arrow_column(pc.list_element(column, 0))
    if kind in WHOLE:
        return pd.Series(WHOLE[kind].__from_arrow__(column))
    if is_text(kind):
        return text_column(column)
    if pa.types.is_decimal(kind):
        return arrow_column(column.cast(pa.int64() if kind.scale <= 0 else pa.float64()))
    if pa.types.is_float16(kind):
        return arrow_column(column.cast(pa.float32()))
    if pa.types.is_null(kind):
        return pd.Series(np.full(len(column), np.nan))
    if pa.types.is_floating(kind):
        return pd.Series(np.array(column.to_numpy(zero_copy_only=False)))  # a copy, since the file's own is read-only
    return pd.Series(column.to_pandas())


def pieces(batches: Iterable[pa.RecordBatch], rows: int) -> Iterator[pa.Table]:
    """Rows of Arrow in pieces of so many, or as fill `PIECE_BYTES`."""
    held: list[pa.RecordBatch] = []
    count = size = 0
    for batch in batches:
        at = 0
        while at < len(batch):
            part = batch.slice(at, rows - count)
            held.append(part)
            at, count, size = at + len(part), count + len(part), size + part.nbytes
            if count == rows or size > PIECE_BYTES:
                yield pa.Table.from_batches(held)
                held, count, size = [], 0, 0
    if held:
        yield pa.Table.from_batches(held)


def hide(values: pd.Series[Any], mask: pd.Series[Any]) -> pd.Series[Any]:
    """A column without the values that another says are none."""
    return values.mask(mask.fillna(False).astype(bool))


def why_no_column(kind: pa.DataType) -> str | None:
    """Why the values of an Arrow type are no column of a table frame; None where they are."""
    if isinstance(kind, pa.BaseExtensionType):
        return why_no_column(kind.storage_type)
    if pa.types.is_dictionary(kind):
        return why_no_column(kind.value_type)
    if pa.types.is_fixed_size_list(kind):
        return why_no_column(kind.value_type) if kind.list_size == 1 else f"{kind.list_size} values per row"
    if pa.types.is_nested(kind):
        return f"a {kind} per row"
    if pa.types.is_fixed_size_binary(kind) and kind.byte_width > MOST_CELL_BYTES:
        return f"{kind.byte_width} bytes per row"
    known = kind in WHOLE or is_text(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    return None if known or pa.types.is_null(kind) or pa.types.is_temporal(kind) else f"{kind}"


def is_text(kind: pa.DataType) -> bool:
    """Whether an Arrow type is text, or bytes that are read as text."""
    tests = (
        pa.types.is_string,
        pa.types.is_large_string,
        pa.types.is_string_view,
        pa.types.is_binary,
        pa.types.is_large_binary,
        pa.types.is_binary_view,
        pa.types.is_fixed_size_binary,
    )
    return any(test(kind) for test in tests)


def text_column(
    array: pa.Array, *, missing: NDArray[np.bool_] | None = None, padded: bool = False, stripped: bool = False
) -> pd.Series[Any]:
    """Text, or bytes that are UTF-8 or else Latin-1, as a column of a table frame.

    Parameters
    ----------
    array
        The text.
    missing
        Where there is none, besides where it is null.
    padded
        Whether blanks and NULs at its end fill a fixed width; text that is empty then is missing.
    stripped
        Whether blanks around it mean nothing; text that is empty then is missing.

    Raises
    ------
    ValueError
        Text is longer than `MOST_CELL_BYTES`.
    """
    if pa.types.is_string_view(array.type) or pa.types.is_binary_view(array.type):
        array = array.cast(pa.large_binary())
    # Fixed-width bytes are as long as their type says, and so refused by it.
    longest = pc.max(pc.binary_length(array)).as_py() or 0
    if longest > MOST_CELL_BYTES:
        raise ValueError(_too_long(longest))
    text = _decoded(array)
    if padded:
        text = pc.utf8_rtrim(text, "\0 ")
        inside = pc.match_substring(text, "\0")
        if pc.any(inside).as_py():
            text = pc.if_else(inside, pc.list_element(pc.split_pattern(text, "\0", max_splits=1), 0), text)
    if stripped:
        text = pc.ascii_trim_whitespace(text)
    if padded or stripped:
        text = pc.if_else(pc.equal(text, ""), pa.scalar(None, text.type), text)
    if missing is not None and np.any(missing):
        text = pc.if_else(pa.array(missing), pa.scalar(None, text.type), text)
    return pd.Series(text.to_pandas())


def typed_column(words: pa.ChunkedArray, kind: pa.DataType, name: str) -> pd.Series[Any]:
    """Words of a text table's column as what its head says that it holds.

    Raises
    ------
    ValueError
        They are no such values.
    """
    one = words.combine_chunks()
    if kind == pa.string():
        return text_column(one, stripped=True)
    try:
        text = pc.ascii_trim_whitespace(one.cast(pa.string()))
        if kind == pa.bool_():
            text = pc.ascii_lower(text)
        return arrow_column(text.cast(kind))
    except pa.ArrowInvalid as error:
        raise ValueError(f"column {name!r} should hold {kind}: {error}") from error


def _decoded(array: pa.Array) -> pa.Array:
    if pa.types.is_fixed_size_binary(array.type):
        array = array.cast(pa.binary())
    if pa.types.is_string(array.type) or pa.types.is_large_string(array.type):
        # What a file calls text need not be: the other way round it is looked at.
        array = array.cast(pa.binary() if pa.types.is_string(array.type) else pa.large_binary())
    try:
        return array.cast(pa.string() if pa.types.is_binary(array.type) else pa.large_string())
    except pa.ArrowInvalid:
        return pa.array([None if cell is None else decoded(cell) for cell in array.to_pylist()], pa.large_string())


def decoded(cell: bytes) -> str:
    """Bytes as text: UTF-8, or else Latin-1.

    Examples
    --------
    >>> decoded(b"\\xc3\\xa9"), decoded(b"\\xe9")
    ('é', 'é')
    """
    try:
        return cell.decode()
    except UnicodeDecodeError:
        return cell.decode("latin-1")


def _too_long(length: int) -> str:
    return f"a cell holds {length:,} bytes of text, where {MOST_CELL_BYTES:,} are the most"
