"""Figures of galaxies and photo-z, the same that a report shows, each drawn by one function."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from mixz.errors import MixzError, nearest
from mixz.photoz import PhotoZ
from mixz.plot.figure import Plot
from mixz.report.figures import FIGURES, Figure, draw_figures
from mixz.report.paper import paper_figure
from mixz.report.run import Run, Runs
from mixz.settings.bands import reference_band
from mixz.truths.known import KNOWN_TRUTHS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mixz.galaxies import GalaxySet
    from mixz.truths.truth import Truths

    OneOrMore = PhotoZ | Mapping[str, PhotoZ]


def predictions(galaxies: GalaxySet, photoz: OneOrMore, *, truths: Truths = KNOWN_TRUTHS, note: str = "") -> Plot:
    """Predicted against true redshifts, a panel for each photo-z and each kind of label.

    Parameters
    ----------
    galaxies
        Galaxies with labels.
    photoz
        Photo-z of the same galaxies in the same order, from one model or by name from several.
    truths
        How wrong labels of each truth are.
    note
        Words under the figure: that its galaxies are simulated, say.

    Raises
    ------
    MixzError
        The two are of different galaxies, or these have no labels.
    """
    return _plot("predictions", _run(galaxies, photoz, truths), note)


def residuals(galaxies: GalaxySet, photoz: OneOrMore, *, truths: Truths = KNOWN_TRUTHS, note: str = "") -> Plot:
    """Median and width of dz against redshift and magnitude; arguments as `predictions`."""
    return _plot("residuals", _run(galaxies, photoz, truths), note)


def probabilities(galaxies: GalaxySet, photoz: OneOrMore, *, truths: Truths = KNOWN_TRUTHS, note: str = "") -> Plot:
    """PIT and coverage of densities: whether probabilities are honest; arguments as `predictions`."""
    return _plot("probabilities", _run(galaxies, photoz, truths), note)


def redshifts(galaxies: GalaxySet, photoz: OneOrMore, *, truths: Truths = KNOWN_TRUTHS, note: str = "") -> Plot:
    """n(z) of predictions and labels; arguments as `predictions`."""
    return _plot("redshifts", _run(galaxies, photoz, truths), note)


def distributions(galaxies: GalaxySet, *, truths: Truths = KNOWN_TRUTHS, note: str = "") -> Plot:
    """Redshift labels, magnitudes and a colour of galaxies, by the kind of their labels."""
    return _plot("distributions", _run(galaxies, {}, truths), note)


def of_run(run: Run, figure: str) -> Plot:
    """A figure of a finished run, by its name in the report.

    Parameters
    ----------
    run
        From `mixz.stages.runs.read_run_folder`.
    figure
        ``metrics``, ``predictions``, ``residuals``, ``probabilities``, ``intervals``, ``estimates``, ``redshifts``,
        ``distributions`` or ``training``.

    Raises
    ------
    MixzError
        There is no such figure, or nothing to draw in it.
    """
    return _plot(figure, run)


def _plot(name: str, run: Run, note: str = "") -> Plot:
    about = _figure(name)
    drawn = draw_figures(Runs([run]), only=[about])[about]
    if not drawn:
        raise MixzError(f"nothing to draw in {name!r}", about.otherwise or "galaxies with labels", "see docs/report.md")
    words = " ".join(f"{chart.title}: {chart.description}" for panels in drawn for chart in panels.charts)
    return Plot(name, paper_figure(about, drawn, note=note), words)


def _figure(name: str) -> Figure:
    known = {figure.name: figure for figure in FIGURES}
    if name not in known:
        raise MixzError(
            f"no figure is called {name!r}", f"figures: {', '.join(known)}", f"name one{nearest(name, known)}"
        )
    return known[name]


def _run(galaxies: GalaxySet, photoz: OneOrMore, truths: Truths) -> Run:
    """Galaxies and their photo-z as a run that was judged on all of them."""
    named = {"photo-z": photoz} if isinstance(photoz, PhotoZ) else dict(photoz)
    for name, one in named.items():
        if len(one) != len(galaxies) or not np.array_equal(one.object_id.astype(str), galaxies.object_id.astype(str)):
            raise MixzError(
                f"{name} is of other galaxies, or of these in another order",
                "photo-z of the same galaxies in the same order",
                "predict these galaxies: photoz = model.predict(galaxies)",
            )
    labelled = [truth for truth in galaxies.truths if galaxies.has(truth).any()]
    if not labelled:
        raise MixzError("galaxies without labels", "a redshift label of some truth", "see mixz.galaxy_set, truths=")
    return Run(
        name="",
        about={},
        galaxies=replace(galaxies, split=np.full(len(galaxies), "test")),
        photoz=named,
        records=[],
        curves={},
        truths=labelled,
        ref_band=reference_band(galaxies.bands),
        known=truths,
    )
