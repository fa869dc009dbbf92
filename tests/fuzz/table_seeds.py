"""Small whole tables in every way that the field's programs write them, to begin damage from."""

from __future__ import annotations

import gzip
import io
import warnings
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
from astropy.io import fits
from astropy.io.votable import from_table
from astropy.table import MaskedColumn, Table

from fuzz.files import Files

ROWS = 12


def frame() -> pd.DataFrame:
    """Galaxies in two bands, with a little of everything that tables hold."""
    return _frame().copy()


@cache
def _frame() -> pd.DataFrame:
    rng = np.random.default_rng(5)
    made = pd.DataFrame({"object_id": np.arange(ROWS) + 2**53 + 1, "name": [f"NGC {k}" for k in range(ROWS)]})
    for band in "gr":
        made[f"mag_{band}"] = rng.normal(22, 1, ROWS).round(3)
        made[f"mag_err_{band}"] = rng.uniform(0.01, 0.2, ROWS).astype(np.float32)
    made["z_spec"] = rng.uniform(0, 2, ROWS)
    made["flags"] = rng.integers(0, 9, ROWS).astype(np.int16)
    made["good"] = rng.random(ROWS) > 0.5
    return made


def masked() -> Table:
    """The same for astropy, with nulls and units."""
    table = Table.from_pandas(frame())
    table["flags"] = MaskedColumn(table["flags"], mask=np.arange(ROWS) % 3 == 0)
    table["mag_g"].unit = "mag"
    table["z_spec"].description = "redshift"
    return table


def _by_path(name: str, write: Callable[[Path], object], home: Path) -> Files:
    path = home / name
    path.unlink(missing_ok=True)
    with warnings.catch_warnings(action="ignore"):  # of what astropy thinks of units and names
        write(path)
    return {name: path.read_bytes()}


def parquet(home: Path) -> Iterator[Files]:
    """As Arrow, pandas and astropy write it: packed in several ways, dictionaries, several groups, nulls, lists."""
    table = pa.Table.from_pandas(frame())
    for options in (
        {},
        {"compression": "none", "use_dictionary": False, "row_group_size": 5},
        {"compression": "zstd", "data_page_version": "2.0"},
        {"compression": "gzip", "use_dictionary": ["name"], "write_page_index": True},
        {"use_dictionary": False, "column_encoding": {"name": "DELTA_BYTE_ARRAY", "object_id": "DELTA_BINARY_PACKED"}},
    ):
        made = io.BytesIO()
        pq.write_table(table, made, **options)
        yield {"t.parquet": made.getvalue()}
    odd = pa.table(
        {
            "list": pa.array([[1.0]] * 3, pa.list_(pa.float64(), 1)),
            "text": pa.array(["a", None, "c"]).dictionary_encode(),
            "money": pa.array([1, 2, None], pa.decimal128(10, 2)),
            "when": pa.array([1, 2, 3], pa.timestamp("us")),
            "half": pa.array(np.ones(3, np.float16)),
        }
    )
    made = io.BytesIO()
    pq.write_table(odd, made)
    yield {"t.parquet": made.getvalue()}
    yield _by_path("t.parquet", lambda path: masked().write(path, format="parquet"), home)


def arrow(_: Path) -> Iterator[Files]:
    """Feather files and streams."""
    table = pa.Table.from_pandas(frame()).append_column("kind", pa.array(["a", "b", None] * 4).dictionary_encode())
    for packing in ("lz4", "zstd", "uncompressed"):
        made = io.BytesIO()
        feather.write_feather(table, made, compression=packing, chunksize=5)
        yield {"t.feather": made.getvalue()}
    stream = io.BytesIO()
    with pa.ipc.new_stream(stream, table.schema) as writer:
        writer.write_table(table)
    yield {"t.arrow": stream.getvalue()}


def text(_: Path) -> Iterator[Files]:
    """Commas, tabs, semicolons, blanks, comments above, SExtractor's header, quotes, byte order mark, gzip."""
    table = frame()
    rows = table.to_csv(index=False)
    yield {"t.csv": rows.encode()}
    yield {"t.csv.gz": gzip.compress(rows.encode(), mtime=0)}
    yield {"t.csv": b"\xef\xbb\xbf# made by hand\n" + table.to_csv(index=False, sep=";", na_rep="nan").encode()}
    yield {"t.csv": b'name,z\r\n"a, ""b""",0.5\r\n"two\nlines",1e-3\r\n,\r\n\xe9,NaN\r\n'}
    yield {"t.tsv": table.to_csv(index=False, sep="\t").encode()}
    plain = table.drop(columns="name").to_string(index=False)
    yield {"t.txt": plain.encode()}
    yield {"t.dat": ("# " + plain.lstrip()).encode()}
    numbers = [line.strip() for line in plain.splitlines()[1:]]
    head = [f"#   {k + 1} {name}  of the object  [mag]" for k, name in enumerate(table.columns.drop("name"))]
    yield {"t.cat": "\n".join([*head, *numbers]).encode()}


def ecsv(home: Path) -> Iterator[Files]:
    """With masks, with a mask column of its own, with commas."""
    yield _by_path("t.ecsv", lambda path: masked().write(path, format="ascii.ecsv"), home)
    yield _by_path("t.ecsv", lambda path: masked().write(path, format="ascii.ecsv", delimiter=","), home)
    yield _by_path("t.ecsv", lambda path: masked().write(path, format="ascii.ecsv", serialize_method="data_mask"), home)


