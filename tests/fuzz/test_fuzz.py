"""Damaged files end in a value or in a MixzError: those that once did not, and fresh ones, in a watched process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from fuzz.campaign import KEPT, campaign, damaged, kept, kept_files
from fuzz.files import packed, unpacked
from fuzz.model_seeds import sealed
from fuzz.mutation import mutated
from fuzz.readers import READERS, BrokenPromiseError, Reader
from fuzz.watched import Watched
from fuzz.worker import outcome_of
from mixz.digest import OPEN_SEAL, seal_of

BY_NAME = {reader.name: reader for reader in READERS}
FRESH = {"parquet": 30, "feather": 20, "text": 30, "fixed": 20, "fits": 30, "hdf5": 30, "votable": 20, "ecsv": 20}
FRESH |= {"galaxies": 20, "config": 20, "expression": 40, "registry": 20, "kernel": 20, "results": 10}
"""Inputs of readers whose whole ones are made quickly."""
MOST_KEPT_BYTES = 300_000


@pytest.fixture(scope="module")
def watched() -> Iterator[Watched]:
    with Watched() as one:
        yield one


def test_kept_inputs_end_well(watched: Watched) -> None:
    tried = 0
    for name, path in kept():
        if BY_NAME[name].is_there:
            outcome = watched.read(name, kept_files(path))
            assert not outcome.is_finding, f"{path.name}: {outcome}"
            tried += 1
    assert tried > 20
    assert sum(path.stat().st_size for path in KEPT.iterdir()) < MOST_KEPT_BYTES


@pytest.mark.parametrize("name", FRESH)
def test_fresh_inputs_end_well(name: str, watched: Watched) -> None:
    if not BY_NAME[name].is_there:
        pytest.skip(f"{BY_NAME[name].needs} not installed")
    tally = campaign(BY_NAME[name], watched, count=FRESH[name], seed=11)
    assert tally.kinds.total() == FRESH[name]
    assert not tally.findings, [outcome for _, outcome in tally.findings.values()]


def test_damage_is_made_by_its_seed_alone() -> None:
    reader = BY_NAME["kernel"]
    pool = list(reader.seeds(Path()))
    made = [[damaged(reader, pool, seed=3, number=n) for n in range(30)] for _ in range(2)]
    assert made[0] == made[1]
    assert sum(one not in pool for one in made[0]) > 25
    assert damaged(reader, pool, seed=4, number=0) != made[0][0]


def broken(how: str) -> Reader:
    def read(_: Path) -> None:
        if how == "warning":
            np.float64(0) / np.float64(0)
        raise {"error": ValueError("x"), "promise": BrokenPromiseError("x")}[how]

    return Reader("broken", lambda _: iter([{"a": b"1"}]), read)


@pytest.mark.parametrize("how", ["error", "promise"])
def test_a_broken_promise_is_found(how: str, tmp_path: Path) -> None:
    outcome = outcome_of(broken(how), {"a": b"1"}, tmp_path)
    assert outcome.is_finding
    assert not [*tmp_path.iterdir()]


def test_archives_and_seals_close_again(tmp_path: Path) -> None:
    files = {"a/b": b"1", "c": bytes(1000)}
    assert unpacked(packed(files)) == files
    (tmp_path / "sealed").write_bytes(sealed(f"text {OPEN_SEAL} more".encode()))
    assert seal_of(tmp_path / "sealed", do="")


def test_a_large_file_is_damaged_as_a_small_one_is() -> None:
    whole = {"large": bytes(range(256)) * 2_000}
    rng = np.random.default_rng(1)
    sizes = [len(mutated(whole, [whole], (), rng).get("large", b"")) for _ in range(60)]
    assert sum(size == len(whole["large"]) for size in sizes) > 20
    assert max(sizes) <= len(whole["large"])
