"""The long run of kills, signals and failing disks: `make torture`.

In pieces: MIXZ_VERBS=build,predict MIXZ_KILLS=20 MIXZ_SEED=3.
Prints a line per verb, and ends with 1 if anything was not as in an undisturbed run.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from forks import Warm
from harness import BY_NAME, Crashes, Tally, Verb


def troubles(crashes: Crashes, verb: Verb, kills: int, seed: int) -> Iterator[Tally]:
    """Do all that can happen to a verb: kills so often, half as many failing disks, signals a quarter of it each."""
    yield crashes.kill(verb, kills=kills, seed=seed)
    yield crashes.kill_at_changes(verb, kills=kills, seed=seed)
    yield crashes.fail(verb, how="EIO", times=-(-kills // 2), seed=seed)
    for number in (signal.SIGINT, signal.SIGTERM):
        yield crashes.kill(verb, kills=-(-kills // 4), seed=seed, send=number)


def main() -> int:
    """Kill every verb that is asked for, so many times."""
    kills, seed = int(os.environ.get("MIXZ_KILLS", "20")), int(os.environ.get("MIXZ_SEED", "1"))
    names = [name for name in os.environ.get("MIXZ_VERBS", "").split(",") if name] or list(BY_NAME)
    tallies = []
    with TemporaryDirectory(prefix="mixz-crash-") as home, Warm(Path(home)) as warm:
        crashes = Crashes(Path(home), warm, sky=True)
        for name in names:
            for tally in troubles(crashes, BY_NAME[name], kills, seed):
                tallies.append(tally)
                print(tally, *tally.differences, sep="\n  ", flush=True)
    wrong = sum(len(tally.differences) for tally in tallies)
    times = sum(tally.kills for tally in tallies)
    print(f"seed {seed}: {len(names)} verbs disturbed {times} times, {wrong} differences")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
