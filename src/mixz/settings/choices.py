"""Choices that configs and the command line share, in a file that loads nothing: `mixz --help` does not wait for it."""

from __future__ import annotations

from typing import Literal

Device = Literal["cpu", "cuda"]
Precision = Literal["float32", "tf32", "bfloat16"]
"""Where to train and how exactly to multiply: choices of a run, not of its config, but recorded with the model."""

MOST_MEMBERS = 1000
"""Of an ensemble: a hundred times the default's; their weights lie in memory together."""
