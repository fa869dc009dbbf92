"""The truths that mixz knows by name, and the kernels that need no further settings.

Spectra are exact on the scale of a photo-z.  Many-band labels (COSMOS2020) scatter by a Gaussian core with a
skewed tail, both depending on i magnitude and redshift.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mixz.truths.core_laplace import CoreLaplaceKernel
from mixz.truths.core_tail import CoreTailKernel
from mixz.truths.gaussian import GaussianKernel
from mixz.truths.truth import Truth, Truths

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mixz.truths.kernel import Kernel

# Parameters "gaussian_yin+25_tail_khostovan+26" of GaussianSkewtScatterSelector in pz-rail-astro-tools 2.0.5.
COSMOS2020 = CoreTailKernel(
    mag_edges=(15.5, 22, 23, 24, 29),
    z_edges=(0, 0.3, 0.7, 1, 1.5, 2, 2.5, 3, 4),
    s=(
        (0.010, 0.020, 0.026, 0.038, 0.038, 0.038, 0.038, 0.038),
        (0.011, 0.019, 0.025, 0.036, 0.062, 0.062, 0.062, 0.062),
        (0.011, 0.022, 0.027, 0.044, 0.063, 0.115, 0.093, 0.074),
        (0.013, 0.023, 0.025, 0.051, 0.069, 0.120, 0.103, 0.069),
    ),
    mu=(
        (0, 0.002, -0.002, 0.001, 0.001, 0.001, 0.001, 0.001),
        (0, 0, -0.002, -0.004, 0.01, 0.01, 0.01, 0.01),
        (0.003, 0, -0.001, -0.006, -0.002, 0.024, 0.007, 0),
        (0.008, -0.005, 0.007, -0.015, -0.019, 0.017, 0.011, 0),
    ),
    f=(0.0709, 0.0672, 0.0618, 0.2425),
    loc=(0.0431, -0.0847, -0.0371, -0.0979),
    scale=(0.1585, 0.1018, 0.4109, 0.2499),
    a=(8.4098, 0.5426, 1.1277, 0.5394),
    b=(8.747, 0.4436, 0.8467, 0.5454),
)

# COSMOS2020 CLASSIC's LePHARE redshifts against 35,291 secure spectra (flag >= 3, 0.01 <= z <= 3), by i magnitude and,
# the median alone, by redshift: one person's repository, unrefereed (mardom/DDFpz @115e2a57, spectra of the COSMOS
# compilation DR1.1).  Secure spectra are of the easier galaxies, so the truth is somewhat wider; the shape is ours.
COSMOS2020_MEASURED = CoreLaplaceKernel.measured(
    (20, 21.5, 23, 24.5),
    sigma_mad=(0.00696, 0.00814, 0.00947, 0.01665, 0.04102),
    beyond_near=(0.00653, 0.00696, 0.01694, 0.04587, 0.16151),
    beyond_far=(0.00479, 0.00381, 0.00961, 0.02376, 0.08797),
    bias=(-0.00110, -0.00283, -0.00294, -0.00405, -0.00639),
    z_borders=(0.4, 0.8, 1.2, 1.6),
    bias_of_z=(0.00105, 0.00092, -0.00025, -0.00701, -0.00063),  # less that of all, -0.00301
)

# Ours: 150 km/s, between DEEP2's 30 km/s and low-resolution grating spectra; far below any photo-z.
SPECTRUM = GaussianKernel(0.0005)

KERNELS: Mapping[str, Kernel] = {
    "exact": SPECTRUM,
    "cosmos2020": COSMOS2020,
    "cosmos2020_measured": COSMOS2020_MEASURED,
}
"""The kernels that need no further settings."""

KNOWN_TRUTHS = Truths(
    (
        Truth("spec", SPECTRUM, exact=True),
        # Makes observed labels likelier than the published one, though not densities more honest (docs/results.md).
        Truth("many_band", COSMOS2020_MEASURED),
        Truth("true", SPECTRUM, exact=True, simulated=True),
    )
)
"""The truths whose names mixz knows."""
