"""A model over HTTP: what it answers, in which formats, and what it refuses."""

from __future__ import annotations

import gzip
import io
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mixz.data.tables import numbers, read_table, write_table
from mixz.errors import MixzError
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


def test_other_sites_cannot_ask(client: Any) -> None:
    assert client.get("/api/model", headers={"host": "evil.example"}).status_code == 400
    assert "default-src 'none'" in client.get("/").headers["content-security-policy"]


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
