"""Where galaxies come from: tables, the catalogues matched to them, and what happens to galaxies in two tables."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from mixz.errors import nearest
from mixz.strict import Strict
from mixz.surveys import SURVEYS, Survey
from mixz.surveys.columns import Columns, Cut, Name, Positive, that_apply

Side = Literal["train", "validation", "conformal", "test"]
Interval = str | tuple[str, str]

OWN_NAMES = ("object_id", "split", "system", "side", "ra_deg", "dec_deg", "table")
OWN_BEGINNINGS = ("mag_", "z_err_", "match_arcsec")
"""Names of columns that galaxies have of themselves."""


class Source(Strict):
    """One catalogue: where it is, how it names things, which labels it carries, which of its rows are good.

    Parameters
    ----------
    survey
        A survey that mixz knows: gives `columns`, `truths`, `truth_errors` and the name of its file, each of which
        may be given here instead, and cuts that `cuts` may list by name.
    path
        A table of any format that mixz reads (docs/surveys.md); relative to the config file.  With `survey`, the folder
        of its file will do.
    group
        Which table inside the file, where it holds several: an HDF5 group, or by name or number a FITS extension or
        a table of a VOTable (`hdu` says the same).
    name
        What the ledger calls it; by default the survey's name, or the file's.
    columns
        The column map.
    truths
        Per truth the column of its redshift labels.
    truth_errors
        Per truth the column of its 68 % error, or the two columns of the ends of its 68 % interval.
    truth_cuts
        Per truth the conditions under which its label is believed, e.g. ``{spec: [{name: secure, column: flag,
        min: 3}]}``; a label that fails one is left out and counted, its galaxy stays.
    carry
        Further columns of numbers to carry along to the galaxies, by their new name.
    cuts
        Cuts for this catalogue only.
    """

    survey: str | None = None
    path: Path | None = None
    group: str | int | None = None
    name: str = ""
    columns: Columns = Columns()
    truths: dict[Name, str] = Field(default_factory=dict)
    truth_errors: dict[Name, Interval] = Field(default_factory=dict)
    truth_cuts: dict[Name, tuple[Cut, ...]] = Field(default_factory=dict)
    carry: dict[Name, str] = Field(default_factory=dict)
    cuts: tuple[Cut, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _fill_in_survey(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        if "hdu" in data:
            if "group" in data:
                raise ValueError("hdu and group say the same: give one of them")
            data = {key: value for key, value in data.items() if key != "hdu"} | {"group": data["hdu"]}
        known = data.get("survey")
        if known is not None and (not isinstance(known, str) or known not in SURVEYS):
            offered = f"{', '.join(SURVEYS)}{nearest(str(known), SURVEYS)}"
            raise ValueError(f"no survey is called {known!r}; known: {offered}")
        survey = SURVEYS[known] if known is not None else None
        return _with_survey(data, survey) if survey else data | {"cuts": _named_cuts(data.get("cuts", ()), None)}

    @model_validator(mode="after")
    def _errors_belong_to_truths(self) -> Source:
        for key, named in (("truth_errors", self.truth_errors), ("truth_cuts", self.truth_cuts)):
            for truth in named:
                if truth not in self.truths:
                    raise ValueError(f"{key} names {truth!r}; truths are: {', '.join(self.truths) or 'none'}")
        for cut in (cut for cuts in self.truth_cuts.values() for cut in cuts):
            if cut.repeated:
                raise ValueError(f"truth_cuts: {cut.name!r}: repeated is about rows, not about one label of a row")
        for name in self.carry:
            if name in OWN_NAMES or name.startswith(OWN_BEGINNINGS) or name.removeprefix("z_") in self.truths:
                raise ValueError(f"carry {name!r}: galaxies have something of that name; give it another")
        return self

    @property
    def title(self) -> str:
        """The catalogue's name in the ledger."""
        return self.name or (self.path.stem if self.path else self.survey or "table")

    @property
    def files(self) -> dict[str, Path]:
        """The files it lies in, by side of the split; ``""`` for a table that is in no split yet."""
        return {"": self.path} if self.path else {}

    def has(self, bands: Sequence[str]) -> tuple[str, ...]:
        """Which of some bands it has magnitudes in."""
        return tuple(bands)

    def located(self, folder: Path) -> Self:
        """The same catalogue with its path counted from `folder`, the config's own."""
        return self.model_copy(update={"path": folder / self.path.expanduser() if self.path else None})


class Match(Source):
    """A catalogue of labels, matched on the sky to the table of magnitudes that names it.

    Parameters
    ----------
    radius_arcsec
        Pairs are mutual nearest neighbours no farther apart than this.
    """

    radius_arcsec: Annotated[float, Field(gt=0, le=60)] = 1.0

    @model_validator(mode="after")
    def _can_be_matched(self) -> Match:
        if self.path is None:
            raise ValueError("path is missing: the file of the catalogue")
        if self.columns.ra is None:
            raise ValueError("a match needs positions: name the columns ra and dec under columns")
        if self.columns.zero_points:
            raise ValueError("zero_points do nothing in a match: magnitudes are the table's that names it")
        if not self.truths and not self.carry:
            raise ValueError("a match needs truths or carry: what the catalogue is for")
        return self


