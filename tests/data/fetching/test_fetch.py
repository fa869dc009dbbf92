"""Downloads: whole, checked, resumed, and never a half file or a wrong one under the final name."""

from __future__ import annotations

import gzip
import hashlib
import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from mixz.data.fetching.download import Patience
from mixz.data.fetching.fetch import LOCK_NAME, fetch_file, write_query
from mixz.data.fetching.registry import DataSet, RemoteFile
from mixz.data.fetching.zenodo import with_published_checksums
from mixz.errors import MixzError

if TYPE_CHECKING:
    from pathlib import Path

    from local_server import Server
    from mixz.data.fetching.fetch import Fetched


BODY = bytes(range(256)) * 400
QUICK = Patience(timeout_s=0.3, attempts=3, pause_s=0.01)


def sha256(body: bytes) -> str:
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


def fetch(server: Server, folder: Path, **fields: Any) -> Fetched:
    file = RemoteFile(name="a.fits", url=server.url("a.fits"), **fields)
    return fetch_file(file, folder, lambda *_: None, patience=QUICK)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} if folder.is_dir() else set()


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pooch pauses a second before its second try."""
    monkeypatch.setattr("pooch.core.time.sleep", lambda _: None)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "new" / "data"


def test_a_good_file_arrives_and_is_not_downloaded_again(server: Server, folder: Path) -> None:
    server.serve("a.fits", BODY)
    first = fetch(server, folder, checksum=sha256(BODY), bytes=len(BODY))
    second = fetch(server, folder, checksum=sha256(BODY), bytes=len(BODY))
    assert first.path.read_bytes() == BODY
    assert first.words == "downloaded; SHA256 as published"
    assert second.words == "was there, SHA256 as published"
    assert [method for method, *_ in server.asked] == ["GET"]
    assert names(folder) == {"a.fits"}


def test_the_bar_is_told_megabytes_up_to_the_whole(server: Server, folder: Path) -> None:
    folder.mkdir(parents=True)
    server.serve("a.fits", BODY)
    told: list[tuple[float, float]] = []
    file = RemoteFile(name="a.fits", url=server.url("a.fits"))
    fetch_file(file, folder, lambda done, total, words="": told.append((done, total)), patience=QUICK)  # noqa: ARG005
    assert told[-1] == (len(BODY) / 1e6, len(BODY) / 1e6)


@pytest.mark.parametrize("kind", ["md5", "sha1", "sha256"])
def test_every_kind_of_published_checksum_is_checked(server: Server, folder: Path, kind: str) -> None:
    server.serve("a.fits", BODY)
    digest = hashlib.new(kind, BODY, usedforsecurity=False).hexdigest()
    assert fetch(server, folder, checksum=f"{kind}:{digest}").words.startswith("downloaded")


def test_a_corrupted_file_is_tried_twice_and_refused(server: Server, folder: Path) -> None:
    server.serve("a.fits", b"X" + BODY[1:])
    with pytest.raises(MixzError, match="another SHA256 than as published"):
        fetch(server, folder, checksum=sha256(BODY))
    assert names(folder) == set()
    assert len(server.asked) == 2


def test_a_good_file_is_never_replaced_by_a_bad_one(server: Server, folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "a.fits").write_bytes(b"an older version")
    server.serve("a.fits", b"bad")
    with pytest.raises(MixzError, match="stays as it was"):
        fetch(server, folder, checksum=sha256(BODY))
    assert (folder / "a.fits").read_bytes() == b"an older version"
    server.serve("a.fits", BODY)
    assert fetch(server, folder, checksum=sha256(BODY)).words.startswith("downloaded again, the old one had changed")
    assert (folder / "a.fits").read_bytes() == BODY


def test_a_broken_connection_is_taken_up_where_it_broke(server: Server, folder: Path) -> None:
    server.serve("a.fits", BODY, breaks_at=[40_000, 20_000])
    fetch(server, folder, checksum=sha256(BODY))
    assert [asked for _, _, asked in server.asked] == ["", "bytes=40000-", "bytes=60000-"]
    assert names(folder) == {"a.fits"}


def test_a_download_that_was_interrupted_goes_on_in_the_next_run(server: Server, folder: Path) -> None:
    server.serve("a.fits", BODY, breaks_at=[40_000])

    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    file = RemoteFile(name="a.fits", url=server.url("a.fits"), checksum=sha256(BODY))
    with pytest.raises(KeyboardInterrupt):
        fetch_file(file, folder, interrupt, patience=QUICK)
    assert names(folder) == {"a.fits.part", "a.fits.part.tag"}
    fetch(server, folder, checksum=sha256(BODY))
    assert server.asked[-1][2].startswith("bytes=")
    assert names(folder) == {"a.fits"}


def test_a_part_that_is_already_whole_is_used(server: Server, folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "a.fits.part").write_bytes(BODY)
    (folder / "a.fits.part.tag").write_text('"one"')
    server.serve("a.fits", BODY)
    fetch(server, folder, checksum=sha256(BODY))
    assert names(folder) == {"a.fits"}


@pytest.mark.parametrize("headers", [{"ETag": '"two"'}, {}, {"ETag": 'W/"one"'}])
def test_a_part_of_another_version_is_thrown_away(server: Server, folder: Path, headers: dict[str, str]) -> None:
    folder.mkdir(parents=True)
    (folder / "a.fits.part").write_bytes(b"old" * 10)
    (folder / "a.fits.part.tag").write_text('"one"')
    server.serve("a.fits", BODY, headers=headers)
    assert fetch(server, folder).path.read_bytes() == BODY


def test_a_server_without_ranges_starts_over(server: Server, folder: Path) -> None:
    server.serve("a.fits", BODY, breaks_at=[40_000], ranges=False)
    assert fetch(server, folder).path.read_bytes() == BODY


@pytest.mark.parametrize("headers", [{}, {"ETag": '"one"'}])
def test_a_truncated_file_is_refused(server: Server, folder: Path, headers: dict[str, str]) -> None:
    server.serve("a.fits", BODY, breaks_at=[100] * 9, headers=headers, ranges=False)
    with pytest.raises(MixzError, match=r"3 attempts in a row: the connection broke \(100 bytes so far\)"):
        fetch(server, folder)
    assert "a.fits" not in names(folder)
    assert LOCK_NAME not in names(folder)


def test_a_file_of_another_size_than_published_is_refused_at_once(server: Server, folder: Path) -> None:
    server.serve("a.fits", BODY)
    with pytest.raises(MixzError, match=r"offers 102,400 bytes\n  allowed: 7 bytes"):
        fetch(server, folder, bytes=7)
    assert names(folder) == set()


def test_a_silent_server_is_tried_again_and_then_named(server: Server, folder: Path) -> None:
    server.serve("a.fits", BODY, silent_s=[1.0])
    assert fetch(server, folder).path.read_bytes() == BODY
    server.serve("a.fits", BODY, silent_s=[9.0] * 9)
    began = time.monotonic()
    with pytest.raises(MixzError, match=r"in 3 attempts in a row: it was silent for 0.3 s"):
        fetch(server, folder.parent / "other")
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(("status", "attempts"), [(404, 1), (403, 1), (503, 3)])
def test_refusals_are_final_unless_the_server_is_busy(server: Server, folder: Path, status: int, attempts: int) -> None:
    server.serve("a.fits", status=status)
    with pytest.raises(MixzError, match=str(status)):
        fetch(server, folder)
    assert len(server.asked) == attempts
    assert names(folder) == set()


def test_a_server_that_is_not_there_is_named(folder: Path) -> None:
    file = RemoteFile(name="a.fits", url="http://127.0.0.1:1/a.fits")
    with pytest.raises(MixzError, match="the connection broke"):
        fetch_file(file, folder, lambda *_: None, patience=QUICK)


def test_a_web_page_is_no_data(server: Server, folder: Path) -> None:
    server.serve("a.fits", b"<html>please log in</html>", headers={"Content-Type": "text/html; charset=utf-8"})
    with pytest.raises(MixzError, match="a web page"):
        fetch(server, folder)
    assert names(folder) == set()


def test_a_packed_file_stays_packed(server: Server, folder: Path) -> None:
    packed = gzip.compress(BODY, mtime=0)
    server.serve("a.fits", packed, headers={"Content-Encoding": "gzip"})
    assert fetch(server, folder).path.read_bytes() == packed


def test_no_room_is_said_before_anything_is_written(
    server: Server, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.serve("a.fits", BODY)
    monkeypatch.setattr("mixz.data.fetching.download.shutil.disk_usage", lambda _: type("Usage", (), {"free": 10}))
    with pytest.raises(MixzError, match="MB free"):
        fetch(server, folder)
    assert names(folder) == set()


def test_two_fetches_into_one_folder_do_not_meet(server: Server, folder: Path) -> None:
    server.serve("a.fits", BODY)
    met: list[MixzError] = []

    def fetch_again(*_: Any) -> None:
        with pytest.raises(MixzError, match="another `mixz fetch`") as refusal:
            fetch(server, folder)
        met.append(refusal.value)

    file = RemoteFile(name="a.fits", url=server.url("a.fits"))
    fetch_file(file, folder, fetch_again, patience=QUICK)
    assert met
    assert fetch(server, folder).words.startswith("was there")


def test_a_folder_that_cannot_be_made_is_named(server: Server, tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file in the way")
    with pytest.raises(MixzError, match="data cannot be written"):
        fetch(server, tmp_path / "data")


class TestLock:
    """Where no checksum is published, the first download's is kept to."""

    def test_the_first_download_is_recorded(self, server: Server, folder: Path) -> None:
        server.serve("a.fits", BODY)
        assert "now recorded" in fetch(server, folder).words
        entry = json.loads((folder / LOCK_NAME).read_text())["a.fits"]
        assert entry == {"bytes": len(BODY), "sha256": sha256(BODY)[7:], "url": server.url("a.fits")}
        assert fetch(server, folder).words == f"was there, SHA256 as recorded in {LOCK_NAME}"

    def test_later_downloads_must_agree(self, server: Server, folder: Path) -> None:
        server.serve("a.fits", BODY)
        fetch(server, folder).path.unlink()
        server.serve("a.fits", BODY + b"more")
        with pytest.raises(MixzError, match="delete it and its entry"):
            fetch(server, folder)
        assert names(folder) == {LOCK_NAME}

    def test_a_file_that_changed_on_disk_is_fetched_again(self, server: Server, folder: Path) -> None:
        server.serve("a.fits", BODY)
        fetch(server, folder).path.write_bytes(BODY[:-1])
        assert "the old one had changed" in fetch(server, folder).words
        assert (folder / "a.fits").read_bytes() == BODY

    def test_a_file_brought_by_hand_is_recorded_if_its_size_is_right(self, server: Server, folder: Path) -> None:
        folder.mkdir(parents=True)
        server.serve("a.fits", BODY)
        (folder / "a.fits").write_bytes(BODY[:-1])
        with pytest.raises(MixzError, match="102,399 bytes\n  allowed: 102,400 bytes"):
            fetch(server, folder)
        (folder / "a.fits").write_bytes(BODY)
        assert fetch(server, folder).words.startswith("was there; its SHA-256 is now recorded")
        assert {method for method, *_ in server.asked} == {"HEAD"}

    def test_a_damaged_lock_is_named(self, server: Server, folder: Path) -> None:
        folder.mkdir(parents=True)
        (folder / LOCK_NAME).write_text("{")
        with pytest.raises(MixzError, match="damaged"):
            fetch(server, folder)

    def test_other_files_stay_recorded(self, server: Server, folder: Path) -> None:
        server.serve("a.fits", BODY)
        server.serve("b.fits", BODY)
        fetch(server, folder)
        fetch_file(RemoteFile(name="b.fits", url=server.url("b.fits")), folder, lambda *_: None, patience=QUICK)
        assert set(json.loads((folder / LOCK_NAME).read_text())) == {"a.fits", "b.fits"}


