"""Which columns of a table are magnitudes or fluxes in several bands, which are their errors, and in which unit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mixz.data.looking.patterns import (
    groups,
    is_error,
    is_inverse_variance,
    lower_words,
    of_what,
    words_of_pattern,
)
from mixz.data.looking.sample import NO_MAGNITUDE, believed
from mixz.data.looking.vocabulary import NOT_PHOTOMETRY
from mixz.data.looking.wavelengths import BROAD, in_order
from mixz.data.meaning.units import parsed
from mixz.data.photometry import AB_RANGE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mixz.arrays import Mask
    from mixz.data.looking.sample import RowSample

PREFERRED = {
    "cmodel": 6, "gaap": 5, "gaap1p0": 5, "model": 5, "sersic": 4, "auto": 4, "kron": 4, "total": 4, "tot": 4,
    "petro": 3, "iso": 2, "hyp": 1, "aper": 0, "aper2": 0, "aper3": 0, "psf": -1, "fiber": -2, "true": -9,
}  # fmt: skip
"""How well a kind of photometry suits galaxies (ours); 3 where no word says which it is."""
USUAL_MAGNITUDES = (10.0, 32.0)
"""Where the median of magnitudes of galaxies lies."""
MEASURED = 0.5
"""Share of the rows in which a band must be measured to be proposed: every galaxy needs every band."""
COSTLY = 0.1
"""Share of the rows that a single band may cost."""
FEWEST = 3
"""Bands that are kept, whatever they cost."""
UNITS_IN_NAMES = {"njy": 31.4, "ujy": 23.9, "mujy": 23.9, "nmgy": 22.5, "nanomaggy": 22.5, "nanomaggies": 22.5}
NANOJANSKY = 31.4


@dataclass(frozen=True)
class BandColumns:
    """Magnitudes or fluxes in several bands.

    Parameters
    ----------
    kind
        ``mag`` or ``flux``.
    pattern
        Their columns, with ``{band}`` where the band's name goes.
    columns
        Per band its column, in order of wavelength.
    errors
        The pattern of their errors; None where there are none, or only inverse variances.
    zero_point
        AB magnitude of a flux of 1, where names and not units say it.
    why
        What says which unit they are in; empty where nothing does.
    measured
        Per band the share of rows in which it is measured.
    bands
        The bands that enough rows have, in order of wavelength.
    """

    kind: str
    pattern: str
    columns: Mapping[str, str]
    errors: str | None
    zero_point: float | None
    why: str
    measured: Mapping[str, float]
    bands: Sequence[str]

    @property
    def lacks_unit(self) -> bool:
        """Whether these are fluxes in a unit that nothing says."""
        return self.kind == "flux" and not self.why

    def rank(self) -> tuple[bool, int, bool, int, bool, int]:
        """How well it will do, to be compared: a unit, bands, errors, kind of photometry, magnitudes before fluxes."""
        preference = [PREFERRED[word] for word in words_of_pattern(self.pattern) if word in PREFERRED]
        broad = len(BROAD.intersection(self.bands))
        likely = min(preference, default=3)
        return not self.lacks_unit, broad, self.errors is not None, likely, self.kind == "mag", len(self.bands)


def photometry_names(names: Sequence[str]) -> list[str]:
    """The columns among these that may be magnitudes, fluxes or their errors, by their names."""
    return list(dict.fromkeys(column for columns in groups(names).values() for column in columns.values()))


def band_columns(sample: RowSample) -> list[BandColumns]:
    """All magnitudes and fluxes of a table, those that will do best first.

    Examples
    --------
    >>> import pandas as pd
    >>> from pathlib import Path
    >>> from mixz.data.looking.sample import RowSample
    >>> frame = pd.DataFrame({"r_cModelFlux": [900.0, 80.0], "g_cModelFlux": [400.0, 60.0], "z_spec": [0.1, 1.0]})
    >>> found = band_columns(RowSample(Path("a.csv"), None, 2, True, frame))[0]
    >>> found.pattern, found.bands, found.zero_point, found.why
    ('{band}_cModelFlux', ['g', 'r'], 31.4, "Rubin's names: nJy")
    """
    by_pattern = groups(map(str, sample.frame.columns))
    errors = [pattern for pattern in by_pattern if is_error(pattern)]
    found = []
    for pattern, columns in by_pattern.items():
        if pattern in errors or is_inverse_variance(pattern):
            continue
        kind = _kind(pattern, columns, sample)
        good = {band: columns[band] for band in in_order(list(columns)) if kind and _fits(kind, columns[band], sample)}
        if kind and len(good) > 1:
            zero_point, why = _zero_point(pattern, list(good.values()), sample) if kind == "flux" else (None, "")
            there = {band: _measured(kind, column, sample) for band, column in good.items()}
            measured = {band: float(mask.mean()) for band, mask in there.items()}
            its_errors = _errors_of(pattern, good, errors, by_pattern)
            found.append(BandColumns(kind, pattern, good, its_errors, zero_point, why, measured, _enough(there)))
    return sorted((f for f in found if len(f.bands) > 1), key=BandColumns.rank, reverse=True)


def _kind(pattern: str, columns: Mapping[str, str], sample: RowSample) -> str:
    """What a pattern's columns are, by their unit, or their words, or their values: ``mag``, ``flux`` or nothing."""
    said = words_of_pattern(pattern)
    if not NOT_PHOTOMETRY.isdisjoint(said):
        return ""
    units = [parsed(sample.units.get(column, "")) for column in columns.values()]
    for unit in units:
        if unit is not None:
            return "mag" if unit.magnitude else "flux" if unit.zero_point is not None else _by_words(said)
    if kind := _by_words(said):
        return kind
    # Nothing but the numbers says what "u, g, r" or "dered_r" are.
    return "mag" if all(_fits("mag", column, sample) for column in columns.values() if column != "z") else ""


