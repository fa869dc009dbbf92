"""A figure as a value: a notebook shows it, a file keeps it, and all of it is data that may be changed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mixz.errors import MixzError
from mixz.report.paper import DPI, save_figure
from mixz.report.vega import svg_of

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
