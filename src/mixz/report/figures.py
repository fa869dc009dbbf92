"""Every figure of a report in one list: the page shows them in this order, `figures/` holds each for papers.

To add a figure is to add an entry to `FIGURES`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import count
from typing import TYPE_CHECKING

from mixz.report.charts.estimates import estimate_panels
from mixz.report.charts.intervals import interval_panels
from mixz.report.charts.judged import (
    metric_panels,
    prediction_panels,
    probability_panels,
    redshift_panels,
    residual_panels,
)
from mixz.report.charts.kernels import kernel_panels
from mixz.report.charts.made import distribution_panels, training_panels
from mixz.report.charts.quality import quality_panels
from mixz.report.charts.tomography import tomography_panels

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mixz.report.charts.chart import Panels
    from mixz.report.run import Runs


@dataclass(frozen=True)
class Figure:
    """A figure: what draws it, what stands around it on the page, and how it lies on paper.

    Parameters
    ----------
    name
        Its section of the page, and its file.
    heading, words
        What stands above it on the page; the words in Markdown.
    otherwise
        What the page says where there is nothing to draw; where this is empty, there is no such section then.
    draw
        Its panels of the runs to show; empty where there is nothing to draw.
    number
        Which figure of arXiv:2411.18054 it is.
    columns, shape
        On paper, how many panels lie beside each other at most, and how high one is for its width.
    caption
        Words under it on paper.
    """

    name: str
    heading: str
    words: str
    draw: Callable[[Runs], list[Panels]]
    number: int | None = None
    columns: int = 4
    shape: float = 0.8
    caption: str = ""
    otherwise: str = ""

    @property
    def file(self) -> str:
        """The name of its file, without an ending."""
        return self.name if self.number is None else f"figure_{self.number}_{self.name}"


FIGURES = (
    Figure(
        "metrics",
        "Metrics",
        "Mean over members on each truth's test galaxies; bars are the spread over random starts, dashed lines LSST's "
        "limits (Figure 3 of arXiv:2411.18054; `bnn` is the Bayesian network of jones2024). Open diamonds, and the "
        "second line in the tables, are the ensemble's own: one estimate by all members together, which is what "
        "`mixz predict` gives. Point at a mark for its numbers, at a name for its definition.",
        metric_panels,
        number=3,
        shape=1.0,
        caption="Test galaxies with labels in 0.3–1.5; diamonds: the ensemble's own estimate; dashed: LSST's limits.",
    ),
    Figure(
        "predictions",
        "Predicted against true",
        "Test galaxies per cell, darker for more (logarithmic). The line is equality, the dashed ones |dz| = 0.15, "
        "where outliers begin (Figure 2).",
        prediction_panels,
        number=2,
        shape=1.0,
    ),
    Figure(
        "residuals",
        "Residuals against redshift and magnitude",
        "dz = (z_phot − z_label) / (1 + z_label) in bins: its median, and σ68, half the width of its middle 68 %. "
        "Bins of fewer than 8 galaxies are left out.",
        residual_panels,
        columns=2,
        shape=0.5,
    ),
    Figure(
        "probabilities",
        "Are the probabilities honest?",
        "The PIT is where a label falls in its galaxy's density: flat when honest, heaped at the ends when densities "
        "are too narrow, in the middle when too wide. Densities are smeared by the labels' own error first where that "
        "is known.",
        probability_panels,
        columns=3,
        otherwise="No recipe of this run gives probabilities: their networks end in points. A recipe with "
        "`head: binned` (such as `fused`) or a Bayesian one (`bnn`) does.",
    ),
    Figure(
        "intervals",
        "Do the intervals hold the redshift?",
        "Recipes with densities give every galaxy conformal intervals, which promise to hold the redshift of 68, 90 "
        "and 95 % of each truth's galaxies at every magnitude. This is the share that they held of the test galaxies, "
        "from which they were not made. The dashed line is the promise; bars are how far an honest share strays by "
        "chance. More than promised is no fault: the truth that needs the widest intervals sets them. A noisy label "
        "is not the redshift: there the redshifts that label and density together allow are counted, each as far as "
        "it is likely.",
        interval_panels,
        columns=3,
    ),
    Figure(
        "estimates",
        "Which point of a density?",
        "A density has many middles: zmode, zmean, zmedian, zbest, zcore and zrms. Each is best for some metric. These "
        "are the ensemble's, on all redshifts, bars and ± the error from drawing the galaxies again. Everywhere else "
        "in this report zrms is judged by its RMS, and zcore by all other metrics.",
        estimate_panels,
        columns=3,
    ),
    Figure(
        "quality",
        "What is left when the riskiest go?",
        "Every galaxy of a recipe with densities has a risk, the HSC loss that held-out galaxies like it had, and "
        "odds, what its density holds near its redshift. Sorted by either, these are the outliers and the scatter of "
        "the share that is kept. Right: the mean loss of ten parts of like risk, which lies on the line where risk is "
        "honest; labels' own errors lift it.",
        quality_panels,
        columns=3,
    ),
    Figure(
        "redshifts",
        "n(z) of predictions and labels",
        "Densities are summed where a recipe has them, point estimates counted where not.",
        redshift_panels,
        columns=2,
        shape=0.7,
    ),
    Figure(
        "tomography",
        "Tomographic bins",
        "n(z) of bins in z_phot, which lensing and clustering need: the stack of a recipe's densities, what labels say "
        "through their kernels (`both`, docs/tomography.md), and the truth of simulated galaxies. Bands hold 68 % of "
        "realisations, in which galaxies or patches of sky are drawn again. Below, mean and width of bins, and how "
        "many bins meet / miss / cannot be tested for each requirement of the DESC SRD (arXiv:1809.01669).",
        tomography_panels,
        columns=2,
        shape=0.7,
        caption="Bands: 68 % of realisations of what the stack is compared with.",
    ),
    Figure(
        "distributions",
        "Data",
        "All galaxies of the run by the truth of their label (Figure 1), and what every step of the build took "
        "(Figure 4).",
        distribution_panels,
        number=1,
        columns=3,
    ),
    Figure(
        "kernels",
        "How wrong are the labels?",
        "dz = (z_label − z_exact) / (1 + z_exact) of galaxies with a noisy label and an exact one (grey), and what "
        "kernels say of these galaxies: `used` is the one that training, calibration and judging went by. Galaxies "
        "with spectra are the easier ones, so the labels of others are somewhat worse; and some faint outliers are "
        "wrong spectra.",
        kernel_panels,
        columns=3,
    ),
    Figure(
        "training",
        "Training",
        "Validation loss after each epoch: the middle of the members, the band from best to worst, and dots where "
        "members had the weights that they kept; steps have their dashes.",
        training_panels,
    ),
)
"""Every figure in the order of the page."""


def draw_figures(runs: Runs, only: Sequence[Figure] | None = None) -> dict[Figure, list[Panels]]:
    """Draw figures of some runs once, for page and paper, every one if not said; each plot has a key of its own."""
    number = count()
    return {
        figure: [
            replace(panels, charts=[replace(chart, key=f"chart-{next(number)}") for chart in panels.charts])
            for panels in figure.draw(runs)
            if panels.charts
        ]
        for figure in (FIGURES if only is None else only)
    }