class Table(Source):
    """One input table of magnitudes, with labels of its own or of catalogues matched to it.

    Parameters
    ----------
    parts
        Instead of `path`: the files of the train, validation, test and, where there is one, conformal galaxies, where
        the survey comes split; the galaxies stay on these sides.
    match
        Catalogues whose labels its galaxies get by a match on the sky; galaxies without a counterpart are left out.
    bands
        Which of the config's bands it has; all of them if left out.
    system
        Name of the photometric system of its magnitudes.
    id_prefix
        Put before every object id, so that equal numbers in two tables are different galaxies.
    unlabelled
        Whether galaxies without any label stay: the table is there as a target of steps (`truths: {}` will do then).
    """

    parts: dict[Side, Path] = Field(default_factory=dict)
    match: tuple[Match, ...] = ()
    bands: Annotated[tuple[Name, ...], Field(min_length=1)] | None = None
    system: str = ""
    id_prefix: str = ""
    unlabelled: bool = False

    @model_validator(mode="after")
    def _is_whole(self) -> Table:
        if (self.path is None) == (not self.parts):
            raise ValueError("give path (one file) or parts (train, validation, test and conformal files)")
        if not self.truths and not any(m.truths for m in self.match) and not self.unlabelled:
            raise ValueError(
                "truths: name the column of at least one kind of redshift label (or set unlabelled: true for a table "
                "that steps are only weighted towards)"
            )
        if self.match and self.columns.ra is None:
            raise ValueError("a match needs positions: name the columns ra and dec under columns")
        titles = [self.title, *(m.title for m in self.match)]
        if len(set(titles)) < len(titles):
            raise ValueError(f"catalogues called {titles}: give each a name of its own")
        for truth in self.all_truths():
            if sum(truth in s.truths for s in (self, *self.match)) > 1:
                raise ValueError(f"truth {truth!r} comes from two catalogues: give one of them another name")
        return self

    @property
    def files(self) -> dict[str, Path]:
        """The files it lies in, by side of the split; ``""`` for a table that is in no split yet."""
        return {str(side): path for side, path in self.parts.items()} or super().files

    def has(self, bands: Sequence[str]) -> tuple[str, ...]:
        """Which of some bands it has magnitudes in."""
        return tuple(band for band in bands if self.bands is None or band in self.bands)

    def all_truths(self) -> tuple[str, ...]:
        """Name the truths of this table and of the catalogues matched to it."""
        return tuple(dict.fromkeys(truth for s in (self, *self.match) for truth in s.truths))

    def located(self, folder: Path) -> Self:
        """The same table with all its paths counted from `folder`, the config's own."""
        parts = {side: folder / path.expanduser() for side, path in self.parts.items()}
        matches = tuple(m.located(folder) for m in self.match)
        return super().located(folder).model_copy(update={"parts": parts, "match": matches})


class Overlap(Strict):
    """What happens to galaxies that are in two tables: one table keeps its row.

    Parameters
    ----------
    keep
        The table whose rows stay.
    radius_arcsec
        A galaxy is the same if its object id is; and else if it is the mutual nearest neighbour within this.
        `null` goes by ids only.
    labels
        ``both``: the row that stays also gets the labels that it lacks from the row that goes; ``kept``: it does not.
    """

    keep: str
    radius_arcsec: Positive | None = 1.0
    labels: Literal["both", "kept"] = "both"


def _with_survey(data: dict[str, Any], survey: Survey) -> dict[str, Any]:
    """Lay what the config says over what the survey's constants say."""
    given = dict(data)
    columns = given.get("columns", {})
    if isinstance(columns, dict):
        given["columns"] = that_apply({**survey.columns, **columns}) | columns
    given.setdefault("name", survey.name)
    if "truths" not in given:
        given["truths"] = dict(survey.truths)
    if isinstance(given["truths"], dict):
        same = {t: e for t, e in survey.truth_errors.items() if given["truths"].get(t) == survey.truths[t]}
        given.setdefault("truth_errors", same)
    given["cuts"] = _named_cuts(given.get("cuts", ()), survey)
    return given | _files(given, survey)


def _files(given: dict[str, Any], survey: Survey) -> dict[str, Any]:
    """Add the survey's own names of files to a path that is a folder, which a path without an ending is."""
    path = given.get("path")
    if not isinstance(path, str | Path) or Path(path).suffix:
        return {}
    if survey.parts:
        return {"path": None, "parts": {side: Path(path) / name for side, name in survey.parts.items()}}
    return {"path": Path(path) / survey.file} if survey.file else {}


def _named_cuts(cuts: Any, survey: Survey | None) -> Any:
    """Look cuts that are only named up among the survey's."""
    if not isinstance(cuts, list | tuple):
        return cuts
    known = {cut.name: cut for cut in survey.cuts} if survey else {}
    for cut in cuts:
        if isinstance(cut, str) and cut not in known:
            offered = ", ".join(known) if known else "none (name a survey, or write the cut out)"
            raise ValueError(f"no cut of the survey is called {cut!r}; known: {offered}{nearest(cut, known)}")
    return tuple(known[cut] if isinstance(cut, str) else cut for cut in cuts)
