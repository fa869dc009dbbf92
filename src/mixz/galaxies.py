"""What goes in: galaxies with magnitudes in some bands and any number of redshift labels each."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mixz.arrays import Floats, Mask, all_shaped, frozen, shaped
from mixz.digest import digest_of_arrays
from mixz.errors import MixzError, nearest
from mixz.notebook.facts import Facts

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from numpy.typing import NDArray

CONFORMAL = "conformal"
"""The side that calibration and intervals are learned from, and nothing else."""
SPLITS = ("train", "validation", CONFORMAL, "test")
"""The sides of the split; few data sets have galaxies on the conformal one."""
NO_TRUTH = ""
GALAXIES_DIGEST = "galaxies_digest"
"""Where files say which galaxies they hold, or were made from: `GalaxySet.digest`."""
WEIGHT = "weight"
"""Name under which `GalaxySet.carried` holds how much a galaxy counts in training, where tables say so."""
DEFAULT = {"split": "test", "system": "", "table": ""}
"""What every galaxy is where nothing is given."""


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
        Per galaxy one of ``"train"``, ``"validation"``, ``"conformal"``, ``"test"``; ``"test"`` everywhere if not
        given.
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
        set_field("object_id", frozen(self.object_id))
        set_field("bands", tuple(self.bands))
        n, shape = len(self.object_id), (len(self.object_id), len(self.bands))
        for name in ("mag", "mag_err"):
            given = np.asarray(getattr(self, name), np.float32)
            set_field(name, shaped(name, given.reshape(shape) if n == 0 else given, shape, np.float32))
        for name in ("split", "system", "table"):
            values = np.full(n, DEFAULT[name]) if getattr(self, name) is None else getattr(self, name)
            set_field(name, shaped(name, values, (n,), str))
        for name in ("ra_deg", "dec_deg"):
            values = np.full(n, np.nan) if getattr(self, name) is None else getattr(self, name)
            set_field(name, shaped(name, values, (n,)))
        for name, wanted in (("z", (n,)), ("z_err", (n, 2)), ("carried", (n,))):
            set_field(name, all_shaped(name, getattr(self, name), wanted))
        self._check_values()
        self._check_names()

    def _check_values(self) -> None:
        _refuse_infinities("mag", np.isinf(self.mag))
        # An infinite error says that nothing was seen: the band has no magnitude then.
        _refuse_infinities("mag_err", np.isinf(self.mag_err) & ~(np.isnan(self.mag) & (self.mag_err > 0)))
        not_errors = ~np.isnan(self.mag_err) & (self.mag_err <= 0)
        if not_errors.any():
            raise MixzError(
                f"mag_err holds {int(not_errors.sum()):,} errors of zero or below",
                "errors above 0; NaN where they are not known, infinite where nothing was seen",
                "write unknown errors as NaN; mixz.galaxy_set does so with the errors of a table",
            )
        for truth, label in self.z.items():
            _refuse_infinities(f"z[{truth!r}]", np.isinf(label))

    def _check_names(self) -> None:
        unknown = set(self.z_err) - set(self.z)
        if unknown:
            raise MixzError(f"z_err has truths {sorted(unknown)}", f"truths: {', '.join(self.z)}", "name one of them")
        if len(set(self.bands)) != len(self.bands) or not self.bands:
            raise MixzError(f"bands: {self.bands}", "one or more names, each once", "name every band once")
        unknown = set(np.unique(self.split)) - set(SPLITS)
        if unknown:
            raise MixzError(f"split holds {sorted(unknown)}", ", ".join(SPLITS), "use these names")
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

    def __repr__(self) -> str:
        """Say in a line what it is."""
        return self._facts().line()

    def _repr_html_(self) -> str:
        return self._facts().html()

    def _facts(self) -> Facts:
        sides = {side: int((self.split == side).sum()) for side in self.sides}
        systems = sorted(set(self.system.tolist()) - {""})
        return Facts(
            f"GalaxySet of {'1 galaxy' if len(self) == 1 else f'{len(self):,} galaxies'}",
            {
                "bands": ", ".join(self.bands),
                "labels": ", ".join(f"{truth} {int(self.has(truth).sum()):,}" for truth in self.truths) or "none",
                "split": ", ".join(f"{side} {count:,}" for side, count in sides.items()),
                "measured in every band": f"{int(self.measured().sum()):,}",
                "systems": ", ".join(systems),
                "carried": ", ".join(self.carried),
            },
        )

    def digest(self) -> str:
        """Name all that is known of the galaxies, in their order: the same in memory and in any file of them.

        Examples
        --------
        >>> one = GalaxySet([1, 2], ("g",), [[21], [22]], [[0.1]] * 2, z={"spec": [0.5, np.nan]})
        >>> one.digest() == one.rows([0, 1]).digest(), one.digest() == one.rows([1, 0]).digest()
        (True, False)
        """
        alone = ("object_id", "mag", "mag_err", "split", "system", "ra_deg", "dec_deg", "table")
        named = ("z", "z_err", "carried")
        arrays = {name: getattr(self, name) for name in alone} | {"bands": np.array(self.bands)}
        arrays |= {f"{name} {key}": values for name in named for key, values in getattr(self, name).items()}
        return digest_of_arrays(arrays)

    @property
    def truths(self) -> tuple[str, ...]:
        """Names of the truths that at least one galaxy may have."""
        return tuple(self.z)

    @property
    def sides(self) -> tuple[str, ...]:
        """Names of the sides of the split, that of `CONFORMAL` only where a galaxy is on it.

        Examples
        --------
        >>> GalaxySet([1], ("g",), [[21]], [[0.1]]).sides
        ('train', 'validation', 'test')
        """
        return tuple(side for side in SPLITS if side != CONFORMAL or (self.split == CONFORMAL).any())

    def has(self, truth: str) -> Mask:
        """Which galaxies have a label of `truth`, shape (galaxy,)."""
        if truth not in self.z:
            known = ", ".join(self.z) or "none"
            raise MixzError(
                f"truth {truth!r} is not in the galaxies",
                f"truths: {known}",
                f"name one of these, or add its column to the table's truths{nearest(truth, self.z)}",
            )
        return np.asarray(np.isfinite(self.z[truth]))

    def sample(self, name: str) -> Mask:
        """Which galaxies a sample holds: those with a label of the truth of that name, or of the table.

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

    def measured(self, bands: Sequence[str] = ()) -> Mask:
        """Which galaxies have a magnitude in each of some bands, or in every band, shape (galaxy,)."""
        return np.asarray(np.isfinite(self.in_bands(bands or self.bands)[0]).all(axis=1))

    def own_bands(self) -> tuple[str, ...]:
        """Name the bands that some of its surveys have and others never; a survey is a table in its photometric system.

        Examples
        --------
        >>> GalaxySet([1, 2], ("u", "g"), [[np.nan, 21], [22, 21]], [[0.1, 0.1]] * 2, table=["des", "egs"]).own_bands()
        ('u',)
        """
        table, system = (np.unique(names, return_inverse=True)[1] for names in (self.table, self.system))
        survey = table * (len(self) + 1) + system
        looked = np.isfinite(self.mag) | np.isinf(self.mag_err)
        have = np.array([looked[survey == one].any(axis=0) for one in np.unique(survey)]).reshape(-1, len(self.bands))
        return tuple(band for band, has in zip(self.bands, have.T, strict=True) if has.any() and not has.all())

    def without(self, bands: Sequence[str]) -> GalaxySet:
        """The galaxies as if they had not been observed in some bands."""
        gone = np.isin(self.bands, bands)
        return replace(self, mag=np.where(gone, np.nan, self.mag), mag_err=np.where(gone, np.nan, self.mag_err))

    def rows(self, which: NDArray[Any]) -> GalaxySet:
        """The galaxies that `which` (a mask or indices) selects."""
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
        """The galaxies of one side of the split."""
        return self.rows(self.split == name)

    def in_bands(self, bands: Sequence[str], *, optional: Collection[str] = ()) -> tuple[Floats, Floats]:
        """Magnitudes and errors in some bands, each of shape (galaxy, band); NaN in `optional` ones that it lacks.

        Raises
        ------
        MixzError
            The galaxies lack one of the others.

        Examples
        --------
        >>> galaxies = GalaxySet([1], ("g", "r", "i"), [[21, 20, 19]], [[0.1] * 3])
        >>> galaxies.in_bands(("i", "g", "y"), optional=("y",))[0]
        array([[19., 21., nan]], dtype=float32)
        """
        missing = [band for band in bands if band not in self.bands and band not in optional]
        if missing:
            hint = "".join(nearest(band, self.bands) for band in missing)
            raise MixzError(
                f"the galaxies have bands {', '.join(self.bands)}; the model needs {', '.join(missing)} too",
                f"bands: {', '.join(bands)}",
                f"map these bands, or use a model trained on yours{hint}",
            )
        nowhere = np.full(len(self), np.nan, dtype=np.float32)
        taken = [self.bands.index(band) if band in self.bands else None for band in bands]
        mag, err = (
            np.column_stack([nowhere if k is None else a[:, k] for k in taken]) for a in (self.mag, self.mag_err)
        )
        return mag, err

    def system_numbers(self, systems: Sequence[str]) -> NDArray[np.int64]:
        """The place of each galaxy's photometric system among `systems`, shape (galaxy,); 0 where there is one.

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


def hashed(object_id: NDArray[Any], *, seed: int) -> Floats:
    """Where the hash of each id falls in [0, 1): BLAKE2b(id, salt = seed) / 2^64, shape (galaxy,).

    It depends on nothing but the id and the seed; the integer 17 and the text "17" are the same galaxy.

    Examples
    --------
    >>> hashed(np.array([17, 18]), seed=0).round(3)
    array([0.705, 0.56 ])
    """
    salt = seed.to_bytes(8, "little")
    digests = b"".join(hashlib.blake2b(str(i).encode(), digest_size=8, salt=salt).digest() for i in object_id.tolist())
    return np.asarray(np.frombuffer(digests, dtype="<u8") / 2.0**64)


def _refuse_infinities(name: str, infinite: Mask) -> None:
    if infinite.any():
        raise MixzError(f"{name} holds infinities", "finite values, NaN where missing", "write missing values as NaN")
