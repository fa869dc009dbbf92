"""`mixz report`: galaxies, photo-z and metrics -> one HTML page, and figures for papers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mixz.atomic import alone, replacing
from mixz.data.data_set.provenance import is_simulated
from mixz.errors import MixzError
from mixz.progress import busy
from mixz.report.run import Runs
from mixz.report.screen import SIMULATED
from mixz.stages.runs import read_run, read_runs
from mixz.stages.store.results import Results

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from rich.console import Console

    from mixz.report.charts.chart import Panels
    from mixz.report.figures import Figure
    from mixz.settings.config import Config


def report(config: Config, console: Console) -> list[Path]:
    """Write ``report.html`` and ``figures/`` from what earlier stages wrote; the page stands first in what is given.

    Raises
    ------
    MixzError
        ``galaxies.parquet``, ``photoz/`` or ``metrics.json`` is missing; the message names the verb that makes it.
    """
    from mixz.report.figures import draw_figures
    from mixz.report.paper import paper_figures, save_figure

    results = Results(config)
    note = SIMULATED if is_simulated(config) else ""
    with alone(config.folder):
        runs = Runs([read_run(config)])
        with busy("report", console):
            drawn = draw_figures(runs)
            page = _write_page(runs, drawn, config.folder / "report.html")
            figures = paper_figures(drawn, note=note)
            folder = results.figures_folder
            paths = [page, *(path for name, spec in figures.items() for path in save_figure(spec, folder, name))]
        cards = [results.write_model_card(recipe, runs.each[0].records) for recipe in config.recipes]
        results.digests.note("evaluate", cards, [results.metrics_path])
        results.digests.note("report", paths, [results.metrics_path, *map(results.photoz_path, config.recipes)])
    return paths


def compare(sources: Sequence[Path], output: Path, console: Console) -> Path:
    """Write one page that shows several runs beside each other.

    Parameters
    ----------
    sources
        Two or more configs or results folders.
    output
        The page to write.
    console
        Where to tell of progress.

    Raises
    ------
    MixzError
        Something is missing in one of the runs; or `output` is no HTML file.
    """
    if output.suffix != ".html":
        raise MixzError(f"output {str(output)!r}", "a file that ends in .html", "name it so")
    from mixz.report.figures import draw_figures

    runs = Runs(read_runs(sources))
    with busy("report", console):
        return _write_page(runs, draw_figures(runs), output)


def _write_page(runs: Runs, drawn: Mapping[Figure, Sequence[Panels]], path: Path) -> Path:
    from mixz.report.page import report_page

    page = report_page(runs, drawn)
    with replacing(path) as draft:
        draft.write_text(page, encoding="utf-8")
    return path
