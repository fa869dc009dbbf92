"""Which kernel of many-band labels gives honest densities?

    python benchmarks/kernels.py pair_a     observed galaxies: judged by labels and spectra
    python benchmarks/kernels.py mock       simulated ones: judged by their redshifts

`fused` is trained with each kernel: `published` (cosmos2020), `measured` (cosmos2020_measured), `learned` (the
published one corrected per magnitude by galaxies with both labels; pair A has none) and, without spectra of these
galaxies, `by_labels` and `measured_by_labels` (the published and the measured one corrected by the likelihood of
validation labels under the densities of a first pass).  On the mock the labels are drawn anew from the kernel
`--drawn_from` (measured, as spectra of real galaxies have it), the galaxies with both labels are the simulated
spectroscopic survey's, and `test` are the galaxies of another mock survey.

Per magnitude it prints the KS distance of PIT values and by how many points coverage misses 68 and 90 %: on the mock of
densities at true redshifts; on pair A of smeared densities at labels (the kernel under test smears) and of densities
at spectra.  `ln p` is the mean log-likelihood of labels, the figure to choose by where no truth is known; after it
stands by how much it is above that of the first kernel.  `kept` are validation galaxies that neither chose an epoch nor
calibrated nor corrected a kernel, `test` the test galaxies: choose on the first, tell the second.  The last line is one
line of JSON.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from calibration import JUDGED_SEED, misses, prepared
from measure import report
from rich.console import Console

from mixz.data.build import build_galaxies
from mixz.densities.grid import Grid
from mixz.metrics.pdf import pit, pit_ks
from mixz.model.fit import fit
from mixz.model.training.labels import kept_apart
from mixz.settings.file import load_config
from mixz.stages.store.results import Results
from mixz.truths.by_magnitude import MAG_BORDERS, corrected_kernel, fit_densities, fit_pairs
from mixz.truths.known import COSMOS2020, COSMOS2020_MEASURED
from mixz.truths.likelihood import Labels
from mixz.truths.truth import Truth

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mixz.arrays import Floats
    from mixz.galaxies import GalaxySet
    from mixz.model.ensemble import Ensemble
    from mixz.settings.config import Config
    from mixz.truths.by_magnitude import BinCorrection
    from mixz.truths.kernel import Kernel

CONFIG = Path(__file__).parents[1] / "configs" / "pair_a.yaml"
LABEL = "many_band"
PUBLISHED: dict[str, Kernel] = {"published": COSMOS2020, "measured": COSMOS2020_MEASURED}
EDGES = (-np.inf, 21.0, 22.0, 23.0, 24.0, np.inf)
TRUE = "redshift"
"""What galaxies of a mock carry their true redshift as."""
MOST = 8000
"""Galaxies of a truth that judge: honest densities then have a KS distance below 0.015."""
LEAST = 100
"""Bins of fewer galaxies are left out."""


def main() -> None:
    """Train with every kernel, judge, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("survey", choices=("pair_a", "mock"))
    parser.add_argument("--config", type=Path, default=CONFIG, help="of pair A")
    parser.add_argument("--members", type=int, default=3)
    parser.add_argument("--galaxies", type=int, default=20_000, help="of the mock survey; three times as many judge")
    parser.add_argument("--drawn_from", choices=tuple(PUBLISHED), default="measured", help="labels of the mock")
    parser.add_argument("--folder", type=Path, default=Path("out/kernels"))
    parser.add_argument("--only", nargs="*", default=(), help="names of kernels; all if empty")
    given = parser.parse_args()
    if given.survey == "pair_a":
        config = load_config(given.config)
        galaxies, pairs = build_galaxies(config)[0], None
        judged = {"kept": galaxies.rows(kept_apart(galaxies)), "test": galaxies.in_split("test")}
    else:
        kernel = PUBLISHED[given.drawn_from]
        config = prepared("kernels", given.galaxies, 1, given.members, given.folder, Console())
        others = prepared("kernels_judge", 3 * given.galaxies, JUDGED_SEED, given.members, given.folder, Console())
        galaxies = simulated(config, given.folder / "kernels_mock", kernel)
        pairs = spectra_with_labels(galaxies, kernel, config.ref_band)
        judged = {"kept": galaxies.rows(kept_apart(galaxies))}
        judged["test"] = simulated(others, given.folder / "kernels_judge_mock", kernel)
    report(Comparison(config, galaxies, judged, pairs, given.members).run(given.only))


