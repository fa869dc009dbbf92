"""Digests name contents, and a seal tells of every byte that has changed."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mixz.digest import OPEN_SEAL, digest_of_arrays, digest_of_file, seal, seal_of
from mixz.errors import MixzError
from mixz.galaxies import GalaxySet


def test_a_digest_is_the_one_of_sha256sum_and_follows_the_file(tmp_path: Path) -> None:
    file = tmp_path / "a"
    for content in (b"", b"one", b"two"):
        file.write_bytes(content)
        assert digest_of_file(file) == hashlib.sha256(content).hexdigest()


@settings(max_examples=200, deadline=None)
@given(
    before=st.binary(max_size=40),
    after=st.binary(max_size=40),
    at=st.floats(0, 1, exclude_max=True),
    bit=st.integers(0, 7),
)
def test_no_changed_bit_keeps_a_seal(
    before: bytes, after: bytes, at: float, bit: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.mktemp("sealed") / "a"
    file.write_bytes(before + OPEN_SEAL.encode() + after)
    digits = seal(file)
    assert seal_of(file, do="") == digits
    content = bytearray(file.read_bytes())
    content[int(at * len(content))] ^= 1 << bit
    file.write_bytes(content)
    try:
        found = seal_of(file, do="write it again")
    except MixzError:
        found = None
    assert found is None


@pytest.mark.parametrize("content", [b"", b"no seal"])
def test_without_a_seal_there_is_none(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(content)
    assert seal_of(tmp_path / "a", do="") is None
    with pytest.raises(ValueError, match=r"no open seal|empty"):
        seal(tmp_path / "a")


def test_what_is_no_plain_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path, Path("/dev/zero")):
        for look in (digest_of_file, lambda p: seal_of(p, do="")):
            with pytest.raises(MixzError, match="is no plain file"):
                look(path)
    with pytest.raises(MixzError, match="No such file"):
        digest_of_file(tmp_path / "none")


@given(
    words=st.lists(st.text(max_size=4), min_size=1, max_size=5),
    numbers=st.lists(st.floats(width=32), min_size=1, max_size=5),
)
def test_arrays_are_named_by_what_they_hold(words: list[str], numbers: list[float]) -> None:
    words = [word.replace("\0", "") for word in words]
    text, values = np.array(words, dtype=str), np.array(numbers, dtype="<f4")
    name = digest_of_arrays({"w": text, "x": values})
    assert digest_of_arrays({"w": text.astype("<U20"), "x": values.astype(">f4")}) == name
    assert digest_of_arrays({"w": text, "x": values.astype("<f8")}) != name
    other = values.copy()
    other[0] = 1.0 if other[0] != 1.0 else 2.0
    assert digest_of_arrays({"w": text, "x": other}) != name
    assert digest_of_arrays({"w": np.array([*words, ""]), "x": values}) != name


def test_galaxies_are_named_by_all_that_is_known_of_them() -> None:
    given_: dict[str, object] = {
        "object_id": ["a", "b"],
        "bands": ("g",),
        "mag": [[21], [22]],
        "mag_err": [[0.1], [0.1]],
        "z": {"spec": [0.5, np.nan]},
        "split": ["train", "test"],
        "system": ["x", "y"],
        "z_err": {"spec": [[0.1, 0.1]] * 2},
        "ra_deg": [1, 2],
        "dec_deg": [3, 4],
        "carried": {"weight": [1, 1]},
        "table": ["t", "t"],
    }
    changes: dict[str, object] = {
        "object_id": ["a", "c"],
        "bands": ("r",),
        "mag": [[21], [22.5]],
        "mag_err": [[0.1], [0.2]],
        "z": {"spec": [0.5, 0.6]},
        "split": ["train", "train"],
        "system": ["x", "x"],
        "z_err": {"spec": [[0.1, 0.2]] * 2},
        "ra_deg": [1, 3],
        "dec_deg": [3, 5],
        "carried": {"weight": [1, 2]},
        "table": ["t", "s"],
    }
    names = {GalaxySet(**{**given_, **{key: value}}).digest() for key, value in changes.items()}  # type: ignore[arg-type]
    assert len(names | {GalaxySet(**given_).digest()}) == len(changes) + 1  # type: ignore[arg-type]
