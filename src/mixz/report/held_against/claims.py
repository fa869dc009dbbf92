"""What arXiv:2411.18054 and its follow-ups claim in their abstracts, and numbers published of the same galaxies.

The papers' bodies were not read: which metric a word of theirs means is ours wherever `reading` says so.
"""

from __future__ import annotations

from dataclasses import dataclass

PAPER = "arXiv:2411.18054"
FOLLOW_UP = "arXiv:2601.17222"
JONES = "arXiv:2306.13179"

RANGE = "0.3-1.5"
"""The labels' redshifts of the papers' claims."""


@dataclass(frozen=True)
class Claim:
    """What a paper says, and how a run would show it.

    Parameters
    ----------
    source
        The paper.
    words
        What it says.
    reading
        What of the test is ours, since the abstract does not say it; empty where nothing is.
    """

    source: str
    words: str
    reading: str


@dataclass(frozen=True)
class Smaller(Claim):
    """A metric is so many times smaller for one recipe than for another.

    Parameters
    ----------
    metric, over, under
        |metric| of `over` divided by that of `under`.
    times, digit
        The claimed ratio, and what its last digit counts: 1.5 is written of all from 1.45 to 1.55.
    truth, z_range
        Whose test galaxies, and which.

    Examples
    --------
    >>> five = Smaller(PAPER, "five times", "", metric="bias", over="base", under="tl", times=5, digit=1)
    >>> five.allowed
    (4.5, 5.5)
    """

    metric: str
    over: str
    under: str
    times: float
    digit: float = 0.1
    truth: str = "spec"
    z_range: str = RANGE

    @property
    def allowed(self) -> tuple[float, float]:
        """The ratios that would be written so."""
        return round(self.times - self.digit / 2, 6), round(self.times + self.digit / 2, 6)


@dataclass(frozen=True)
class Worse(Claim):
    """A metric gets worse for one recipe (`under`) than it is for another (`over`), by no named factor."""

    metric: str
    over: str
    under: str
    truth: str = "many_band"
    z_range: str = RANGE


@dataclass(frozen=True)
class Covered(Claim):
    """A share of galaxies lies within one standard error of a recipe that gives errors."""

    recipe: str
    share: float
    digit: float
    truth: str = "spec"


@dataclass(frozen=True)
class Meets(Claim):
    """A recipe meets what is required of a metric (`mixz.metrics.METRICS` has the limit), in its range."""

    metric: str
    recipe: str
    truth: str = "spec"
    z_range: str = "lsst"


_CATASTROPHIC = "catastrophic is read as |z_phot - z_ref| > 1"
_OUTLIERS = "outliers are read as |dz| > 0.15"
_SCATTER = "scatter is read as sigma_MAD"
_SAMPLE = "on spectra"
_SET = "the abstract names no document: LSST's project requirements are taken"

CLAIMS: tuple[Claim, ...] = (
    *(
        Smaller(
            PAPER, f"NN-{name}: {words}", reading, metric=metric, over="base", under=under, times=times, digit=digit
        )
        for under, name in (("tl", "TL"), ("combo", "Combo"))
        for metric, words, times, digit, reading in (
            ("bias", "bias 5 times smaller than NN-Base's", 5, 1, "bias is the median of dz"),
            ("rms", "RMS 1.5 times smaller", 1.5, 0.1, ""),
            ("catastrophic_fraction", "catastrophic outliers 1.3 times fewer", 1.3, 0.1, _CATASTROPHIC),
        )
    ),
    *(
        Worse(PAPER, f"NN-{name}: {words} on TransferZ", "the range is ours", metric=metric, over="base", under=under)
        for under, name in (("tl", "TL"), ("combo", "Combo"))
        for metric, words in (("bias", "bias gets worse"), ("rms", "RMS gets worse"))
    ),
    *(
        Meets(PAPER, f"NN-{name}: can meet cosmological requirements, {words}", _SET, metric=metric, recipe=recipe)
        for recipe, name in (("tl", "TL"), ("combo", "Combo"))
        for metric, words in (("bias", "bias"), ("rms", "RMS"), ("outlier_fraction_3sigma", "3-sigma outliers"))
    ),
    *(
        Smaller(FOLLOW_UP, words, reading, metric=metric, over="spec", under="combo", times=times)
        for metric, words, times, reading in (
            ("bias", "composite: bias 4.5 times less than with spectra only", 4.5, _SAMPLE),
            ("sigma_mad", "composite: scatter 1.1 times less", 1.1, f"{_SAMPLE}; {_SCATTER}"),
            ("outlier_fraction", "composite: 1.4 times fewer outliers", 1.4, f"{_SAMPLE}; {_OUTLIERS}"),
        )
    ),
    Covered(
        JONES,
        "Bayesian network: 67.2 % of the galaxies within 1 sigma",
        "mean over members; prior and schedule of `bnn` are ours",
        recipe="bnn",
        share=0.672,
        digit=0.001,
    ),
)
"""Every claim that a run is held against, in the order in which it is told."""


@dataclass(frozen=True)
class Published:
    """Numbers of another estimator on the same test galaxies.

    Parameters
    ----------
    name, source
        What it is, and where its numbers are from.
    file, galaxies
        The test side's file, and its rows.
    values
        Per redshift range its metrics by our names.
    """

    name: str
    source: str
    file: str
    galaxies: int
    values: dict[str, dict[str, float]]


LSTM_MDN = Published(
    "LSTM-MDN (published)",
    "computed from the predictions that zjluo-code/LSTM-MDNz-GalaxiesML publishes",
    "hsc_test.csv",
    28_640,
    {
        "all": {
            "bias": 0.0013,
            "sigma_mad": 0.0239,
            "rms": 0.130,
            "outlier_fraction": 0.0645,
            "catastrophic_fraction": 0.0177,
            "hsc_loss": 0.0904,
            "crps": 0.0625,
        },
        RANGE: {
            "bias": 0.0006,
            "sigma_mad": 0.0216,
            "rms": 0.112,
            "outlier_fraction": 0.0539,
            "catastrophic_fraction": 0.0122,
            "hsc_loss": 0.0790,
            "crps": 0.0523,
        },
    },
)
"""On the test side of Zenodo record 10145347, from magnitudes and their errors."""


def claimed_ratio(metric: str, *, over: str, under: str, truth: str, z_range: str) -> float | None:
    """How many times smaller a paper has a metric; None where it names no number.

    Examples
    --------
    >>> claimed_ratio("rms", over="base", under="tl", truth="spec", z_range="0.3-1.5")
    1.5
    """
    place = (metric, over, under, truth, z_range)
    of = (c for c in CLAIMS if isinstance(c, Smaller) and (c.metric, c.over, c.under, c.truth, c.z_range) == place)
    return next((claim.times for claim in of), None)
