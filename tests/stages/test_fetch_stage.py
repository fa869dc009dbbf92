"""`mixz fetch`: names in, checked files out, and what to do where an account is needed."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from mixz import cli, stages
from mixz.data.fetching.registry import DataSet, Registry, RemoteFile
from mixz.errors import MixzError

if TYPE_CHECKING:
    from pathlib import Path

    from local_server import Server

ABOUT = {"title": "Two tables", "purpose": "p", "page": "https://page", "licence": "l", "citation": "c", "note": "n"}


@pytest.fixture
def registry(server: Server) -> Registry:
    for name in ("a.csv", "b.csv"):
        server.serve(name, name.encode())
    files = tuple(RemoteFile(name=name, url=server.url(name)) for name in ("a.csv", "b.csv"))
    return Registry(
        data_sets={
            "two": DataSet(files=files, **ABOUT),
            "asked": DataSet(query="hsc_pdr2.sql", **ABOUT | {"note": "register"}),
        }
    )


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    monkeypatch.setattr(sys, "argv", ["mixz", *arguments])
    try:
        cli.main()
    except SystemExit as stop:
        if stop.code:
            raise


def test_a_data_set_is_fetched_whole_or_file_by_file(registry: Registry, console: Console, tmp_path: Path) -> None:
    one = stages.fetch(["two/b.csv"], tmp_path, console, registry=registry)
    assert [path.name for path, _ in one] == ["b.csv"]
    both = stages.fetch(["two"], tmp_path, console, registry=registry)
    assert [words.split(";")[0].split(",")[0] for _, words in both] == ["downloaded", "was there"]
    assert (tmp_path / "a.csv").read_bytes() == b"a.csv"


def test_where_an_account_is_needed_the_query_and_the_way_are_given(
    registry: Registry, console: Console, tmp_path: Path
) -> None:
    [query] = stages.fetch(["asked"], tmp_path, console, registry=registry)
    assert "FROM\n    pdr2_wide.forced" in query.path.read_text()
    assert isinstance(console.file, io.StringIO)
    assert "register" in console.file.getvalue()


def test_a_wrong_name_stops_before_anything_is_downloaded(
    registry: Registry, server: Server, console: Console, tmp_path: Path
) -> None:
    for names in (["two", "tow"], []):
        with pytest.raises(MixzError, match="two"):
            stages.fetch(names, tmp_path, console, registry=registry)
    assert not server.asked


def test_list_prints_every_data_set(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    run(monkeypatch, "fetch", "--list")
    printed = capsys.readouterr().out
    for word in ("cosmos2020_classic", "galaxiesml_64", "16.9", "Zenodo's MD5", "hsc_pdr2", "needs an account"):
        assert word in printed


def test_the_command_line_explains_and_writes_the_query(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    run(monkeypatch, "fetch", "hsc_pdr2", "--to", str(tmp_path))
    assert "Register at the page" in capsys.readouterr().out
    assert (tmp_path / "hsc_pdr2.sql").is_file()


def test_an_unknown_name_ends_with_one_message(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        run(monkeypatch, "fetch", "cosmos2020")
    assert "no data set is called 'cosmos2020'" in capsys.readouterr().err