class Comparison:
    """One survey to learn on, the galaxies that judge, and what was found so far."""

    def __init__(
        self,
        config: Config,
        galaxies: GalaxySet,
        judges: dict[str, GalaxySet],
        pairs: tuple[Labels, Floats] | None,
        members: int,
    ) -> None:
        self.config, self.galaxies, self.judges, self.pairs, self.members = config, galaxies, judges, pairs, members
        self.first: dict[str, Floats] = {}

    def run(self, only: Sequence[str]) -> dict[str, float | str | None]:
        """Train with every kernel and judge it; each figure by its name."""
        made: dict[str, Callable[[], Kernel]] = {
            name: lambda kernel=kernel: kernel for name, kernel in PUBLISHED.items()
        }
        if self.pairs is not None:
            made["learned"] = self.learned
        made["by_labels"] = lambda: self.by_labels(COSMOS2020, models["published"])
        made["measured_by_labels"] = lambda: self.by_labels(COSMOS2020_MEASURED, models["measured"])
        models: dict[str, Ensemble] = {}
        figures: dict[str, float | str | None] = {}
        print("columns: galaxies, KS of PIT, misses of coverage at 68 and 90 % in points, ln p of labels", flush=True)
        for name, make in made.items():
            if not only or name in only:
                kernel = make()
                models[name] = self.trained(kernel)
                figures |= self.judged(name, models[name], kernel)
        return figures

    def trained(self, kernel: Kernel) -> Ensemble:
        """`fused`, believing labels by this kernel."""
        truths = self.config.known_truths().with_kernels({LABEL: kernel})
        recipe, ref_band = self.config.recipe("fused"), self.config.ref_band
        return fit(self.galaxies, recipe, members=self.members, seed=0, ref_band=ref_band, truths=truths)

    def learned(self) -> Kernel:
        """The published kernel, corrected by galaxies with both labels."""
        assert self.pairs is not None
        labels, z = self.pairs
        return told(COSMOS2020, fit_pairs(labels, z=z))

    def by_labels(self, prior: Kernel, model: Ensemble) -> Kernel:
        """A kernel corrected by the likelihood of validation labels under a model's densities."""
        held_out = self.galaxies.rows((self.galaxies.split == "validation") & ~kept_apart(self.galaxies))
        chosen = having(held_out, LABEL)
        mass, grid = masses(model, chosen)
        return told(prior, fit_densities(self.labels(chosen, prior), mass, grid))

    def labels(self, galaxies: GalaxySet, kernel: Kernel) -> Labels:
        """The many-band labels of some galaxies, as wrong as a kernel says."""
        return Labels.of(galaxies, Truth(LABEL, kernel), ref_band=self.config.ref_band)

    def judged(self, name: str, model: Ensemble, kernel: Kernel) -> dict[str, float | str | None]:
        """Print how honest densities are per magnitude; give the figures of all magnitudes."""
        figures: dict[str, float | str | None] = {}
        for side, galaxies in self.judges.items():
            for truth in (LABEL, "spec"):
                chosen = having(galaxies, truth)
                mass, grid = masses(model, chosen)
                ln_p, z_ref = np.full(len(chosen), np.nan), chosen.z[truth]
                if truth == LABEL:
                    labels = self.labels(chosen, kernel)
                    ln_p = np.log((labels.likelihood(grid) * mass).sum(axis=1))
                    if TRUE in chosen.carried:
                        z_ref = chosen.carried[TRUE]
                    else:
                        mass = labels.smeared(mass, grid)
                more = ln_p - self.first.setdefault(f"{side} {truth}", ln_p)
                u = pit(grid.density(mass), z_grid=grid.z, z_ref=z_ref)
                mag_ref = chosen.mag[:, chosen.bands.index(self.config.ref_band)]
                for low, high in [(-np.inf, np.inf), *pairwise(EDGES)]:
                    some = (mag_ref >= low) & (mag_ref < high) & np.isfinite(u)
                    if some.sum() < LEAST:
                        continue
                    values = [pit_ks(u[some]), *list(misses(u[some]).values())[:2], float(ln_p[some].mean())]
                    values += [float(more[some].mean()), float(more[some].std() / some.sum() ** 0.5)]
                    words = "{:.3f} {:+5.1f} {:+5.1f} {:7.3f} {:+.4f} ± {:.4f}".format(*values)
                    print(f"{name:19s} {side} {truth:9s} {low:5g} {high:5g} {some.sum():6,d} {words}", flush=True)
                    if low == -np.inf and high == np.inf:
                        named = zip(("ks", "miss_68", "miss_90", "ln_p", "more", "error"), values, strict=True)
                        figures |= {f"{name}_{side}_{truth}_{f}": v for f, v in named if np.isfinite(v)}
        return figures


