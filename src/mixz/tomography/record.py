"""What is kept of tomography: n(z) with bands, moments with errors, verdicts, as plain values for JSON and pages."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from mixz.tomography.verdict import bin_verdicts, label_floor

if TYPE_CHECKING:
    from mixz.arrays import Floats
    from mixz.tomography.answers import BinEstimates, Tomography
    from mixz.tomography.nz import NofZ
    from mixz.tomography.verdict import BinVerdict

DIGITS = 6


def tomography_record(tomography: Tomography, **about: Any) -> dict[str, Any]:
    """All that a page shows of n(z), its bins and their verdict; what is not a number is None.

    Parameters
    ----------
    tomography
        What was found.
    about
        Further values to keep, e.g. the recipe.
    """
    shift = tomography.shift
    return {
        **about,
        "edges": list(tomography.bins.edges),
        "sample": tomography.bins.sample,
        "left_out": dict(tomography.left_out),
        "representative": tomography.representative,
        "shift": {
            "pairs": shift.pairs,
            "at_median_colour": _number(shift.coefficients[0]),
            "per_mag": _number(shift.coefficients[1]),
            "errors": [_number(v**0.5) for v in shift.covariance.diagonal()],
        },
        "notes": list(tomography.notes),
        "z": _numbers(next(iter(tomography.each[0].nz.values())).grid.z),
        "bins": [_bin(one) for one in tomography.each],
        "verdicts": [_verdict(one) for one in bin_verdicts(tomography)],
    }


def _bin(found: BinEstimates) -> dict[str, Any]:
    return {
        "name": found.name,
        "galaxies": found.galaxies,
        "why_not": dict(found.why_not),
        "methods": {name: _method(nz, found.labels.get(name)) for name, nz in found.nz.items()},
    }


def _method(nz: NofZ, labels: float | None) -> dict[str, Any]:
    low, high = nz.band()
    return {
        "mean": _number(nz.mean),
        "mean_error": _number(nz.error[0]),
        "width": _number(nz.width),
        "width_error": _number(nz.error[1]),
        "errors": {source: _numbers(error) for source, error in nz.errors.items()},
        "labels": None if labels is None else _number(labels),
        "floor": None if labels is None else _number(label_floor(nz, labels)),
        "pdf": _numbers(nz.pdf),
        "low": _numbers(low),
        "high": _numbers(high),
    }


def _verdict(verdict: BinVerdict) -> dict[str, Any]:
    asked = verdict.requirement
    return {
        "bin": verdict.bin,
        "method": verdict.method,
        "requirement": asked.name,
        "sample": asked.sample,
        "year": asked.year,
        "quantity": asked.quantity,
        "limit": asked.limit,
        "read": asked.read,
        "value": _number(verdict.value),
        "error": _number(verdict.error),
        "outcome": verdict.outcome,
        "why": verdict.why,
        "needed": _number(verdict.needed),
    }


def _number(value: float) -> float | None:
    return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None


def _numbers(values: Floats) -> list[float | None]:
    return [_number(value) for value in values.tolist()]
