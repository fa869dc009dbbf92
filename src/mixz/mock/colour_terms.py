"""Synthetic colour terms: what galaxies look like through two sets of filter curves, from templates and speclite.

    python -m mixz.mock.colour_terms g=cfht_megacam-g r=cfht_megacam-r -- g=decam2014-g r=decam2014-r

prints the terms that carry magnitudes of the first system into the second, as a config has them under
`network: {colour_terms: {NAME: ...}}`.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import yaml

from mixz.errors import MixzError
from mixz.mock.packages import need
from mixz.mock.templates import calzetti, igm, spectra, through

if TYPE_CHECKING:
    from collections.abc import Mapping

GALAXIES = 2000
Z_RANGE, EBV_RANGE = (0.05, 1.5), (0.0, 0.4)
"""What galaxies the terms are fitted to: positive sums of the templates, of these redshifts and reddenings (ours)."""


def colour_terms(come: Mapping[str, str], go: Mapping[str, str], *, seed: int = 1) -> dict[str, dict[str, Any]]:
    """Fit m_go - m_come = slope (m_1 - m_2) + offset for every band, m_1 and m_2 neighbouring bands of `come`.

    Parameters
    ----------
    come, go
        Per band the name of its filter curve in speclite, of the system to leave and the one to enter.
    seed
        Seed of the galaxies.

    Returns
    -------
    dict
        Per band colour, slope and offset, as `network.colour_terms` takes them, and the rms [mag] of what is left.

    Raises
    ------
    MixzError
        The bands differ or are fewer than two, a curve is unknown, or skypy or speclite is not installed.

    Examples
    --------
    A system carried into itself needs no terms:

    >>> megacam = {band: f"cfht_megacam-{band}" for band in "gr"}
    >>> colour_terms(megacam, megacam)["g"]
    {'colour': ['g', 'r'], 'slope': 0.0, 'offset': 0.0, 'rms': 0.0}
    """
    if list(come) != list(go) or len(come) < 2:
        raise MixzError(f"bands {list(come)} and {list(go)}", "the same two or more bands", "name a curve of each")
    bands = list(come)
    mags = _magnitudes([*come.values(), *go.values()], seed=seed)
    m_come, m_go = mags[:, : len(bands)], mags[:, len(bands) :]
    terms = {}
    for k, band in enumerate(bands):
        first = min(k, len(bands) - 2)
        colour = m_come[:, first] - m_come[:, first + 1]
        away = m_go[:, k] - m_come[:, k]
        slope, offset = np.polyfit(colour, away, 1)
        rms = float(np.std(away - slope * colour - offset))
        numbers = {"slope": slope, "offset": offset, "rms": rms}
        terms[band] = {"colour": bands[first : first + 2]} | {n: round(float(v), 4) + 0.0 for n, v in numbers.items()}
    return terms


def _magnitudes(curves: list[str], *, seed: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """AB magnitudes of simulated galaxies, shape (galaxy, band), up to a constant per galaxy."""
    filters = need("speclite.filters")
    try:
        loaded = filters.load_filters(*curves)
    except ValueError as error:
        raise MixzError(
            f"filter curves {', '.join(curves)}: {error}", "names of speclite, e.g. decam2014-g", ""
        ) from None
    rng = np.random.default_rng(seed)
    wave, templates = spectra()
    templates = templates / templates.mean(axis=1, keepdims=True)
    dust = calzetti(wave)
    mags = np.empty((GALAXIES, len(curves)))
    for number in range(GALAXIES):
        light = rng.dirichlet(np.ones(len(templates))) @ templates
        z, ebv = rng.uniform(*Z_RANGE), rng.uniform(*EBV_RANGE)
        light = light * 10 ** (-0.4 * ebv * dust) * igm(wave, z=z)
        mags[number] = -2.5 * np.log10(through(loaded, wave * (1 + z), light))
    return mags


def _main(arguments: list[str]) -> None:
    pairs = [argument.partition("=")[::2] for argument in arguments if argument != "--"]
    half = len(pairs) // 2
    print(yaml.safe_dump(colour_terms(dict(pairs[:half]), dict(pairs[half:])), sort_keys=False), end="")


if __name__ == "__main__":
    _main(sys.argv[1:])
