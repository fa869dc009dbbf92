"""Where a built data set comes from, as plain values that every format can carry and the data card spells out."""

from __future__ import annotations

import platform
from importlib.metadata import version
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import numpy as np

from mixz.data.simulated import is_mock
from mixz.truths.known import SPECTRUM
from mixz.truths.learned import learned_corrections, learned_scales

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mixz.arrays import Mask
    from mixz.data.cuts import Ledger
    from mixz.data.data_set.inputs import Input
    from mixz.galaxies import GalaxySet
    from mixz.settings.config import Config
    from mixz.settings.truths import TruthSettings

LIBRARIES = ("numpy", "pandas", "pyarrow", "astropy", "h5py")
NOT_OF_THE_DATA = {"out", "recipes", "training", "network", "members", "seed"}
"""Parts of a config that decide models, not galaxies."""


def provenance(
    config: Config,
    galaxies: GalaxySet,
    ledger: Ledger,
    inputs: Sequence[Input] = (),
    pairs: Mapping[str, GalaxySet] | None = None,
) -> dict[str, Any]:
    """Tell all that is needed to make a data set again, and to know what is in it.

    There is no date in it, so that the same settings and files give the same bytes, and no folder names: tables are
    known by their file names.

    Parameters
    ----------
    config
        The settings it was built with.
    galaxies
        What was built.
    ledger
        What every step took.
    inputs
        The contents of its files.
    pairs
        By truth the galaxies that its kernel is learned from; the training galaxies where none are given.
    """
    settings = _file_names_only(config.model_dump(mode="json", exclude=NOT_OF_THE_DATA))
    truths = config.truth_settings()
    known, ref_band = config.known_truths(), config.ref_band
    learning = [truth for truth in galaxies.truths if truths[truth].learn_scale or truths[truth].learn_kernel]
    given = pairs or {}
    teach = {truth: given[truth] if truth in given else galaxies.in_split("train") for truth in learning}
    scales = {truth: its for truth, its in teach.items() if truths[truth].learn_scale}
    corrections = {truth: its for truth, its in teach.items() if truths[truth].learn_kernel}
    return {
        "name": config.name,
        "build_digest": config.build_digest(),
        "config_digest": config.digest(),
        "mixz": version("mixz"),
        "python": platform.python_version(),
        "libraries": {name: version(name) for name in LIBRARIES},
        "simulated": is_simulated(config),
        "counts": _counts(galaxies),
        "z_range": {truth: _range(label) for truth, label in galaxies.z.items()},
        "systems": sorted(set(galaxies.system.tolist())),
        "kernels": {truth: kernel_words(truths[truth]) for truth in galaxies.truths},
        "kernel_scales": learned_scales(known, scales, ref_band=ref_band),
        "kernel_corrections": learned_corrections(known, corrections, ref_band=ref_band),
        "settings": settings,
        "sources": sorted(set(_paths(settings))),
        "inputs": [{"name": one.name, "sha256": one.sha256} for one in inputs],
        "ledger": ledger.as_rows(),
        "taken_for_missing": ledger.missing,
    }


def is_simulated(config: Config) -> bool:
    """Whether any table carries the truth of a simulation, or is a file of the mock survey."""
    settings = config.truth_settings()
    told = any(settings[truth].simulated for table in config.tables for truth in table.all_truths())
    tables = (*config.tables, *config.pair_tables().values())
    files = [path for table in tables for source in (table, *table.match) for path in source.files.values()]
    return told or any(is_mock(path) for path in files)


def kernel_words(truth: TruthSettings) -> str:
    """How wrong a truth's labels can be.

    Examples
    --------
    >>> from mixz.settings.truths import KNOWN_SETTINGS
    >>> kernel_words(KNOWN_SETTINGS["spec"])
    'exact: Gaussian of width 0.0005 (1 + z)'
    """
    if truth.simulated:
        return "the truth of a simulation: no error"
    known = {
        "exact": f"exact: Gaussian of width {SPECTRUM.sigma:g} (1 + z)",
        "cosmos2020": "cosmos2020: Gaussian core and skewed tail, by i magnitude and redshift "
        "(pz-rail-astro-tools 2.0.5, gaussian_yin+25_tail_khostovan+26)",
        "cosmos2020_measured": "cosmos2020_measured: Gaussian core and Laplace tails, by i magnitude, that have the "
        "numbers of COSMOS2020 CLASSIC against 35,291 secure spectra (mardom/DDFpz, unrefereed; shape ours)",
        "gaussian": f"Gaussian of width {truth.sigma} (1 + z)",
        "reported": "reported: two-piece normal as wide as each label's own 68 % interval; where there is none "
        + (f"a Gaussian of width {truth.sigma} (1 + z)" if truth.sigma else "as cosmos2020"),
        "table": f"of the table {truth.table.name if truth.table else ''}",
    }
    scale = f", {truth.scale:g} times as wide" if truth.scale != 1 else ""
    return known[truth.kernel] + scale


def _counts(galaxies: GalaxySet) -> dict[str, dict[str, int]]:
    """Count all galaxies, and those with a label of each truth, on each side of the split."""
    members: dict[str, Mask] = {"galaxies": np.ones(len(galaxies), dtype=bool)}
    members |= {truth: galaxies.has(truth) for truth in galaxies.truths}
    return {
        name: {side: int(np.sum(mask & (galaxies.split == side))) for side in galaxies.sides}
        for name, mask in members.items()
    }


def _range(label: Any) -> list[float]:
    """The smallest, middle and largest label, to the digits a person reads."""
    known = label[np.isfinite(label)]
    return [round(float(v), 4) for v in np.quantile(known, [0, 0.5, 1])] if known.size else []


def _file_names_only(tree: Any) -> Any:
    """Cut every path in the settings down to its file name: folders differ from machine to machine."""
    if isinstance(tree, dict):
        return {
            key: _name(v) if key in ("path", "parts", "table") and v else _file_names_only(v) for key, v in tree.items()
        }
    return [_file_names_only(item) for item in tree] if isinstance(tree, list) else tree


def _name(paths: str | dict[str, str]) -> Any:
    return {side: _name(path) for side, path in paths.items()} if isinstance(paths, dict) else PurePath(paths).name


def _paths(tree: Any) -> list[str]:
    if isinstance(tree, dict):
        own = [*([tree["path"]] if tree.get("path") else []), *(tree.get("parts") or {}).values()]
        return own + [path for item in tree.values() for path in _paths(item)]
    return [path for item in tree for path in _paths(item)] if isinstance(tree, list) else []
