"""The verdict as JSON, for programs: what the terminal and the report say, in numbers."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mixz.metrics.verdict import Verdict


def as_values(found: Sequence[Verdict]) -> list[dict[str, Any]]:
    """Verdicts as plain values: sentences, fields, and the recipes that the data cannot tell from the best.

    Examples
    --------
    >>> from mixz.metrics.verdict import verdicts
    >>> record = {"truth": "spec", "sample": "test", "z_range": "all", "n": 9, "recipe": "tl"}
    >>> loss = {"metric": "hsc_loss", "mean": 0.08, "requirement": None}
    >>> told = as_values(verdicts([record | loss]))[0]
    >>> told["best"], told["value"], told["error"], told["sentence"]
    ('tl', 0.08, nan, 'spec: tl is the only recipe (hsc_loss 0.0800).')
    """
    return [{"sentence": one.sentence(), **asdict(one), "equals": list(one.equals)} for one in found]


def json_of(values: Any) -> str:
    """Plain values as JSON, of which numbers that are none are null.

    Examples
    --------
    >>> json_of({"error": float("nan"), "checks": ()})
    '{"error": null, "checks": []}'
    """
    return json.dumps(_finite(values))


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {name: _finite(inner) for name, inner in value.items()}
    return [_finite(inner) for inner in value] if isinstance(value, list | tuple) else value
