"""Files damaged in every way that disks and hands have, to try readers on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from mixz.errors import MixzError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

FLIPS = 12


def damaged(content: bytes, *, seed: int) -> Iterator[tuple[str, bytes]]:
    """A content with a bit flipped at its ends and at random places, cut off, longer, empty, and of something else."""
    rng = np.random.default_rng(seed)
    for at in (0, len(content) - 1, *rng.integers(len(content), size=FLIPS)):
        changed = bytearray(content)
        changed[at] ^= 1 << int(rng.integers(8))
        yield f"a bit of byte {at} flipped", bytes(changed)
    for length in {len(content) - 1, len(content) // 2, 0}:
        yield f"cut off at {length}", content[:length]
    yield "a byte more", content + b"\0"
    yield "zeros", bytes(len(content))
    yield "something else", b"[" * 100_000


def expect_refusal(path: Path, read: Callable[[], object], *, seed: int = 1) -> int:
    """Damage a file in every way, and expect one message of mixz each time; the file is whole again afterwards."""
    whole, tried = path.read_bytes(), 0
    for what, content in damaged(whole, seed=seed):
        assert content != whole
        path.write_bytes(content)
        with pytest.raises(MixzError) as told:
            read()
        assert 0 < len(str(told.value)) < 1_000, what
        tried += 1
    path.write_bytes(whole)
    read()
    return tried
