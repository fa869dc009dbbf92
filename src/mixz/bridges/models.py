"""Anything that estimates redshifts: a model folder (by torch) or an ONNX file (without)."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mixz.galaxies import GalaxySet
    from mixz.photoz import PhotoZ

EXPORTED = "model.onnx"
"""Name of the ONNX file in a model folder, where `mixz export` puts it unless told otherwise."""


class PhotoZModel(Protocol):
    """What `Ensemble` and `OnnxModel` have in common."""

    @property
    def bands(self) -> tuple[str, ...]:
        """The bands it looks at, in the order of its inputs, its own ones last."""
        ...

    @property
    def own_bands(self) -> tuple[str, ...]:
        """The bands that it uses where galaxies have them, and does without elsewhere."""
        ...

    @property
    def systems(self) -> tuple[str, ...]:
        """Names of the photometric systems it tells apart."""
        ...

    @property
    def members(self) -> int:
        """Number of networks inside."""
        ...

    @property
    def has_density(self) -> bool:
        """Whether it gives a density of each galaxy's redshift."""
        ...

    @property
    def needs_errors(self) -> bool:
        """Whether it cannot be asked without magnitude errors."""
        ...

    @property
    def sees_undetected(self) -> bool:
        """Whether it tells bands in which nothing was seen from those that were not observed."""
        ...

    @property
    def provenance(self) -> Mapping[str, Any]:
        """Where it came from."""
        ...

    def predict(self, galaxies: GalaxySet) -> PhotoZ:
        """Estimate the redshift of every galaxy."""
        ...


def open_model(path: str | Path, *, threads: int | None = None) -> PhotoZModel:
    """Read a model folder, or an ONNX file; of a folder the ONNX file in it, where torch is not installed.

    Parameters
    ----------
    path
        What `mixz train` or `mixz export` wrote.
    threads
        CPU threads for an ONNX model (torch counts its own); all of them if not given.

    Raises
    ------
    MixzError
        It is missing, damaged or of another version, or what runs it is not installed.
    """
    path = Path(path)
    exported = path / EXPORTED
    if path.suffix == ".onnx" or (exported.is_file() and find_spec("torch") is None):
        from mixz.bridges.onnx_files import OnnxModel

        return OnnxModel.load(path if path.suffix == ".onnx" else exported, threads=threads)
    from mixz.model.folder import load_model

    return load_model(path)
