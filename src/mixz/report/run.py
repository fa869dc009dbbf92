"""What a report is made of: a run's galaxies, estimates, metrics and training, however they were read."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from mixz.truths.known import KNOWN_TRUTHS
from mixz.truths.likelihood import Labels

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from mixz.arrays import Floats
    from mixz.galaxies import GalaxySet
    from mixz.metrics.summary import Record
    from mixz.photoz import PhotoZ
    from mixz.truths.truth import Truths

Curves = dict[str, list[list[float]]]
"""Per step (named by what it trains on) the validation losses of each member after each epoch."""


@dataclass(frozen=True, eq=False)
class Run:
    """One run, as a report shows it.

    Parameters
    ----------
    name
        What to call it.
    about
        What its galaxies file says of itself (`mixz.data.data_set.galaxies_file.read_provenance`).
    galaxies
        All its galaxies, with their split.
    photoz
        Per recipe the estimates of the test galaxies, in their order.
    records
        Its metrics (`mixz.metrics.summarize`).
    curves
        Per recipe, how its training went.
    truths
        Truths of real labels that some galaxy has (not a simulation's own).
    ref_band
        The band of magnitude limits and label kernels.
    known
        How wrong labels of every truth are, as training and judging had it.
    cards
        Per recipe its model card, in Markdown.
    flowchart
        The ledger as a flow chart, an SVG; empty where there is none.
    differences
        Paired differences between recipes, as `evaluate` wrote them; empty where there are none.
    estimates
        Metrics of every point estimate of densities (`mixz.metrics.summarize_estimates`); empty where there are none.
    tomography
        Per recipe n(z) of its tomographic bins (`mixz.tomography.record`); empty where none was asked for.
    """

    name: str
    about: Mapping[str, Any]
    galaxies: GalaxySet
    photoz: Mapping[str, PhotoZ]
    records: Sequence[Record]
    curves: Mapping[str, Curves]
    truths: Sequence[str]
    ref_band: str
    known: Truths = KNOWN_TRUTHS
    cards: Mapping[str, str] = field(default_factory=dict)
    flowchart: str = ""
    differences: Sequence[Record] = ()
    estimates: Sequence[Record] = ()
    tomography: Sequence[Record] = ()

    @cached_property
    def test(self) -> GalaxySet:
        """The galaxies it is judged on."""
        return self.galaxies.in_split("test")

    @cached_property
    def shared_bands(self) -> tuple[str, ...]:
        """The bands that every survey of the run has."""
        own = self.galaxies.own_bands()
        return tuple(band for band in self.galaxies.bands if band not in own)

    def mag_ref(self, galaxies: GalaxySet) -> Floats:
        """The reference-band magnitudes of some galaxies, shape (galaxy,)."""
        return np.asarray(galaxies.mag[:, galaxies.bands.index(self.ref_band)], dtype=np.float64)

    def labels(self, truth: str, rows: NDArray[Any]) -> Labels:
        """What a truth says of some test galaxies, and how wrong it can be."""
        return Labels.of(self.test.rows(rows), self.known[truth], ref_band=self.ref_band)


@dataclass(frozen=True, eq=False)
class ReportEntry:
    """A recipe of a run, under the name that the whole report calls it by."""

    label: str
    run: Run
    recipe: str

    @property
    def photoz(self) -> PhotoZ:
        """Its estimates of the run's test galaxies."""
        return self.run.photoz[self.recipe]


@dataclass(frozen=True, eq=False)
class Runs:
    """The runs that a report shows beside each other; where there are several, their names tell equal recipes apart.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> a, b = SimpleNamespace(name="a", photoz={"tl": 0}), SimpleNamespace(name="b", photoz={"tl": 0})
    >>> Runs([a]).labels, Runs([a, b]).labels
    (['tl'], ['a: tl', 'b: tl'])
    """

    each: Sequence[Run]

    @cached_property
    def entries(self) -> list[ReportEntry]:
        """Every recipe of every run."""
        return [ReportEntry(self.label_of(run, recipe), run, recipe) for run in self.each for recipe in run.photoz]

    @property
    def labels(self) -> list[str]:
        """What every recipe is called."""
        return [entry.label for entry in self.entries]

    @property
    def truths(self) -> list[str]:
        """Every truth that some run judges on."""
        return list(dict.fromkeys(truth for run in self.each for truth in run.truths))

    def label_of(self, run: Run, recipe: str) -> str:
        """What a recipe of a run is called."""
        return f"{run.name}: {recipe}" if len(self.each) > 1 else recipe

    def judged_on(self, truth: str) -> list[ReportEntry]:
        """The recipes of the runs that have labels of a truth."""
        return [entry for entry in self.entries if truth in entry.run.truths]

    def labelled(self, records: Callable[[Run], Sequence[Record]]) -> list[tuple[str, Record]]:
        """The records of all runs, each with what its recipe is called."""
        return [(self.label_of(run, r["recipe"]), r) for run in self.each for r in records(run)]
