"""An ensemble as one ONNX graph: photometry in, densities, estimates and intervals out, the same functions traced.

What the graph cannot hold is a loop over the patterns of missing bands; it holds a table of all patterns instead.  Nor
can it search among the training galaxies that the support flag asks for, and comparing with every one takes much
longer: it gives each galaxy's place among them, and the file keeps them for `mixz.densities.support`.
"""

from __future__ import annotations

import json
import logging
import warnings
from contextlib import contextmanager
from dataclasses import dataclass, fields
from importlib.metadata import version
from typing import TYPE_CHECKING, NamedTuple

import torch

from mixz.atomic import replacing
from mixz.bridges.onnx_format import ABOUT, INTERVAL, LOSS, ONNX_FORMAT, PLACE, REMEMBERED, SEAL
from mixz.densities.grid import nodes
from mixz.densities.read import read_densities
from mixz.digest import OPEN_SEAL, seal
from mixz.errors import MixzError, not_installed
from mixz.model.heads import head_of
from mixz.model.inputs.features import Features, Photometry
from mixz.model.nets import outputs
from mixz.model.predict import estimates, stacks_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mixz.densities.grid import Grid
    from mixz.model.ensemble import Ensemble
    from mixz.model.heads import Head
    from mixz.model.nets import Weights
    from mixz.settings.network import Network

OPSET = 20
MOST_BANDS = 12
"""A table of 2^12 patterns of missing bands takes 5 MB; one of 2^20 would take gigabytes."""
EXAMPLE_GALAXIES = 3


class Fills(NamedTuple):
    """How missing bands are filled, for every pattern of missing bands: mean + (mag - mean) slope.

    Parameters
    ----------
    slope
        Shape (pattern, band, band); a pattern's number has bit k set where band k is missing.
    level
        The mean of the training magnitudes, shape (band,).
    """

    slope: torch.Tensor
    level: torch.Tensor

    @classmethod
    def of(cls, features: Features) -> Fills:
        """Work the table out, with the regressions of `Features`."""
        bands = len(features.mean)
        slope = torch.zeros(2**bands, bands, bands, dtype=torch.float64)
        for pattern in range(2**bands):
            absent = torch.tensor([bool(pattern >> band & 1) for band in range(bands)])
            if not absent.all() and absent.any():
                slope[pattern][(~absent).nonzero(), absent.nonzero().T] = features.slope(absent)
        return cls(slope, features.mean)

    def __call__(self, mag: torch.Tensor, missing: torch.Tensor) -> torch.Tensor:
        """Fill magnitudes of shape (galaxy, band); a galaxy without any stays NaN."""
        pattern = (missing.long() * 2 ** torch.arange(mag.shape[1])).sum(dim=1)
        away = torch.where(missing, 0.0, mag.double() - self.level)
        filled = (self.level + torch.bmm(away[:, None, :], self.slope[pattern])[:, 0]).float()
        empty = missing.all(dim=1, keepdim=True)
        return torch.where(missing & ~empty, filled, mag)


@dataclass(frozen=True, eq=False)
class TracedFeatures(Features):
    """`Features` whose missing bands are filled from a table, which a graph can hold."""

    fills: Fills | None = None

    @classmethod
    def of(cls, features: Features) -> TracedFeatures:
        """The same map with its table, where it fills bands at all."""
        same = {one.name: getattr(features, one.name) for one in fields(Features)}
        return cls(**same, fills=Fills.of(features) if features.network.drop_bands else None)

    def filled(self, mag: torch.Tensor, missing: torch.Tensor) -> torch.Tensor:
        assert self.fills is not None
        return self.fills(mag, missing)


