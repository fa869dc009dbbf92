"""`mixz evaluate`: models and test galaxies -> photo-z and metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mixz.errors import MixzError
from mixz.metrics.summary import Sample, summarize
from mixz.progress import progress_bar
from mixz.stages.results import Results, label_truths

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from rich.console import Console

    from mixz.config import Config
    from mixz.metrics.summary import Record
    from mixz.schema import GalaxySet


def evaluate(config: Config, console: Console) -> list[Record]:
    """Judge every trained recipe on every truth's test galaxies; write ``photoz/`` and ``metrics.json``.

    Raises
    ------
    MixzError
        The galaxies or a model are missing, or were made with other settings.
    """
    results = Results(config)
    test = results.read_galaxies().in_split("test")
    models = {name: results.read_model(name) for name in config.recipes}
    samples = {key: value for key, value in _samples(test, config).items() if len(value[0].z_ref)}
    if not samples:
        raise MixzError("no test galaxy has a label", "at least one", "give more galaxies or a larger test share")
    records: list[Record] = []
    with progress_bar("evaluate", console) as bar:
        for done, (name, model) in enumerate(models.items(), start=1):
            photoz = model.predict(test)
            results.write_photoz(name, photoz)
            for sample, rows in samples.values():
                records += summarize(name, sample, photoz.z_phot_members[:, rows])
            bar(done, len(models), name)
    results.write_records(records)
    for name in models:
        results.write_model_card(results.model_path(name), records)
    return records


def _samples(test: GalaxySet, config: Config) -> dict[str, tuple[Sample, NDArray[Any]]]:
    """Name the samples to judge on: each truth's test galaxies, and again with the simulated truth where known."""
    labels = label_truths(test, config)
    pairs = [(truth, truth, "test") for truth in labels]
    simulated = [t for t in test.truths if config.truth_settings()[t].simulated]
    pairs += [(truth, members, f"test {members}") for truth in simulated for members in labels]
    mag_ref = test.mag[:, test.bands.index(config.ref_band)].astype(np.float64)
    samples = {}
    for truth, members, name in pairs:
        rows = np.flatnonzero(test.has(truth) & test.has(members))
        z_ref = test.z[truth][rows].astype(np.float64)
        samples[f"{truth}/{name}"] = (Sample(truth, name, z_ref, mag_ref[rows]), rows)
    return samples
