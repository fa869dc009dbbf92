"""The simulated survey: a COSMOS-like field with many-band labels, and wide fields with spectra."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from mixz.errors import MixzError
from mixz.mock import hsc, sky
from mixz.mock.noise import observe
from mixz.mock.population import Galaxies, draw_galaxies
from mixz.mock.selection import choose_spectra
from mixz.mock.systematics import Systematics, blend, label_shift, patch_offsets
from mixz.truths.known import KNOWN_TRUTHS, SPECTRUM

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mixz.mock.templates import Array

# The COSMOS field is simulated to where COSMOS2020's labels serve HSC Wide photometry, a little past i = 25.
I_LIMIT = 25.5

# Galaxies per spectrum in the parent of the spectroscopic sample, how much its counts are flattened and how many times
# more red galaxies it has than the sky: enough to fill the cells that the real sample populates (ours).
PARENTS_PER_SPECTRUM = 10
PARENT_COUNT_TILT, PARENT_RED_BOOST = 0.35, 3.0

# Share of the COSMOS field with spectra too.  The paper has 557 galaxies in both sets, of about 115 k
# (arXiv:2411.18054); more here, so that small mocks have some (ours).
COSMOS_SPECTRA_SHARE = 0.01

BAND_G, BAND_I, BAND_Z = (hsc.BANDS.index(b) for b in "giz")


@dataclass(frozen=True)
class MockSurvey:
    """A simulated survey, one row per galaxy.

    Parameters
    ----------
    galaxies
        Columns: object_id (HSC's, unique, in no order), field ("COSMOS" or a wide field), ra_deg, dec_deg, ebv
        (Galactic dust, not in these magnitudes), z_true, red, radius_arcsec, true_mag_{b} (noiseless total
        magnitudes), mag_{b} and mag_err_{b} (HSC Wide, with everything that goes wrong; NaN where not detected),
        z_many_band (NaN outside COSMOS), z_spec (NaN without a spectrum).
    seed, systematics
        What it was made with.
    """

    galaxies: pd.DataFrame
    seed: int
    systematics: Systematics = field(default_factory=Systematics)

    def __len__(self) -> int:
        """Count the galaxies."""
        return len(self.galaxies)

    @property
    def cosmos(self) -> pd.DataFrame:
        """Galaxies of the COSMOS field, all with a many-band label."""
        return self.galaxies[self.galaxies["z_many_band"].notna()]

    @property
    def spectra(self) -> pd.DataFrame:
        """Galaxies with a spectrum, in all fields."""
        return self.galaxies[self.galaxies["z_spec"].notna()]


def simulate(
    galaxies: int, *, seed: int, systematics: Systematics | None = None, cosmos_share: float = 0.5
) -> MockSurvey:
    """Simulate a survey: a COSMOS field with many-band labels and wide fields with spectra.

    Parameters
    ----------
    galaxies
        How many in all.
    seed
        The same seed gives the same survey.
    systematics
        What goes wrong; realistic levels by default, `Systematics.none()` for a clean survey.
    cosmos_share
        Share of the galaxies that lie in the COSMOS field.

    Raises
    ------
    MixzError
        `galaxies` is less than 100, `cosmos_share` not inside 0 to 1, or an optional package is missing.
    """
    if galaxies < 100:
        raise MixzError(f"galaxies: {galaxies}", "100 or more", "ask for 30000 galaxies for a first look")
    if not 0 < cosmos_share < 1:
        raise MixzError(f"cosmos_share: {cosmos_share}", "between 0 and 1, both excluded", "set 0.5")
    wrong = Systematics() if systematics is None else systematics
    in_cosmos = round(galaxies * cosmos_share)
    cosmos = _cosmos_field(in_cosmos, wrong, _Seeds.of(seed, part=0))
    wide = _wide_fields(galaxies - in_cosmos, wrong, _Seeds.of(seed, part=1))
    table = pd.concat([cosmos, wide], ignore_index=True)
    table.insert(0, "object_id", object_ids(len(table), seed=_Seeds.of(seed, part=2).galaxies))
    return MockSurvey(table, seed, wrong)


def object_ids(size: int, *, seed: int) -> NDArray[np.int64]:
    """Draw unique 17-digit numbers like HSC's; nothing about a galaxy can be read from its number.

    Examples
    --------
    >>> ids = object_ids(5, seed=1)
    >>> len(set(ids.tolist())), len(str(ids[0]))
    (5, 17)
    """
    rng = np.random.default_rng(seed)
    step = 10**15 // size
    return np.asarray(rng.permutation(4 * 10**16 + step * np.arange(size) + rng.integers(step, size=size)))


class _Seeds(NamedTuple):
    """One independent seed for each random ingredient of a part of the survey."""

    galaxies: int
    places: int
    blends: int
    noise: int
    zero_points: int
    labels: int
    choice: int
    spectra: int

    @classmethod
    def of(cls, seed: int, *, part: int) -> _Seeds:
        return cls(*np.random.SeedSequence([seed, part]).generate_state(len(cls._fields)).tolist())


def _cosmos_field(size: int, wrong: Systematics, seeds: _Seeds) -> pd.DataFrame:
    """Simulate the representative field: every galaxy to the limit, every one with a many-band label."""
    truth = draw_galaxies(size, seed=seeds.galaxies, i_limit=I_LIMIT)
    places = sky.scatter(hsc.COSMOS_FIELD, size, seed=seeds.places)
    table = _table(truth, places, *_measured(truth, wrong, np.asarray(wrong.cosmos_zero_point_mag), seeds))
    chosen = _choose(truth, round(COSMOS_SPECTRA_SHARE * size), seed=seeds.choice)
    has_spectrum = np.isin(np.arange(size), chosen)
    spectra = SPECTRUM.draw(truth.z_true, mag_ref=truth.mag[:, BAND_I], seed=seeds.spectra)
    return table.assign(
        z_many_band=many_band_labels(truth.mag, wrong, z=truth.z_true, seed=seeds.labels),
        z_spec=np.where(has_spectrum, spectra, np.nan),
    )


def _wide_fields(size: int, wrong: Systematics, seeds: _Seeds) -> pd.DataFrame:
    """Simulate the galaxies with spectra all over the wide fields."""
    parent = draw_galaxies(
        PARENTS_PER_SPECTRUM * size,
        seed=seeds.galaxies,
        i_limit=I_LIMIT,
        count_tilt=PARENT_COUNT_TILT,
        red_boost=PARENT_RED_BOOST,
    )
    truth = parent.rows(_choose(parent, size, seed=seeds.choice))
    places = sky.scatter(hsc.WIDE_FIELDS, len(truth), seed=seeds.places)
    patch = sky.square_degree(places["ra_deg"].to_numpy(), places["dec_deg"].to_numpy())
    offsets = patch_offsets(patch, len(hsc.BANDS), scatter_mag=wrong.patch_scatter_mag, seed=seeds.zero_points)
    spectra = SPECTRUM.draw(truth.z_true, mag_ref=truth.mag[:, BAND_I], seed=seeds.spectra)
    return _table(truth, places, *_measured(truth, wrong, offsets, seeds)).assign(z_many_band=np.nan, z_spec=spectra)


def many_band_labels(mag: Array, wrong: Systematics, *, z: Array, seed: int) -> Array:
    """Draw many-band labels from the kernel that they are known by, shifted by colour as `wrong` says, shape (galaxy,).

    Parameters
    ----------
    mag
        True magnitudes [AB], shape (galaxy, band).
    wrong
        Levels of what goes wrong.
    z
        True redshift, shape (galaxy,).
    seed
        The same seed gives the same labels.
    """
    label = KNOWN_TRUTHS["many_band"].kernel.draw(z, mag_ref=mag[:, BAND_I], seed=seed)
    shifted = label + label_shift(mag[:, BAND_G] - mag[:, BAND_Z], wrong, z=z)
    return np.where(shifted > 0, shifted, label)


def _choose(galaxies: Galaxies, size: int, *, seed: int) -> NDArray[np.intp]:
    colour_gz = galaxies.mag[:, BAND_G] - galaxies.mag[:, BAND_Z]
    return choose_spectra(galaxies.mag[:, BAND_I], colour_gz, size, z=galaxies.z_true, seed=seed)


def _measured(truth: Galaxies, wrong: Systematics, offsets: Array, seeds: _Seeds) -> tuple[Array, Array]:
    """Measure magnitudes at HSC Wide depth: blends, then noise, then the field's zero points."""
    blended = blend(truth.mag, fraction=wrong.blend_fraction, seed=seeds.blends)
    mag, mag_err = observe(blended, radius_arcsec=truth.radius_arcsec, depth=hsc.WIDE, seed=seeds.noise)
    return mag + offsets, mag_err


def _table(truth: Galaxies, places: pd.DataFrame, mag: Array, mag_err: Array) -> pd.DataFrame:
    columns = {"z_true": truth.z_true, "red": truth.red, "radius_arcsec": truth.radius_arcsec}
    for prefix, values in (("true_mag", truth.mag), ("mag", mag), ("mag_err", mag_err)):
        columns |= {f"{prefix}_{b}": values[:, k] for k, b in enumerate(hsc.BANDS)}
    return places.assign(**columns)