class TestRecord:
    """A Zenodo record publishes size and checksum of its files."""

    @pytest.fixture
    def data_set(self, server: Server) -> DataSet:
        file = RemoteFile(name="a.fits", url=server.url("a.fits"))
        about = {"title": "t", "purpose": "p", "page": "the page", "licence": "l", "citation": "c", "note": "n"}
        return DataSet(files=(file,), record=server.url("record"), **about)

    @staticmethod
    def record(name: str) -> bytes:
        md5 = hashlib.md5(BODY, usedforsecurity=False).hexdigest()
        files = [{"key": name, "size": len(BODY), "checksum": f"md5:{md5}"}]
        return json.dumps({"id": 1, "files": files}).encode()

    def test_it_fills_in_size_and_checksum(self, server: Server, data_set: DataSet, folder: Path) -> None:
        server.serve("record", self.record("a.fits"))
        server.serve("a.fits", BODY)
        filled, warning = with_published_checksums(data_set, patience=QUICK)
        assert warning == ""
        assert filled.files[0].bytes == len(BODY)
        assert fetch_file(filled.files[0], folder, lambda *_: None).words == "downloaded; MD5 as published"
        assert names(folder) == {"a.fits"}

    def test_a_file_it_does_not_hold_is_named_with_those_it_does(self, server: Server, data_set: DataSet) -> None:
        server.serve("record", self.record("a.fit"))
        with pytest.raises(MixzError, match=r"holds no file 'a.fits'\n  allowed: a.fit\n.*nearest name: 'a.fit'"):
            with_published_checksums(data_set, patience=QUICK)

    @pytest.mark.parametrize("answer", [b"no JSON", b"[]", b"{}", None])
    def test_without_it_the_lock_serves(self, server: Server, data_set: DataSet, answer: bytes | None) -> None:
        server.serve("record", answer or b"", status=200 if answer else 500)
        same, warning = with_published_checksums(data_set, patience=QUICK)
        assert same == data_set
        assert "gives no checksums" in warning


def test_a_query_is_copied_once_and_an_edited_one_stays(tmp_path: Path) -> None:
    query = tmp_path / "q.sql"
    query.write_text("SELECT 1")
    copy = write_query(query, tmp_path / "data").path
    assert copy.read_text() == "SELECT 1"
    copy.write_text("SELECT 2")
    assert "left as it is" in write_query(query, tmp_path / "data").words
    assert copy.read_text() == "SELECT 2"
