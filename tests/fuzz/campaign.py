"""Many damaged files for every reader: made by a seed, counted, and those kept that taught something."""

from __future__ import annotations

import hashlib
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from zlib import crc32

import numpy as np

from fuzz.files import Files, packed, unpacked
from fuzz.mutation import mutated
from fuzz.readers import Reader
from fuzz.watched import Watched
from fuzz.worker import Outcome

KEPT = Path(__file__).parent / "kept"
MOST_POOL = 400
"""Inputs of a reader that damage begins from: whole ones, and those that came to a new place in the code."""


@dataclass
class Tally:
    """What came of a reader's inputs.

    Parameters
    ----------
    reader
        Its name.
    kinds
        How many inputs ended how.
    findings
        Per fault one input, the smallest, and what came of it.
    taught
        Per place of refusal one input, the smallest.
    seconds, megabytes
        The time of all, and the most memory of one.
    """

    reader: str
    kinds: Counter[str] = field(default_factory=Counter)
    findings: dict[str, tuple[Files, Outcome]] = field(default_factory=dict)
    taught: dict[str, tuple[Files, Outcome]] = field(default_factory=dict)
    seconds: float = 0.0
    megabytes: float = 0.0

    def enter(self, files: Files, outcome: Outcome) -> bool:
        """Count an input; whether it came to a new place."""
        self.kinds[outcome.kind] += 1
        self.megabytes = max(self.megabytes, outcome.megabytes)
        where = self.findings if outcome.is_finding else self.taught
        new = outcome.signature not in where
        if new or _size(files) < _size(where[outcome.signature][0]):
            where[outcome.signature] = files, outcome
        return new

    def __str__(self) -> str:
        count = self.kinds.total()
        kinds = ", ".join(f"{kind} {number:,}" for kind, number in self.kinds.most_common())
        speed = f"{count / max(self.seconds, 1e-9):5.0f}/s  {self.megabytes:5.0f} MB"
        return f"{self.reader:<10} {count:>7,} inputs  {speed}  {len(self.taught):>4} places  {kinds}"


def _size(files: Files) -> int:
    return sum(map(len, files.values()))


def seeds_of(reader: Reader) -> list[Files]:
    """The whole inputs of a reader."""
    with tempfile.TemporaryDirectory() as home:
        return list(reader.seeds(Path(home)))


def damaged(reader: Reader, pool: Sequence[Files], *, seed: int, number: int) -> Files:
    """One damaged input; the same for the same seed, number and pool."""
    rng = np.random.default_rng([seed, crc32(reader.name.encode()), number])
    chosen = pool[int(rng.integers(len(pool)))]
    return reader.finish(mutated(chosen, pool, reader.words, rng), rng)


def campaign(
    reader: Reader,
    watched: Watched,
    *,
    count: int,
    seed: int,
    first: int = 0,
    seconds: float = float("inf"),
    tell: Callable[[Outcome], object] = lambda _: None,
) -> Tally:
    """Try a reader on so many inputs, or for so long."""
    tally, pool = Tally(reader.name), seeds_of(reader)
    for files in pool:
        if (outcome := watched.read(reader.name, files)).kind != "value":
            raise AssertionError(f"{reader.name} does not read what is whole: {outcome}")
    whole = len(pool)
    started = monotonic()
    for number in range(first, first + count):
        files = damaged(reader, pool, seed=seed, number=number)
        outcome = watched.read(reader.name, files)
        if tally.enter(files, outcome):
            if outcome.is_finding:
                tell(outcome)
            elif len(pool) < MOST_POOL + whole:
                pool.append(files)
        tally.seconds = monotonic() - started
        if tally.seconds > seconds:
            break
    return tally


def keep(reader: str, files: Files) -> Path:
    """Keep an input for the suite."""
    content = packed(files)
    path = KEPT / f"{reader}-{hashlib.sha256(content).hexdigest()[:10]}.zip"
    path.write_bytes(content)
    return path


def kept() -> list[tuple[str, Path]]:
    """The inputs that are kept, and their readers."""
    return [(path.name.partition("-")[0], path) for path in sorted(KEPT.glob("*.zip"))]


def kept_files(path: Path) -> Files:
    """A kept input."""
    return unpacked(path.read_bytes())
