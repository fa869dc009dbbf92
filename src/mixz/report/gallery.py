"""Every static figure of a run, by the name of its file: for papers, in one style, as PDF and PNG."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mixz.report.figures import draw_distributions, draw_metrics, draw_predictions, draw_training
from mixz.report.figures_judged import draw_coverage, draw_pit, draw_redshifts, draw_residuals
from mixz.report.run import entries

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from mixz.report.run import Run

PAPER_MODELS = ("base", "tl", "combo")
"""The recipes of the paper's Figure 2; a run with none of them shows what it has."""


def paper_figures(run: Run, *, note: str = "") -> dict[str, Figure]:
    """Draw the static figures of a run; those of probabilities only where a recipe gives some.

    Parameters
    ----------
    run
        What to draw.
    note
        Words under every figure, e.g. that the data are simulated.
    """
    every, truths = entries([run]), run.truths
    compared = {name: p for name, p in run.photoz.items() if name in PAPER_MODELS} or dict(run.photoz)
    figures = {
        "figure_1_distributions": draw_distributions(run.galaxies, truths, run.ref_band, note=note),
        "figure_2_predictions": draw_predictions(run.test, compared, truths, note=note),
        "figure_3_metrics": draw_metrics(run.records, truths, note=note),
        "residuals": draw_residuals(every, truths, note=note),
        "redshifts": draw_redshifts(every, truths, note=note),
        "pit": draw_pit(every, truths, note=note),
        "coverage": draw_coverage(every, truths, note=note),
        "training": draw_training(run.curves, note=note),
    }
    return {name: figure for name, figure in figures.items() if figure is not None}
