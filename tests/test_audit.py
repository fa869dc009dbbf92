"""`make audit` says why it looked nothing up, and takes no mirror without vulnerabilities for a database."""

from __future__ import annotations

import importlib
from typing import Any

import pytest
import requests

from test_locks import ROOT


@pytest.fixture
def audit(monkeypatch: pytest.MonkeyPatch) -> Any:
    """checks/audit.py, with no arguments."""
    monkeypatch.syspath_prepend(ROOT / "checks")
    monkeypatch.setattr("sys.argv", ["audit.py"])
    return importlib.import_module("audit")


class Answer:
    """An answer of PyPI about a package of which it knows nothing bad."""

    def raise_for_status(self) -> None:
        """It is all right."""

    def json(self) -> dict[str, list[object]]:
        """As PyPI lays it out."""
        return {"vulnerabilities": []}


def test_it_skips_with_reasons(audit: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def unreachable(*_: object, **__: object) -> None:
        raise requests.ConnectionError("no such host")

    monkeypatch.setattr(requests, "post", unreachable)
    monkeypatch.setattr(requests, "get", lambda *_, **__: Answer())
    monkeypatch.setattr(audit, "audit", lambda _: pytest.fail("nothing can be looked up"))
    assert audit.main() == 0
    told = capsys.readouterr().out
    assert "SKIPPED" in told
    assert "osv: ConnectionError: no such host" in told
    assert "pypi: knows nothing of jinja2 2.4.1, which is vulnerable" in told


@pytest.mark.parametrize("found", [0, 1])
def test_it_ends_as_the_database_says(audit: Any, monkeypatch: pytest.MonkeyPatch, found: int) -> None:
    monkeypatch.setattr(audit, "ask_osv", lambda: [])
    monkeypatch.setattr(audit, "ask_pypi", lambda: ["CVE-2014-0012"])
    monkeypatch.setattr(audit, "audit", {"pypi": found}.__getitem__)
    assert audit.main() == found
