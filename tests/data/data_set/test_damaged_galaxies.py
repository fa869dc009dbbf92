"""`galaxies.parquet` with any byte changed is refused, in a message."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pytest

from damage import expect_refusal
from mixz.data.data_set.galaxies_file import read_galaxies, read_provenance, write_galaxies
from mixz.data.split import split_by_id
from mixz.errors import MixzError
from mixz.galaxies import GalaxySet

if TYPE_CHECKING:
    from pathlib import Path


def galaxies() -> GalaxySet:
    ids = np.arange(50)
    mag = np.linspace(20, 24, 100).reshape(50, 2)
    z = {"spec": np.where(ids % 2, 0.5, np.nan)}
    return GalaxySet(ids, ("g", "i"), mag, mag * 0.01, z, split_by_id(ids), table=np.full(50, "t"), ra_deg=ids)


def test_no_damaged_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "galaxies.parquet"
    write_galaxies(galaxies(), path)
    for seed, read in enumerate((read_galaxies, read_provenance)):
        assert expect_refusal(path, partial(read, path), seed=seed) > 15


def test_it_names_its_galaxies_and_reads_back_the_same(tmp_path: Path) -> None:
    path = tmp_path / "galaxies.parquet"
    write_galaxies(galaxies(), path, provenance={"galaxies_digest": "of others"})
    assert read_provenance(path)["galaxies_digest"] == galaxies().digest() == read_galaxies(path).digest()


def test_nobody_waits_at_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "galaxies.parquet")
    with pytest.raises(MixzError, match="no galaxies file"):
        read_galaxies(tmp_path / "galaxies.parquet")
