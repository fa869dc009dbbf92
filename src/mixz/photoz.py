"""What comes out: redshifts by every member of an ensemble, and their density."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np

from mixz.arrays import Floats, all_shaped, frozen, shaped
from mixz.densities.estimates import DEFAULT, ESTIMATES, sigma
from mixz.densities.grid import Grid
from mixz.errors import MixzError
from mixz.notebook.facts import Facts, between, counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import ArrayLike, NDArray

MEMBERS = {
    "z_phot_member_": ("z_phot_members", "point estimate of member {}"),
    "z_sigma_member_": ("z_sigma_members", "standard deviation of the estimate of member {}"),
    "z_rms_member_": ("z_rms_members", "estimate of the least expected dz^2 of member {}"),
}
"""Beginnings of the names of columns of single members: the field they hold, and what they are."""

TRUST: dict[str, type[np.generic] | None] = {"odds": None, "risk": None, "support": np.int8}
"""Fields that say how far to trust a galaxy's redshift, and the type of those that are no plain numbers."""
ABOUT_TRUST = {
    "odds": "share of the density within .06 in ln(1 + z) of z_phot",
    "risk": "HSC loss that held-out galaxies like this one had, 0 to 1",
    "support": "covered by training: 2 by spectra, 1 by noisier labels only, 0 not",
}
"""What they are."""


class Column(NamedTuple):
    """A column of a photo-z table.

    Parameters
    ----------
    data
        Its values, shape (galaxy,).
    about
        What it is, in a few words.
    unit
        ``redshift``, ``deg``, or nothing.
    """

    data: NDArray[Any]
    about: str
    unit: str = "redshift"


BESIDE = {
    "object_id": Column(np.empty(0), "name of the galaxy", ""),
    "ra": Column(np.empty(0), "right ascension", "deg"),
    "dec": Column(np.empty(0), "declination", "deg"),
}
"""What goes along with redshifts where the table has it, and what it is."""


