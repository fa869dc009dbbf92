"""What a survey's files are like, as constants: names of files and columns, label columns, recommended cuts."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mixz.surveys.columns import Cut

NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Footprint:
    """A rectangle on the sky that holds a whole survey: right ascension and declination in degrees."""

    ra_deg: tuple[float, float]
    dec_deg: tuple[float, float]


@dataclass(frozen=True)
class Survey:
    """The constants of one survey's tables.

    Parameters
    ----------
    name
        What a config calls it, e.g. ``cosmos2020_classic``.
    about
        The survey in a few words, its paper, and where its files are.
    columns
        All that a column map may say of its tables (`mixz.surveys.columns.Columns`); a config takes what it asks for:
        fluxes with ``mag: null``, dust with ``extinction``.
    file, parts
        The published name of its file, or of the files of each side of its split.
    truths
        Per truth the column of its labels.
    truth_errors
        Per truth the column of its 68 % error, or the two columns of the ends of its 68 % interval.
    cuts
        Cuts that others use or that we recommend, by name; none is applied unless a config lists it.
    marks
        Columns that tell this survey's tables from its siblings'.
    footprint
        Where it lies, for surveys of one field.
    positions
        Names of the columns of its text tables in their order, for files without names of columns, or with others.
    ranges
        Per column between which numbers nearly all of its values lie, where a file should be checked by them.
    fetched_as
        What `mixz fetch` calls its files.
    """

    name: str
    about: str
    columns: Mapping[str, Any]
    file: str = ""
    parts: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    truths: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    truth_errors: Mapping[str, str | tuple[str, str]] = field(default_factory=dict)
    cuts: tuple[Cut, ...] = ()
    marks: tuple[str, ...] = ()
    footprint: Footprint | None = None
    positions: tuple[str, ...] = ()
    ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    fetched_as: str = ""