def fixed_width(home: Path) -> Iterator[Files]:
    """IPAC's with and without types, the journals', packed."""
    table, some = frame()[["object_id", "mag_g", "z_spec"]], masked()["object_id", "mag_g", "z_spec"]
    yield _by_path("t.tbl", lambda path: some.write(path, format="ascii.ipac"), home)
    yield {"t.tbl": b"\\ by hand\n|  id| name|\n   1  a b \n   2      \n"}
    yield _by_path("t.mrt", lambda path: Table.from_pandas(table).write(path, format="ascii.mrt"), home)
    made = _by_path("t.txt", lambda path: some.write(path, format="ascii.mrt"), home)
    yield {"t.mrt.gz": gzip.compress(made["t.txt"], mtime=0)}


def votable(_: Path) -> Iterator[Files]:
    """Rows as elements, as two kinds of bytes, and two tables."""
    for kind in ("tabledata", "binary2", "binary"):
        made = io.BytesIO()
        with warnings.catch_warnings(action="ignore"):
            from_table(masked() if kind == "tabledata" else Table.from_pandas(frame())).to_xml(
                made, tabledata_format=kind
            )
        yield {"t.vot": made.getvalue()}
        if kind == "tabledata":
            part = made.getvalue()
            start, stop = part.index(b"<TABLE"), part.index(b"</RESOURCE>")
            yield {"t.xml": part[:stop] + part[start:stop] + part[stop:]}


def fits_tables(home: Path) -> Iterator[Files]:
    """Binary, ASCII, scaled whole numbers with nulls, several extensions, packed."""
    table = masked()
    yield _by_path("t.fits", table.write, home)
    columns = [
        fits.Column("id", "K", array=np.arange(5), null=2),
        fits.Column("mag", "I", array=np.arange(5), null=3),
        fits.Column("unsigned", "J", array=np.arange(5, dtype=np.uint32), bzero=2**31),
        fits.Column("name", "6A", array=np.array(["a", "b ", "", "d", "e"])),
        fits.Column("truth", "L", array=np.array([True, False] * 2 + [True])),
        fits.Column("many", "3E", array=np.ones((5, 3))),
        fits.Column("ragged", "PE()", array=np.array([np.ones(k) for k in range(1, 6)], dtype=object)),
    ]
    hdus = [fits.PrimaryHDU(), fits.BinTableHDU.from_columns(columns, name="ONE"), fits.ImageHDU(np.zeros((2, 2)))]
    hdus.append(fits.BinTableHDU.from_columns(columns[:2], name="TWO"))

    def scaled(path: Path) -> None:
        fits.HDUList(hdus).writeto(path)
        for key, value in (("TSCAL2", 0.01), ("TZERO2", 20.0)):
            fits.setval(path, key, value=value, ext=1)

    yield _by_path("t.fits", scaled, home)
    ascii_ = fits.TableHDU.from_columns(
        [
            fits.Column("a", "F8.3", array=np.arange(4) / 3, ascii=True),
            fits.Column("b", "I6", array=np.arange(4), null="-1", ascii=True),
            fits.Column("c", "A4", array=np.array(["x", "y", "", "z"]), ascii=True),
        ]
    )
    yield _by_path("t.fit", fits.HDUList([fits.PrimaryHDU(), ascii_]).writeto, home)
    yield {"t.fits.gz": gzip.compress((home / "t.fits").read_bytes(), mtime=0)}


def hdf5(home: Path) -> Iterator[Files]:
    """A data set for each column, astropy's and pandas' own ways, text of any length, packed chunks."""
    table = frame()

    def columns(path: Path, **options: object) -> None:
        with h5py.File(path, "w", libver="latest" if options else "earliest") as file:
            group = file.create_group("photometry")
            for name in table:
                values = table[name].to_numpy()
                stored = values.astype("S8") if values.dtype == object or name == "name" else values
                group.create_dataset(name, data=stored, **options)
            group.create_dataset("any", data=[f"text {k}" for k in range(ROWS)], dtype=h5py.string_dtype())
            group["mag_g"].attrs["unit"] = "mag"

    def several(path: Path) -> None:
        with h5py.File(path, "w") as file:
            file["one/mag_g"], file["one/id"] = np.arange(4.0), np.arange(4)
            file["one/image"], file["two/image"] = np.zeros((4, 3)), np.zeros((2, 2, 2))
            file["link"] = h5py.SoftLink("/one/id")

    yield _by_path("t.hdf5", columns, home)
    yield _by_path("t.hdf5", lambda path: columns(path, compression="gzip", chunks=(5,), shuffle=True), home)
    yield _by_path("t.hdf5", several, home)
    yield _by_path("t.hdf5", lambda path: masked().write(path, path="data", serialize_meta=True), home)
    yield _by_path("t.h5", lambda path: table.drop(columns="name").to_hdf(path, key="t", format="fixed"), home)
    yield _by_path("t.h5", lambda path: table.to_hdf(path, key="t", format="table", data_columns=["mag_g"]), home)


def hats(home: Path) -> Iterator[Files]:
    """A catalogue with three pieces of sky."""
    from fuzz.files import read
    from hats_mock import sky, write_hats

    yield read(write_hats(sky(30)[["object_id", "ra", "dec", "mag_g"]], home / "hats", rows=12))
