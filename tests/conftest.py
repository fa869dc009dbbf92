"""What tests have in common: a toy survey, a mock survey, a web server, and a terminal that is read."""

from __future__ import annotations

import gc
import io
import os
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from rich.console import Console

from dask_workers import client as client  # a fixture, as those below
from local_server import server as server
from mock_survey import folder as folder
from mock_survey import mock_packages as mock_packages
from mock_survey import survey as survey
from toy_survey import toy_frame, toy_survey


def pytest_configure(config: pytest.Config) -> None:
    """Let several processes share the cores: their threads must not spin while they wait for each other."""
    if getattr(config.option, "numprocesses", None):
        os.environ |= {"OMP_WAIT_POLICY": "passive", "OPENBLAS_NUM_THREADS": "1"}


SHARED = ("client", "survey")
"""Fixtures of a whole session that take longest to make."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put modules side by side that share what takes long to make: then one of the processes makes it, not every one.

    They come first, in whatever order they are in, since a long test that comes last is waited for.
    """
    module = {item: item.nodeid.partition("::")[0] for item in items}
    users = [{module[item] for item in items if name in getattr(item, "fixturenames", ())} for name in SHARED]
    items.sort(key=lambda item: tuple(module[item] not in theirs for theirs in users))


def pytest_collection_finish() -> None:
    """Spare garbage collections what was imported: a million objects, which RAIL has gone through at every chunk."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def toy() -> pd.DataFrame:
    """400 toy galaxies."""
    return toy_frame(400, seed=1)


@pytest.fixture
def console() -> Console:
    """Whatever is printed is kept: `console.file.getvalue()`."""
    return Console(file=io.StringIO(), width=120)


@pytest.fixture
def toy_settings(tmp_path: Path) -> dict[str, Any]:
    """The toy survey, in the test's own folder."""
    return toy_survey(tmp_path)


@pytest.fixture
def write_config(tmp_path: Path) -> Any:
    """A function that writes settings (or raw text) to a config file and returns its path."""

    def write(settings: dict[str, Any] | str, name: str = "toy.yaml") -> Path:
        path = tmp_path / name
        path.write_text(settings if isinstance(settings, str) else yaml.safe_dump(settings))
        return path

    return write
