"""A model asked about galaxies of a survey that it never saw: what colour terms, `support` and `risk` bring.

    python benchmarks/outside.py FOLDER [--members 3] [--out out/outside]

FOLDER holds the observed galaxies by their file names: des_deep_cosmos2015_photz.parquet and
egs_megacam_subaruY_specz.parquet, from which `fused` of configs/pair_a.yaml learns, and
delve_dr2_decam_griz_specz.parquet: 2,000 galaxies with spectra, DECam's griz measured in another way (AUTO), and the
redshifts that a mixture density network gave them (arXiv:2408.15243).  The model is asked with those magnitudes as
they are (as if they were MegaCam's, its common system), through the adapter that it learned for DECam, and as a model
whose adapter began at colour terms.  Metrics are the ensemble's, on all galaxies, per level of support and by risk; the
published redshifts' on the same rows stand beside them.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import yaml
from rich.console import Console

import mixz
from mixz.data.tables import read_table
from mixz.metrics import METRICS, Estimates, Sample, judge, summarize
from mixz.settings.file import load_config
from mixz.stages.build import build
from mixz.stages.train import train

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from mixz.arrays import Mask
    from mixz.metrics.summary import Record
    from mixz.photoz import PhotoZ
    from mixz.settings.config import Config

CONFIG = Path(__file__).parents[1] / "configs" / "pair_a.yaml"
DELVE = "delve_dr2_decam_griz_specz.parquet"
PUBLISHED = "MDN (published)"
SHOWN = ("bias", "sigma_mad", "rms", "outlier_fraction", "catastrophic_fraction", "hsc_loss")
RESAMPLES = 200

# DECam into MegaCam, which is the common system here since most training galaxies are of it.  Printed by
# python -m mixz.mock.colour_terms {g,r,i,z}=decam2014-{g,r,i,z} -- {g,r,i,z}=cfht_megacam-{g,r,i,z}
TERMS = {
    "g": {"colour": ["g", "r"], "slope": 0.0497, "offset": -0.0019},
    "r": {"colour": ["r", "i"], "slope": 0.0316, "offset": 0.0038},
    "i": {"colour": ["i", "z"], "slope": 0.0807, "offset": 0.0147},
    "z": {"colour": ["i", "z"], "slope": 0.1344, "offset": -0.0069},
}


def main() -> None:
    """Train both models, ask them, and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="the folder of observed galaxies")
    parser.add_argument("--members", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("out/outside"))
    given = parser.parse_args()
    config = make_config(given.folder.resolve(), given.out, given.members)
    console = Console(stderr=True)
    build(config)
    train(config, console)
    frame = read_table(given.folder / DELVE)
    print(f"{len(frame):,} galaxies of {DELVE}, {given.members} members, config digest {config.digest()}\n")
    print("\n".join(table(frame, dict(answers(frame, config)))))


def make_config(folder: Path, out: Path, members: int) -> Config:
    """Write the shipped config of the pair with `fused` alone, and beside it the same with colour terms."""
    tree = yaml.safe_load(CONFIG.read_text())
    network = mixz.RECIPES["fused"].network.model_dump(mode="json", exclude_unset=True)
    steps = tree["recipes"]["fused"]
    terms = {"steps": steps, "network": network | {"colour_terms": {"des": TERMS}}}
    for one in tree["tables"]:
        one["path"] = str(folder / Path(one["path"]).name)
    tree |= {"name": "models", "out": str(out.resolve()), "members": members}
    tree["recipes"] = {"fused": steps, "fused_terms": terms}
    out.mkdir(parents=True, exist_ok=True)
    path = out / "outside.yaml"
    path.write_text(yaml.safe_dump(tree, sort_keys=False))
    return load_config(path)


def answers(frame: pd.DataFrame, config: Config) -> Iterator[tuple[str, PhotoZ]]:
    """What each model says of the galaxies, by what it is asked as."""
    for name, recipe, system in (
        ("fused, no adapter", "fused", "megacam"),
        ("fused, adapter", "fused", "des"),
        ("fused, adapter from colour terms", "fused_terms", "des"),
    ):
        galaxies = mixz.galaxy_set(frame, bands=config.bands, system=system)
        yield name, mixz.open_model(config.folder / "models" / recipe).predict(galaxies)


def table(frame: pd.DataFrame, found: dict[str, PhotoZ]) -> Iterator[str]:
    """Lay out in Markdown: all galaxies, then each level of support, then each third by risk, of each answer."""
    yield f"| galaxies | redshifts | how many | {' | '.join(METRICS[name].title for name in SHOWN)} | 68 % holds |"
    yield "|---|---|---:|" + "---:|" * (len(SHOWN) + 1)
    published = Estimates(frame["z_phot_mdn"].to_numpy(float)[None])
    everywhere = np.ones(len(frame), dtype=bool)
    for name, photoz in found.items():
        yield row("all", name, frame, estimates(photoz), everywhere, photoz)
    yield row("all", PUBLISHED, frame, published, everywhere)
    for name, photoz in found.items():
        for level in (2, 1, 0):
            rows = np.asarray(photoz.support) == level
            rows &= np.isfinite(photoz.z_phot)
            if rows.any():
                yield row(f"support {level}", name, frame, estimates(photoz), rows, photoz)
                yield row("the same", PUBLISHED, frame, published, rows)
    for name, photoz in found.items():
        order = np.argsort(np.asarray(photoz.risk), kind="stable")
        for part, places in zip(("least", "middle", "greatest"), np.array_split(order, 3), strict=True):
            rows = np.isin(np.arange(len(frame)), places)
            risk = float(np.asarray(photoz.risk)[rows].mean())
            yield row(f"third of {part} risk, {risk:.3f}", name, frame, estimates(photoz), rows, photoz)


def estimates(photoz: PhotoZ) -> Estimates:
    """The estimates that are judged: zcore, and zrms where the squared error counts."""
    return Estimates(photoz.z_phot_members, photoz.z_phot, photoz.z_rms_members, photoz.points["zrms"])


def row(
    galaxies: str, name: str, frame: pd.DataFrame, judged: Estimates, rows: Mask, photoz: PhotoZ | None = None
) -> str:
    """One line: the ensemble's metrics with bootstrap errors, and how many spectra its 68 % intervals hold."""
    z, mag = (frame[column].to_numpy(float)[rows] for column in ("z_spec", "mag_i"))
    sample = Sample("spec", "test", z_ref=z, mag_ref=mag)
    records: dict[str, Record] = {
        r["metric"]: r
        for r in summarize(name, judge(sample, judged.rows(np.flatnonzero(rows)), resamples=RESAMPLES))
        if r["z_range"] == "all"
    }
    cells = [f"{records[m]['ensemble']:.4f} ± {records[m]['bootstrap']:.4f}" for m in SHOWN]
    return f"| {galaxies} | {name} | {len(z):,} | {' | '.join(cells)} | {held(photoz, z, rows)} |"


def held(photoz: PhotoZ | None, z: Any, rows: Mask) -> str:
    """The share of spectra inside the 68 % intervals."""
    if photoz is None or "68" not in photoz.intervals:
        return ""
    low, high = photoz.intervals["68"][rows].T
    return f"{np.mean((low <= z) & (z <= high)):.3f}"


if __name__ == "__main__":
    main()
