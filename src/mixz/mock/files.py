"""The mock survey as the surveys' own files, so that everything that reads the real ones can be tried on it."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import pandas as pd
from astropy.io import fits

from mixz.atomic import replacing
from mixz.data.simulated import ABOUT_FILE
from mixz.data.tables import write_table
from mixz.errors import MixzError
from mixz.mock.cosmos2020 import CLASSIC_FILE, FARMER_FILE, classic, farmer
from mixz.mock.hsc_tables import HSC_NAME, SPLITS, galaxiesml_table, hsc_table
from mixz.mock.paper_tables import paper_files
from mixz.mock.stars import draw_stars
from mixz.mock.survey import MockSurvey, object_ids, simulate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mixz.mock.systematics import Systematics

TRUTH_FILE = "mock_truth.parquet"
HSC_FORMATS = ("fits", "parquet", "csv")

# Stars per galaxy in the COSMOS field to i = 25.5 (ours; about 3 per square arcminute of stars to 31 of galaxies).
STARS_PER_GALAXY = 0.1


def mock_surveys(
    galaxies: int,
    out: str | Path,
    *,
    seed: int,
    systematics: Systematics | None = None,
    hsc_format: str = "fits",
    image_pixels: int = 0,
) -> MockSurvey:
    """Simulate a survey and write it as the surveys' own files.

    Parameters
    ----------
    galaxies
        How many galaxies in all, half of them in the COSMOS field.
    out
        The folder to make; it must not exist yet.
    seed
        The same seed gives the same files' content.
    systematics
        What goes wrong; realistic levels by default.
    hsc_format, image_pixels
        As in `write_surveys`.

    Raises
    ------
    MixzError
        `galaxies` is too small, `out` exists or cannot be written, or an optional package is missing.
    """
    check_new(Path(out))
    survey = simulate(galaxies, seed=seed, systematics=systematics)
    write_surveys(survey, out, hsc_format=hsc_format, image_pixels=image_pixels)
    return survey


def write_surveys(survey: MockSurvey, out: str | Path, *, hsc_format: str = "fits", image_pixels: int = 0) -> None:
    """Write COSMOS2020 CLASSIC and FARMER, the HSC table, GalaxiesML, the paper's CSVs and the truth; all or none.

    Parameters
    ----------
    survey
        What `simulate` gave.
    out
        The folder to make; it must not exist yet.
    hsc_format
        Format of the HSC table: "fits", "parquet" or "csv".
    image_pixels
        Side of GalaxiesML's images, written if not 0, of shape (galaxy, 5, side, side): smooth discs, for the sake
        of the file's shape, not for training.

    Raises
    ------
    MixzError
        `out` exists or cannot be written, or `hsc_format` is unknown.
    """
    if hsc_format not in HSC_FORMATS:
        raise MixzError(f"hsc_format: {hsc_format!r}", ", ".join(HSC_FORMATS), "choose one of them")
    check_new(Path(out))
    objects = _with_stars(survey)
    in_cosmos = objects[objects["field"] == "COSMOS"]
    tables = {
        CLASSIC_FILE: classic(in_cosmos, survey.systematics, seed=survey.seed),
        FARMER_FILE: farmer(in_cosmos, survey.systematics, seed=survey.seed),
        f"{HSC_NAME}.{hsc_format}": hsc_table(objects, seed=survey.seed),
    }
    spectra = galaxiesml_table(objects, tables[f"{HSC_NAME}.{hsc_format}"], seed=survey.seed)
    papers = paper_files(tables[f"{HSC_NAME}.{hsc_format}"], tables[CLASSIC_FILE], spectra, seed=survey.seed)
    with replacing(out) as draft:
        draft.mkdir()
        for name, table in tables.items():
            write_table(table.reset_index(drop=True), draft / name)
        _write_galaxiesml(spectra, draft, image_pixels)
        for name, table in papers.items():
            write_table(table, draft / name)
        _say_simulated(draft)
        write_table(_truth(objects, tables), draft / TRUTH_FILE)
        (draft / ABOUT_FILE).write_text(json.dumps(_about(survey, tables | papers, spectra), indent=2) + "\n")


def check_new(out: Path) -> None:
    """Refuse a folder that is there already.

    Raises
    ------
    MixzError
        It is.
    """
    if out.exists():
        raise MixzError(f"{out} exists already", "a folder that does not exist yet", "choose another, or remove it")


def _with_stars(survey: MockSurvey) -> pd.DataFrame:
    """Add the stars of the COSMOS field, numbered like the galaxies but apart from them."""
    number = round(STARS_PER_GALAXY * len(survey.cosmos))
    stars = draw_stars(max(number, 1), seed=survey.seed + 1)
    # The galaxies' numbers end below 4.1e16, so these cannot meet them.
    stars["object_id"] = object_ids(len(stars), seed=survey.seed + 2) + 10**15
    return pd.concat([survey.galaxies, stars], ignore_index=True)


def _write_galaxiesml(spectra: pd.DataFrame, folder: Path, image_pixels: int) -> None:
    """Write the three splits as HDF5, one data set per column, and as CSV without the images."""
    for split in SPLITS:
        rows = spectra[spectra["split"] == split].drop(columns="split").reset_index(drop=True)
        stem = f"5x127x127_{split}_with_morphology"
        write_table(rows, folder / f"{stem}.csv")
        write_table(rows, folder / f"{stem}.hdf5")
        if image_pixels:
            with h5py.File(folder / f"{stem}.hdf5", "a") as file:
                _write_images(file, rows, image_pixels)


def _write_images(file: Any, rows: pd.DataFrame, side: int) -> None:
    """Add data set `image` (galaxy, band, side, side): exponential discs of the measured flux, a chunk at a time."""
    mags = rows[[f"{b}_cmodel_mag" for b in "grizy"]].to_numpy(np.float64)
    flux = np.nan_to_num(10 ** (-0.4 * (mags - 27)))
    y, x = np.indices((side, side)) - (side - 1) / 2
    disc = np.exp(-np.hypot(x, y) / 3)
    images = file.create_dataset("image", (len(rows), 5, side, side), dtype=np.float32)
    for start in range(0, len(rows), 1000):
        chunk = flux[start : start + 1000, :, None, None]
        images[start : start + 1000] = (chunk * disc / disc.sum()).astype(np.float32)


def _say_simulated(folder: Path) -> None:
    """Mark the files that can carry a mark, since their names are those of real ones."""
    for path in folder.glob("*.fits"):
        fits.setval(path, "ORIGIN", value="mixz: simulated, not observed", ext=1)
    for path in folder.glob("*.hdf5"):
        with h5py.File(path, "a") as file:
            file.attrs["origin"] = "mixz: simulated, not observed"


def _truth(objects: pd.DataFrame, tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The true redshift of every row of every table, keyed by the table's file name and its own number."""
    parts = [
        pd.DataFrame(
            {
                "file": name,
                "id": table["ID" if "ID" in table else "object_id"].to_numpy(np.int64),
                "z_true": objects.loc[table.index, "z_true"].to_numpy(),
                "object_id": objects.loc[table.index, "object_id"].to_numpy(np.int64),
            }
        )
        for name, table in tables.items()
    ]
    return pd.concat(parts, ignore_index=True)


def _about(survey: MockSurvey, tables: Mapping[str, pd.DataFrame], spectra: pd.DataFrame) -> dict[str, Any]:
    rows = {name: len(table) for name, table in tables.items()}
    rows |= {f"galaxiesml {split}": int((spectra["split"] == split).sum()) for split in SPLITS}
    return {
        "about": "Simulated survey of mixz, as COSMOS2020, HSC, GalaxiesML and TransferZ have it; nothing is observed.",
        "simulated": True,
        "galaxies": len(survey),
        "seed": survey.seed,
        "systematics": asdict(survey.systematics),
        "rows": rows,
    }
