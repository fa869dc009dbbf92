"""Plots as one-liners: `mixz.plot.predictions(galaxies, photoz)` and its like, each the figure that a report shows.

`predictions`, `residuals`, `probabilities`, `redshifts` and `distributions` take galaxies, and photo-z of the same
galaxies; `of_run(run, "metrics")` draws any figure of a finished run (`mixz.stages.runs.read_run_folder` reads one).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mixz.errors import MixzError, nearest
from mixz.photoz import PhotoZ
from mixz.report.figures import FIGURES, Figure, draw_figures
from mixz.report.paper import DPI, paper_figure, save_figure
from mixz.report.run import Run, Runs
from mixz.report.vega import svg_of
from mixz.settings.bands import reference_band
from mixz.truths.known import KNOWN_TRUTHS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mixz.galaxies import GalaxySet
    from mixz.truths.truth import Truths

    OneOrMore = PhotoZ | Mapping[str, PhotoZ]

__all__ = ["Plot", "distributions", "of_run", "predictions", "probabilities", "redshifts", "residuals"]

VEGA_LITE = "application/vnd.vegalite.v6+json"


@dataclass(frozen=True, eq=False)
class Plot:
    """A figure: a notebook shows it, `save` writes it, and `spec` is all of it as data in Vega-Lite.

    Parameters
    ----------
    name
        What it shows.
    spec
        The plot in Vega-Lite, which may be changed: ``plot.spec["config"]["font"] = "Times"``.
    words
        What it shows in words and numbers, for those who cannot see it.
    """

    name: str
    spec: dict[str, Any]
    words: str

    def __repr__(self) -> str:
        """Say in a line what it is."""
        return f"<Plot of {self.name}: .save('{self.name}.pdf') writes it, .spec is all of it>"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:  # which kinds are wished for: all are given
        return {VEGA_LITE: self.spec, "image/svg+xml": self.svg(), "text/plain": self.words or repr(self)}

    def svg(self) -> str:
        """The plot as an SVG."""
        return svg_of(self.spec)

    def save(self, path: str | Path, *, dpi: int = DPI) -> Path:
        """Write the plot; the name's ending says as what: ``.pdf``, ``.png`` or ``.svg``.

        Raises
        ------
        MixzError
            The ending is another, or the folder cannot be written to.
        """
        path = Path(path)
        ending = path.suffix.removeprefix(".")
        if ending not in ("pdf", "png", "svg"):
            raise MixzError(f"a plot as {path.name!r}", "endings .pdf, .png, .svg", "name it so")
        return save_figure(self.spec, path.parent, path.stem, [ending], dpi=dpi)[0]


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
