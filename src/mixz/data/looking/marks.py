"""What stands for "none" in a table that is read by some column map: found by reading it as a build would."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mixz.data.meaning.missing import Account
from mixz.data.photometry import column_names, photometry
from mixz.data.redshifts import redshifts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mixz.arrays import Floats, Mask
    from mixz.data.looking.sample import RowSample
    from mixz.surveys.columns import Columns

GAP = {"mag": 0.5, "z": 0.3}
"""A value that repeats stands for none where all others are farther away than this, to one side (ours)."""


@dataclass(frozen=True)
class SampleRead:
    """A sample of a table as a build reads it.

    Parameters
    ----------
    taken
        How many values of which column were taken for missing, and why: ``(column, reason) -> count``.
    marks
        Per kind of column (``mag``, ``z``) numbers that repeat beside all others, and how often.
    complete
        Which rows have a magnitude in every band, or were observed in it where the map says how that is told.
    labelled
        Per truth how many rows have a label, and how many of these are complete.
    notes
        What a person should look at.
    """

    taken: Mapping[tuple[str, str], int]
    marks: Mapping[str, Mapping[float, int]]
    complete: Mask
    labelled: Mapping[str, tuple[int, int]]
    notes: Sequence[str]


def reading(sample: RowSample, columns: Columns, bands: Sequence[str], truths: Mapping[str, str]) -> SampleRead:
    """Read a sample by a column map, and tell what would be taken for missing.

    Raises
    ------
    MixzError
        A column does not hold what the map says.

    Examples
    --------
    >>> import pandas as pd
    >>> from pathlib import Path
    >>> from mixz.data.looking.sample import RowSample
    >>> from mixz.surveys.columns import Columns
    >>> mags = [*np.linspace(20, 24, 30), 37.5, 37.5, 37.5, 37.5, 99]
    >>> sample = RowSample(Path("a.csv"), None, 35, True, pd.DataFrame({"mag_g": mags}))
    >>> found = reading(sample, Columns(mag_err=None), ["g"], {})
    >>> found.taken, found.marks
    ({('mag_g', 'is 99'): 1}, {'mag': {37.5: 4}})
    """
    account = Account(sample.title)
    complete: Mask = np.ones(len(sample.frame), dtype=bool)
    marks: dict[str, dict[float, int]] = {}
    if bands:
        mag, err = photometry(sample.frame, columns, bands, where=sample.title, account=account)
        seen_or_not = np.isposinf(err) if columns.undetected else np.zeros(mag.shape, dtype=bool)
        complete = np.asarray((np.isfinite(mag) | seen_or_not).all(axis=1))
        for k, name in enumerate(column_names(columns, bands).get("mag", ())):
            marks.setdefault("mag", {}).update(_apart(name, mag[:, k], account, GAP["mag"]))
    labelled = {}
    for truth, column in truths.items():
        label = redshifts(sample.frame, column, columns, account)
        marks.setdefault("z", {}).update(_apart(column, label, account, GAP["z"]))
        if zeros := int((label == 0).sum()):
            marks["z"][0.0] = zeros
        there = np.isfinite(label)
        labelled[truth] = int(there.sum()), int((there & complete).sum())
    account.finish()
    found = {kind: dict(sorted(values.items())) for kind, values in marks.items() if values}
    return SampleRead(dict(account.taken), found, complete, labelled, [*account.notes])


def _apart(name: str, values: Floats, account: Account, gap: float) -> dict[float, int]:
    """The numbers of a column that repeat, and lie beyond all others by a gap."""
    seen = account.seen.get(name)
    known = values[np.isfinite(values)]
    found = {}
    for value, count in seen.often() if seen else ():
        others = known[known != value]
        if len(others) and (value > others.max() + gap or value < others.min() - gap):
            found[value] = count
    return found
