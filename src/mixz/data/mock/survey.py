"""The simulated survey: a COSMOS-like field with many-band labels, and wide fields with spectra."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from mixz.data.mock import hsc
from mixz.data.mock.noise import observe
from mixz.data.mock.population import Galaxies, draw_galaxies
from mixz.data.mock.selection import choose_spectra
from mixz.data.mock.systematics import Systematics, blend, label_shift, patch_offsets
from mixz.errors import MixzError
from mixz.truths import COSMOS2020, SPECTRUM

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mixz.data.mock.hsc import Footprint
    from mixz.data.mock.templates import Array

    Sky = tuple[Array, Array, NDArray[np.intp]]

COSMOS = "COSMOS"

# The COSMOS field is simulated to where COSMOS2020's labels serve HSC Wide photometry, a little past i = 25.
I_LIMIT = 25.5

# Galaxies per spectrum in the parent of the spectroscopic sample: enough to fill the populated cells (ours).
PARENTS_PER_SPECTRUM = 6

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
        Columns: object_id (HSC's, unique, in no order), field ("COSMOS" or a wide field), ra_deg, dec_deg, z_true,
        red, radius_arcsec, true_mag_{b} (noiseless total magnitudes), mag_{b} and mag_err_{b} (HSC Wide, with
        everything that goes wrong; NaN where not detected), z_many_band (NaN outside COSMOS), z_spec (NaN without a
        spectrum).
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
        return self.galaxies[self.galaxies["field"] == COSMOS]

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
    seeds = iter(np.random.SeedSequence(seed).generate_state(16).tolist())
    in_cosmos = round(galaxies * cosmos_share)
    cosmos = _cosmos_field(in_cosmos, wrong, [next(seeds) for _ in range(6)])
    wide = _wide_fields(galaxies - in_cosmos, wrong, [next(seeds) for _ in range(6)])
    table = pd.concat([cosmos, wide], ignore_index=True)
    table.insert(0, "object_id", _object_ids(len(table), next(seeds)))
    return MockSurvey(table, seed, wrong)


def _object_ids(size: int, seed: int) -> NDArray[np.int64]:
    """Draw unique 17-digit numbers like HSC's; nothing about a galaxy can be read from its number."""
    rng = np.random.default_rng(seed)
    step = 10**15 // size
    return np.asarray(rng.permutation(4 * 10**16 + step * np.arange(size) + rng.integers(step, size=size)))


def _cosmos_field(size: int, wrong: Systematics, seeds: list[int]) -> pd.DataFrame:
    """Simulate the representative field: every galaxy to the limit, every one with a many-band label."""
    truth = draw_galaxies(size, seed=seeds[0], i_limit=I_LIMIT)
    sky = _scatter_on_sky([hsc.COSMOS_FIELD], size, seeds[1])
    mag, mag_err = _measured(truth, wrong, np.asarray(wrong.cosmos_zero_point_mag), seeds[2:4])
    label = COSMOS2020.draw(truth.z_true, mag_i=truth.mag[:, BAND_I], seed=seeds[4])
    shifted = label + label_shift(_colour_gz(truth.mag), wrong, z=truth.z_true)
    z_many_band = np.where(shifted > 0, shifted, label)
    chosen = choose_spectra(
        truth.mag[:, BAND_I], _colour_gz(truth.mag), round(COSMOS_SPECTRA_SHARE * size), z=truth.z_true, seed=seeds[5]
    )
    z_spec = np.full(size, np.nan)
    z_spec[chosen] = SPECTRUM.draw(truth.z_true[chosen], mag_i=truth.mag[chosen, BAND_I], seed=seeds[5])
    return _table(truth, sky, mag, mag_err).assign(field=COSMOS, z_many_band=z_many_band, z_spec=z_spec)


def _wide_fields(size: int, wrong: Systematics, seeds: list[int]) -> pd.DataFrame:
    """Simulate the galaxies with spectra all over the wide fields."""
    parent = draw_galaxies(PARENTS_PER_SPECTRUM * size, seed=seeds[0], i_limit=I_LIMIT, count_tilt=0.4)
    truth = parent.rows(
        choose_spectra(parent.mag[:, BAND_I], _colour_gz(parent.mag), size, z=parent.z_true, seed=seeds[5])
    )
    sky = _scatter_on_sky(list(hsc.WIDE_FIELDS.values()), len(truth), seeds[1])
    patch = np.floor(sky[0]).astype(np.int64) * 1000 + np.floor(sky[1]).astype(np.int64)
    offsets = patch_offsets(patch, len(hsc.BANDS), scatter_mag=wrong.patch_scatter_mag, seed=seeds[4])
    mag, mag_err = _measured(truth, wrong, offsets, seeds[2:4])
    z_spec = SPECTRUM.draw(truth.z_true, mag_i=truth.mag[:, BAND_I], seed=seeds[5])
    names = np.array(list(hsc.WIDE_FIELDS))[sky[2]]
    return _table(truth, sky, mag, mag_err).assign(field=names, z_many_band=np.nan, z_spec=z_spec)


def _measured(truth: Galaxies, wrong: Systematics, offsets: Array, seeds: list[int]) -> tuple[Array, Array]:
    """Measure magnitudes at HSC Wide depth: blends, then noise, then the field's zero points."""
    blended = blend(truth.mag, fraction=wrong.blend_fraction, seed=seeds[0])
    mag, mag_err = observe(blended, radius_arcsec=truth.radius_arcsec, depth=hsc.WIDE, seed=seeds[1])
    return mag + offsets, mag_err


def _scatter_on_sky(fields: list[Footprint], size: int, seed: int) -> Sky:
    """Place galaxies evenly on the fields: right ascension and declination [deg], and the field's number."""
    rng = np.random.default_rng(seed)
    number = rng.integers(len(fields), size=size)
    ra, dec = (np.asarray([getattr(f, axis) for f in fields])[number] for axis in ("ra_deg", "dec_deg"))
    ra_deg = rng.uniform(ra[:, 0], ra[:, 1])
    sin_dec = rng.uniform(np.sin(np.radians(dec[:, 0])), np.sin(np.radians(dec[:, 1])))
    return ra_deg, np.asarray(np.degrees(np.arcsin(sin_dec))), number.astype(np.intp)


def _table(truth: Galaxies, sky: Sky, mag: Array, mag_err: Array) -> pd.DataFrame:
    columns = {"ra_deg": sky[0], "dec_deg": sky[1], "z_true": truth.z_true, "red": truth.red}
    columns["radius_arcsec"] = truth.radius_arcsec
    for prefix, values in (("true_mag", truth.mag), ("mag", mag), ("mag_err", mag_err)):
        columns |= {f"{prefix}_{b}": values[:, k] for k, b in enumerate(hsc.BANDS)}
    return pd.DataFrame(columns)


def _colour_gz(mag: Array) -> Array:
    return mag[:, BAND_G] - mag[:, BAND_Z]
