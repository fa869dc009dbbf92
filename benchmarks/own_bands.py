"""What bands that one survey alone has give, and what they cost galaxies without them: `fused` with and without them.

    python benchmarks/own_bands.py [CONFIG] [--members 3] [--seed 0] [--quick]

CONFIG is configs/pair_a_own_bands.yaml if not given; --quick trains 3 epochs on a third of the galaxies.  Two models
are trained on the same rows: one that sees own bands, one that does not (`own_bands: []`).  On the test galaxies of
each truth the first is asked with own bands, and as if they were missing.  Printed are the ensembles' metrics and their
ratios to the second model's: "asked without" should be near 1, which is no loss for galaxies that lack the bands.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from measure import report

from mixz.data.build import build_galaxies
from mixz.metrics.point import hsc_loss, outlier_fraction, sigma_mad
from mixz.model.fit import fit
from mixz.settings.file import load_config

if TYPE_CHECKING:
    from mixz.galaxies import GalaxySet
    from mixz.photoz import PhotoZ

CONFIG = Path(__file__).parents[1] / "configs" / "pair_a_own_bands.yaml"
METRICS = {"sigma_mad": sigma_mad, "outliers": outlier_fraction, "hsc_loss": hsc_loss}


def main() -> None:
    """Train both, ask, judge and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("config", nargs="?", type=Path, default=CONFIG)
    parser.add_argument("--members", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quick", action="store_true", help="3 epochs on a third of the galaxies")
    given = parser.parse_args()
    config = load_config(given.config)
    galaxies, _ = build_galaxies(config)
    recipe = config.recipe("fused")
    if given.quick:
        galaxies, recipe = galaxies.rows(np.arange(0, len(galaxies), 3)), recipe.changed(training={"epochs": 3})
    models = {
        name: fit(galaxies, one, members=given.members, seed=given.seed, ref_band=config.ref_band)
        for name, one in (("own", recipe), ("shared", recipe.changed(network={"own_bands": ()})))
    }
    test = galaxies.in_split("test")
    own = models["own"].own_bands
    asked = {
        "with": models["own"].predict(test),
        "without": models["own"].predict(test.without(own)),
        "trained without": models["shared"].predict(test),
    }
    figures: dict[str, float | str | None] = {"own_bands": ", ".join(own), "digest": config.digest()}
    for truth in test.truths:
        figures |= ratios(truth, test, asked)
    report(figures)


def ratios(truth: str, test: GalaxySet, asked: dict[str, PhotoZ]) -> dict[str, float | str | None]:
    """Metrics of each way to ask on one truth's galaxies, and their ratio to those of the model without own bands."""
    rows = test.has(truth)
    z_ref = test.z[truth][rows]
    found: dict[str, float | str | None] = {}
    for name, metric in METRICS.items():
        values = {how: metric(z_phot=photoz.z_phot[rows], z_ref=z_ref) for how, photoz in asked.items()}
        for how, value in values.items():
            found[f"{truth} {name}, {how}"] = value
            if how != "trained without":
                found[f"{truth} {name}, {how}, ratio"] = value / values["trained without"]
    return found


if __name__ == "__main__":
    main()
