"""Which columns of a table a model needs, and the galaxies that its rows are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mixz.data.looking.known_surveys import survey_of
from mixz.data.meaning.dust_maps import ebv_at
from mixz.data.meaning.missing import Account, Values
from mixz.data.meaning.names import ROUNDED, are_rounded, as_names
from mixz.data.meaning.numbers import require_columns, units_of
from mixz.data.meaning.units import in_degrees, parsed
from mixz.data.photometry import column_names, photometry
from mixz.data.sky import POSITIONS
from mixz.errors import MixzError, nearest
from mixz.galaxies import GalaxySet
from mixz.surveys.columns import Columns

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from mixz.bridges.models import PhotoZModel

ID = "object_id"


@dataclass(frozen=True)
class Asked:
    """How a user's table names what a model needs.

    Where nothing is said, the names are those of the model's training tables, or else the plain ones (``mag_{band}``).
    Dust of the Galaxy is taken off as in training, whatever the magnitudes are called.

    Parameters
    ----------
    mag
        How it names magnitudes, e.g. ``"{band}_cmodel_mag"``.
    mag_err
        How it names their errors, which only some models look at; goes with `mag`.
    object_id
        The column with the galaxies' names; by default that of the training tables, or ``object_id``, where there is
        one, else the row number.
    system
        The photometric system of its magnitudes, one of the model's; needed where the model tells several apart.
    flux, flux_err
        In place of `mag` and `mag_err`: how it names fluxes and their errors.
    flux_zero_point
        AB magnitude of a flux of 1; by default the columns' unit says it, or else the training tables' fluxes, or else
        microjansky.
    ebv
        Its column of E(B-V), where the model's training took dust off by that.
    dereddened
        Whether its magnitudes are free of dust already.
    corrected
        Whether they are what training saw, so that zero points are right already too: a table that mixz built.
    dust_map
        The map of E(B-V) by whose values at the galaxies' positions dust is taken off, instead of as in training.
    per_ebv
        Per band A_b / E(B-V) of the table's own system; by default that of the training tables.
    labels
        Per truth the column of redshift labels, which tomography looks for; by default ``z_<truth>``.
    """

    mag: str | None = None
    mag_err: str | None = None
    object_id: str | None = None
    system: str | None = None
    flux: str | None = None
    flux_err: str | None = None
    flux_zero_point: float | None = None
    ebv: str | None = None
    dereddened: bool = False
    corrected: bool = False
    dust_map: str | None = None
    per_ebv: tuple[tuple[str, float], ...] = ()
    labels: tuple[tuple[str, str], ...] = ()

    def columns(self, model: PhotoZModel, available: Sequence[str], *, where: str) -> Columns:
        """Choose the column map that fits a table: the one asked for, one of the training tables', or the plain one.

        Raises
        ------
        MixzError
            None fits.
        """
        tried = self._tried(model)
        without = [c.model_copy(update={"mag_err": None, "flux_err": None}) for c in tried]
        # Infinite errors mark bands in which nothing was seen, and large ones own bands that say nothing; networks that
        # see neither do not ask for errors.
        with_errors = tried if model.needs_errors or model.sees_undetected or model.own_bands else []
        for some in (with_errors, [] if model.needs_errors else without):
            fitting = [c for c in some if _fits(c, model, available) and (_has_errors(c) or not model.needs_errors)]
            # Of equals in dust the one that finds most own bands.
            equals = [c for c in fitting if c.extinction == fitting[0].extinction]
            if equals:
                return max(equals, key=lambda c: len(_bands(c, model, available)))
        if model.needs_errors and any(_fits(c, model, available) for c in without):
            raise MixzError(
                f"{where} has magnitudes but no errors that mixz knows; the model sees errors",
                "columns mag_err_{band}, or as the training tables named them",
                "name them with --mag-err, e.g. '{band}_cmodel_magerr', or of fluxes with --flux-err",
            )
        for columns in without:
            dusty = columns.model_copy(update=WITHOUT_DUST)
            if columns.extinction != "none" and _fits(dusty, model, available):
                raise _no_dust(columns, model, available, where)
        require_columns(_names(without[-1], _shared(model)), available, where=where, do=_to_do(available))
        raise AssertionError("unreachable: no map fits, so the last one lacks a column")

    def id_column(self, model: PhotoZModel, available: Sequence[str]) -> str | None:
        """Name the column of the galaxies' names: the one asked for, the training tables', or ``object_id``."""
        if self.object_id is not None:
            return self.object_id
        known = [c.object_id for c in _trained_on(model, self.system)]
        return next((name for name in (*known, ID) if name is not None and name in available), None)

    def without_names(self, model: PhotoZModel, available: Sequence[str]) -> str:
        """What to tell where galaxies are called by their rows though the training tables had names; else nothing."""
        known = [c.object_id for c in _trained_on(model, self.system) if c.object_id is not None]
        if self.id_column(model, available) is not None or not known:
            return ""
        sought = ", ".join(repr(name) for name in dict.fromkeys((*known, ID)))
        return f"no column {sought}: galaxies are called by the numbers of their rows (name the column with --id)"

    def position_columns(self, model: PhotoZModel, available: Sequence[str]) -> tuple[str, str] | None:
        """Name the columns of right ascension and declination, where the table has such."""
        for c in _trained_on(model, self.system):
            if c.ra in available and c.dec in available:
                return str(c.ra), str(c.dec)
        small = {name.lower(): name for name in reversed(available)}
        return next(((small[ra], small[dec]) for ra, dec in POSITIONS if ra in small and dec in small), None)

    def needed(self, model: PhotoZModel, available: Sequence[str], *, where: str) -> list[str]:
        """List the columns to read of a table: what the model needs, and what goes along (names, positions).

        Raises
        ------
        MixzError
            The table lacks one, or the system is none of the model's.
        """
        require_system(model, self.system)
        columns = self.columns(model, available, where=where)
        wanted = _names(columns, _bands(columns, model, available))
        name = self.id_column(model, available)
        wanted += [name] if name else []
        if self.dust_map is not None:
            self._places(model, available, where)
            self._coefficients(model, _bands(columns, model, available))
        require_columns(wanted, available, where=where, do=NAME_THEM)
        return list(dict.fromkeys([*wanted, *(self.position_columns(model, available) or ())]))

    def beside(self, model: PhotoZModel, frame: pd.DataFrame, *, where: str) -> dict[str, pd.Series[Any]]:
        """What of a table goes along with its redshifts: ``object_id`` as names, ``ra`` and ``dec`` in degrees."""
        available = [str(name) for name in frame.columns]
        found: dict[str, Any] = {}
        if (name := self.id_column(model, available)) is not None:
            found["object_id"] = as_names(frame[name])
        for ours, theirs in zip(("ra", "dec"), self.position_columns(model, available) or (), strict=False):
            values = Values.of(frame, theirs, where=where)
            found[ours] = _series(values.data * in_degrees(values.unit, theirs, where=where), frame)
        return found

    def galaxies(
        self,
        model: PhotoZModel,
        frame: pd.DataFrame,
        *,
        where: str,
        first: int = 0,
        account: Account | None = None,
    ) -> GalaxySet:
        """The rows of a table as galaxies, named by their place: ids of a table need not be unique.

        Parameters
        ----------
        model, frame, where
            The model, the rows, and what to call their table.
        first
            The place of the first of them in the table.
        account
            The account of the whole table's values, where these are some of its rows.

        Raises
        ------
        MixzError
            A column is missing, or holds text.
        """
        available = [str(name) for name in frame.columns]
        columns = self.columns(model, available, where=where)
        bands = _bands(columns, model, available)
        if self.flux_zero_point is None and any(_is_flux(frame, name) for name in _names(columns, bands)):
            # What training tables were in does not hold for a table that says its own unit.
            columns = columns.model_copy(update={"flux_zero_point": None})
        elif account is not None and self._as_trained(columns):
            account.note(f"{where}: fluxes taken as training's, with a zero point of {columns.flux_zero_point:g}")
        if account is not None:
            _tell_bands(account, columns, model, bands)
        mag, mag_err = photometry(frame, columns, bands, where=where, account=account)
        if self.dust_map is not None:
            mag = mag - self._dust(model, frame, bands, where)
        name = self.id_column(model, available)
        if account is not None and name in frame and are_rounded(frame[name]):
            account.note(f"{where} column {name!r}: {ROUNDED}")
        system = np.full(len(frame), self.system or "")
        return GalaxySet(np.arange(first, first + len(frame)), bands, mag, mag_err, system=system)

    def _dust(self, model: PhotoZModel, frame: pd.DataFrame, bands: Sequence[str], where: str) -> Any:
        """What dust takes by the map, shape (galaxy, band) [mag]."""
        self._places(model, [str(name) for name in frame.columns], where)
        coefficients = self._coefficients(model, bands)
        beside = self.beside(model, frame, where=where)
        ebv = ebv_at(str(self.dust_map), np.asarray(beside["ra"], float), np.asarray(beside["dec"], float))
        return ebv[:, None] * coefficients

    def _places(self, model: PhotoZModel, available: Sequence[str], where: str) -> None:
        """Refuse a table without positions."""
        if self.position_columns(model, available) is None:
            named = ", ".join(f"{ra} and {dec}" for ra, dec in POSITIONS)
            raise MixzError(f"--dust-map for {where}, which has no positions", f"columns {named}", "add them")

    def _coefficients(self, model: PhotoZModel, bands: Sequence[str]) -> list[float]:
        """A_b / E(B-V) of each band.

        Raises
        ------
        MixzError
            One is not known.
        """
        trained = next((c.extinction_per_ebv for c in _trained_on(model, self.system) if c.extinction_per_ebv), {})
        known = dict(self.per_ebv) or dict(trained)
        if lacking := [band for band in bands if band not in known]:
            raise MixzError(
                f"--dust-map: A_b / E(B-V) is not known of the bands {', '.join(lacking)}",
                "a --survey whose coefficients mixz has, or a model whose training took dust off by E(B-V)",
                "name the survey, or take dust off beforehand and say --dereddened",
            )
        return [known[band] for band in bands]

    def _as_trained(self, columns: Columns) -> bool:
        """Whether only the training tables say what a flux of 1 is, though the fluxes are called otherwise."""
        return self.flux is not None and self.flux_zero_point is None and columns.flux_zero_point is not None

    def _tried(self, model: PhotoZModel) -> list[Columns]:
        """List the maps to try."""
        self._require_sense()
        # Of maps that fit those that take dust off come first: a table with E(B-V) has it for a reason.
        trained_on = sorted(
            (self._corrected(columns) for columns in _trained_on(model, self.system) or [Columns()]),
            key=lambda columns: columns.extinction == "none",
        )
        if self.flux is not None:
            fluxes: dict[str, Any] = {"mag": None, "mag_err": None, "flux": self.flux, "flux_err": self.flux_err}
            if self.flux_zero_point is not None:
                fluxes |= {"flux_zero_point": self.flux_zero_point}
            return [c.model_copy(update=fluxes) for c in trained_on]
        if self.mag is not None or self.mag_err is not None:
            named = {"mag": self.mag or PLAIN["mag"], "mag_err": self.mag_err}
            return [c.model_copy(update=PLAIN | named) for c in trained_on]
        return [*trained_on, *(c.model_copy(update=PLAIN) for c in trained_on)]

    def _corrected(self, columns: Columns) -> Columns:
        """A training table's map with what is said here of dust and zero points."""
        if self.corrected:
            columns = columns.model_copy(update={"zero_points": {}})
        if self.dereddened or self.dust_map is not None:
            return columns.model_copy(update=WITHOUT_DUST)
        if self.ebv is None:
            return columns
        if columns.extinction != "ebv":
            raise MixzError(
                f"--ebv {self.ebv!r}",
                "a model whose training took dust off by E(B-V)",
                "leave it out: this one did not",
            )
        return columns.model_copy(update={"ebv": self.ebv})

    def _require_sense(self) -> None:
        """Refuse patterns without bands, and what does nothing."""
        patterns = {"--mag": self.mag, "--mag-err": self.mag_err, "--flux": self.flux, "--flux-err": self.flux_err}
        for option, pattern in patterns.items():
            if pattern is not None and "{band}" not in pattern:
                raise MixzError(
                    f"{option} {pattern!r}", "a pattern with {band}, e.g. 'mag_{band}'", "write {band} there"
                )
        if self.flux is not None and (self.mag is not None or self.mag_err is not None):
            raise MixzError("--flux beside --mag or --mag-err", "fluxes or magnitudes", "give one of them")
        if self.flux is None and (self.flux_err is not None or self.flux_zero_point is not None):
            raise MixzError("--flux-err or --flux-zero-point without --flux", "both with --flux", "name the fluxes too")
        if self.flux_zero_point is not None and not np.isfinite(self.flux_zero_point):
            raise MixzError(f"--flux-zero-point {self.flux_zero_point}", "a number, e.g. 31.4", "correct it")
        if self.dereddened and self.ebv is not None:
            raise MixzError("--ebv with --dereddened", "one of them", "leave out --ebv: no dust is taken off")
        if self.dust_map is not None and (self.dereddened or self.ebv is not None):
            raise MixzError(
                "--dust-map beside --ebv or --dereddened", "one of them", "say once where dust is known from"
            )


