"""Two Dask workers for all tests that ask some: a process that loads torch takes longer to start than most tests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from mixz.bridges.dask_members import dask_client


@pytest.fixture(scope="session")
def client() -> Iterator[Any]:
    """A client of two workers on this machine."""
    with dask_client(workers=2) as client:
        yield client
