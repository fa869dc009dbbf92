"""The long run: ``python -m fuzz`` in `tests`, by FUZZ_INPUTS and FUZZ_SEED; names of readers choose some."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from time import monotonic

from fuzz.campaign import Tally, campaign, keep
from fuzz.files import packed
from fuzz.readers import READERS
from fuzz.watched import Watched
from fuzz.worker import Outcome


def main() -> int:
    """Try every reader, count, print, and put findings aside."""
    count, seed = int(os.environ.get("FUZZ_INPUTS", "100000")), int(os.environ.get("FUZZ_SEED", "1"))
    aside = Path(os.environ.get("FUZZ_FINDINGS", "out/fuzz"))
    chosen = [reader for reader in READERS if reader.name in sys.argv[1:] or not sys.argv[1:]]
    shares = sum(reader.share for reader in chosen if reader.is_there)
    started, tallies = monotonic(), list[Tally]()
    for reader in chosen:
        if not reader.is_there:
            print(f"{reader.name:<10} is left out: {', '.join(reader.needs)} not installed")
            continue
        with Watched() as watched:
            tallies.append(campaign(reader, watched, count=round(count * reader.share / shares), seed=seed, tell=_tell))
        print(tallies[-1], flush=True)
        _put_aside(tallies[-1], aside)
    total = sum(tally.kinds.total() for tally in tallies)
    found = sum(len(tally.findings) for tally in tallies)
    seconds = monotonic() - started
    print(f"{total:,} inputs with seed {seed} in {seconds:,.0f} s ({total / seconds:.0f}/s); faults found: {found}")
    return 1 if found else 0


def _tell(outcome: Outcome) -> None:
    print(f"  FOUND {outcome.signature} {outcome.kind}: {outcome.place}", flush=True)


def _put_aside(tally: Tally, aside: Path) -> None:
    for signature, (files, outcome) in tally.findings.items():
        folder = aside / tally.reader
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{signature}.zip").write_bytes(packed(files))
        (folder / f"{signature}.txt").write_text(
            f"{outcome.kind} {outcome.megabytes:.0f} MB\n{outcome.place}\n{outcome.words}\n"
        )
    for number in range(int(os.environ.get("FUZZ_KEEP", "0"))):
        places = sorted(tally.taught.values(), key=lambda one: len(packed(one[0])))
        if number < len(places):
            keep(tally.reader, places[number * len(places) // int(os.environ["FUZZ_KEEP"])][0])


if __name__ == "__main__":
    sys.exit(main())