@dataclass(frozen=True, eq=False)
class PhotoZ:
    """Photometric redshifts of some galaxies by every member of an ensemble.

    Parameters
    ----------
    object_id
        Names of the galaxies, shape (galaxy,).
    z_phot_members
        Each member's point estimate, shape (member, galaxy); NaN where none could be given.
    z_sigma_members
        Each member's own standard deviation of its estimate, shape (member, galaxy); None where members give none.
    z_grid, pdf
        Density of each galaxy's redshift, the mean of its members', shape (galaxy, z), on nodes of shape (z,) between
        which it is straight; None where members give none.
    points
        Point estimates of that density by name (`mixz.densities.estimates.ESTIMATES`), each of shape (galaxy,).
    z_rms_members
        Where members give densities, `z_phot_members` are their zcore and these their zrms, shape (member, galaxy).
    intervals
        By nominal coverage in percent (``"68"``, ``"90"``, ``"95"``) the ends of each galaxy's interval of redshift,
        shape (galaxy, 2); empty where the model gives none.
    odds
        Share of the density within .06 in ln(1 + z) of `z_phot`, shape (galaxy,); None where there are no densities.
    risk
        The HSC loss that held-out galaxies like it had, 0 to 1, shape (galaxy,); None where the model does not say.
    support
        Whether training covered the galaxy, shape (galaxy,): 2 by spectra, 1 only by noisier labels, 0 not; None
        where the model does not say.

    Examples
    --------
    >>> photoz = PhotoZ(["a", "b"], [[0.5, 1.0], [0.7, 1.0]], [[0.0, 0.1], [0.0, 0.1]])
    >>> photoz.z_phot, photoz.z_sigma
    (array([0.6, 1. ]), array([0.1, 0.1]))
    >>> list(photoz.columns())
    ['object_id', 'z_phot', 'z_phot_std', 'z_sigma']
    """

    object_id: NDArray[Any]
    z_phot_members: Floats
    z_sigma_members: Floats | None = None
    z_grid: Floats | None = None
    pdf: Floats | None = None
    points: Mapping[str, Floats] = field(default_factory=dict)
    z_rms_members: Floats | None = None
    intervals: Mapping[str, Floats] = field(default_factory=dict)
    odds: Floats | None = None
    risk: Floats | None = None
    support: NDArray[Any] | None = None

    def __post_init__(self) -> None:
        set_field = object.__setattr__.__get__(self)
        set_field("object_id", frozen(self.object_id))
        n, members = len(self.object_id), len(self.z_phot_members)
        for name, _ in MEMBERS.values():
            if getattr(self, name) is not None:
                set_field(name, shaped(name, getattr(self, name), (members, n)))
        if (self.pdf is None) != (self.z_grid is None):
            raise MixzError("pdf and z_grid: one without the other", "both or none", "give the grid of the densities")
        if self.pdf is not None and self.z_grid is not None:
            set_field("z_grid", frozen(self.z_grid, np.float64))
            set_field("pdf", shaped("pdf", self.pdf, (n, len(self.z_grid)), None))
        set_field("points", all_shaped("points", self.points, (n,)))
        set_field("intervals", all_shaped("intervals", self.intervals, (n, 2)))
        for name, kind in TRUST.items():
            if getattr(self, name) is not None:
                set_field(name, shaped(name, getattr(self, name), (n,), kind))

    def __len__(self) -> int:
        """Count the galaxies."""
        return len(self.object_id)

    def __repr__(self) -> str:
        """Say in a line what it is."""
        return self._facts().line()

    def _repr_html_(self) -> str:
        return self._facts().html()

    def _facts(self) -> Facts:
        known = self.z_phot[np.isfinite(self.z_phot)]
        lost = len(self) - len(known)
        return Facts(
            f"PhotoZ of {'1 galaxy' if len(self) == 1 else f'{len(self):,} galaxies'} "
            f"by {counted(len(self.z_phot_members), 'member')}",
            {
                "z_phot": f"{between(known.min(), known.max())}, median {np.median(known):.2g}"
                if len(known)
                else "none",
                "without a redshift": f"{lost:,}" if lost else "",
                "densities": ""
                if self.z_grid is None
                else f"on {len(self.z_grid):,} nodes to z = {self.z_grid[-1]:.3g}",
                "points": ", ".join(self.points),
                "intervals": ", ".join(f"{level} %" for level in self.intervals),
                "unlike training": "" if self.support is None else f"{int((self.support == 0).sum()):,} galaxies",
            },
        )

    @property
    def grid(self) -> Grid | None:
        """The grid of the densities; None where there are none."""
        return None if self.z_grid is None else Grid(self.z_grid)

    @cached_property
    def z_phot(self) -> Floats:
        """The ensemble's point estimate, shape (galaxy,): zcore of its density, else the mean of its members'."""
        named = [self.points[name] for name in (DEFAULT, "zbest") if name in self.points]
        return named[0] if named else frozen(self.z_phot_members.mean(axis=0))

    @property
    def z_phot_std(self) -> Floats:
        """Scatter of the members about their mean (not a redshift error), shape (galaxy,); NaN for one member."""
        if len(self.z_phot_members) < 2:
            return np.full(len(self), np.nan)
        return np.asarray(self.z_phot_members.std(axis=0, ddof=1))

    @cached_property
    def z_sigma(self) -> Floats | None:
        """Standard deviation of the density, or of the equal mixture of the members' estimates, shape (galaxy,).

        sigma^2 = mean(sigma_m^2) + mean((z_m - z)^2); None where members give neither densities nor errors.
        """
        grid = self.grid
        if grid is not None:
            pdf = np.asarray(self.pdf)
            # Some at a time stay in a core's caches.
            some = [pdf[start : start + 1000] for start in range(0, max(len(pdf), 1), 1000)]
            return np.concatenate([np.asarray(sigma(grid.mass(one), grid)) for one in some])
        if self.z_sigma_members is None:
            return None
        scatter = np.square(self.z_phot_members - self.z_phot).mean(axis=0)
        return np.asarray(np.sqrt(np.square(self.z_sigma_members).mean(axis=0) + scatter))

    def rows(self, which: NDArray[Any] | slice) -> PhotoZ:
        """The galaxies that `which` (a mask, indices or a slice) selects."""
        of_members: dict[str, Any] = {
            n: None if (z := getattr(self, n)) is None else z[:, which] for n, _ in MEMBERS.values()
        }
        trust: dict[str, Any] = {n: None if (of := getattr(self, n)) is None else of[which] for n in TRUST}
        return replace(
            self,
            object_id=self.object_id[which],
            **of_members,
            pdf=None if self.pdf is None else self.pdf[which],
            points={name: z[which] for name, z in self.points.items()},
            intervals={level: ends[which] for level, ends in self.intervals.items()},
            **trust,
        )

    def columns(self, *, members: bool = False) -> dict[str, Column]:
        """Everything but the densities, laid out as the columns of a table: the one layout that every writer uses.

        ``object_id``, ``z_phot``, ``z_phot_std``; and what the model gives of ``z_sigma``, the point estimates of
        densities, the ends of intervals (``z_low_68``, ``z_high_68``, ...), ``odds``, ``risk`` and ``support``.

        Parameters
        ----------
        members
            Whether to add a column for every estimate of every member (``z_phot_member_0``, ...).
        """
        found = {
            "object_id": Column(self.object_id, "name of the galaxy", ""),
            "z_phot": Column(self.z_phot, "photometric redshift"),
            "z_phot_std": Column(self.z_phot_std, "scatter of the members' estimates (not an error)"),
        }
        if self.z_sigma is not None:
            found["z_sigma"] = Column(self.z_sigma, "standard deviation of the redshift")
        found |= {name: Column(z, ESTIMATES[name].about) for name, z in self.points.items()}
        for level, ends in self.intervals.items():
            for k, end in enumerate(("low", "high")):
                about = f"{'lower' if end == 'low' else 'upper'} end of the interval that holds {level} %"
                found[f"z_{end}_{level}"] = Column(ends[:, k], about)
        for name, about in ABOUT_TRUST.items():
            if getattr(self, name) is not None:
                found[name] = Column(getattr(self, name), about, "")
        if members:
            for beginning, (name, about) in MEMBERS.items():
                for k, z in enumerate(() if (of_members := getattr(self, name)) is None else of_members):
                    found[f"{beginning}{k}"] = Column(z, about.format(k))
        return found

    @classmethod
    def from_columns(
        cls, columns: Mapping[str, ArrayLike], *, z_grid: ArrayLike | None = None, pdf: ArrayLike | None = None
    ) -> Self:
        """Photo-z from a table laid out by `columns`; names that it does not know are passed over.

        Where there are no columns of members, the point estimate stands for one.

        Raises
        ------
        MixzError
            There is neither an estimate nor a density.

        Examples
        --------
        >>> again = PhotoZ.from_columns({"object_id": ["a"], "z_phot": [0.5], "z_low_68": [0.4], "z_high_68": [0.6]})
        >>> again.z_phot, again.intervals
        (array([0.5]), {'68': array([[0.4, 0.6]])})
        """
        members = {name: _numbered(columns, beginning) for beginning, (name, _) in MEMBERS.items()}
        points = {name: np.asarray(columns[name]) for name in ESTIMATES if name in columns}
        if members["z_phot_members"] is None:
            single = next((np.asarray(columns[n]) for n in ("z_phot", "zbest", "zmode") if n in columns), None)
            if single is None and pdf is not None and z_grid is not None:
                grid = Grid(np.asarray(z_grid))
                single = ESTIMATES["zmode"].of(grid.mass(np.asarray(pdf)), grid)
            if single is None:
                raise MixzError("a table without redshifts", "z_phot, zbest or zmode", "name its column so")
            members["z_phot_members"] = single[None]
        levels = [name.removeprefix("z_low_") for name in columns if re.fullmatch(r"z_low_\d+", name)]
        z_phot_members = members["z_phot_members"]
        assert z_phot_members is not None
        return cls(
            np.asarray(columns["object_id"]) if "object_id" in columns else np.arange(z_phot_members.shape[1]),
            z_phot_members,
            members["z_sigma_members"],
            z_grid=None if z_grid is None else np.asarray(z_grid),
            pdf=None if pdf is None else np.asarray(pdf),
            points=points,
            z_rms_members=members["z_rms_members"],
            intervals={n: np.stack([np.asarray(columns[f"z_{e}_{n}"]) for e in ("low", "high")], 1) for n in levels},
            **{name: np.asarray(columns[name]) if name in columns else None for name in TRUST},
        )


