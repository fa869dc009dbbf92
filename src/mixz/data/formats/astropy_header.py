"""What astropy writes beside the columns of a table, as YAML: their types, units, and which column is whose mask."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from astropy.table.meta import get_header_from_yaml

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MOST_HEADER_BYTES = 1 << 22
"""Bytes of YAML."""
DEEPEST = 6
"""How deep astropy takes columns apart: a mask in a value in a coordinate."""


@dataclass(frozen=True)
class AstropyHeader:
    """What is known of the columns of a table that astropy wrote.

    Parameters
    ----------
    types
        The type of each column, in their order: ``int64``, ``bool``, ``string``.
    units
        The unit of each column that has one.
    masks
        Per column the name of the column that tells where it has no value.
    shaped
        What columns hold that is more than a value per row.
    """

    types: dict[str, str] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    masks: dict[str, str] = field(default_factory=dict)
    shaped: dict[str, str] = field(default_factory=dict)


def header_of(lines: Sequence[str]) -> AstropyHeader:
    """Read a header; of YAML's objects astropy makes only its own, such as units.

    Raises
    ------
    ValueError
        It is too long, or no header.
    """
    if sum(map(len, lines)) > MOST_HEADER_BYTES:
        raise ValueError(f"what stands above its rows is longer than {MOST_HEADER_BYTES:,} bytes")
    header = get_header_from_yaml(list(lines))
    if not isinstance(header, dict) or not isinstance(header.get("datatype"), list):
        raise ValueError("what stands above its rows does not name columns")
    columns = [dict(one) for one in header["datatype"]]
    meta = header.get("meta")
    return AstropyHeader(
        {str(one["name"]): str(one["datatype"]) for one in columns},
        {str(one["name"]): str(one["unit"]) for one in columns if one.get("unit")},
        dict(_masks(meta.get("__serialized_columns__") if isinstance(meta, dict) else None)),
        {str(one["name"]): f"{one['subtype']} per row" for one in columns if _is_shaped(one.get("subtype"))},
    )


def _masks(parts: Any, depth: int = 0) -> Iterator[tuple[str, str]]:
    """The columns that hold data and the masks of them, wherever astropy took a column apart."""
    if not isinstance(parts, dict) or depth > DEEPEST:
        return
    data, mask = parts.get("data"), parts.get("mask")
    if isinstance(data, dict) and isinstance(mask, dict) and "name" in data and "name" in mask:
        yield str(data["name"]), str(mask["name"])
    for part in parts.values():
        yield from _masks(part, depth + 1)


def _is_shaped(subtype: Any) -> bool:
    return isinstance(subtype, str) and (subtype.endswith("]") or subtype == "json")
