"""Records that tell the addresses: asked at fetch time, and each way in which they fail is one clear line."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from mixz import stages
from mixz.data.fetching import download
from mixz.data.fetching.fetch import LOCK_NAME
from mixz.data.fetching.registry import DataSet, FetchGroup, Registry, RemoteFile, load_registry
from mixz.errors import MixzError

if TYPE_CHECKING:
    from pathlib import Path

    from local_server import Server

ABOUT = {"title": "t", "purpose": "p", "page": "the page", "licence": "l", "note": "n"}
FILES = {"a.csv": b"id,z\n1,0.5\n" * 2000, "b.csv": b"id,z\n2,0.7\n"}


def data_set(server: Server, number: int, *names: str) -> DataSet:
    files = tuple(RemoteFile(name=name) for name in names)
    record = server.url(f"api/records/{number}")
    return DataSet(files=files, record=record, citation=f"@misc{{{number}}}", **ABOUT)


@pytest.fixture
def registry(server: Server) -> Registry:
    server.serve_record(7, FILES)
    return Registry(
        data_sets={"both": data_set(server, 7, *FILES), "extra": data_set(server, 8, "c.csv")},
        groups={"paper": FetchGroup(purpose="p", data_sets=("both",), also=("extra",))},
    )


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "LONGEST_PAUSE_S", 0.01)
    monkeypatch.setattr("pooch.core.time.sleep", lambda _: None)


def run(registry: Registry, folder: Path, console: Console, name: str = "both") -> dict[str, str]:
    return {path.name: words for path, words in stages.fetch([name], folder, console, registry=registry)}


@pytest.mark.parametrize("link", ["self", "content", "download"])
def test_addresses_sizes_and_checksums_are_the_records(
    server: Server, registry: Registry, tmp_path: Path, console: Console, link: str
) -> None:
    server.serve_record(7, FILES, link=link)
    assert set(run(registry, tmp_path, console).values()) == {"downloaded; MD5 as published"}
    assert {name: (tmp_path / name).read_bytes() for name in FILES} == FILES
    recorded = json.loads((tmp_path / LOCK_NAME).read_text())
    assert recorded["a.csv"]["sha256"] == hashlib.sha256(FILES["a.csv"]).hexdigest()
    assert recorded["a.csv"]["url"].endswith("/7/files/a.csv/content")
    assert set(run(registry, tmp_path, console).values()) == {"was there, MD5 as published"}


def test_a_half_file_goes_on_where_it_broke(
    server: Server, registry: Registry, tmp_path: Path, console: Console
) -> None:
    server.serve_record(7, FILES, breaks_at=[7000])
    run(registry, tmp_path, console)
    assert (tmp_path / "a.csv").read_bytes() == FILES["a.csv"]
    assert "bytes=7000-" in {asked for _, _, asked in server.asked}


def test_a_file_cut_on_disk_is_fetched_again(registry: Registry, tmp_path: Path, console: Console) -> None:
    run(registry, tmp_path, console)
    (tmp_path / "a.csv").write_bytes(FILES["a.csv"][:100])
    assert run(registry, tmp_path, console)["a.csv"].startswith("downloaded again, the old one had changed")


def test_a_record_with_other_names_lists_what_it_has(
    server: Server, registry: Registry, tmp_path: Path, console: Console
) -> None:
    server.serve_record(7, {"a.csv": b"1", "B.csv": b"2"})
    with pytest.raises(MixzError, match=r"the page holds no file 'b.csv'\n  allowed: a.csv, B.csv"):
        run(registry, tmp_path, console)
    assert not list(tmp_path.iterdir()), "nothing is fetched of a record that is not the known one"


@pytest.mark.parametrize(
    ("answer", "status", "says"),
    [
        (b"{}", 404, "is no longer there"),
        (b'{"status": 410, "message": "The record has been deleted."}', 410, "is no longer there"),
        (b'{"id": 99, "files": []}', 200, "has moved: record 99 answers in its place"),
    ],
)
def test_a_record_that_moved(
    server: Server, registry: Registry, tmp_path: Path, console: Console, answer: bytes, status: int, says: str
) -> None:
    server.serve("api/records/7", answer, status=status)
    with pytest.raises(MixzError, match=rf"api/records/7 {says}\n.*a.csv, b.csv\n.*see the page"):
        run(registry, tmp_path, console)


@pytest.mark.parametrize(
    "answer", [b"no JSON", b"[]", b'{"id": 7}', b'{"id": 7, "files": [{"key": "a.csv"}, {"key": "b.csv"}]}', None]
)
def test_a_record_that_says_nothing(
    server: Server, registry: Registry, tmp_path: Path, console: Console, answer: bytes | None
) -> None:
    server.serve("api/records/7", answer or b"", status=200 if answer else 503)
    with pytest.raises(MixzError, match=r"nobody can be asked where a.csv is: .*api/records/7 gives no checksums"):
        run(registry, tmp_path, console)


def test_without_network_what_was_fetched_is_still_trusted(
    registry: Registry, tmp_path: Path, console: Console
) -> None:
    run(registry, tmp_path, console)
    gone = registry.data_sets["both"].model_copy(update={"record": "http://127.0.0.1:1/api/records/7"})
    offline = Registry(data_sets={"both": gone})
    assert set(run(offline, tmp_path, console).values()) == {f"was there, SHA256 as recorded in {LOCK_NAME}"}
    (tmp_path / "b.csv").write_bytes(b"other")
    with pytest.raises(MixzError, match="nobody can be asked where b.csv is: .*ConnectionError"):
        run(offline, tmp_path, console)
    with pytest.raises(MixzError, match="a network, and a record that answers"):
        run(offline, tmp_path / "new", console)


def test_a_group_goes_on_without_what_is_not_needed(registry: Registry, tmp_path: Path, console: Console) -> None:
    assert set(run(registry, tmp_path, console, "paper")) == set(FILES)
    printed = console.file.getvalue()  # type: ignore[attr-defined]
    assert "not fetched, and not needed" in printed
    assert printed.count("cite:") == 2
    with pytest.raises(MixzError, match="no longer there"):
        run(registry, tmp_path, console, "extra")


def test_the_papers_group_is_what_the_issue_names() -> None:
    known = load_registry()
    paper = known.groups["paper"]
    records = [str(known.data_sets[name].record).rpartition("/")[2] for name in (*paper.data_sets, *paper.also)]
    assert records == ["16541823", "10145347", "5528827", "None"]
    [specz] = known.data_sets["cosmos_specz"].files
    assert specz.bytes == 70_223_040
    assert specz.checksum == "sha256:6ffd1145ed9caeba6c16f8e4267415682562b1a37549ac07a070ba5eb6336e99"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: [", "is no registry"),
        ("data_sets: 3", "is no registry"),
        ("data_sets: {}\ngroups: {g: {purpose: p, data_sets: [x]}}", "'g' names 'x', which is no data set"),
        (
            "data_sets: {d: {title: t, purpose: p, page: g, licence: l, citation: c, note: n, files: [{name: f}]}}",
            "a file without url needs a record",
        ),
    ],
)
def test_a_registry_of_ones_own_that_is_wrong(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "r.yaml").write_text(text)
    with pytest.raises(MixzError, match=says):
        load_registry(tmp_path / "r.yaml")
    with pytest.raises(MixzError, match="is no registry"):
        load_registry(tmp_path / "none.yaml")
