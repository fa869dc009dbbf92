"""`mixz report`: galaxies, photo-z and metrics -> one HTML page, and figures for papers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mixz.atomic import alone, replacing
from mixz.data.data_set.provenance import is_simulated
from mixz.errors import MixzError
from mixz.progress import busy
from mixz.report.run import Runs
from mixz.report.screen import SIMULATED
from mixz.stages.runs import read_run, read_run_folder, read_runs, results_of
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


def renew_page(folder: Path, console: Console) -> Path:
    """Write the page of a results folder anew, from that folder alone; figures and model cards stay as they are.

    Raises
    ------
    MixzError
        It is no results folder, or something is missing in it.
    """
    from mixz.report.figures import draw_figures

    results = results_of(folder)
    with alone(folder), busy("report", console):
        runs = Runs([read_run_folder(folder)])
        page = _write_page(runs, draw_figures(runs), folder / "report.html")
        made_from = [results.metrics_path, *map(results.photoz_path, results.config.recipes)]
        results.digests.note("report", [page], made_from)
    return page


def compare(sources: Sequence[Path], output: Path, console: Console) -> Path:
    """Write one page that shows several runs beside each other, or one; pages in results folders stay as they are.

    Parameters
    ----------
    sources
        Configs or results folders.
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
