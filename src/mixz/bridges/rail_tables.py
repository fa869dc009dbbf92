"""RAIL's tables as our galaxies: columns of magnitudes, errors and labels, in which NaN and 99 are non-detections."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mixz.data.astropy_tables import frame_of
from mixz.data.meaning.missing import USUAL, Account
from mixz.data.meaning.names import as_names
from mixz.data.meaning.numbers import numbers, require_columns, words
from mixz.data.photometry import photometry
from mixz.data.redshifts import redshifts
from mixz.errors import MixzError
from mixz.galaxies import WEIGHT, GalaxySet
from mixz.surveys.columns import Columns
from mixz.truths.known import KNOWN_TRUTHS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from numpy.typing import NDArray

NOT_OBSERVED = -99.0
NOT_DETECTED = 99.0


@dataclass(frozen=True)
class RailColumns:
    """Where in a RAIL table what stands.

    Parameters
    ----------
    mag, mag_err
        Columns of magnitudes and of their errors, band by band.  An error is also found under the other of the two
        spellings in use, ``mag_err_i_lsst`` (RAIL) and ``mag_i_lsst_err`` (DESC challenge).
    labels
        Per truth the column of its redshifts; of columns that are not there the truth is left out.
    object_id
        Column of the galaxies' names; without it the row number is the name.
    weight
        Column of the galaxies' weights in training.
    nondetect, nonobserved
        Magnitudes that stand for "nothing seen" (besides NaN) and "not looked".
    names
        What the bands are called; left out, by what tells the columns of magnitudes apart (`bands_of`).

    Examples
    --------
    >>> columns = RailColumns(mag=("mag_g", "mag_r"), mag_err=("mag_err_g", "mag_err_r"), labels={"spec": "redshift"})
    >>> table = {"mag_g": [21.0, 99.0], "mag_r": [20.0, 20.5], "mag_g_err": [0.1, 99.0], "mag_r_err": [0.1, 0.1],
    ...          "redshift": [0.5, np.nan]}
    >>> g = columns.galaxies(table)
    >>> g.mag[:, 0], g.mag_err[:, 0], g.has("spec")
    (array([21., nan], dtype=float32), array([0.1, inf], dtype=float32), array([ True, False]))
    """

    mag: tuple[str, ...]
    mag_err: tuple[str, ...]
    labels: Mapping[str, str] = field(default_factory=dict)
    object_id: str = "object_id"
    weight: str | None = None
    nondetect: float = NOT_DETECTED
    nonobserved: float = NOT_OBSERVED
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse magnitudes without errors.

        Raises
        ------
        MixzError
            There are not as many of these as of those.
        """
        if len(self.mag) != len(self.mag_err):
            raise MixzError(
                f"{len(self.mag)} columns of magnitudes and {len(self.mag_err)} of their errors",
                "one of each per band",
                "set both, bands and err_bands",
            )

    @property
    def bands(self) -> tuple[str, ...]:
        """What the bands are called."""
        return self.names or bands_of(self.mag)

    def there(self, table: Collection[str], optional: Collection[str], *, where: str = "the table") -> RailColumns:
        """The same less those optional bands that a table lacks, which is told as a warning.

        Parameters
        ----------
        table
            The table, or the names of its columns.
        optional
            Names of bands that it may lack.
        where
            What to call it.

        Examples
        --------
        >>> columns = RailColumns(mag=("mag_u_lsst", "mag_g_lsst"), mag_err=("mag_err_u_lsst", "mag_err_g_lsst"))
        >>> with warnings.catch_warnings(action="ignore"):
        ...     columns.there(["mag_g_lsst", "mag_err_g_lsst"], ["u"]).bands
        ('g',)
        """
        lacking = [
            band for band, name in zip(self.bands, self.mag, strict=True) if band in optional and name not in table
        ]
        if not lacking:
            return self
        warnings.warn(f"{where} has no magnitudes in {', '.join(lacking)}: it is taken without", stacklevel=2)
        kept = [k for k, band in enumerate(self.bands) if band not in lacking]
        mag, mag_err, names = (tuple(all_[k] for k in kept) for all_ in (self.mag, self.mag_err, self.bands))
        return replace(self, mag=mag, mag_err=mag_err, names=names)

    def galaxies(self, table: Mapping[str, Any] | pd.DataFrame, *, where: str = "the table") -> GalaxySet:
        """The galaxies of a table, a mapping of names to columns or a table frame; the table stays as it is.

        What a person should look at in it is told as a warning.

        Raises
        ------
        MixzError
            A column of magnitudes or weights is missing, one of magnitudes holds something else, or none of the labels'
            columns is there.
        """
        require_columns(self.mag, [str(name) for name in table], where=where)
        found = [_found(table, *names, where) for names in zip(self.mag_err, self.mag, strict=True)]
        labels = {truth: name for truth, name in self.labels.items() if name in table}
        if self.labels and not labels:
            require_columns(self.labels.values(), [str(name) for name in table], where=where)
        if self.weight is not None:
            require_columns([self.weight], [str(name) for name in table], where=where)
        wanted = dict.fromkeys([*self.mag, *found, *labels.values(), *([self.weight] if self.weight else [])])
        frame = frame_of(table, wanted, where=where)
        account, columns = Account(where), self._columns(found)
        bands = self.bands
        mag, err = photometry(frame, columns, bands, where=where, account=account)
        z = {truth: redshifts(frame, name, columns, account) for truth, name in labels.items()}
        account.finish()
        for text in account.warnings():
            warnings.warn(text, stacklevel=2)
        carried = {WEIGHT: numbers(frame, self.weight, where=where)} if self.weight is not None else {}
        return GalaxySet(self._names(table, len(mag)), bands, mag, err, z, carried=carried)

    def column_maps(self) -> tuple[Columns, ...]:
        """The same in the words of a config, once per spelling of the errors, for a model to remember.

        Examples
        --------
        >>> maps = RailColumns(mag=("mag_g_lsst",), mag_err=("mag_err_g_lsst",)).column_maps()
        >>> maps[0].mag, maps[1].mag_err, maps[0].undetected
        ({'g': 'mag_g_lsst'}, {'g': 'mag_g_lsst_err'}, ('nan', 99.0))
        """
        others = tuple(other_spelling(*names) for names in zip(self.mag_err, self.mag, strict=True))
        return tuple(self._columns(errors) for errors in (self.mag_err, others))

    def _columns(self, errors: Sequence[str]) -> Columns:
        bands = self.bands
        return Columns(
            object_id=self.object_id,
            mag=dict(zip(bands, self.mag, strict=True)),
            mag_err=dict(zip(bands, errors, strict=True)),
            missing={"mag": tuple(dict.fromkeys((self.nonobserved, *USUAL)))},
            undetected=tuple(dict.fromkeys(("nan", NOT_DETECTED, self.nondetect))),
        )

    def _names(self, table: Mapping[str, Any] | pd.DataFrame, rows: int) -> NDArray[Any]:
        """The galaxies' names: row numbers where the table's own are missing or not all different."""
        if self.object_id in table:
            names = as_names(frame_of(table, [self.object_id])[self.object_id])
            if names.notna().all() and names.nunique() == rows:
                return names.to_numpy() if names.dtype.kind in "iu" else names.to_numpy(str)
        return np.arange(rows)