def having(galaxies: GalaxySet, truth: str) -> GalaxySet:
    """The galaxies that are believed for a label of a truth; a sample of very many."""
    its = galaxies.has(truth) if truth == "spec" else galaxies.has(truth) & ~galaxies.has("spec")
    rows = np.random.default_rng(0).permutation(np.flatnonzero(its))[:MOST]
    return galaxies.rows(np.sort(rows))


def masses(model: Ensemble, galaxies: GalaxySet) -> tuple[Floats, Grid]:
    """The masses of densities that a model gives, and their grid."""
    photoz = model.predict(galaxies)
    assert photoz.pdf is not None
    assert photoz.z_grid is not None
    grid = Grid(photoz.z_grid)
    return grid.mass(photoz.pdf), grid


def told(prior: Kernel, found: Sequence[BinCorrection]) -> Kernel:
    """The kernel of some corrections, once these are printed."""
    for low, correction in zip((-np.inf, *MAG_BORDERS), found, strict=True):
        print(f"  from {low:g}: {correction.as_record()}", flush=True)
    return corrected_kernel(prior, [correction.as_record() for correction in found], MAG_BORDERS)


def simulated(config: Config, survey: Path, kernel: Kernel) -> GalaxySet:
    """The galaxies of a mock with labels drawn from a kernel; they carry their true redshifts."""
    galaxies = Results(config).read_galaxies()
    known = pd.read_parquet(survey / "mock_truth.parquet").drop_duplicates("object_id").set_index("object_id")
    number = pd.Series(galaxies.object_id).str.extract(r"(\d+)$")[0].astype(np.int64)
    z_true = known["z_true"].reindex(number).to_numpy()
    labels = Labels.of(galaxies, Truth(LABEL, kernel), ref_band=config.ref_band).draw(z_true, seed=7).z
    z = {**galaxies.z, LABEL: np.where(galaxies.has(LABEL), labels, np.nan)}
    return replace(galaxies, z=z, carried={**galaxies.carried, TRUE: z_true})


def spectra_with_labels(galaxies: GalaxySet, kernel: Kernel, ref_band: str) -> tuple[Labels, Floats]:
    """Training galaxies with spectra, and labels drawn for them: a spectroscopic compilation of the labelled field."""
    chosen = galaxies.rows(galaxies.has("spec") & (galaxies.split == "train"))
    mag_ref = chosen.mag[:, chosen.bands.index(ref_band)]
    drawn = Labels(Truth(LABEL, kernel), chosen.z["spec"], mag_ref).draw(chosen.z["spec"], seed=8)
    return replace(drawn, truth=Truth(LABEL, COSMOS2020)), chosen.z["spec"]


if __name__ == "__main__":
    main()
