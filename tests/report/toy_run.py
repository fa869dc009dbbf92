"""A run made of numbers, without any training: points, Gaussians and densities, noisy and exact labels."""

from __future__ import annotations

from typing import Any

import numpy as np

from mixz.densities.estimates import hsc_loss
from mixz.densities.grid import Grid
from mixz.galaxies import GalaxySet
from mixz.metrics import Estimates, Sample, judge, summarize, summarize_estimates
from mixz.photoz import PhotoZ
from mixz.report.figures import draw_figures
from mixz.report.page import report_page
from mixz.report.run import Run, Runs
from mixz.tomography import LabelledSample, PhotometricSample, estimate_nz, sort_into_bins
from mixz.tomography.record import tomography_record
from mixz.truths import KNOWN_TRUTHS, Labels

BANDS = ("g", "r", "i", "z")
Z_GRID = np.expm1(np.linspace(0, np.log(4.0), 80))


def toy_galaxies(galaxies: int, *, name: str = "g", seed: int = 0) -> GalaxySet:
    """Make galaxies whose magnitudes follow their redshift; half have spectra, most many-band labels."""
    rng = np.random.default_rng(seed)
    z = rng.uniform(0.1, 1.8, galaxies)
    mag = 22 + rng.normal(0, 1, galaxies)[:, None] + z[:, None] * np.array([2.0, 1.0, 0.0, -0.3])
    has_spec = np.arange(galaxies) % 2 == 0
    split = np.where(
        np.arange(galaxies) % 3 == 0, "train", np.where(np.arange(galaxies) % 3 == 1, "validation", "test")
    )
    if galaxies == 1:
        has_spec, split = np.array([True]), np.array(["test"])
    return GalaxySet(
        np.array([f"{name}-{k}" for k in range(galaxies)]),
        BANDS,
        mag,
        np.full((galaxies, 4), 0.02),
        z={
            "many_band": np.where(np.arange(galaxies) % 5 == 3, np.nan, z + rng.normal(0, 0.03, galaxies)),
            "spec": np.where(has_spec, z, np.nan),
        },
        split=split,
    )


def toy_photoz(test: GalaxySet, recipe: str, *, seed: int = 1) -> PhotoZ:
    """Estimate redshifts with some scatter: `fused` by densities, `bnn` with errors, others by points."""
    rng = np.random.default_rng(seed)
    z = np.nan_to_num(test.z["spec"], nan=0.8)
    members = z + rng.normal(0, 0.05, (3, len(test)))
    if recipe == "bnn":
        return PhotoZ(test.object_id, members, np.full(members.shape, 0.05))
    if recipe != "fused":
        return PhotoZ(test.object_id, members)
    pdf = np.exp(-(((Z_GRID - members.mean(axis=0)[:, None]) / 0.06) ** 2) / 2)
    pdf /= np.trapezoid(pdf, Z_GRID, axis=1)[:, None]
    points = {name: members.mean(axis=0) for name in ("zmode", "zmean", "zmedian", "zbest")}
    reach = {"68": 0.0497, "90": 0.0822, "95": 0.098}  # of a scatter of 0.05, which is what members have
    middle = z + rng.normal(0, 0.05, len(test))
    return PhotoZ(
        test.object_id,
        members,
        z_grid=Z_GRID,
        pdf=pdf,
        points=points,
        intervals={level: np.column_stack([middle - half, middle + half]) for level, half in reach.items()},
        # The toy knows how far off it is, but for some luck.
        odds=np.exp(-np.abs(members.mean(axis=0) - z) / 0.06),
        risk=np.clip(hsc_loss(z_phot=members.mean(axis=0), z_ref=z) + rng.normal(0, 0.01, len(test)), 0, 1),
        support=np.arange(len(test)) % 3,
    )


def toy_tomography(test: GalaxySet, photoz: dict[str, PhotoZ]) -> list[dict[str, Any]]:
    """n(z) of two bins of every recipe, and why `bnn` has none."""
    found: list[dict[str, Any]] = []
    for recipe, estimate in photoz.items():
        if recipe == "bnn" or len(test) < 2:
            found.append({"recipe": recipe, "why_not": "nobody asked for it"})
            continue
        if estimate.pdf is None:
            sample = PhotometricSample.of_points(estimate, test.mag, Grid(Z_GRID), scatter=0.05)
        else:
            sample = PhotometricSample.of(estimate, test.mag)
        labels = Labels(KNOWN_TRUTHS["spec"], test.z["spec"], test.mag[:, 2])
        rows = np.flatnonzero(test.has("spec"))
        labelled = LabelledSample(sample, {"spec": labels}, np.arange(len(test))).rows(rows)
        bins = sort_into_bins(2, estimate.z_phot)
        made = estimate_nz(sample, bins, Grid(Z_GRID), labelled=labelled, resamples=4)
        found.append(tomography_record(made, recipe=recipe))
    return found


def toy_run(
    recipes: tuple[str, ...] = ("base", "bnn", "fused"), *, galaxies: int = 900, name: str = "toy", **changes: Any
) -> Run:
    """Make a run; `changes` replace what it would have."""
    every = toy_galaxies(galaxies)
    test = every.in_split("test")
    photoz = {recipe: toy_photoz(test, recipe, seed=k) for k, recipe in enumerate(recipes, start=1)}
    records, estimates = [], []
    for recipe, estimate in photoz.items():
        for truth in ("many_band", "spec"):
            rows = np.flatnonzero(test.has(truth))
            if rows.size:
                sample = Sample(truth, "test", test.z[truth][rows], test.mag[rows, 2].astype(float))
                found = judge(sample, Estimates(estimate.z_phot_members[:, rows]))
                records += summarize(recipe, found)
                points = {point: z_phot[rows] for point, z_phot in estimate.points.items()}
                estimates += summarize_estimates(recipe, sample, points, resamples=5)
    settings: dict[str, Any] = {
        "about": {"simulated": True, "config_digest": "c0ffee", "build_digest": "babe", "mixz": "0", "ledger": []},
        "records": records,
        "estimates": estimates,
        "curves": {recipe: {"1: spec": [[0.3, 0.2, 0.15], [0.4, 0.2], [0.35, 0.25, 0.2]]} for recipe in recipes},
        "truths": [truth for truth in ("many_band", "spec") if every.has(truth).any()],
        "tomography": toy_tomography(test, photoz),
        "cards": {recipe: f"# Model card: {recipe}" for recipe in recipes},
    }
    return Run(name=name, galaxies=every, photoz=photoz, ref_band="i", **(settings | changes))


def page_of(runs: list[Run]) -> str:
    """Make the page of some runs."""
    together = Runs(runs)
    return report_page(together, draw_figures(together))
