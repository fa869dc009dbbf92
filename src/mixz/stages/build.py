"""`mixz build`: survey files -> galaxies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mixz.data.build import build_galaxies
from mixz.stages.results import FLOWCHART, SIMULATED, Results, is_simulated

if TYPE_CHECKING:
    from mixz.config import Config
    from mixz.data.cuts import Ledger
    from mixz.report.flowchart import Origin
    from mixz.sources import Source


def build(config: Config) -> Ledger:
    """Read the config's tables; write ``galaxies.parquet``, ``cuts.json`` and the flow chart, the paper's Figure 4.

    Raises
    ------
    MixzError
        See `build_galaxies`; nothing is written then.
    """
    from mixz.report.figures import save_figure
    from mixz.report.flowchart import draw_flowchart

    galaxies, ledger = build_galaxies(config)
    results = Results(config)
    results.write_galaxies(galaxies, ledger)
    chart = draw_flowchart(ledger.entries, _origins(config), note=SIMULATED if is_simulated(config) else "")
    save_figure(chart, results.figures_folder, FLOWCHART, ("png", "svg", "pdf"))
    return ledger


def _origins(config: Config) -> dict[str, Origin]:
    """Say of each table and catalogue where it comes from."""
    from mixz.report.flowchart import Origin

    def origin(source: Source) -> Origin:
        return Origin(source.survey or source.title, [path.name for path in source.files.values()], [*source.truths])

    return {source.title: origin(source) for table in config.tables for source in (*table.match, table)}
