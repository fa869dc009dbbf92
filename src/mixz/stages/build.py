"""`mixz build`: survey files -> galaxies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console

from mixz.atomic import alone
from mixz.data.build import build_galaxies, read_pairs
from mixz.data.data_set.inputs import input_states, inputs_as_read
from mixz.data.data_set.provenance import is_simulated
from mixz.data.data_set.release import check_formats
from mixz.progress import progress_bar
from mixz.report.screen import SIMULATED
from mixz.stages.store.results import FLOWCHART, Results

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mixz.data.cuts import Ledger
    from mixz.report.flowchart import Origin
    from mixz.settings.config import Config
    from mixz.settings.tables import Source


def build(config: Config, formats: Sequence[str] = (), console: Console | None = None) -> Ledger:
    """Read the config's tables; write ``galaxies.parquet``, its data card, ``cuts.json`` and the flow chart.

    The flow chart is the paper's Figure 4 with this run's own counts.

    Parameters
    ----------
    config
        What to build.
    formats
        Formats to write besides Parquet: ``galaxiesml-hdf5``, ``fits``.
    console
        Where progress is shown; None: nowhere.

    Raises
    ------
    MixzError
        See `build_galaxies`; nothing is written then.  Or a format is unknown.
    """
    from mixz.report.flowchart import draw_flowchart
    from mixz.report.paper import save_drawing

    check_formats(formats)  # a wrong name should not cost a build
    results = Results(config)
    with alone(config.folder):
        before = input_states(config)
        with progress_bar("build", console or Console(quiet=True)) as bar:
            galaxies, ledger = build_galaxies(config, tell=bar)
        pairs = read_pairs(config)
        inputs = inputs_as_read(config, before)
        results.write_galaxies(galaxies, ledger, inputs, formats, pairs)
        chart = draw_flowchart(ledger.entries, _origins(config), note=SIMULATED if is_simulated(config) else "")
        drawn = save_drawing(chart, results.figures_folder, FLOWCHART, ("png", "svg", "pdf"))
        galaxies_path, *others = results.built_paths()
        seen = {one.sha256: one.state for one in inputs if one.state}
        results.digests.note("build", [galaxies_path], contents={galaxies_path: galaxies.digest()}, seen=seen)
        results.digests.note("build", [*others, *drawn], [galaxies_path])
    return ledger


def _origins(config: Config) -> dict[str, Origin]:
    """Where each table and catalogue comes from."""
    from mixz.report.flowchart import Origin

    def origin(source: Source) -> Origin:
        return Origin(source.survey or source.title, [path.name for path in source.files.values()], [*source.truths])

    return {source.title: origin(source) for table in config.tables for source in (*table.match, table)}
