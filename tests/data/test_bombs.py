"""Small files that would unpack to more memory than a machine has: read in bounded memory, or refused."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mixz.data.parquet.footer import pages
from mixz.data.parquet.rows import fair_batches
from mixz.data.tables import read_chunks, read_table
from mixz.errors import MixzError

MOST_MEGABYTES = 1_000

READ = """
import os, sys, time
from pathlib import Path
from mixz.data.tables import read_chunks
from mixz.errors import MixzError

def read(path):
    told, rows = "read", 0
    try:
        for chunk in read_chunks(path):
            rows += len(chunk)
            if time.process_time() > 2:
                break  # it goes on, in the memory of a piece
    except MixzError as error:
        told = str(error).splitlines()[0]
    peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    print(int(peak.split()[1]) // 1000, rows, told, flush=True)

for line in sys.stdin:
    child = os.fork()
    if not child:
        read(line.strip())
        os._exit(0)
    os.waitpid(child, 0)
    print(flush=True)
"""
"""Reads each file that it is told of in a fork of its own: imports happen once, and memory is each one's."""


@pytest.fixture(scope="module")
def reader() -> Iterator[subprocess.Popen[str]]:
    """The process that does so."""
    command, pipe = [sys.executable, "-c", READ], subprocess.PIPE
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=environment) as running:
        yield running


def packed(path: Path, head: bytes, body: bytes, times: int) -> None:
    """A gzip file of many parts, of which all but the first are the same."""
    path.write_bytes(gzip.compress(head) + gzip.compress(body) * times)


def dictionary(path: Path) -> None:
    text = pa.DictionaryArray.from_arrays(pa.array(np.zeros(1_000_000, np.int32)), pa.array(["x" * 60_000]))
    pq.write_table(pa.table({"name": text}), path)


def one_value(path: Path) -> None:
    table = pa.table({"mag_g": pa.array(np.full(3_000_000, 22.0))})
    with pq.ParquetWriter(path, table.schema) as writer:
        for _ in range(5):
            writer.write_table(table, row_group_size=3_000_000)


def pointing(path: Path, length: int = 1_000_000) -> None:
    """Rows that all point to the same long text."""
    with h5py.File(path, "w") as file:
        names = file.create_dataset("name", (20_000,), dtype=h5py.string_dtype())
        names[0] = "v" * length
        at = names.id.get_offset()
    content = bytearray(path.read_bytes())
    content[at : at + 16 * 20_000] = content[at : at + 16] * 20_000
    path.write_bytes(content)


VOTABLE = b'<VOTABLE><RESOURCE><TABLE><FIELD name="a" datatype="int"/><DATA><TABLEDATA>'
BOMBS: dict[str, Callable[[Path], None]] = {
    "dictionary.parquet": dictionary,
    "one_value.parquet": one_value,
    "pointing.hdf5": pointing,
    "line.csv.gz": lambda path: packed(path, b"a,b\n1,", b"x" * (1 << 20), 1_000),
    "line.tbl.gz": lambda path: packed(path, b"|  a|\n", b"x" * (1 << 20), 1_000),
    "header.csv.gz": lambda path: packed(path, b"a", b"," * (1 << 20), 1_000),
    "quote.csv.gz": lambda path: packed(path, b'a,b\n1,"', b"\n" * (1 << 20), 1_000),
    "rows.csv.gz": lambda path: packed(path, b"a,b\n", b"1,1\n" * (1 << 18), 1_000),
    "head.ecsv.gz": lambda path: packed(path, b"# %ECSV 1.0\n", b"# - a\n" * (1 << 17), 1_000),
    "rows.vot.gz": lambda path: packed(path, VOTABLE, b"<TR><TD>1</TD></TR>" * 50_000, 1_000),
    "text.vot.gz": lambda path: packed(path, b'<VOTABLE a="', b"x" * (1 << 20), 1_000),
    "head.fits.gz": lambda path: packed(path, b"SIMPLE  =   T".ljust(80), b"COMMENT".ljust(80) * 13_000, 1_000),
}


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is measured as Linux tells it")
@pytest.mark.parametrize("name", BOMBS)
def test_no_file_takes_more_memory_than_a_table_may(name: str, reader: subprocess.Popen[str], tmp_path: Path) -> None:
    BOMBS[name](tmp_path / name)
    assert reader.stdin is not None
    assert reader.stdout is not None
    print(tmp_path / name, file=reader.stdin, flush=True)
    said = reader.stdout.readline().strip()
    assert said, "it died without a word"
    assert reader.stdout.readline() == "\n"
    megabytes, rows, told = said.split(maxsplit=2)
    assert int(megabytes) < MOST_MEGABYTES, said
    assert int(rows) > 0 or told != "read", said


