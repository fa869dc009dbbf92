"""`mixz mock`: files under the surveys' names, a comparison with the real ones, and no half of either."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

from mixz import cli
from mixz.data.simulated import is_mock
from mixz.settings.tables import Table

if TYPE_CHECKING:
    from pathlib import Path

needs_mock = pytest.mark.skipif(
    any(find_spec(name) is None for name in ("skypy", "speclite", "photerr")), reason="the mock extra is not installed"
)


def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    monkeypatch.setattr(sys, "argv", ["mixz", "mock", *arguments])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    said = capsys.readouterr()
    return int(stop.value.code or 0), said.out + said.err


@needs_mock
def test_files_and_comparison(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    out = tmp_path / "mock"
    code, said = run(monkeypatch, capsys, "--galaxies", "2000", "--out", str(out), "--check")
    assert code == 0, said
    for words in ("COSMOS2020_CLASSIC_R1_v2.1_p3.fits", "spectra, percentiles of i", "photo-z, i < 24"):
        assert words in said
    table = Table(survey="galaxiesml", path=out)
    assert all(is_mock(path) for path in table.files.values())
    assert all(path.is_file() for path in table.files.values())
    code, said = run(monkeypatch, capsys, "--galaxies", "2000", "--out", str(out))
    assert code == 2
    assert "exists already" in said


def test_nothing_to_do(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    code, said = run(monkeypatch, capsys)
    assert code == 2
    assert "--out mock_survey" in said


def test_too_few(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    code, said = run(monkeypatch, capsys, "--galaxies", "3", "--check")
    assert code == 2
    assert "100" in said