def concatenate_photoz(parts: Iterable[PhotoZ]) -> PhotoZ:
    """Join photo-z of the same model, of other galaxies each."""
    several = list(parts)
    first = several[0]
    of_members: dict[str, Any] = {
        name: None if getattr(first, name) is None else np.concatenate([getattr(p, name) for p in several], axis=1)
        for name, _ in MEMBERS.values()
    }
    trust: dict[str, Any] = {
        name: None if getattr(first, name) is None else np.concatenate([getattr(p, name) for p in several])
        for name in TRUST
    }
    return replace(
        first,
        object_id=np.concatenate([p.object_id for p in several]),
        **of_members,
        pdf=None if first.pdf is None else np.concatenate([np.asarray(p.pdf) for p in several]),
        points={name: np.concatenate([p.points[name] for p in several]) for name in first.points},
        intervals={level: np.concatenate([p.intervals[level] for p in several]) for level in first.intervals},
        **trust,
    )


def _numbered(columns: Mapping[str, ArrayLike], beginning: str) -> Floats | None:
    """The columns of members 0, 1, ... that are there, shape (member, galaxy)."""
    count = 0
    while f"{beginning}{count}" in columns:
        count += 1
    return np.stack([np.asarray(columns[f"{beginning}{k}"]) for k in range(count)]) if count else None