def _by_words(said: Sequence[str]) -> str:
    for word in said:
        if word.startswith("mag") or word.endswith(("mag", "mags")):
            return "mag"
        if word in ("f", "fnu") or word.startswith("flux") or word.endswith("flux"):
            return "flux"
    return ""


def _fits(kind: str, column: str, sample: RowSample) -> bool:
    """Whether a column's values can be what its name says."""
    values = sample.numbers(column)
    if values is None:
        return False
    if kind == "flux":
        return bool((values[np.isfinite(values)] > 0).any())
    unit = parsed(sample.units.get(column, ""))
    found = believed(values * (unit.magnitude or 1.0 if unit else 1.0))
    if not len(found):
        return False
    low, high = USUAL_MAGNITUDES
    inside = (found > AB_RANGE[0]) & (found < AB_RANGE[1])
    return bool(low < np.median(found) < high and inside.mean() > 0.8)


def _measured(kind: str, column: str, sample: RowSample) -> Mask:
    """Which rows have a magnitude."""
    values = sample.numbers(column)
    if values is None:
        return np.zeros(len(sample.frame), dtype=bool)
    return np.asarray(np.isfinite(values) & (values > 0 if kind == "flux" else np.abs(values) < NO_MAGNITUDE))


def _enough(there: Mapping[str, Mask]) -> list[str]:
    """The bands that enough rows have: those are left out that most rows lack, or that cost many rows alone."""
    kept = [band for band, mask in there.items() if mask.mean() >= MEASURED]
    while len(kept) > FEWEST:
        complete = np.logical_and.reduce([there[band] for band in kept]).mean()
        without = {b: np.logical_and.reduce([there[other] for other in kept if other != b]).mean() for b in kept}
        band = max(without, key=lambda b: without[b])
        if without[band] - complete < COSTLY:
            break
        kept.remove(band)
    return kept


def _errors_of(
    pattern: str, columns: Mapping[str, str], errors: Sequence[str], by_pattern: Mapping[str, Mapping[str, str]]
) -> str | None:
    """The pattern of errors of the same bands that speaks of these values."""
    for plain in (False, True):
        for error in errors:
            if of_what(error, plain=plain) == of_what(pattern, plain=plain) and set(columns) <= set(by_pattern[error]):
                return error
    return None


def _zero_point(pattern: str, columns: Sequence[str], sample: RowSample) -> tuple[float | None, str]:
    """AB magnitude of a flux of 1 where the file does not say it, and what says it."""
    units = {sample.units.get(column, "") for column in columns}
    if len(units) == 1 and (unit := parsed(units.pop())) is not None and unit.zero_point is not None:
        return None, f"the file says {unit.text}"
    for word in lower_words(pattern.replace("{band}", "_")):
        if word in UNITS_IN_NAMES:
            return UNITS_IN_NAMES[word], f"the columns' names say {word}"
    if pattern.startswith("{band}_") and pattern.endswith("Flux"):
        return NANOJANSKY, "Rubin's names: nJy"
    return None, ""
