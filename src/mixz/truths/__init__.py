"""What labels say: kinds of redshift labels and how wrong they can be, p(z_label | z).

Training, mock surveys, calibration and the judging of models all ask here, so that one statement of how wrong a label
is serves the whole program.
"""

from mixz.truths.by_magnitude import BinCorrection, corrected_kernel, fit_densities, fit_pairs
from mixz.truths.core_tail import CoreTailKernel
from mixz.truths.corrected import CorrectedKernel
from mixz.truths.gaussian import GaussianKernel
from mixz.truths.kernel import Kernel
from mixz.truths.known import KNOWN_TRUTHS
from mixz.truths.likelihood import Labels
from mixz.truths.reported import ReportedKernel
from mixz.truths.table import TableKernel, read_kernel_table
from mixz.truths.truth import Truth, Truths

__all__ = [
    "KNOWN_TRUTHS",
    "BinCorrection",
    "CoreTailKernel",
    "CorrectedKernel",
    "GaussianKernel",
    "Kernel",
    "Labels",
    "ReportedKernel",
    "TableKernel",
    "Truth",
    "Truths",
    "corrected_kernel",
    "fit_densities",
    "fit_pairs",
    "read_kernel_table",
]