@pytest.mark.parametrize("name", ["one_value.parquet", "rows.csv.gz", "rows.vot.gz"])
def test_a_stranger_may_send_less(name: str, tmp_path: Path) -> None:
    BOMBS[name](tmp_path / name)
    with pytest.raises(MixzError, match="bytes"):
        for _ in read_chunks(tmp_path / name, most_bytes=1_000_000):
            pass


def contradicted(path: Path, said: int) -> None:
    """A page that says in its own header that it unpacks to more than the footer knows of."""
    pq.write_table(pa.table({"mag_g": np.zeros(500_000)}), path, use_dictionary=False, compression="zstd")
    column = pq.read_metadata(path).row_group(0).column(0)
    content = bytearray(path.read_bytes())
    at = column.data_page_offset + 3  # two fields of the header are before it: the page's kind, and this one's mark
    length = 1
    while content[at + length - 1] & 128:
        length += 1
    number, written = said << 1, bytearray()
    for _ in range(length - 1):
        written.append(number & 127 | 128)
        number >>= 7
    content[at : at + length] = [*written, number & 127]
    path.write_bytes(content)


def test_pages_are_compared_with_their_bytes(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    contradicted(path, 120_000_000)
    with pytest.raises(MixzError, match=r"'mag_g' unpacks from [\d,]+ to 120,000,000 bytes|cannot be read"):
        read_table(path)


def test_pages_are_found(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    for version in ("1.0", "2.0"):
        table = pa.table({"a": np.arange(5_000), "b": [f"name {k}" for k in range(5_000)]})
        pq.write_table(table, path, data_page_size=1_000, data_page_version=version, compression="gzip")
        content = path.read_bytes()
        for number in range(2):
            column = pq.read_metadata(path).row_group(0).column(number)
            first = column.dictionary_page_offset or column.data_page_offset
            found = list(pages(content, first, first + column.total_compressed_size))
            assert len(found) > 3
            headers = column.total_compressed_size - sum(page.packed for page in found)
            assert sum(page.unpacked for page in found) + headers == column.total_uncompressed_size


def test_text_with_prefixes_is_read(tmp_path: Path) -> None:
    names = [f"NGC {k}" for k in range(3_000)]
    for encoding in ("DELTA_BYTE_ARRAY", "DELTA_LENGTH_BYTE_ARRAY"):
        how = {"name": encoding}
        pq.write_table(
            pa.table({"name": names, "id": range(3_000)}),
            tmp_path / "t.parquet",
            use_dictionary=False,
            column_encoding=how | {"id": "PLAIN"},
        )
        assert read_table(tmp_path / "t.parquet")["name"].tolist() == names


def test_some_rows_of_a_file_are_those_rows(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"id": range(100)}), path, row_group_size=7)
    for start, stop in ((0, 100), (0, 1), (6, 8), (13, 50), (99, 100), (40, 40)):
        for rows in (1, 3, 10, 1_000):
            found = [
                k for batch in fair_batches(path, ["id"], rows, start=start, stop=stop) for k in batch[0].to_pylist()
            ]
            assert found == list(range(start, stop))
