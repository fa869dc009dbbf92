"""One small simulated survey and its files, made once for all tests of the mock and of data."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from mixz.mock.survey import MockSurvey

MISSING = [name for name in ("skypy", "speclite", "photerr") if find_spec(name) is None]


@pytest.fixture(scope="session")
def mock_packages() -> None:
    if MISSING:
        pytest.skip(f"the mock extra is not installed: {', '.join(MISSING)}")


@pytest.fixture(scope="session")
def survey(mock_packages: None) -> MockSurvey:  # noqa: ARG001 (a fixture that skips)
    from mixz.mock.survey import simulate

    return simulate(6000, seed=3)


@pytest.fixture(scope="session")
def folder(survey: MockSurvey, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from mixz.mock.files import write_surveys

    out = tmp_path_factory.mktemp("mock") / "surveys"
    write_surveys(survey, out)
    return out
