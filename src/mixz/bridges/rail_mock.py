"""A mock of the DESC challenge's task set 3 from galaxies that RAIL ships, by RAIL's own selections and label errors.

The galaxies are cosmoDC2's, simulated, with LSST's noise.  Training galaxies have spectra where one of RAIL's survey
selections takes them, and many-band redshifts in a small field; test galaxies are a fair sample.  Sizes are ours.
"""

from __future__ import annotations

import logging
import warnings
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mixz.errors import not_installed
from mixz.surveys.desc_challenge import BANDS, FAINTEST_TEST, MANY_BAND, SPEC

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

FILES = ("test_dc2_training_9816.hdf5", "test_dc2_validation_9816.hdf5")
TEST = 10_000
MANY_BAND_FIELD = 5_000
"""Galaxies in the small field that many-band surveys cover, as COSMOS is one field among many (ours)."""
UNSEEN = 99.0

# Most galaxies that each spectroscopic survey has here: its share of a joint sample of a few thousand (ours).  DESI's
# red galaxies are left out, since their selection needs an infrared band.
SURVEYS = {
    "zCOSMOS": 1_500,
    "VVDSf02": 600,
    "DEEP2_LSST": 1_200,
    "DESI_BGS": 300,
    "DESI_ELG_LOP": 800,
}
HSC_SHARE = 0.3
"""Part of the galaxies like HSC's spectroscopic sample (RAIL's GridSelection) that are taken."""


def simulated_task_set_3(*, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The training table, and the test table with its true redshifts, in the challenge's columns.

    Parameters
    ----------
    seed
        Decides which galaxies are where, which spectra succeed, and how wrong many-band labels are.

    Raises
    ------
    MixzError
        RAIL is not installed.
    """
    galaxies = _shipped_galaxies().sample(frac=1, random_state=seed).reset_index(drop=True)
    galaxies.insert(0, "object_id", np.arange(len(galaxies)))
    test = galaxies[:TEST]
    field = galaxies[TEST:].reset_index(drop=True)
    flags = _spectra(field, seed)
    has_spec = np.any(list(flags.values()), axis=0)
    # The field's rows are in random order, so its first are a fair sample, as a small patch of sky would be.
    in_field = np.arange(len(field)) < MANY_BAND_FIELD
    columns = {f"flag_{name}": mask for name, mask in flags.items()} | {"flag_COSMOS2020": in_field}
    columns[SPEC] = np.where(has_spec, field["redshift"], np.nan)
    columns[MANY_BAND] = np.where(in_field, many_band_labels(field, seed=seed), np.nan)
    training = field.assign(**columns)
    return _unseen_as_nan(training[has_spec | in_field]), _unseen_as_nan(test[test["mag_i_lsst"] < FAINTEST_TEST])


def _shipped_galaxies() -> pd.DataFrame:
    """Read the galaxies of RAIL's wheel, errors under the challenge's names."""
    try:
        import tables_io
        from rail.utils.path_utils import find_rail_file
    except ImportError as error:
        raise not_installed("RAIL is not installed", "rail") from error
    parts = [tables_io.read(find_rail_file(f"examples_data/testdata/{name}"))["photometry"] for name in FILES]
    table = pd.concat([pd.DataFrame({k: np.asarray(v, float) for k, v in part.items()}) for part in parts])
    renamed = {f"mag_err_{band}_lsst": f"mag_{band}_lsst_err" for band in BANDS}
    return table.drop(columns="id", errors="ignore").rename(columns=renamed).reset_index(drop=True)


def _spectra(field: pd.DataFrame, seed: int) -> dict[str, NDArray[np.bool_]]:
    """Which galaxies each spectroscopic survey has."""
    from rail.creation.degraders import spectroscopic_selections
    from rail.creation.degraders.grid_selection import GridSelection

    photometry = field[["redshift", *(f"mag_{band}_lsst" for band in BANDS)]]
    flags = {}
    for number, (name, most) in enumerate(SURVEYS.items()):
        selection = getattr(spectroscopic_selections, f"SpecSelection_{name}")
        flags[name] = _applied(selection, photometry, name, seed=seed + number, n_tot=most, drop_rows=False)
    named_as_hsc = photometry.rename(columns={f"mag_{band}_lsst": band for band in BANDS})
    hsc = _applied(GridSelection, named_as_hsc, "HSC", seed=seed, drop_rows=False)
    flags["HSC"] = hsc & (np.random.default_rng(seed).random(len(field)) < HSC_SHARE)
    return flags


def _applied(stage: Any, photometry: pd.DataFrame, name: str, **options: Any) -> NDArray[np.bool_]:
    """The mask of a RAIL selection."""
    with _quiet():
        made = stage.make_stage(name=f"mock_{name}", output_mode="return", **options)
        return np.asarray(made(photometry.copy()).data["flag"]).astype(bool)


def many_band_labels(field: pd.DataFrame, *, seed: int) -> NDArray[np.float64]:
    """Mock COSMOS2020 redshifts by RAIL's published error model."""
    from rail.creation.degraders.gaussian_skewt_scatter_selector import GaussianSkewtScatterSelector

    with _quiet():
        stage = GaussianSkewtScatterSelector.make_stage(
            name="mock_many_band", col_name=MANY_BAND, col_name_mag_i="mag_i_lsst", col_name_z="redshift", seed=seed,
            output_mode="return",
        )  # fmt: skip
        return np.asarray(stage(field.copy()).data[MANY_BAND], float)


def _unseen_as_nan(table: pd.DataFrame) -> pd.DataFrame:
    """Write bands in which nothing was seen as the challenge does: NaN."""
    table = table.reset_index(drop=True).copy()
    for band in BANDS:
        unseen = table[f"mag_{band}_lsst"] >= UNSEEN - 1
        table.loc[unseen, [f"mag_{band}_lsst", f"mag_{band}_lsst_err"]] = np.nan
    return table


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep RAIL's log lines off the screen, and its pandas' warnings."""
    with redirect_stdout(StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logging.disable(logging.WARNING)
        try:
            yield
        finally:
            logging.disable(logging.NOTSET)
