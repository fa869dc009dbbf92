"""The vocabulary: `GalaxySet` is what goes in, `PhotoZ` is what comes out; both frozen, both check themselves."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mixz.errors import MixzError, nearest

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

Floats = np.ndarray[tuple[int, ...], np.dtype[np.floating[Any]]]
Mask = np.ndarray[tuple[int, ...], np.dtype[np.bool_]]

SPLITS = ("train", "validation", "test")
NO_TRUTH = ""
WEIGHT = "weight"
"""Name under which `GalaxySet.carried` holds how much a galaxy counts in training, where tables say so."""


def _frozen(values: ArrayLike, dtype: Any = None) -> NDArray[Any]:
    """View `values` as a read-only array; the caller's own array stays writable."""
    view = np.asarray(values, dtype=dtype).view()
    view.flags.writeable = False
    return view


def _check_shape(name: str, array: NDArray[Any], shape: tuple[int, ...]) -> None:
    if array.shape != shape:
        raise MixzError(f"{name} has shape {array.shape}", f"shape {shape}", "give one value per galaxy (and band)")


def _check_measured(name: str, array: NDArray[Any], *, allowed: NDArray[Any] | bool = False) -> None:
    if (np.isinf(array) & ~np.asarray(allowed)).any():
        raise MixzError(f"{name} holds infinities", "finite values, NaN where missing", "write missing values as NaN")


