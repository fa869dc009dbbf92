"""A warm process and a home to kill verbs in, shared by all tests here."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from forks import Warm
from harness import Crashes


@pytest.fixture(scope="session")
def crashes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crashes]:
    """A home with the toy survey, and what runs verbs in it."""
    place = tmp_path_factory.mktemp("crash")
    with Warm(place) as warm:
        yield Crashes(place, warm)
