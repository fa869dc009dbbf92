"""A model over HTTP: what it answers, in which formats, and what it refuses."""

from __future__ import annotations

import gzip
import importlib
import io
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mixz.bridges.web.limits import Limits
from mixz.data.meaning.numbers import numbers
from mixz.data.tables import read_table, write_table
from mixz.errors import MixzError, TooLargeError
from mixz.galaxies import GalaxySet
from mixz.model.folder import save_model
from mixz.model.initial import untrained
from mixz.settings.network import Network
from mixz.settings.recipe import Recipe, Step
from mixz.stages.serve import model_app

testclient = pytest.importorskip("fastapi.testclient", reason="needs mixz[serve]")

LOCAL = {"host": "localhost"}
CSV = b"object_id,mag_g,mag_r\na,22,21\n<b>,23,22.5\nc,,20\n"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that has learned nothing: its answers are numbers, and that is all these tests need."""
    rng = np.random.default_rng(0)
    galaxies = GalaxySet(
        np.arange(60),
        ("g", "r"),
        rng.normal(22, 1, (60, 2)),
        np.full((60, 2), 0.1),
        z={"spec": rng.uniform(0, 1, 60)},
        split=np.full(60, "train"),
    )
    network = Network(hidden=(8,), head="binned", nodes=30)
    folder = tmp_path_factory.mktemp("served") / "model"
    save_model(untrained(galaxies, Recipe(steps=(Step(truths=("spec",)),), network=network), members=2), folder)
    return folder


@pytest.fixture(scope="module")
def client(model: Path) -> Any:
    app = model_app(model, max_mb=0.01, max_rows=500)
    return testclient.TestClient(app, base_url="http://localhost")


def refused(answer: Any, status: int, *words: str) -> None:
    assert answer.status_code == status, answer.text
    told = answer.json()
    assert set(told) == {"given", "allowed", "do"}
    for word in words:
        assert word in " ".join(told.values())


def test_it_says_what_it_needs(client: Any) -> None:
    told = client.get("/api/model").json()
    assert told["bands"] == ["g", "r"]
    assert told["columns"] == ["mag_g", "mag_r"]
    assert (told["max_mb"], told["max_rows"]) == (0.01, 500)


@pytest.mark.parametrize("ending", ["csv", "parquet", "fits", "hdf5", "ecsv"])
def test_a_table_in_and_a_table_back(client: Any, tmp_path: Path, ending: str) -> None:
    sent = tmp_path / f"sent.{ending}"
    write_table(pd.read_csv(io.BytesIO(CSV)), sent)
    asked = {"name": sent.name, "format": ending}
    answer = client.post(
        "/api/photoz", params=asked, content=sent.read_bytes() if sent.stat().st_size < 10_000 else CSV
    )
    if sent.stat().st_size >= 10_000:  # FITS and HDF5 have blocks of their own size
        answer = client.post("/api/photoz", params={"name": "a.csv", "format": ending}, content=CSV)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-disposition"] == f'attachment; filename="photoz.{ending}"'
    back = tmp_path / f"back.{ending}"
    back.write_bytes(answer.content)
    found = read_table(back)
    assert found["object_id"].tolist() == ["a", "<b>", "c"]
    assert np.isfinite(numbers(found, "z_phot", where=ending)).tolist() == [True, True, False]


def test_a_preview_is_json_with_densities(client: Any) -> None:
    found = client.post("/api/preview", params={"name": "a.csv"}, content=CSV).json()
    assert (found["galaxies"], found["without_redshift"]) == (3, 1)
    assert [row["object_id"] for row in found["rows"]] == ["a", "<b>", "c"]
    assert found["rows"][2]["z_phot"] is None
    assert len(found["pdf"][0]) > 5
    assert found["pdf"][2] == []
    assert sum(found["histogram"]["counts"]) == 2


def test_what_to_look_at_in_a_table_is_told(roomy: Any) -> None:
    strange = b"object_id,mag_g,mag_r\n" + b"".join(b"%d,%.3f,30\n" % (k, 22 + k / 1000) for k in range(400))
    notes = roomy.post("/api/preview", params={"name": "my <table>.csv"}, content=strange).json()["notes"]
    assert any("my <table>.csv column 'mag_r': 400 values are exactly 30" in note for note in notes)
    answer = roomy.post("/api/photoz", params={"name": "my <table>.csv"}, content=strange)
    assert json.loads(answer.headers["mixz-notes"]) == notes
    assert "/" not in "".join(notes), "no folder of the server is told"
    assert "bands that galaxies lack: mag_" in roomy.post("/api/photoz", content=CSV).headers["mixz-notes"]
    assert "mixz-notes" not in roomy.post("/api/photoz", content="mag_g,mag_r,object_id\n21,20,a\n").headers


def test_columns_by_other_names(client: Any) -> None:
    table = b"name,g_mag,r_mag\nx,22,21\n"
    asked = {"name": "a.csv", "mag": "{band}_mag", "id": "name"}
    answer = client.post("/api/photoz", params=asked, content=table)
    assert answer.text.splitlines()[1].startswith("x,")


@pytest.mark.parametrize(
    ("name", "body", "words"),
    [
        ("a.csv", b"object_id,mag_g\n1,22\n", ["a.csv has no column 'mag_r'", "columns: object_id, mag_g"]),
        ("a.csv", b"", ["a.csv is empty"]),
        ("a.doc", b"x", ["unknown format"]),
        ("a.parquet", b"no parquet at all", ["a.parquet cannot be read"]),
        ("a.fits", b"no fits at all", ["a.fits"]),
        ("a.csv", b"object_id,mag_g,mag_r\n1,22,bright\n", ["row 1 holds 'bright'"]),
        ("a.csv", b"mag_g,mag_r\n" + b"22,21\n" * 501, ["more than 500 rows"]),
        ("../../etc/passwd", b"x", ["unknown format"]),
    ],
)
def test_mistakes_are_told(client: Any, name: str, body: bytes, words: list[str]) -> None:
    answer = client.post("/api/photoz", params={"name": name}, content=body)
    refused(answer, 422, *words)
    assert "mixz-" not in answer.text, "no folder of the server is told"


def test_what_is_too_large_is_refused_before_and_while_it_is_read(client: Any) -> None:
    refused(client.post("/api/photoz", content=b"x" * 20_000), 413, "0.01 MB")
    refused(client.post("/api/photoz", content=iter([b"x" * 6_000] * 3)), 413, "0.01 MB")


def test_what_is_not_there(client: Any) -> None:
    refused(client.get("/nothing"), 404, "POST /api/photoz")
    refused(client.get("/scripts/other.js"), 404)
    refused(client.get("/api/photoz"), 405)
    refused(client.post("/api/photoz", params={"format": "doc"}, content=CSV), 422, "format")


def test_other_names_cannot_ask(client: Any) -> None:
    assert client.get("/api/model", headers={"host": "evil.example"}).status_code == 400
    assert "default-src 'none'" in client.get("/").headers["content-security-policy"]


FOREIGN = [
    {"origin": "http://evil.example"},
    {"origin": "null"},
    {"origin": "http://localhost:8080"},
    {"origin": "https://localhost"},
    {"origin": "http://localhost.evil.example"},
    {"origin": "http://localhost@evil.example"},
    {"origin": "http://localhost:99999999"},
    {"origin": ""},
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"sec-fetch-site": "of tomorrow"},
    {"origin": "http://localhost", "sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"},
]


@pytest.mark.parametrize("told", FOREIGN)
def test_pages_of_other_sites_cannot_send(client: Any, told: dict[str, str]) -> None:
    for what in ("photoz", "preview"):
        refused(client.post(f"/api/{what}", content=CSV, headers=told), 403, "page")


@pytest.mark.parametrize("host", ["localhost", "localhost:80", "127.0.0.1:8321"])
@pytest.mark.parametrize("site", ["same-origin", "none", ""])
def test_its_own_page_and_programs_can_send(client: Any, host: str, site: str) -> None:
    told = {"host": host, "origin": f"http://{host}"} | ({"sec-fetch-site": site} if site else {})
    assert client.post("/api/photoz", content=CSV, headers=told).status_code == 200
    assert client.post("/api/photoz", content=CSV, headers={"host": host}).status_code == 200


def test_a_link_leads_to_the_page_and_no_further(client: Any) -> None:
    followed = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
    assert client.get("/", headers=followed).status_code == 200
    refused(client.get("/", headers=followed | {"sec-fetch-dest": "iframe"}), 403)
    refused(client.get("/api/model", headers=followed), 403)
    refused(client.get("/scripts/serve.js", headers={"sec-fetch-site": "cross-site"}), 403)


def test_origins_count_where_other_machines_may_ask(model: Path) -> None:
    client = testclient.TestClient(model_app(model, host="0.0.0.0"), base_url="http://photoz.example:8321")
    assert client.post("/api/photoz", content=CSV, headers={"origin": "http://photoz.example:8321"}).status_code == 200
    for origin in ("http://photoz.example", "http://evil.example:8321", "null"):
        refused(client.post("/api/photoz", content=CSV, headers={"origin": origin}), 403)


def test_what_a_gzip_holds_is_counted(roomy: Any) -> None:
    rows = b"object_id,mag_g,mag_r\n" + b"a,22,21\n" * 1000
    for body in (gzip.compress(rows), gzip.compress(rows[:99]) + gzip.compress(rows[99:]) + b"\0" * 600):
        answer = roomy.post("/api/photoz", params={"name": "a.csv.gz"}, content=body)
        assert answer.text.count("\n") == 1001
    bomb = gzip.compress(b"a" * 1_000_001)
    refused(roomy.post("/api/photoz", params={"name": "a.csv.gz"}, content=bomb), 413, "1 MB", "unpacked")
    many = gzip.compress(b"a" * 500_000) * 3
    refused(roomy.post("/api/photoz", params={"name": "a.csv.gz"}, content=many), 413, "unpacked")


def test_a_gzip_that_unpacks_to_much_takes_no_memory(roomy: Any) -> None:
    import tracemalloc
    import zlib

    packing, zeros = zlib.compressobj(1, wbits=31), bytes(1 << 24)
    bomb = b"".join(packing.compress(zeros) for _ in range(8)) + packing.flush()
    tracemalloc.start()
    refused(roomy.post("/api/photoz", params={"name": "a.fits.gz"}, content=bomb), 413)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20_000_000


@pytest.mark.parametrize("name", ["a.fits", "a.ecsv", "a.csv", "a.csv.gz", "a.parquet"])
@pytest.mark.parametrize("library", ["gzip", "bz2", "lzma"])
def test_what_is_packed_under_another_name_is_not_unpacked(roomy: Any, name: str, library: str) -> None:
    pack = importlib.import_module(library).compress
    body = pack(pack(CSV)) if (library, name) == ("gzip", "a.csv.gz") else pack(CSV)
    refused(roomy.post("/api/photoz", params={"name": name}, content=body), 422, f"{name} cannot be read")


def test_a_gzip_that_is_cut_off_is_refused(roomy: Any, tables: dict[str, bytes]) -> None:
    for end in (-1, -8, -9, 12, 1):
        answer = roomy.post("/api/photoz", params={"name": "a.csv.gz"}, content=tables["csv.gz"][:end])
        refused(answer, 422, "a.csv.gz cannot be read: it is cut off")


ODD = [
    "\0",
    "a\0b",
    "../../etc/passwd",
    "/etc/passwd",
    "\x1b[31m\r\nX: y",
    "\ud800",
    "\u202e",
    "%s{0}{band}",
    "*" * 200,
]


@pytest.mark.parametrize("key", ["name", "mag", "mag_err", "id", "group", "system", "format", "other"])
@pytest.mark.parametrize("ending", ["csv", "hdf5", "ecsv"])
def test_odd_words_are_no_error_of_the_server(
    roomy: Any, tables: dict[str, bytes], tmp_path: Path, key: str, ending: str, monkeypatch: Any
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    for odd in ODD:
        words = {"name": f"a.{ending}"} | {key: f"{odd}.{ending}"[-200:] if key == "name" else odd}
        query = urlencode({name: word.encode("utf-8", "surrogatepass") for name, word in words.items()})
        answer = roomy.post(f"/api/photoz?{query}", content=tables[ending])
        assert answer.status_code in (200, 422), odd
        assert str(tmp_path) not in answer.text
        assert list(tmp_path.iterdir()) == [], "nothing is left, nor written elsewhere"


@pytest.mark.parametrize("key", ["name", "mag", "mag_err", "id", "group", "system"])
def test_long_words_are_refused(roomy: Any, key: str) -> None:
    refused(roomy.post("/api/photoz", params={"name": "a.csv", key: "x" * 201}, content=CSV), 422, key)


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "OPTIONS", "BREW"])
@pytest.mark.parametrize("path", ["/", "/api/model", "/api/photoz", "/scripts/serve.js", "/..%2f..%2fetc/passwd", "//"])
def test_methods_and_paths_are_answered(client: Any, method: str, path: str) -> None:
    answer = client.request(method, path)
    assert answer.status_code in (200, 404, 405)
    assert answer.status_code == 200 or method == "HEAD" or set(answer.json()) == {"given", "allowed", "do"}
    assert answer.headers["x-content-type-options"] == "nosniff"
    if method == "HEAD" and path == "/":
        assert answer.status_code == 200


def failing(error: BaseException, private: Path) -> Any:
    """The app around a model that fails so."""
    from mixz.bridges.web.app import web_app
    from web_server import Scripted

    served = Scripted()

    def fail(*_: object) -> None:
        raise error

    served.write = served.show = fail  # type: ignore[method-assign, assignment]
    app = web_app(served, page="", scripts={}, hosts=["localhost"], limits=Limits(), private=[private])
    return testclient.TestClient(app, base_url="http://localhost")


@pytest.mark.parametrize(
    "error", [KeyError("/secret/place"), MemoryError(), SystemExit(3), StopIteration(), OSError(28)]
)
def test_what_nobody_foresaw_is_one_line_in_the_log(error: BaseException, caplog: Any) -> None:
    client = failing(error, Path("model"))
    refused(answer := client.post("/api/photoz?name=a%0ab.csv", content=CSV), 500, "the server itself")
    assert "secret" not in answer.text
    assert len(caplog.records) == 1
    assert caplog.records[0].exc_info is None
    assert "\n" not in caplog.records[0].getMessage()
    assert client.get("/").status_code == 200


def test_no_message_tells_where_the_model_lies(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    for spelt in (tmp_path / "models/tl", Path("models/tl")):
        error = MixzError(f"{spelt}/weights is damaged", str(tmp_path / "models/tl"), f"train {spelt} again")
        told = failing(error, Path("models/tl")).post("/api/photoz", content=CSV).json()
        assert told == {"given": "tl/weights is damaged", "allowed": "tl", "do": "train tl again"}
    told = failing(MixzError("a.b", ".", f"in {tmp_path}"), Path()).post("/api/photoz", content=CSV).json()
    assert told == {"given": "a.b", "allowed": ".", "do": f"in {tmp_path.name}"}


def test_messages_of_any_length_are_cut() -> None:
    answer = failing(MixzError("x" * 1_000_000, "y" * 1_000_000), Path("model")).post("/api/photoz", content=CSV)
    refused(answer, 422, "xxx", "yyy", "...")
    assert len(answer.text) < 5_000


def test_text_that_cannot_be_sent_is_told_all_the_same() -> None:
    error = MixzError("columns: '\udcff'", "\0", "\x1b")
    told = failing(error, Path("model")).post("/api/photoz", content=CSV).json()
    assert told == {"given": error.given, "allowed": error.allowed, "do": error.do}


def test_what_a_reader_finds_too_large_is_told_so() -> None:
    refused(failing(TooLargeError("a", "b", "c"), Path("model")).post("/api/photoz", content=CSV), 413, "a")


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.sampled_from(["a.csv", "a.parquet", "a.fits", "a.hdf5", "a.ecsv", "a.csv.gz", "a", "\x00.csv"]),
    body=st.binary(max_size=300) | st.text(alphabet='mag_gr,\n"123.e-NaNinf', max_size=200).map(str.encode),
    mag=st.none() | st.sampled_from(["{band}", "mag", "{", "{0}", "{band!r}"]),
)
@pytest.mark.filterwarnings("ignore")  # astropy warns of what it then refuses
def test_no_bytes_bring_it_down(client: Any, name: str, body: bytes, mag: str | None) -> None:
    asked = {"name": name} | ({"mag": mag} if mag else {})
    answer = client.post("/api/preview", params=asked, content=body)
    assert answer.status_code in (200, 413, 422)
    if answer.status_code != 200:
        refused(answer, answer.status_code)


@pytest.fixture(scope="module")
def described(model: Path) -> Any:
    """The API as it describes itself."""
    schemathesis = pytest.importorskip("schemathesis", reason="needs schemathesis (pip install 'mixz[dev]')")
    return schemathesis.openapi.from_asgi("/openapi.json", model_app(model, max_mb=0.01), headers=LOCAL)


@pytest.mark.parametrize(
    ("path", "method", "mode"),
    [
        ("/api/model", "GET", "positive"),
        ("/api/photoz", "POST", "positive"),
        ("/api/photoz", "POST", "negative"),
        ("/api/preview", "POST", "positive"),
        ("/api/preview", "POST", "negative"),
    ],
)
@settings(max_examples=25, deadline=None, suppress_health_check=[*HealthCheck])
@given(data=st.data())
@pytest.mark.filterwarnings("ignore")  # astropy warns of what it then refuses
def test_it_keeps_what_it_describes(described: Any, path: str, method: str, mode: str, data: st.DataObject) -> None:
    from schemathesis import GenerationMode
    from schemathesis.specs.openapi.checks import positive_data_acceptance

    request = data.draw(described[path][method].as_strategy(generation_mode=GenerationMode(mode)))
    # Bytes of the right type need not be a table, and may well be refused.
    request.call_and_validate(headers=LOCAL, excluded_checks=[positive_data_acceptance])


HARM = st.lists(
    st.tuples(
        st.sampled_from(["replace", "insert", "drop", "cut"]), st.floats(0, 1), st.binary(min_size=1, max_size=6)
    ),
    min_size=1,
    max_size=5,
)


def harmed(body: bytes, harm: list[tuple[str, float, bytes]]) -> bytes:
    """Do to a file what bad discs and broken downloads do."""
    found = bytearray(body)
    for what, where, bits in harm:
        at = int(where * len(found))
        found[at : {"insert": at, "cut": len(found)}.get(what, at + len(bits))] = bits if what != "drop" else b""
    return bytes(found)


@pytest.mark.parametrize("ending", ["csv", "csv.gz", "parquet", "fits", "hdf5", "ecsv"])
@settings(max_examples=12, deadline=None)
@given(harm=HARM, what=st.sampled_from(["photoz", "preview"]))
@pytest.mark.filterwarnings("ignore")
def test_no_harmed_table_brings_it_down(
    roomy: Any, tables: dict[str, bytes], ending: str, harm: list[tuple[str, float, bytes]], what: str
) -> None:
    answer = roomy.post(f"/api/{what}", params={"name": f"a.{ending}"}, content=harmed(tables[ending], harm))
    if answer.status_code != 200:
        refused(answer, 422)
        assert "mixz-" not in answer.text, "no folder of the server is told"


@pytest.fixture(scope="module")
def roomy(model: Path) -> Any:
    return testclient.TestClient(model_app(model, max_mb=1), base_url="http://localhost")


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """One small table in every format."""
    folder = tmp_path_factory.mktemp("tables")
    found = {"csv": CSV, "csv.gz": gzip.compress(CSV, mtime=0)}
    for ending in ("parquet", "fits", "hdf5", "ecsv"):
        write_table(pd.read_csv(io.BytesIO(CSV)), folder / f"a.{ending}")
        found[ending] = (folder / f"a.{ending}").read_bytes()
    return found


def test_an_hdf5_file_whose_index_is_broken_is_refused(roomy: Any, tables: dict[str, bytes]) -> None:
    body = tables["hdf5"].replace(b"TREE", b"\xff" * 4)  # h5py calls this a RuntimeError
    refused(roomy.post("/api/photoz", params={"name": "a.hdf5"}, content=body), 422, "a.hdf5 cannot be read")


def test_a_column_is_no_group(roomy: Any, tables: dict[str, bytes]) -> None:
    asked = {"name": "a.hdf5", "group": "mag_g"}
    refused(roomy.post("/api/photoz", params=asked, content=tables["hdf5"]), 422, "no table 'mag_g'")


def test_a_port_that_is_taken(model: Path) -> None:
    import socket

    from rich.console import Console

    from mixz import stages

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(MixzError, match="cannot listen on 127.0.0.1"):
            stages.serve(model, Console(file=io.StringIO()), port=taken.getsockname()[1], max_rows=1)