class Graph(torch.nn.Module):
    """The whole of an ensemble's prediction as a function of tensors.

    Parameters
    ----------
    ensemble
        What to export.

    Examples
    --------
    >>> from mixz.model.initial import untrained
    >>> from mixz.settings.recipe import RECIPES
    >>> from mixz.galaxies import GalaxySet
    >>> import numpy as np
    >>> galaxies = GalaxySet([1, 2], ("g", "r"), [[21, 20], [23, 22.5]], np.full((2, 2), 0.1), {"spec": [0.1, 0.5]},
    ...                      ["train"] * 2)
    >>> ensemble = untrained(galaxies, RECIPES["spec"].changed(network={"hidden": (4,)}), members=3)
    >>> graph = Graph(ensemble)
    >>> said = graph(torch.tensor([[21.5, 21.0]]), torch.tensor([[0.1, 0.1]]), torch.zeros(1, dtype=torch.long))
    >>> {name: tuple(one.shape) for name, one in said.items()}
    {'z_phot_members': (3, 1)}
    """

    def __init__(self, ensemble: Ensemble) -> None:
        super().__init__()
        network: Network = ensemble.network
        self.head: Head = head_of(network)
        self.features = TracedFeatures.of(ensemble.features)
        self.network = network
        self.members = ensemble.members
        self.stacks: list[Weights] = stacks_of(ensemble.weights, network, ensemble.weight_seeds())
        self.grid: Grid | None = self.head.grid
        self.ref_place = ensemble.bands.index(ensemble.ref_band)
        self.calibration, self.intervals = ensemble.calibration, ensemble.intervals
        self.support = ensemble.support
        self.in_common = ensemble.in_common

    def forward(self, mag: torch.Tensor, mag_err: torch.Tensor, system: torch.Tensor) -> dict[str, torch.Tensor]:
        """Predict, by the outputs' names; NaN for galaxies that the networks cannot be asked about.

        Parameters
        ----------
        mag, mag_err
            Shape (galaxy, band), in the order of the ensemble's bands.
        system
            Number of each galaxy's photometric system, shape (galaxy,).
        """
        x = self.features(Photometry.parted(mag, mag_err, system, own=len(self.network.own)))
        unknown = ~x.isfinite().all(dim=1)
        known = torch.where(unknown[:, None], 0.0, x)
        outs = [outputs(stack, known.expand(self.members, -1, -1), self.network) for stack in self.stacks]
        said = estimates(outs, self.head)
        of_members = {"z_phot_members": said.z, "z_sigma_members": said.sigma, "z_rms_members": said.z_rms}
        found = {name: t.masked_fill(unknown, torch.nan) for name, t in of_members.items() if t is not None}
        if self.grid is not None and said.mass is not None:
            found["z_grid"] = self.grid.constant(nodes, said.mass).clone()
            for name, t in self._of_density(said.mass, mag[:, self.ref_place], system, self.grid).items():
                found[name] = t.masked_fill(unknown if t.ndim == 1 else unknown[:, None], torch.nan)
        if self.support is not None:
            found[PLACE] = self.support.place(self.in_common(x))
        return found

    def _of_density(
        self, mass: torch.Tensor, mag_ref: torch.Tensor, system: torch.Tensor, grid: Grid
    ) -> dict[str, torch.Tensor]:
        """The (calibrated) density, its point estimates and intervals, for masses of shape (galaxy, z)."""
        read = read_densities(
            mass, mag_ref, grid, system=system, calibration=self.calibration, intervals=self.intervals
        )
        found = {"pdf": read.pdf, "odds": read.odds, LOSS: read.loss, **read.points}
        return found | {INTERVAL + level: ends for level, ends in read.intervals.items()}


def export_onnx(ensemble: Ensemble, path: str | Path) -> None:
    """Write an ensemble as one ONNX file that needs no torch to run: inputs, networks, densities, intervals, support.

    Inputs: ``mag`` and ``mag_err`` (galaxy, band), ``system`` (galaxy,), as far as the ensemble looks at them.
    Outputs: ``z_phot_members`` (member, galaxy) and what else it gives: ``z_sigma_members``, ``z_rms_members``,
    ``z_grid`` (z,), ``pdf`` (galaxy, z), every point estimate of `mixz.densities.estimates`, ``odds`` and
    ``expected_loss`` (galaxy,), the ends of intervals ``interval_68``, ``interval_90``, ``interval_95`` (galaxy, 2),
    and ``support_place`` (galaxy, band), where a galaxy lies among the training galaxies.  What the numbers mean
    (bands, systems, weights of risk) lies in the file's metadata, as
    JSON under ``mixz``; the training galaxies under ``mixz_support``.

    Raises
    ------
    MixzError
        The ONNX packages are not installed, the ensemble has too many bands, or the file cannot be written.
    """
    shared = len(ensemble.bands) - len(ensemble.own_bands)
    if ensemble.network.drop_bands and shared > MOST_BANDS:
        raise MixzError(f"{shared} bands, any of which may be missing", f"at most {MOST_BANDS}", "use the model folder")
    graph = Graph(ensemble).eval()
    bands = len(ensemble.bands)
    mag = torch.linspace(20, 24, EXAMPLE_GALAXIES * bands).reshape(EXAMPLE_GALAXIES, bands)
    example = (mag, torch.full_like(mag, 0.1), torch.zeros(EXAMPLE_GALAXIES, dtype=torch.long))
    galaxies = torch.export.Dim("galaxy", min=1)
    try:
        with _quiet(), torch.no_grad():
            names = list(graph(*example))
            program = torch.onnx.export(
                graph,
                example,
                dynamo=True,
                verbose=False,
                opset_version=OPSET,
                input_names=["mag", "mag_err", "system"],
                output_names=names,
                dynamic_shapes={"mag": {0: galaxies}, "mag_err": {0: galaxies}, "system": {0: galaxies}},
            )
    except ImportError as error:
        raise not_installed("the ONNX packages are not installed", "train", "onnx") from error
    assert program is not None
    program.model.metadata_props[ABOUT] = json.dumps(_about(ensemble))
    if ensemble.support is not None:
        program.model.metadata_props[REMEMBERED] = ensemble.support.as_text()
    program.model.metadata_props[SEAL] = OPEN_SEAL
    with _quiet(), replacing(path) as draft:
        program.save(draft, external_data=False)
        seal(draft)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the exporter's warnings about its own insides to itself; its errors still come."""
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(logging.NOTSET)


def _about(ensemble: Ensemble) -> dict[str, object]:
    """Tell what the numbers that go in and come out mean."""
    return {
        "format": ONNX_FORMAT,
        "bands": ensemble.bands,
        "own_bands": ensemble.own_bands,
        "systems": ensemble.systems,
        "needs_errors": ensemble.needs_errors,
        "sees_undetected": ensemble.sees_undetected,
        "members": ensemble.members,
        "risk": None if ensemble.risk is None else ensemble.risk.weight.tolist(),
        "provenance": dict(ensemble.provenance),
        "mixz": version("mixz"),
    }