PLAIN = {"mag": "mag_{band}", "mag_err": "mag_err_{band}", "flux": None, "flux_err": None, "flux_zero_point": None}
WITHOUT_DUST: dict[str, Any] = {"extinction": "none", "a_band": None, "ebv": None, "extinction_per_ebv": {}}
NAME_THEM = "name its columns: --mag (or --flux), e.g. '{band}_cmodel_mag'; --id"


def _to_do(available: Sequence[str]) -> str:
    """What to do about a table whose magnitudes are not found: of a survey that mixz knows its name says it all."""
    if (survey := survey_of(available)) is None:
        return NAME_THEM
    return f"it looks like a table of {survey.name}: --survey {survey.name}; or {NAME_THEM}"


def _trained_on(model: PhotoZModel, system: str | None) -> list[Columns]:
    """The column maps of a model's training tables; those of a photometric system where it has some."""
    maps = [Columns(**told) for told in model.provenance.get("columns", [])]
    systems = model.provenance.get("column_systems", [])
    of_system = [one for one, its in zip(maps, systems, strict=False) if its == system]
    return of_system or maps


def _fits(columns: Columns, model: PhotoZModel, available: Sequence[str]) -> bool:
    return set(_names(columns, _shared(model))) <= set(available)


def _has_errors(columns: Columns) -> bool:
    return (columns.mag_err if columns.mag is not None else columns.flux_err) is not None


