"""n(z) of tomographic bins as the DESC keeps them: qp ensembles as RAIL's summarizers write them, and SACC.

qp needs mixz[rail], SACC the package sacc.
"""

from __future__ import annotations

from contextlib import redirect_stdout
from importlib.util import find_spec
from io import StringIO
from typing import TYPE_CHECKING, Any

import numpy as np

from mixz.bridges.qp_files import qp_module
from mixz.errors import MixzError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from mixz.tomography.answers import Tomography


def nz_ensembles(tomography: Tomography, method: str) -> tuple[Any, Any]:
    """n(z) by a method as two qp ensembles: one density per bin, and all realisations, bin after bin.

    Their ancil tables are those of RAIL's summarizers: ``bin_idx`` and ``n_objects``, ``bin_idx`` and
    ``i_realization``.

    Raises
    ------
    MixzError
        qp is not installed, or the method answers for no bin.
    """
    qp = qp_module()
    there = [(k, one) for k, one in enumerate(tomography.each) if method in one.nz]
    if not there:
        raise MixzError(f"n(z) by {method}: no bin has one", "a method that answers", "name another")
    grid = there[0][1].nz[method].grid
    which, count = np.array([k for k, _ in there]), np.array([one.galaxies for _, one in there])
    single = qp.interp.create_ensemble(
        xvals=grid.z,
        yvals=np.stack([one.nz[method].pdf for _, one in there]),
        norm=False,
        ancil={"bin_idx": which, "n_objects": count},
    )
    many = [grid.density(one.nz[method].resampled) for _, one in there]
    times = len(many[0])
    realizations = qp.interp.create_ensemble(
        xvals=grid.z,
        yvals=np.concatenate(many),
        norm=False,
        ancil={"bin_idx": np.repeat(which, times), "i_realization": np.tile(np.arange(times), len(there))},
    )
    return single, realizations


def write_nz_qp(tomography: Tomography, method: str, folder: Path) -> list[Path]:
    """Write ``nz_<method>.hdf5`` and ``nz_<method>_realizations.hdf5``.

    Raises
    ------
    MixzError
        As `nz_ensembles`.
    """
    single, realizations = nz_ensembles(tomography, method)
    written = []
    for name, ensemble in ((f"nz_{method}", single), (f"nz_{method}_realizations", realizations)):
        if ensemble.npdf:
            written.append(folder / f"{name}.hdf5")
            with redirect_stdout(StringIO()):
                ensemble.write_to(str(written[-1]))
    return written


def has_sacc() -> bool:
    """Whether the package is installed."""
    return find_spec("sacc") is not None


def write_nz_sacc(tomography: Tomography, methods: Sequence[str], path: Path, **about: str) -> None:
    """Write n(z) as the tracers of a SACC file, without data: ``source_0``, ``source_1``, ... or ``lens_0``, ....

    Parameters
    ----------
    tomography
        What to write.
    methods
        Of each bin the first of these that answers is written.
    path
        The file.
    about
        Kept in the file's metadata.

    Raises
    ------
    MixzError
        SACC is not installed.
    """
    if not has_sacc():
        raise MixzError(
            "the package sacc is not installed", "the other files", "install it beside mixz: sacc, from PyPI"
        )
    import sacc

    made = sacc.Sacc()
    for name, value in about.items():
        made.metadata[name] = value
    sample = tomography.bins.sample or "source"
    for k, one in enumerate(tomography.each):
        method = next((name for name in methods if name in one.nz), None)
        if method is not None:
            nz = one.nz[method]
            told: dict[str, Any] = {"method": method, "z_phot": one.name, "galaxies": one.galaxies}
            if np.isfinite(nz.error[0]):  # FITS headers hold no NaN
                told["mean_error"] = float(nz.error[0])
            made.add_tracer("NZ", f"{sample}_{k}", nz.grid.z, nz.pdf, quantity="galaxy_density", metadata=told)
    made.save_fits(str(path), overwrite=True)
