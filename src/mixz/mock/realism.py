"""How real the mock looks: its distributions, labels and photo-z quality beside the real survey's.

Run it as ``python -m mixz.mock.realism``.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial import cKDTree

from mixz.mock import hsc
from mixz.mock.selection import PERCENTILES, Z_EDGES, real_spectra
from mixz.mock.survey import MockSurvey, simulate
from mixz.truths.known import KNOWN_TRUTHS

if TYPE_CHECKING:
    import pandas as pd

    from mixz.mock.templates import Array

# HSC's published photo-z quality (Tanaka+18, PASJ 70 S9, arXiv:1704.05988, abstract), at 0.2 < z_phot < 1.5:
# i limit -> (sigma of dz, share of |dz| > 0.15).
PUBLISHED_PHOTO_Z = {25.0: (0.05, 0.15), 24.0: (0.04, 0.08)}
PUBLISHED_Z_RANGE = (0.2, 1.5)

MAG_EDGES = (19.0, 22.0, 23.0, 24.0, 25.0)
NEIGHBOURS = 25
SEED, GALAXIES = 1, 60_000


@dataclass(frozen=True)
class Row:
    """One comparison: what, the mock's numbers, and the numbers they should look like."""

    what: str
    mock: tuple[float, ...]
    real: tuple[float, ...]
    beside: str = "real"
    """What `real` holds: observed galaxies, a published number, or the kernel that the labels were drawn from."""

    def __str__(self) -> str:
        """Print both on two lines, one above the other."""
        pair = (("mock", self.mock), (self.beside, self.real))
        lines = [f"{name:<10}" + "  ".join(f"{x:7.3f}" for x in values) for name, values in pair]
        return f"{self.what}\n  " + "\n  ".join(lines)


def compare(survey: MockSurvey) -> list[Row]:
    """Measure a mock survey beside the real ones.

    Parameters
    ----------
    survey
        What `simulate` gave.

    Returns
    -------
    list of Row
        Percentiles of the spectroscopic sample in i, g - z and z and its n(z), against 429,235 HSC galaxies with
        spectra; scatter and outliers of the many-band labels per i magnitude, against their kernel; quality of a
        plain five-band photo-z, against HSC's.
    """
    return [*spectroscopic_sample(survey), *labels(survey), *photo_z(survey)]


def spectroscopic_sample(survey: MockSurvey) -> list[Row]:
    """Compare the wide fields' spectra with the real ones: percentiles 1 5 16 25 50 75 84 95 99, and n(z)."""
    spectra = survey.galaxies[survey.galaxies["z_many_band"].isna()]
    real = real_spectra()
    mag = {b: spectra[f"mag_{b}"].to_numpy() for b in hsc.BANDS}
    z = spectra["z_spec"].to_numpy()
    rows = [
        Row(f"spectra, percentiles of {name}", _numbers(np.nanpercentile(x, PERCENTILES)), _numbers(p))
        for name, x, p in zip(("i", "g - z", "z"), (mag["i"], mag["g"] - mag["z"], z), real.percentiles, strict=True)
    ]
    # Cells of the real table are narrow in z, so that their edges can serve for both.
    edges, counts = np.array([0, 0.2, 0.4, 0.6, 0.8, 1.0, 1.5, 2.0, 4.2]), real.counts.sum(axis=(0, 1))
    return [*rows, Row("spectra, share per z bin 0 .2 .4 .6 .8 1 1.5 2 4", _shares(z, edges), _rebinned(counts, edges))]


def labels(survey: MockSurvey) -> list[Row]:
    """Compare many-band labels with their kernel, per i magnitude: NMAD of dz, RMS of dz, share of |dz| > 0.15."""
    cosmos, rows = survey.cosmos, []
    for low, high in pairwise(MAG_EDGES):
        bin_ = cosmos[(cosmos["true_mag_i"] >= low) & (cosmos["true_mag_i"] < high)]
        z = bin_["z_true"].to_numpy()
        drawn = KNOWN_TRUTHS["many_band"].kernel.draw(z, mag_ref=bin_["true_mag_i"].to_numpy(), seed=survey.seed)
        what = f"labels, {low:g} < i < {high:g}: NMAD, RMS, outliers"
        rows.append(Row(what, _quality(bin_["z_many_band"].to_numpy(), z=z), _quality(drawn, z=z), "kernel"))
    return rows


