"""Error kernels: how wrong a redshift label can be, p(z_label | z); draw labels, or ask how likely one is."""

from mixz.truths.core_tail import CoreTailKernel
from mixz.truths.gaussian import GaussianKernel
from mixz.truths.kernel import Kernel
from mixz.truths.reported import ReportedKernel
from mixz.truths.table import TableKernel, read_kernel_table

__all__ = ["CoreTailKernel", "GaussianKernel", "Kernel", "ReportedKernel", "TableKernel", "read_kernel_table"]
