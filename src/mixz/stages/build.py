"""`mixz build`: survey files -> galaxies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mixz.data.build import build_galaxies
from mixz.data.release import check_formats
from mixz.stages.results import Results

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mixz.config import Config
    from mixz.data.cuts import Ledger


def build(config: Config, formats: Sequence[str] = ()) -> Ledger:
    """Read the config's tables and write ``galaxies.parquet``, ``DATA_CARD.md`` and ``cuts.json``.

    Parameters
    ----------
    config
        What to build.
    formats
        Formats to write besides Parquet: ``galaxiesml-hdf5``, ``fits``.

    Raises
    ------
    MixzError
        See `build_galaxies`; nothing is written then.  Or a format is unknown.
    """
    check_formats(formats)  # a wrong name should not cost a build
    galaxies, ledger = build_galaxies(config)
    Results(config).write_galaxies(galaxies, ledger, formats)
    return ledger
