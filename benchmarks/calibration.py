"""Are the densities of `fused` honest, before and after calibration?  Judged against the truth of a simulation.

    python benchmarks/calibration.py            30,000 mock galaxies to train on, 150,000 others to judge by
    python benchmarks/calibration.py --quick    a tenth of both

It simulates two surveys (`mixz mock`), trains `fused` as configs/transferz.yaml would on the first, and judges it on
the second, which no training has seen.  Both are kept in `--folder`, and used again where they lie.  For each truth
and each bin of i magnitude it prints the KS distance of the PIT values, and by how many points coverage misses 68, 90
and 95 %, of the densities as trained, as calibrated, and of the conformal intervals; galaxies with spectra are judged
by these, others by their simulated redshift.  The last line is one line of JSON.
"""

from __future__ import annotations

import argparse
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import yaml
from measure import report
from rich.console import Console

from mixz.metrics.bins import PDF_BINS
from mixz.metrics.pdf import coverage, pit, pit_ks
from mixz.settings.file import load_config
from mixz.stages.build import build
from mixz.stages.mock import mock
from mixz.stages.store.results import Results
from mixz.stages.train import train

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mixz.arrays import Floats
    from mixz.galaxies import GalaxySet
    from mixz.model.ensemble import Ensemble
    from mixz.photoz import PhotoZ
    from mixz.settings.config import Config

CONFIG = Path(__file__).parents[1] / "configs" / "transferz.yaml"
TRAINED_ON, JUDGED_BY = 30_000, 150_000
JUDGED_SEED = 12
MOST = 20_000
"""Galaxies of a truth that are judged: enough that honest densities have a KS distance below 0.01."""
LEAST = 200
"""Bins of fewer galaxies are left out."""
LEVELS = ("68", "90", "95")


def main() -> None:
    """Simulate, train, judge and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the galaxies")
    parser.add_argument("--members", type=int, default=4)
    parser.add_argument("--folder", type=Path, default=Path("out/calibration"))
    given = parser.parse_args()
    scale, console = 10 if given.quick else 1, Console()
    trained_on = prepared("trained_on", TRAINED_ON // scale, 1, given.members, given.folder, console)
    judged_by = prepared("judged_by", JUDGED_BY // scale, JUDGED_SEED, given.members, given.folder, console)
    if not Results(trained_on).model_path("fused").exists():
        train(trained_on, console)
    model = Results(trained_on).read_model("fused")
    print(f"SIMULATED; config digest {trained_on.digest()}, held out {model.held_out}")
    report(judged(model, Results(judged_by).read_galaxies(), given.folder / "judged_by_mock"))


def prepared(name: str, galaxies: int, seed: int, members: int, folder: Path, console: Console) -> Config:
    """Simulate a survey and build its galaxies, where they do not lie there yet; give its config."""
    survey = folder / f"{name}_mock"
    if not survey.exists():
        mock(galaxies, survey, console, seed=seed)
    tree = yaml.safe_load(CONFIG.read_text())
    for table in tree["tables"]:
        for part in (table, *table.get("match", ())):
            part["path"] = os.path.relpath(survey, folder)
    tree |= {"name": name, "recipes": ["fused"], "members": members, "out": str(folder)}
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(tree))
    config = load_config(path)
    if not Results(config).galaxies_path.exists():
        build(config)
    return config


def judged(model: Ensemble, galaxies: GalaxySet, survey: Path) -> dict[str, float | str | None]:
    """Print the table of honesty, and give the figures of each truth as a whole."""
    known = pd.read_parquet(survey / "mock_truth.parquet").drop_duplicates("object_id").set_index("object_id")
    number = pd.Series(galaxies.object_id).str.extract(r"(\d+)$")[0].astype(np.int64)
    z_true = known["z_true"].reindex(number).to_numpy()
    spec = galaxies.has("spec")
    figures: dict[str, float | str | None] = {}
    print("misses of coverage at 68, 90, 95 % in points: as trained | calibrated | conformal intervals")
    for truth, its, z in (("spec", spec, galaxies.z["spec"]), ("many_band", ~spec, z_true)):
        rows = np.random.default_rng(0).permutation(np.flatnonzero(its & np.isfinite(z)))[:MOST]
        chosen, z_ref = galaxies.rows(rows), z[rows]
        after = model.predict(chosen)
        u_before = pits(replace(model, calibration=None, conformal=None).predict(chosen), z_ref)
        u_after, inside = pits(after, z_ref), {level: within(after, level, z_ref) for level in LEVELS}
        mag_ref = chosen.mag[:, chosen.bands.index(model.ref_band)].astype(float)
        everywhere = np.ones(len(rows), bool)
        places = {"all": everywhere} | {
            b.name: b.holds(mag_ref=mag_ref, z_ref=z_ref, z_phot=after.z_phot) for b in PDF_BINS if b.by == "i"
        }
        for name, some in places.items():
            if some.sum() < LEAST:
                continue
            columns = [misses(u_before[some]), misses(u_after[some])]
            columns.append({level: 100 * float(np.mean(inside[level][some])) - int(level) for level in LEVELS})
            ks = pit_ks(u_before[some]), pit_ks(u_after[some])
            said = " | ".join(" ".join(f"{miss:+5.1f}" for miss in column.values()) for column in columns)
            print(f"{truth:10s} {name:8s} {some.sum():6,d} galaxies  KS {ks[0]:.4f} -> {ks[1]:.4f}  {said}")
            if name == "all":
                figures |= {f"{truth}_ks_before": ks[0], f"{truth}_ks_after": ks[1]}
                for when, column in zip(("before", "after", "conformal"), columns, strict=True):
                    figures |= {f"{truth}_coverage_{level}_{when}": miss for level, miss in column.items()}
        assert after.support is not None
        figures |= {f"{truth}_support_{flag}": float(np.mean(after.support == flag)) for flag in (2, 1, 0)}
    return figures


def pits(photoz: PhotoZ, z_ref: Floats) -> Floats:
    """The PIT of every galaxy."""
    assert photoz.pdf is not None
    assert photoz.z_grid is not None
    return pit(photoz.pdf, z_grid=photoz.z_grid, z_ref=z_ref)


def within(photoz: PhotoZ, level: str, z_ref: Floats) -> NDArray[np.bool_]:
    """Which galaxies lie inside their interval."""
    ends = photoz.intervals[level]
    return np.asarray((z_ref >= ends[:, 0]) & (z_ref <= ends[:, 1]))


def misses(u: Floats) -> dict[str, float]:
    """The points by which central intervals cover more than they say."""
    return {level: 100 * coverage(u, level=int(level) / 100) - int(level) for level in LEVELS}


if __name__ == "__main__":
    main()