def photo_z(survey: MockSurvey) -> list[Row]:
    """Compare a nearest-neighbour photo-z, trained on half of the COSMOS field's true redshifts, with HSC's."""
    cosmos = survey.cosmos
    cosmos = cosmos[cosmos["mag_i"] < max(PUBLISHED_PHOTO_Z) + 0.2]
    train, test = cosmos[::2], cosmos[1::2]
    z_phot = neighbours_photo_z(train, test, z=train["z_true"].to_numpy())
    rows, (low, high) = [], PUBLISHED_Z_RANGE
    for limit, published in PUBLISHED_PHOTO_Z.items():
        chosen = (test["mag_i"] < limit).to_numpy() & (z_phot > low) & (z_phot < high)
        nmad, _, outliers = _quality(z_phot[chosen], z=test["z_true"].to_numpy()[chosen])
        what = f"photo-z, i < {limit:g}, {low:g} < z_phot < {high:g}: NMAD, outliers"
        rows.append(Row(what, (nmad, outliers), published, "published"))
    return rows


def neighbours_photo_z(train: pd.DataFrame, test: pd.DataFrame, *, z: Array) -> Array:
    """Estimate redshifts as the median z of the nearest galaxies in colours and i magnitude.

    Parameters
    ----------
    train, test
        Tables with mag_{b}.
    z
        Redshifts of the training galaxies.
    """
    _, index = cKDTree(_features(train)).query(_features(test), k=min(NEIGHBOURS, len(train)))
    return np.asarray(np.median(z[index], axis=1))


def _features(table: pd.DataFrame) -> Array:
    """Colours, and i scaled down since redshift changes slower with it; non-detections count as very faint."""
    mag = table[[f"mag_{b}" for b in hsc.BANDS]].fillna(28.0).to_numpy()
    return np.column_stack([mag[:, :-1] - mag[:, 1:], 0.25 * mag[:, hsc.BANDS.index("i")]])


def _quality(z_phot: Array, *, z: Array) -> tuple[float, float, float]:
    """NMAD, RMS and outlier share of dz = (z_phot - z) / (1 + z)."""
    dz = (z_phot - z) / (1 + z)
    nmad = 1.4826 * np.median(np.abs(dz - np.median(dz)))
    return float(nmad), float(np.sqrt(np.mean(dz**2))), float(np.mean(np.abs(dz) > 0.15))


def _shares(z: Array, edges: Array) -> tuple[float, ...]:
    counts, _ = np.histogram(z, edges)
    return _numbers(counts / counts.sum())


def _rebinned(counts: Array, edges: Array) -> tuple[float, ...]:
    """Sum the real table's z cells into wider ones."""
    middle = (Z_EDGES[1:] + Z_EDGES[:-1]) / 2
    wide, _ = np.histogram(middle, edges, weights=counts)
    return _numbers(wide / wide.sum())


def _numbers(values: Array) -> tuple[float, ...]:
    return tuple(float(v) for v in values)


def main() -> None:
    """Read the command line and print the comparison."""
    parser = argparse.ArgumentParser(description="Print the mock survey beside the real ones.")
    parser.add_argument("--galaxies", type=int, default=GALAXIES)
    parser.add_argument("--seed", type=int, default=SEED, help="not the demo's, whose figures nothing is tuned on")
    given = parser.parse_args()
    print(f"Simulated survey of {given.galaxies} galaxies, seed {given.seed}, beside the real ones")
    for row in compare(simulate(given.galaxies, seed=given.seed)):
        print(row)


if __name__ == "__main__":
    main()