def _shared(model: PhotoZModel) -> list[str]:
    """The bands that a table must have."""
    return [band for band in model.bands if band not in model.own_bands]


def _bands(columns: Columns, model: PhotoZModel, available: Sequence[str]) -> tuple[str, ...]:
    """The bands that a table is asked with: those that it must have, and what it has of the model's own ones."""
    dusty = columns.extinction == "ebv"
    known = [band for band in model.own_bands if not dusty or band in columns.extinction_per_ebv]
    return (*_shared(model), *(band for band in known if set(_names(columns, [band])) <= set(available)))


def _tell_bands(account: Account, columns: Columns, model: PhotoZModel, bands: Sequence[str]) -> None:
    """Note which own bands a table is asked without, and which zero points are put right."""
    without = [band for band in model.own_bands if band not in bands]
    if without:
        account.note(f"{account.where} is asked without {', '.join(without)}: it lacks columns of these bands")
    added = ", ".join(f"{band} {shift:+g}" for band, shift in columns.zero_points.items() if band in bands)
    if added:
        account.note(f"{account.where}: zero points put right as in training [mag]: {added}")


def _no_dust(columns: Columns, model: PhotoZModel, available: Sequence[str], where: str) -> MixzError:
    """What to say of a table of magnitudes whose dust nobody knows."""
    lacking = [name for name in _names(columns, _shared(model)) if name not in available]
    by_ebv = columns.extinction == "ebv"
    return MixzError(
        f"{where} has no column {', '.join(map(repr, lacking))}; the model was trained on magnitudes freed of the "
        "Galaxy's dust by it",
        "the columns of dust too" + (", or another of E(B-V)" if by_ebv else ""),
        ("name it with --ebv, or " if by_ebv else "add them, or ")
        + "say --dereddened where the magnitudes are free of dust already",
    )


def _is_flux(frame: pd.DataFrame, name: str) -> bool:
    unit = parsed(units_of(frame).get(name, ""))
    return unit is not None and unit.zero_point is not None


def _series(values: Any, frame: pd.DataFrame) -> pd.Series[Any]:
    import pandas as pd

    return pd.Series(values, index=frame.index)


def require_system(model: PhotoZModel, system: str | None) -> None:
    """Refuse a photometric system that the model does not know, or none where it knows several.

    Raises
    ------
    MixzError
        As said.
    """
    known = model.systems
    if system in known or (system is None and len(known) == 1):
        return
    if known == ("",):
        raise MixzError(f"photometric system {system!r}", "none: the model was trained on one", "leave out --system")
    given = "no photometric system" if system is None else f"photometric system {system!r}"
    hint = nearest(system, known) if system else ""
    raise MixzError(given, f"systems of the model: {', '.join(known)}", f"name the table's with --system{hint}")


def _names(columns: Columns, bands: Sequence[str]) -> list[str]:
    return [name for names in column_names(columns, bands).values() for name in names]
