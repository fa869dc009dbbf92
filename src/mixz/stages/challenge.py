"""`mixz challenge`: the DESC photo-z challenge, task sets 1 to 4: train, estimate, score, and a mock of set 3.

The functions `run_taskset_N_estimation_only` and `run_taskset_N_training_and_estimation` have the names, arguments and
files that the challenge asks for; a submission imports them from here.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from rich.console import Console

from mixz import metrics
from mixz.atomic import require_place
from mixz.bridges.qp_files import qp_name, read_qp
from mixz.bridges.qp_writers import write_qp
from mixz.bridges.rail_mock import simulated_task_set_3
from mixz.bridges.rail_tables import RailColumns, other_spelling
from mixz.data.meaning.names import identities
from mixz.data.meaning.numbers import numbers, require_columns
from mixz.data.tables import read_table, write_table
from mixz.densities.estimates import zbest
from mixz.errors import MixzError
from mixz.metrics.challenge import challenge_points, challenge_statistics
from mixz.progress import progress_bar
from mixz.stages.inform import EPOCHS, MEMBERS, inform
from mixz.stages.train import watch_epochs
from mixz.surveys.desc_challenge import MANY_BAND, SPEC, TIERS, magnitude_columns

if TYPE_CHECKING:
    from mixz.arrays import Floats
    from mixz.galaxies import GalaxySet
    from mixz.photoz import PhotoZ

Score = dict[str, float | int]
MOCK_NAME = "pz_challenge_taskset_3_mock_{label}_10yr.hdf5"
LABELS = {"spec": SPEC, "many_band": MANY_BAND}


def train(
    table: str | Path,
    output: str | Path,
    *,
    members: int = MEMBERS,
    epochs: int = EPOCHS,
    seed: int = 0,
    console: Console | None = None,
) -> Path:
    """Train the recipe `fused` on a challenge's training table, and write the model as one file.

    Parameters
    ----------
    table
        A training table of any task set: sets 3 and 4 have many-band redshifts too.
    output
        The model file; the challenge's name for it ends in ``.pkl``, but it holds data and no code.
    members, epochs, seed
        Random starts, passes over the data, seed of all random numbers.
    console
        Where to tell of progress.

    Raises
    ------
    MixzError
        The table lacks magnitudes or redshifts, or the model cannot be written.
    """
    from mixz.model.folder import save_model_file

    require_place(output)
    galaxies, columns = _read(table, LABELS)
    maps = columns.column_maps()
    with progress_bar("train fused", console or Console(quiet=True)) as bar:
        model = inform(
            galaxies,
            recipe="fused",
            members=members,
            epochs=epochs,
            seed=seed,
            columns=maps,
            watch=watch_epochs(bar),
        )
    save_model_file(model, output)
    return Path(output)


def estimate(model_file: str | Path, test_file: str | Path, output_file: str | Path) -> None:
    """Estimate redshifts for a challenge's test table: a qp file with object_id and zmode.

    Raises
    ------
    MixzError
        The model or the table is missing or damaged, the table lacks the model's magnitudes, or the output
        cannot be written.
    """
    from mixz.model.folder import load_model

    require_place(qp_name(output_file))
    model = load_model(model_file)
    galaxies, _ = _read(test_file, {})
    write_qp(model.predict(galaxies), output_file)


def score(estimates: str | Path, truth: str | Path) -> Score:
    """Score a qp file of anyone's against true redshifts: by the challenge's tiers, and by our metrics.

    Parameters
    ----------
    estimates
        A qp file with object_id and zmode in its ancil table.
    truth
        A table with object_id and redshift of the same galaxies, in any order.

    Returns
    -------
    dict
        The challenge's statistics by its names, ``points_<statistic>``, ``points`` and ``points_max``; our metrics of
        its zmode; of the least expected HSC loss as ``<metric>_zbest``; and ``cde_loss``, ``pit_ks``, ``n``.

    Raises
    ------
    MixzError
        A file is missing, they are of different galaxies, or some of these have no redshift.
    """
    photoz = read_qp(estimates)
    if "zmode" not in photoz.points:
        raise MixzError(f"{estimates} has no zmode", "zmode in its ancil table", "write it there")
    frame = read_table(truth)
    require_columns(["object_id", SPEC], list(frame.columns), where=str(truth))
    z_true = numbers(frame, SPEC, where=str(truth))
    _require_redshifts(z_true, SPEC, where=str(truth))
    _require_redshifts(photoz.points["zmode"], "zmode", where=str(estimates))
    return scored(photoz, _in_order(photoz, frame["object_id"], z_true, where=str(estimates)))


def scored(photoz: PhotoZ, z_ref: Floats) -> Score:
    """Score photo-z with densities against true redshifts in the same order, as `score` does."""
    assert photoz.pdf is not None
    assert photoz.z_grid is not None
    pdf = np.asarray(photoz.pdf, float)
    pit = metrics.pit(pdf, z_grid=photoz.z_grid, z_ref=z_ref)
    zmode, zbest = photoz.points["zmode"], _zbest(photoz)
    statistics = challenge_statistics(z_phot=zmode, z_ref=z_ref, pit=pit)
    points = challenge_points(statistics, TIERS)
    found: Score = dict(statistics)
    found |= {f"points_{name}": number for name, number in points.items()}
    found |= {"points": sum(points.values()), "points_max": sum(map(len, TIERS.values())), "n": len(photoz)}
    for name, metric in metrics.point_metrics().items():
        found[name] = metric(z_phot=zmode, z_ref=z_ref)
        found[f"{name}_zbest"] = metric(z_phot=zbest, z_ref=z_ref)
    found["cde_loss"] = float(np.mean(metrics.cde_loss(pdf, z_grid=photoz.z_grid, z_ref=z_ref)))
    found["pit_ks"] = metrics.pit_ks(pit)
    return found


def mock(folder: str | Path, *, seed: int = 1) -> list[Path]:
    """Write a simulated task set 3: training table, test table, and the test galaxies' true redshifts.

    Raises
    ------
    MixzError
        RAIL is not installed, or the folder cannot be written to.
    """
    training, test = simulated_task_set_3(seed=seed)
    tables = {"training": training, "test": test.drop(columns=SPEC), "truth": test[["object_id", SPEC]]}
    paths = []
    for label, table in tables.items():
        paths.append(Path(folder) / MOCK_NAME.format(label=label))
        write_table(table, paths[-1])
    return paths


def train_and_estimate(train_file: str | Path, test_file: str | Path, output_file: str | Path) -> None:
    """Train on a challenge's training table and estimate redshifts for its test table."""
    with TemporaryDirectory() as home:
        model = train(train_file, Path(home) / "model.mixz", members=MEMBERS, epochs=EPOCHS)
        estimate(model, test_file, output_file)


