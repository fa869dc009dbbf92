"""mixz: photometric redshifts from spectra and many-band labels, trained together and judged side by side."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mixz.bridges.any_table import predict_table
    from mixz.bridges.models import open_model
    from mixz.config import Config, Network
    from mixz.config_file import load_config
    from mixz.data.data_set.galaxies_file import read_galaxies, write_galaxies
    from mixz.data.split import split_by_id
    from mixz.errors import MixzError
    from mixz.model.ensemble import Ensemble
    from mixz.networks import named_network
    from mixz.recipes import RECIPES, Step
    from mixz.schema import GalaxySet, PhotoZ

__version__ = "0.1.0"

_HOMES = {
    "Config": "mixz.config",
    "Ensemble": "mixz.model.ensemble",
    "GalaxySet": "mixz.schema",
    "MixzError": "mixz.errors",
    "Network": "mixz.config",
    "PhotoZ": "mixz.schema",
    "RECIPES": "mixz.recipes",
    "Step": "mixz.recipes",
    "load_config": "mixz.config_file",
    "named_network": "mixz.networks",
    "open_model": "mixz.bridges.models",
    "predict_table": "mixz.bridges.any_table",
    "read_galaxies": "mixz.data.data_set.galaxies_file",
    "split_by_id": "mixz.data.split",
    "write_galaxies": "mixz.data.data_set.galaxies_file",
}

__all__ = [
    "RECIPES",
    "Config",
    "Ensemble",
    "GalaxySet",
    "MixzError",
    "Network",
    "PhotoZ",
    "Step",
    "load_config",
    "named_network",
    "open_model",
    "predict_table",
    "read_galaxies",
    "split_by_id",
    "write_galaxies",
]


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used, so that `import mixz` is instant and pulls in no torch."""
    if name not in _HOMES:
        raise AttributeError(f"module 'mixz' has no attribute {name!r}; it has: {', '.join(__all__)}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
