"""`mixz build`: survey files -> galaxies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mixz.data.build import build_galaxies
from mixz.stages.results import Results

if TYPE_CHECKING:
    from mixz.config import Config
    from mixz.data.cuts import Ledger


def build(config: Config) -> Ledger:
    """Read the config's tables and write ``galaxies.parquet`` and ``cuts.json``.

    Raises
    ------
    MixzError
        See `build_galaxies`; nothing is written then.
    """
    galaxies, ledger = build_galaxies(config)
    Results(config).write_galaxies(galaxies, ledger)
    return ledger