@dataclass(frozen=True, eq=False)
class GalaxySet:
    """Galaxies with magnitudes in some bands and any number of redshift labels each.

    Parameters
    ----------
    object_id
        Names of the galaxies, all different, shape (galaxy,); text or integers.
    bands
        Names of the bands, e.g. ``("g", "r", "i", "z")``.
    mag, mag_err
        AB magnitudes and their errors, shape (galaxy, band); NaN where not measured.  Where a band was observed and
        nothing seen, the magnitude is NaN and its error infinite.
    z
        Per truth, its redshift labels, shape (galaxy,); NaN where the galaxy has none.
    split
        Per galaxy one of ``"train"``, ``"validation"``, ``"test"``; ``"test"`` everywhere if not given.
    system
        Per galaxy the name of the photometric system it was measured in; ``""`` where there is one system.
    z_err
        Per truth with known intervals, how far the 68 % interval reaches below and above each label, shape
        (galaxy, 2); NaN where unknown.
    ra_deg, dec_deg
        Positions, shape (galaxy,); NaN where unknown.
    carried
        Further numbers carried along by name, e.g. ``match_arcsec``, each of shape (galaxy,).
    table
        Per galaxy the name of the table it is from; ``""`` where unknown.

    Raises
    ------
    MixzError
        Shapes disagree, a name occurs twice, or a value is infinite.

    Examples
    --------
    >>> g = GalaxySet(["a", "b"], ("g", "r"), [[21, 20], [23, 22]], [[0.1, 0.1]] * 2,
    ...               z={"spec": [0.5, np.nan], "many_band": [0.52, 0.9]})
    >>> len(g), g.truths
    (2, ('spec', 'many_band'))
    >>> g.rows(g.has("spec")).object_id
    array(['a'], dtype='<U1')
    """

    object_id: NDArray[Any]
    bands: tuple[str, ...]
    mag: Floats
    mag_err: Floats
    z: Mapping[str, Floats] = field(default_factory=dict)
    split: NDArray[Any] = None  # type: ignore[assignment]  # filled in __post_init__
    system: NDArray[Any] = None  # type: ignore[assignment]
    z_err: Mapping[str, Floats] = field(default_factory=dict)
    ra_deg: Floats = None  # type: ignore[assignment]
    dec_deg: Floats = None  # type: ignore[assignment]
    carried: Mapping[str, Floats] = field(default_factory=dict)
    table: NDArray[Any] = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        set_field = object.__setattr__.__get__(self)
        set_field("object_id", _frozen(self.object_id))
        set_field("bands", tuple(self.bands))
        n, shape = len(self.object_id), (len(self.object_id), len(self.bands))
        for name in ("mag", "mag_err"):
            array = _frozen(getattr(self, name), np.float32).reshape(shape if n == 0 else np.shape(getattr(self, name)))
            set_field(name, array)
            _check_shape(name, array, shape)
        _check_measured("mag", self.mag)
        _check_measured("mag_err", self.mag_err, allowed=np.isnan(self.mag) & (self.mag_err > 0))
        set_field("z", {truth: _frozen(label, np.float64) for truth, label in self.z.items()})
        for truth, label in self.z.items():
            _check_shape(f"z[{truth!r}]", label, (n,))
            _check_measured(f"z[{truth!r}]", label)
        set_field("split", _frozen(np.full(n, "test") if self.split is None else self.split, str))
        for name in ("system", "table"):
            values = getattr(self, name)
            set_field(name, _frozen(np.full(n, "") if values is None else values, str))
            _check_shape(name, getattr(self, name), (n,))
        _check_shape("split", self.split, (n,))
        self._freeze_extras(n)
        self._check_names()

    def _freeze_extras(self, n: int) -> None:
        set_field = object.__setattr__.__get__(self)
        for name in ("ra_deg", "dec_deg"):
            values = getattr(self, name)
            set_field(name, _frozen(np.full(n, np.nan) if values is None else values, np.float64))
            _check_shape(name, getattr(self, name), (n,))
        for name, shape in (("z_err", (n, 2)), ("carried", (n,))):
            set_field(name, {key: _frozen(values, np.float64) for key, values in getattr(self, name).items()})
            for key, values in getattr(self, name).items():
                _check_shape(f"{name}[{key!r}]", values, shape)
        unknown = set(self.z_err) - set(self.z)
        if unknown:
            raise MixzError(f"z_err has truths {sorted(unknown)}", f"truths: {', '.join(self.z)}", "name one of them")

    def _check_names(self) -> None:
        if len(set(self.bands)) != len(self.bands) or not self.bands:
            raise MixzError(f"bands: {self.bands}", "one or more names, each once", "name every band once")
        unknown = set(np.unique(self.split)) - set(SPLITS)
        if unknown:
            raise MixzError(f"split holds {sorted(unknown)}", ", ".join(SPLITS), "use these three names")
        ids, counts = np.unique(self.object_id, return_counts=True)
        if (counts > 1).any():
            raise MixzError(
                f"{int((counts > 1).sum())} object ids occur more than once, e.g. {ids[counts > 1][0]!r}",
                "each galaxy once",
                "remove duplicates, or give each table its own id_prefix where equal ids are different galaxies",
            )

    def __len__(self) -> int:
        """Count the galaxies."""
        return len(self.object_id)

    @property
    def truths(self) -> tuple[str, ...]:
        """Names of the truths that at least one galaxy may have."""
        return tuple(self.z)

    def has(self, truth: str) -> Mask:
        """Say which galaxies have a label of `truth`, shape (galaxy,)."""
        if truth not in self.z:
            known = ", ".join(self.z) or "none"
            raise MixzError(
                f"truth {truth!r} is not in the galaxies",
                f"truths: {known}",
                f"name one of these, or add its column to the table's truths{nearest(truth, self.z)}",
            )
        return np.asarray(np.isfinite(self.z[truth]))

    def sample(self, name: str) -> Mask:
        """Say which galaxies a sample holds: those with a label of the truth of that name, or of the table.

        Raises
        ------
        MixzError
            There is neither.
        """
        if name in self.z:
            return self.has(name)
        from_table = self.table == name
        if name and from_table.any():
            return np.asarray(from_table)
        known = [*self.z, *sorted(set(self.table.tolist()) - {""})]
        raise MixzError(
            f"no sample is called {name!r}",
            f"truths and tables: {', '.join(known) or 'none'}",
            f"name one of these{nearest(name, known)}",
        )

    def measured(self) -> Mask:
        """Say which galaxies have a magnitude in every band, shape (galaxy,)."""
        return np.asarray(np.isfinite(self.mag).all(axis=1))

    def rows(self, which: NDArray[Any]) -> GalaxySet:
        """Give the galaxies that `which` (a mask or indices) selects."""
        return replace(
            self,
            object_id=self.object_id[which],
            mag=self.mag[which],
            mag_err=self.mag_err[which],
            z={truth: label[which] for truth, label in self.z.items()},
            split=self.split[which],
            system=self.system[which],
            z_err={truth: widths[which] for truth, widths in self.z_err.items()},
            ra_deg=self.ra_deg[which],
            dec_deg=self.dec_deg[which],
            carried={name: values[which] for name, values in self.carried.items()},
            table=self.table[which],
        )

    def in_split(self, name: str) -> GalaxySet:
        """Give the galaxies of one side of the split."""
        return self.rows(self.split == name)

    def band_places(self, bands: Sequence[str]) -> list[int]:
        """Say where each of `bands` stands among the galaxies' own.

        Raises
        ------
        MixzError
            The galaxies lack one of them.

        Examples
        --------
        >>> GalaxySet([1], ("g", "r", "i"), [[21, 20, 19]], [[0.1] * 3]).band_places(("i", "g"))
        [2, 0]
        """
        missing = [band for band in bands if band not in self.bands]
        if missing:
            hint = "".join(nearest(band, self.bands) for band in missing)
            raise MixzError(
                f"the galaxies have bands {', '.join(self.bands)}; the model needs {', '.join(missing)} too",
                f"bands: {', '.join(bands)}",
                f"map these bands, or use a model trained on yours{hint}",
            )
        return [self.bands.index(band) for band in bands]

    def system_numbers(self, systems: Sequence[str]) -> NDArray[np.int64]:
        """Give the place of each galaxy's photometric system among `systems`, shape (galaxy,); 0 where there is one.

        Raises
        ------
        MixzError
            A galaxy's system is not among them.

        Examples
        --------
        >>> GalaxySet([1, 2], ("g",), [[21], [22]], [[0.1]] * 2, system=["des", "hsc"]).system_numbers(("hsc", "des"))
        array([1, 0])
        """
        number = np.zeros(len(self), dtype=np.int64)
        if len(systems) > 1:
            for name in sorted(set(self.system.tolist())):
                if name not in systems:
                    raise MixzError(
                        f"photometric system {name!r}",
                        f"systems the model knows: {', '.join(systems)}",
                        f"say in which of these the galaxies were measured (--system){nearest(name, systems)}",
                    )
                number[self.system == name] = systems.index(name)
        return number

    def reference(self, truths: Sequence[str], *, exact: Collection[str] = ()) -> tuple[Floats, NDArray[Any]]:
        """Choose one label per galaxy among `truths`, and say whose it is.

        A galaxy that has several is believed in the order exact truths first, then as listed.

        Returns
        -------
        z_ref, truth
            The label, NaN where the galaxy has none, and the name of its truth, ``""`` where none; (galaxy,).

        Examples
        --------
        >>> g = GalaxySet([1, 2], ("g",), [[21], [23]], [[0.1], [0.1]],
        ...               z={"spec": [0.5, np.nan], "many_band": [0.52, 0.9]})
        >>> g.reference(["many_band", "spec"], exact=["spec"])
        (array([0.5, 0.9]), array(['spec', 'many_band'], dtype='<U9'))
        """
        z_ref = np.full(len(self), np.nan)
        truth = np.full(len(self), NO_TRUTH, dtype=f"<U{max(map(len, truths), default=1)}")
        for name in sorted(truths, key=lambda t: t not in exact):
            take = np.isnan(z_ref) & self.has(name)
            z_ref[take], truth[take] = self.z[name][take], name
        return z_ref, truth


