"""What the DESC asks of tomographic bins: how well mean and width must be known, in units of (1 + z).

The DESC Science Requirements Document (SRD), arXiv:1809.01669 v1.0.2, could not be opened while this was written.  One
limit (LSS1 of Y10, p. 16) stands word for word in public code; all others are from memory, and are marked so wherever
they are shown until somebody has read them there.
"""

from __future__ import annotations

from dataclasses import dataclass

from mixz.tomography.bins import LENS, SOURCE

MEAN, WIDTH = "mean", "width"
SRD = "DESC SRD, arXiv:1809.01669"


@dataclass(frozen=True)
class SrdRequirement:
    """A limit on how wrong a quantity of a bin may be.

    Parameters
    ----------
    sample, year
        ``source`` or ``lens``; after how many years of LSST.
    quantity
        ``mean`` or ``width``.
    limit
        In units of (1 + z).
    read
        Whether it was read, in the document or in a quotation; else it is from memory.
    """

    sample: str
    year: int
    quantity: str
    limit: float
    read: bool = False

    @property
    def name(self) -> str:
        """What to call it, and whether it is from memory."""
        return f"{self.sample} Y{self.year} {self.quantity}{'' if self.read else ' (from memory)'}"


REQUIREMENTS = (
    SrdRequirement(SOURCE, 1, MEAN, 0.002),
    SrdRequirement(SOURCE, 10, MEAN, 0.001),
    SrdRequirement(SOURCE, 1, WIDTH, 0.006),
    SrdRequirement(SOURCE, 10, WIDTH, 0.003),
    SrdRequirement(LENS, 1, MEAN, 0.005),
    SrdRequirement(LENS, 10, MEAN, 0.003, read=True),
    SrdRequirement(LENS, 1, WIDTH, 0.1),
    SrdRequirement(LENS, 10, WIDTH, 0.03),
)
"""The limits, Y1 and Y10, of source and lens bins."""


def requirements(sample: str = "") -> tuple[SrdRequirement, ...]:
    """The limits on bins of a sample; on both where it is not said which.

    Examples
    --------
    >>> [r.name for r in requirements("lens") if r.quantity == "mean"]
    ['lens Y1 mean (from memory)', 'lens Y10 mean']
    """
    return tuple(r for r in REQUIREMENTS if sample in ("", r.sample))
