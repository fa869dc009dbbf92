"""`mixz report`: galaxies, photo-z and metrics -> one HTML page, and figures for papers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mixz.atomic import replacing
from mixz.data.data_set.provenance import is_simulated
from mixz.errors import MixzError
from mixz.progress import busy
from mixz.report.screen import SIMULATED
from mixz.stages.results import Results
from mixz.stages.runs import read_run, read_runs

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rich.console import Console

    from mixz.report.run import Run
    from mixz.settings.config import Config


def report(config: Config, console: Console) -> list[Path]:
    """Write ``report.html`` and ``figures/`` from what earlier stages wrote; the page stands first in what is given.

    Raises
    ------
    MixzError
        ``galaxies.parquet``, ``photoz/`` or ``metrics.json`` is missing; the message names the verb that makes it.
    """
    from mixz.report.figures import save_figure
    from mixz.report.gallery import paper_figures

    results = Results(config)
    run = read_run(config)
    note = SIMULATED if is_simulated(config) else ""
    with busy("report", console):
        page = _write_page([run], config.folder / "report.html")
        figures = paper_figures(run, note=note)
        return [page, *(path for n, f in figures.items() for path in save_figure(f, results.figures_folder, n))]


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
    runs = read_runs(sources)
    with busy("report", console):
        return _write_page(runs, output)


def _write_page(runs: Sequence[Run], path: Path) -> Path:
    from mixz.report.page import report_page

    page = report_page(runs)
    with replacing(path) as draft:
        draft.write_text(page, encoding="utf-8")
    return path