def by_truth(
    columns: RailColumns, table: Mapping[str, Any], redshift: str, truth: str
) -> tuple[RailColumns, dict[str, Any]]:
    """Part a column of redshifts by the column that says whose they are: one column per truth.

    Raises
    ------
    MixzError
        One of them is missing, or names truths that mixz does not know.

    Examples
    --------
    >>> columns = RailColumns(mag=("mag_g",), mag_err=("mag_err_g",))
    >>> table = {"z": np.array([0.1, 0.2]), "by": np.array(["spec", "many_band"])}
    >>> columns, table = by_truth(columns, table, "z", "by")
    >>> table["z of spec"], columns.labels
    (array([0.1, nan]), {'many_band': 'z of many_band', 'spec': 'z of spec'})
    """
    require_columns([redshift, truth], list(table), where="the table")
    whose = np.asarray(words(pd.Series(np.asarray(table[truth]).reshape(-1))).fill_null("").to_pylist())
    named = [str(name) for name in np.unique(whose) if name]
    if strange := sorted(set(named) - set(KNOWN_TRUTHS)):
        raise MixzError(f"column {truth!r} says {', '.join(strange)}", ", ".join(KNOWN_TRUTHS), "say one of these")
    z = numbers(frame_of(table, [redshift], where="the table"), redshift, where="the table")
    parted = {f"{redshift} of {name}": np.where(whose == name, z, np.nan) for name in named}
    return replace(columns, labels={n: f"{redshift} of {n}" for n in named}), dict(table) | parted


def bands_of(columns: Sequence[str]) -> tuple[str, ...]:
    """Name bands by what tells their magnitude columns apart.

    Examples
    --------
    >>> bands_of(["mag_u_lsst", "mag_g_lsst"]), bands_of(["mag_i_lsst", "mag_Y_roman"]), bands_of(["HSCg"])
    (('u', 'g'), ('i_lsst', 'Y_roman'), ('HSCg',))
    """
    names = [column.removeprefix("mag_") for column in columns]
    short = [name.removesuffix("_lsst") for name in names]
    return tuple(short if all(name.endswith("_lsst") for name in names) else names)


def other_spelling(error: str, magnitude: str) -> str:
    """The other of the two names in use for the error of a magnitude.

    Examples
    --------
    >>> other_spelling("mag_err_i_lsst", "mag_i_lsst"), other_spelling("mag_i_lsst_err", "mag_i_lsst")
    ('mag_i_lsst_err', 'mag_err_i_lsst')
    """
    after = f"{magnitude}_err"
    return magnitude.replace("mag_", "mag_err_", 1) if error == after else after


def _found(table: Mapping[str, Any] | pd.DataFrame, error: str, magnitude: str, where: str) -> str:
    other = other_spelling(error, magnitude)
    if error not in table and other not in table:
        require_columns([error], [str(name) for name in table], where=where)
    return error if error in table else other
