"""Tomographic bins: their galaxies, their n(z) four ways, and what cosmology requires; numpy and scipy only."""

from mixz.tomography.answers import (
    BOTH,
    LABELS,
    METHODS,
    POINTS,
    SPECTRA,
    STACK,
    TRUTH,
    BinEstimates,
    Tomography,
)
from mixz.tomography.bins import NO_BIN, SRD_BINS, Bins, Quality, Sorted, sort_into_bins
from mixz.tomography.estimate import RESAMPLES, estimate_nz
from mixz.tomography.nz import NofZ
from mixz.tomography.requirements import REQUIREMENTS, SrdRequirement, requirements
from mixz.tomography.samples import LabelledSample, PhotometricSample
from mixz.tomography.verdict import BinVerdict, bin_verdicts, compared_with, label_floor, offset

__all__ = [
    "BOTH",
    "LABELS",
    "METHODS",
    "NO_BIN",
    "POINTS",
    "REQUIREMENTS",
    "RESAMPLES",
    "SPECTRA",
    "SRD_BINS",
    "STACK",
    "TRUTH",
    "BinEstimates",
    "BinVerdict",
    "Bins",
    "LabelledSample",
    "NofZ",
    "PhotometricSample",
    "Quality",
    "Sorted",
    "SrdRequirement",
    "Tomography",
    "bin_verdicts",
    "compared_with",
    "estimate_nz",
    "label_floor",
    "offset",
    "requirements",
    "sort_into_bins",
]
