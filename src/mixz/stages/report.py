"""`mixz report`: galaxies, photo-z and metrics -> figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mixz.data.provenance import is_simulated
from mixz.progress import busy
from mixz.report.screen import SIMULATED
from mixz.stages.results import Results, label_truths

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from mixz.config import Config

PAPER_MODELS = ("base", "tl", "combo")
"""The recipes of the paper's Figure 2; a run with none of them shows what it has."""


def report(config: Config, console: Console) -> list[Path]:
    """Draw the paper's figures 1 to 3 and the training curves from what earlier stages wrote, into ``figures/``.

    Raises
    ------
    MixzError
        ``galaxies.parquet``, ``photoz/`` or ``metrics.json`` is missing; the message names the verb that makes it.
    """
    from mixz.report.figures import draw_distributions, draw_metrics, draw_predictions, draw_training, save_figure

    results = Results(config)
    galaxies, records = results.read_galaxies(), results.read_records()
    test = galaxies.in_split("test")
    photoz = {name: results.read_photoz(name, test) for name in config.recipes}
    truths = label_truths(galaxies, config)
    compared = {name: p for name, p in photoz.items() if name in PAPER_MODELS} or photoz
    note = SIMULATED if is_simulated(config) else ""
    with busy("figures", console):
        figures = {
            "figure_1_distributions": draw_distributions(galaxies, truths, config.ref_band, note=note),
            "figure_2_predictions": draw_predictions(test, compared, truths, note=note),
            "figure_3_metrics": draw_metrics(records, truths, note=note),
            "training": draw_training({name: results.read_curves(name) for name in config.recipes}, note=note),
        }
        return [path for name, f in figures.items() for path in save_figure(f, results.figures_folder, name)]