# The task sets differ in their tables, which say themselves what labels they have; what is done is the same.
run_taskset_1_estimation_only = run_taskset_2_estimation_only = estimate
run_taskset_3_estimation_only = run_taskset_4_estimation_only = estimate
run_taskset_1_training_and_estimation = run_taskset_2_training_and_estimation = train_and_estimate
run_taskset_3_training_and_estimation = run_taskset_4_training_and_estimation = train_and_estimate


def _read(path: str | Path, labels: dict[str, str]) -> tuple[GalaxySet, RailColumns]:
    """Read a challenge's table, and say where in it what stands."""
    frame = read_table(path)
    mag = magnitude_columns(list(frame.columns))
    if not mag:
        require_columns(["mag_i_lsst"], list(frame.columns), where=str(path))
    columns = RailColumns(mag=mag, mag_err=tuple(other_spelling("", name) for name in mag), labels=labels)
    return columns.galaxies(frame, where=str(path)), columns


def _in_order(photoz: PhotoZ, object_id: pd.Series[Any], z: Floats, *, where: str) -> Floats:
    """True redshifts in the order of the estimates."""
    asked, known = (identities(names).astype(str) for names in (pd.Series(photoz.object_id), object_id))
    order = np.argsort(known, kind="stable")
    place = np.searchsorted(known[order], asked).clip(max=len(order) - 1)
    if len(photoz) != len(known) or not np.array_equal(known[order][place], asked):
        raise MixzError(f"{where} is of other galaxies", f"the {len(known):,} galaxies with truth", "predict again")
    return np.asarray(z[order][place])


def _require_redshifts(z: Floats, column: str, *, where: str) -> None:
    """Refuse galaxies without a redshift: points of the challenge would be of nothing."""
    none = ~(z >= 0)
    if none.any():
        raise MixzError(
            f"{where}: {none.sum():,} of {len(z):,} galaxies have no {column}, e.g. in row {int(none.argmax()) + 1}",
            "a redshift of 0 or more for every galaxy",
            "complete the file",
        )


def _zbest(photoz: PhotoZ) -> Floats:
    """The estimate of the least expected HSC loss, of anyone's densities."""
    if "zbest" in photoz.points:
        return photoz.points["zbest"]
    grid = photoz.grid
    assert grid is not None
    mass = grid.mass(np.asarray(photoz.pdf, float))
    return np.asarray(zbest(mass / mass.sum(axis=1, keepdims=True), grid))
