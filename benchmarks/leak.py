"""Can what a network sees tell which truth a galaxy's label came from?

Two simulated surveys through equal filters, one 1.5 mag deeper than the other: the deep one's galaxies have many-band
labels, the shallow one's spectra.  A classifier (gradient-boosted trees) is given what networks see in training, of
galaxies matched in i magnitude, and its area under the ROC curve on other galaxies is printed: 0.5 is chance.  A
network that can tell truths apart learns each truth's own redshift distribution and errors, and looks good on both
samples without being so on any other galaxy.

    python benchmarks/leak.py [--quick]

needs scikit-learn.
"""

from __future__ import annotations

import sys
from typing import get_args

import numpy as np
import torch
from measure import report
from simulated import magnitudes

from mixz.model.inputs.features import Features, Photometry
from mixz.model.training.augmentation import augmentation
from mixz.settings.network import Network

DEPTH = {"deep": 25.5, "shallow": 24.0}
"""5-sigma limits of the two surveys [mag]."""
BRIGHTER = 23.0
"""Galaxies are brighter than this in every band: both surveys see them, so that only noise tells the surveys apart."""
STEP_MAG = 0.1
"""Galaxies are matched in bins of i magnitude this wide."""


def survey(count: int, limit_mag: float, *, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw galaxies that either survey detects well, and observe them: magnitudes and errors, shape (galaxy, band)."""
    _, mag = magnitudes(count, seed=seed, faint=99.0)
    mag = mag[(mag < BRIGHTER).all(axis=1)]
    rng = np.random.default_rng([seed, 1])
    flux = 10 ** (-0.4 * (mag - limit_mag)) * 5
    noise = rng.lognormal(0, 0.1, (len(mag), 1)) * np.sqrt(1 + np.square(0.01 * flux))
    seen = flux + noise * rng.normal(size=flux.shape)
    good = (seen > noise).all(axis=1)
    seen, noise = seen[good], noise[good]
    return limit_mag - 2.5 * np.log10(seen / 5), 1.0857 * noise / seen


def two_surveys(count: int, *, seed: int = 0) -> tuple[Photometry, torch.Tensor]:
    """Observe as many galaxies in each survey, and say whose they are; matched in i magnitude."""
    parts = [survey(count, limit, seed=seed + number) for number, limit in enumerate(DEPTH.values())]
    rng = np.random.default_rng([seed, 2])
    edges = np.arange(18.0, 24.0, STEP_MAG)
    bins = [np.digitize(mag[:, 2], edges) for mag, _ in parts]
    kept: list[list[np.ndarray]] = [[], []]
    for number in range(1, len(edges)):
        rows = [np.flatnonzero(b == number) for b in bins]
        each = min(map(len, rows))
        for side in (0, 1):
            kept[side].append(rng.permutation(rows[side])[:each])
    chosen = [np.concatenate(side) for side in kept]
    mag, err = (np.concatenate([part[k][rows] for part, rows in zip(parts, chosen, strict=True)]) for k in (0, 1))
    whose = torch.arange(2).repeat_interleave(len(chosen[0]))
    seen = Photometry(*(torch.tensor(a, dtype=torch.float32) for a in (mag, err)), torch.zeros_like(whose))
    return seen, whose


def seen_in_training(network: Network, photometry: Photometry, whose: torch.Tensor, *, seed: int = 0) -> np.ndarray:
    """What networks see of galaxies in an epoch, shape (galaxy, input), but for the column that names the system."""
    if network.systems:
        photometry = photometry._replace(system=whose)
    features = Features.fit(photometry, network, tuple(DEPTH) if network.systems else ("",))
    renew = augmentation(features, photometry, whose, seed)
    return (features(photometry) if renew is None else renew(0))[:, : features.width].numpy()


def auc(inputs: np.ndarray, whose: np.ndarray, *, seed: int = 0) -> float:
    """Train a classifier on half of the galaxies, and give the area under its ROC curve on the others."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.metrics import roc_auc_score

    order = np.random.default_rng(seed).permutation(len(whose))
    train, test = np.array_split(order, 2)
    model = HistGradientBoostingClassifier(max_iter=100, random_state=seed).fit(inputs[train], whose[train])
    return float(roc_auc_score(whose[test], model.predict_proba(inputs[test])[:, 1]))


def leaks(count: int) -> dict[str, float]:
    """Measure how well truths can be told apart with each way of seeing errors, and by magnitude alone."""
    photometry, whose = two_surveys(count)
    told = whose.numpy()
    found: dict[str, float] = {"auc_i_magnitude": auc(photometry.mag[:, 2:3].numpy(), told)}
    for errors in get_args(Network.model_fields["errors"].annotation):
        network = Network(inputs="whitened", errors=errors, systems=errors == "relative")
        found[f"auc_errors_{errors}"] = auc(seen_in_training(network, photometry, whose), told)
    return found


if __name__ == "__main__":
    report(dict(leaks(20_000 if "--quick" in sys.argv else 100_000)))
