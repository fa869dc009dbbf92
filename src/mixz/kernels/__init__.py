"""Error kernels: how wrong a redshift label can be, p(z_label | z); draw labels, or ask how likely one is."""

from mixz.kernels.core_tail import CoreTailKernel
from mixz.kernels.gaussian import GaussianKernel
from mixz.kernels.kernel import Kernel
from mixz.kernels.reported import ReportedKernel
from mixz.kernels.table import TableKernel
from mixz.kernels.table_file import read_kernel_table

__all__ = ["CoreTailKernel", "GaussianKernel", "Kernel", "ReportedKernel", "TableKernel", "read_kernel_table"]
