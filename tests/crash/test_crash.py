"""Verbs that are killed leave whole files, and end as if nothing had happened when they are run again.

The suite kills quick ones three times; `make torture` all of them, as often as one likes.
"""

from __future__ import annotations

import os

import pytest
from harness import BY_NAME, Crashes

SEED = int(os.environ.get("MIXZ_SEED", "1"))
QUICK = ("build", "train", "evaluate", "pack", "predict", "predict fits", "predict qp")
"""The others take many seconds, and write their files in the same few ways."""


@pytest.mark.parametrize("name", QUICK)
def test_killed_at_any_moment(name: str, crashes: Crashes) -> None:
    tally = crashes.kill(BY_NAME[name], kills=3, seed=SEED, in_a_row=3)
    assert tally.differences == []
    assert tally.kills >= 3


@pytest.mark.parametrize("name", ["build", "train", "predict"])
def test_killed_at_a_change_of_a_file(name: str, crashes: Crashes) -> None:
    """What happens between two moments of a clock: the change to a file that a kill comes just before is chosen."""
    tally = crashes.kill_at_changes(BY_NAME[name], kills=3, seed=SEED)
    assert tally.differences == []
    assert tally.kills >= 3
