"""mixz: photometric redshifts from spectra and many-band labels, trained together and judged side by side.

From a table to redshifts::

    galaxies = mixz.galaxy_set(table, bands=["g", "r", "i", "z"], truths={"spec": "z_spec"})   # any kind of table
    galaxies = dataclasses.replace(galaxies, split=mixz.split_by_id(galaxies.object_id))  # train, validation, test
    model = mixz.fit(galaxies, mixz.RECIPES["spec"], members=5)       # RECIPES has the named ones
    test = galaxies.in_split("test")
    photoz = model.predict(test)                                      # point estimates, densities, intervals
    mixz.plot.predictions(test, photoz)                               # a notebook shows it; .save("z.pdf")

`mixz.save_model` and `mixz.open_model` keep and open models, `mixz.predict_table` asks one about any table,
`from mixz.metrics import summarize` judges.  On the command line: `mixz init TABLE`, `mixz run`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mixz import plot
    from mixz.bridges.any_table import predict_table
    from mixz.bridges.galaxy_tables import galaxy_set
    from mixz.bridges.models import open_model
    from mixz.data.data_set.galaxies_file import read_galaxies, write_galaxies
    from mixz.data.split import split_by_id
    from mixz.errors import MixzError
    from mixz.galaxies import GalaxySet
    from mixz.model.ensemble import Ensemble
    from mixz.model.fit import fine_tune, fit
    from mixz.model.folder import save_model
    from mixz.photoz import PhotoZ
    from mixz.settings.config import Config
    from mixz.settings.file import load_config
    from mixz.settings.network import Network
    from mixz.settings.recipe import RECIPES, Recipe, Step

__version__ = "0.1.0"

_HOMES = {
    "Config": "mixz.settings.config",
    "Ensemble": "mixz.model.ensemble",
    "GalaxySet": "mixz.galaxies",
    "MixzError": "mixz.errors",
    "Network": "mixz.settings.network",
    "PhotoZ": "mixz.photoz",
    "RECIPES": "mixz.settings.recipe",
    "Recipe": "mixz.settings.recipe",
    "Step": "mixz.settings.recipe",
    "fine_tune": "mixz.model.fit",
    "fit": "mixz.model.fit",
    "galaxy_set": "mixz.bridges.galaxy_tables",
    "load_config": "mixz.settings.file",
    "open_model": "mixz.bridges.models",
    "predict_table": "mixz.bridges.any_table",
    "read_galaxies": "mixz.data.data_set.galaxies_file",
    "save_model": "mixz.model.folder",
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
    "Recipe",
    "Step",
    "fine_tune",
    "fit",
    "galaxy_set",
    "load_config",
    "open_model",
    "plot",
    "predict_table",
    "read_galaxies",
    "save_model",
    "split_by_id",
    "write_galaxies",
]


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used, so that `import mixz` is instant and pulls in no torch."""
    if name == "plot":
        return import_module("mixz.plot")
    if name not in _HOMES:
        raise AttributeError(f"module 'mixz' has no attribute {name!r}; it has: {', '.join(__all__)}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
