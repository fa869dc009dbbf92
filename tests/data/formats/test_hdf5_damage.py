"""Damaged HDF5 files: told at once, where libhdf5 would walk for ever or take gigabytes."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from mixz.data.tables import read_table, table_columns
from mixz.errors import MixzError

TEXT = h5py.string_dtype()
NAMES = [f"galaxy {number}" for number in range(50)]
LAYOUTS = ("whole", "chunks", "compound")


def written(path: Path, layout: str) -> Path:
    """Write a table with texts of any length, and a unit that is one."""
    with h5py.File(path, "w") as file:
        if layout == "compound":
            kind = np.dtype([("m", "f4"), ("name", TEXT), ("z", "f8")])
            file["table"] = np.array([(1, name, 2) for name in NAMES], kind)
        else:
            chunks = (20,) if layout == "chunks" else None
            file.create_dataset("name", data=NAMES, dtype=TEXT, chunks=chunks)
            file["m"] = np.ones(len(NAMES))
            file["m"].attrs["unit"] = "mag"
    return path


def damaged(path: Path, at: int, content: bytes) -> None:
    """Write over some bytes of a file."""
    whole = bytearray(path.read_bytes())
    whole[at : at + len(content)] = content
    path.write_bytes(whole)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_text_of_gigabytes_is_refused(layout: str, tmp_path: Path) -> None:
    path = written(tmp_path / "t.hdf5", layout)
    assert read_table(path)["name"].tolist() == NAMES
    content = path.read_bytes()
    at = content.rfind(len(NAMES[-1]).to_bytes(4, "little") + content.find(b"GCOL").to_bytes(8, "little"))
    damaged(path, at, (0xFFFF0006).to_bytes(4, "little"))
    with pytest.raises(MixzError, match="says it holds 4,294,901,766 bytes of text"):
        read_table(path)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_heap_without_end_is_refused(layout: str, tmp_path: Path) -> None:
    path = written(tmp_path / "t.hdf5", layout)
    content = path.read_bytes()
    heap = content.find(b"GCOL")
    first = int.from_bytes(content[heap + 24 : heap + 32], "little")
    damaged(path, heap + 32 + -(-first // 8) * 8, bytes(16))  # where the second text's number and length stand
    with pytest.raises(MixzError, match="a heap of its texts is damaged"):
        table_columns(path)


@pytest.mark.parametrize("libver", ["earliest", "latest"])
@pytest.mark.parametrize("userblock", [0, 1024])
def test_a_head_that_lies_about_the_end_is_refused(libver: str, userblock: int, tmp_path: Path) -> None:
    path = tmp_path / "t.hdf5"
    with h5py.File(path, "w", libver=libver, userblock_size=userblock) as file:
        file["m"] = np.ones(5)
    assert read_table(path)["m"].tolist() == [1.0] * 5
    head, size = userblock, path.stat().st_size
    at = head + path.read_bytes()[head:].find(size.to_bytes(8, "little"))
    assert at >= head
    for said in (size + 1, 2**40, 2**64 - 1):
        damaged(path, at, said.to_bytes(8, "little"))
        with pytest.raises(MixzError, match="its head is damaged"):
            table_columns(path)


def test_a_deleted_heap_may_be_written_over(tmp_path: Path) -> None:
    path = written(tmp_path / "t.hdf5", "whole")
    content = path.read_bytes()
    with path.open("ab") as file:  # a copy that nothing points to, at an address that stands nowhere
        heap = bytearray(content[content.find(b"GCOL") :][:4096])
        heap[32:] = bytes(len(heap) - 32)
        file.write(bytes(-len(content) % 4096) + heap)
    assert read_table(path)["name"].tolist() == NAMES