def concatenate(sets: Sequence[GalaxySet]) -> GalaxySet:
    """Join galaxy sets of the same bands; a truth (or anything else) that one of them lacks is NaN there.

    Examples
    --------
    >>> a = GalaxySet([1], ("g",), [[21]], [[0.1]], z={"spec": [0.5]})
    >>> b = GalaxySet([2], ("g",), [[22]], [[0.1]], z={"many_band": [0.9]})
    >>> concatenate([a, b]).z
    {'spec': array([0.5, nan]), 'many_band': array([nan, 0.9])}
    """
    bands = sets[0].bands
    for other in sets[1:]:
        if other.bands != bands:
            raise MixzError(
                f"bands {other.bands} beside {bands}", "the same bands", "map both tables to the same bands"
            )
    parts = {
        name: np.concatenate([getattr(s, name) for s in sets])
        for name in ("object_id", "mag", "mag_err", "split", "system", "ra_deg", "dec_deg", "table")
    }
    return GalaxySet(
        bands=bands,
        z=_joined([s.z for s in sets], sets),
        z_err=_joined([s.z_err for s in sets], sets, 2),
        carried=_joined([s.carried for s in sets], sets),
        **parts,
    )


def _joined(maps: Sequence[Mapping[str, Floats]], sets: Sequence[GalaxySet], *shape: int) -> dict[str, Floats]:
    """Join maps of columns, one per set, name by name."""
    names = dict.fromkeys(name for columns in maps for name in columns)
    return {
        name: np.concatenate(
            [m[name] if name in m else np.full((len(s), *shape), np.nan) for m, s in zip(maps, sets, strict=True)]
        )
        for name in names
    }


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
        Point estimates of that density by name (zmode, zmean, zmedian, zbest, zrms), each of shape (galaxy,).
    z_rms_members
        Where members give densities, `z_phot_members` are their zbest and these their zrms, shape (member, galaxy).
    intervals
        By nominal coverage in percent (``"68"``, ``"90"``, ``"95"``) the ends of each galaxy's interval of redshift,
        shape (galaxy, 2); empty where the model gives none.
    support
        Whether training covered the galaxy, shape (galaxy,): 2 by spectra, 1 only by noisier labels, 0 not; None
        where the model does not say.

    Examples
    --------
    >>> photoz = PhotoZ(["a", "b"], [[0.5, 1.0], [0.7, 1.0]], [[0.0, 0.1], [0.0, 0.1]])
    >>> photoz.z_phot, photoz.z_sigma
    (array([0.6, 1. ]), array([0.1, 0.1]))
    """

    object_id: NDArray[Any]
    z_phot_members: Floats
    z_sigma_members: Floats | None = None
    z_grid: Floats | None = None
    pdf: Floats | None = None
    points: Mapping[str, Floats] = field(default_factory=dict)
    z_rms_members: Floats | None = None
    intervals: Mapping[str, Floats] = field(default_factory=dict)
    support: NDArray[Any] | None = None

    def __post_init__(self) -> None:
        set_field = object.__setattr__.__get__(self)
        set_field("object_id", _frozen(self.object_id))
        set_field("z_phot_members", _frozen(self.z_phot_members, np.float64))
        galaxies = len(self.object_id)
        shape = (len(self.z_phot_members), galaxies)
        for name in ("z_phot_members", "z_sigma_members", "z_rms_members"):
            if getattr(self, name) is not None:
                set_field(name, _frozen(getattr(self, name), np.float64))
                _check_shape(name, getattr(self, name), shape)
        if (self.pdf is None) != (self.z_grid is None):
            raise MixzError("pdf and z_grid: one without the other", "both or none", "give the grid of the densities")
        if self.pdf is not None and self.z_grid is not None:
            set_field("z_grid", _frozen(self.z_grid, np.float64))
            set_field("pdf", _frozen(self.pdf))
            _check_shape("pdf", self.pdf, (galaxies, len(self.z_grid)))
        set_field("points", {name: _frozen(z, np.float64) for name, z in self.points.items()})
        for name, z in self.points.items():
            _check_shape(f"points[{name!r}]", z, (galaxies,))
        set_field("intervals", {level: _frozen(ends, np.float64) for level, ends in self.intervals.items()})
        for level, ends in self.intervals.items():
            _check_shape(f"intervals[{level!r}]", ends, (galaxies, 2))
        if self.support is not None:
            set_field("support", _frozen(self.support, np.int8))
            _check_shape("support", self.support, (galaxies,))

    def __len__(self) -> int:
        """Count the galaxies."""
        return len(self.object_id)

    @property
    def z_phot(self) -> Floats:
        """The ensemble's point estimate, shape (galaxy,): zbest of its density, else the mean of its members'."""
        return self.points["zbest"] if "zbest" in self.points else np.asarray(self.z_phot_members.mean(axis=0))

    @property
    def z_phot_std(self) -> Floats:
        """Scatter of the members about their mean (not a redshift error), shape (galaxy,); NaN for one member."""
        if len(self.z_phot_members) < 2:
            return np.full(len(self), np.nan)
        return np.asarray(self.z_phot_members.std(axis=0, ddof=1))

    @property
    def z_sigma(self) -> Floats | None:
        """Standard deviation of the density, or of the equal mixture of the members' estimates, shape (galaxy,).

        sigma^2 = mean(sigma_m^2) + mean((z_m - z)^2); None where members give neither densities nor errors.
        """
        if self.pdf is not None and self.z_grid is not None:
            cell = np.gradient(self.z_grid)
            cell[[0, -1]] /= 2
            mass = self.pdf * cell
            mean = mass @ self.z_grid
            return np.asarray(np.sqrt(np.maximum(mass @ np.square(self.z_grid) - np.square(mean), 0)))
        if self.z_sigma_members is None:
            return None
        scatter = np.square(self.z_phot_members - self.z_phot).mean(axis=0)
        return np.asarray(np.sqrt(np.square(self.z_sigma_members).mean(axis=0) + scatter))
