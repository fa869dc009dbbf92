"""What a look at tables cannot tell, and what a person may answer."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import product
from typing import TYPE_CHECKING

from mixz.errors import MixzError, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

UNSET = "SET_ME"
"""What stands in a config where a person must say something: no run accepts it."""
NO_LABEL = "none"
KINDS = {
    "spec": "spectra",
    "many_band": "photo-z from many bands, such as COSMOS2020's",
    "true": "the true redshifts of a simulation, to judge by and not to learn from; to learn from them say spec",
    NO_LABEL: "no label: leave it out",
}
"""What a column of redshifts may be."""
ZERO_POINTS = {"31.4": "nanojansky", "23.9": "microjansky", "22.5": "nanomaggy", "27": "HSC counts", "8.9": "jansky"}
SAME = {"same": "the same galaxies", "different": "different galaxies with equal numbers"}


@dataclass(frozen=True)
class Question:
    """Something that only a person knows.

    Parameters
    ----------
    about
        ``truth``, ``flux_zero_point`` or ``same_ids``.
    of
        The column or tables in question.
    text
        The question.
    choices
        The answers, and what they mean.
    option
        What to give on the command line instead of answering.
    default
        What is taken, and told, where nobody answers; empty: no run accepts the config before somebody does.
    """

    about: str
    of: str
    text: str
    choices: Mapping[str, str]
    option: str
    default: str = ""


@dataclass(frozen=True)
class Answers:
    """What a person has said.

    Parameters
    ----------
    bands
        The bands to use, in this order; empty: those that are found.
    truths
        By column what its redshifts are: the name of a truth, or ``none``.
    flux_zero_point
        AB magnitude of a flux of 1, where nothing says it.
    same_ids
        Whether equal ids in two tables are the same galaxy; None: unsaid.
    nothing_seen
        Whether 99 and fluxes that are not positive mean "observed, and nothing seen"; None: as galaxies with them look.
    """

    bands: tuple[str, ...] = ()
    truths: Mapping[str, str] = field(default_factory=dict)
    flux_zero_point: float | None = None
    same_ids: bool | None = None
    nothing_seen: bool | None = None

    def told(self, question: Question, answer: str) -> Answers:
        """These answers and one more.

        Examples
        --------
        >>> Answers().told(Question("truth", "z", "?", KINDS, ""), "spec").truths
        {'z': 'spec'}
        """
        if question.about == "truth":
            return replace(self, truths={**self.truths, question.of: answer})
        if question.about == "flux_zero_point":
            return replace(self, flux_zero_point=float(answer))
        return replace(self, same_ids=answer == "same")

    def fewer(self) -> list[Answers]:
        """All that may have been said before these: each kind of answer given or not.

        Examples
        --------
        >>> [said.bands for said in Answers(bands=("g", "r")).fewer()]
        [('g', 'r'), ()]
        """
        given = {name: value for name, value in vars(self).items() if value != getattr(Answers(), name)}
        chosen = product(*[(True, False)] * len(given))
        return [Answers(**{name: given[name] for name, kept in zip(given, one, strict=True) if kept}) for one in chosen]

    def require_used(self, columns: Sequence[str]) -> None:
        """Refuse answers about columns that no table has.

        Raises
        ------
        MixzError
            As said.
        """
        for column in self.truths:
            if column not in columns:
                raise MixzError(
                    f"no table has a column {column!r}{nearest(column, columns)}",
                    "TRUTH=COLUMN of a table that is named",
                    "correct the column's name",
                )
