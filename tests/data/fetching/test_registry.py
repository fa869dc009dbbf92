"""The registry that comes with mixz: well-formed, and honest about what is not known."""

from __future__ import annotations

import re

import pytest

from mixz.data.fetching.registry import DataSet, choose, load_registry
from mixz.errors import MixzError

REGISTRY = load_registry().data_sets
ABOUT = {"title": "t", "purpose": "p", "page": "p", "licence": "l", "citation": "c", "note": "n"}


@pytest.mark.parametrize("data_set", REGISTRY.values(), ids=list(REGISTRY))
def test_every_entry_says_what_it_is_for_and_how_to_cite_it(data_set: DataSet) -> None:
    assert data_set.purpose
    assert data_set.page.startswith("https://")
    assert re.fullmatch(r"@\w+\{\w+,\n.*\n\}\n", data_set.citation, re.DOTALL)
    assert data_set.citation.count("{") == data_set.citation.count("}")
    assert all(file.url is None or file.url.startswith("https://") for file in data_set.files)


@pytest.mark.parametrize("data_set", REGISTRY.values(), ids=list(REGISTRY))
def test_an_entry_without_a_published_checksum_says_so(data_set: DataSet) -> None:
    known = all(file.checksum for file in data_set.files) and not data_set.query
    assert known or data_set.record or re.search("not known|not published|not been", data_set.note)


def test_file_names_are_unique_so_that_one_folder_can_hold_all() -> None:
    names = [file.name for data_set in REGISTRY.values() for file in data_set.files]
    assert len(names) == len(set(names))


def test_the_query_asks_for_every_column_of_the_hsc_tables() -> None:
    path = REGISTRY["hsc_pdr2"].query_path
    assert path is not None
    words = set(re.findall(r"\w+", path.read_text()))
    per_band = ("{}_cmodel_mag", "{}_cmodel_magsigma", "{}_extendedness_value", "a_{}")
    assert {column.format(band) for band in "grizy" for column in per_band} | {"object_id", "ra", "dec"} <= words


@pytest.mark.parametrize("content", [{}, {"files": ({"name": "a", "url": "https://a"},), "query": "q.sql"}])
def test_an_entry_has_either_files_or_a_query(content: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="either files to download or a query"):
        DataSet(**ABOUT, **content)


@pytest.mark.parametrize("name", ["../a", "a/b", "", ".hidden"])
def test_a_file_name_cannot_leave_the_folder(name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        DataSet(**ABOUT, files=({"name": name, "url": "https://a"},))


@pytest.mark.parametrize(
    ("wanted", "message"),
    [("galaxiesml", "nearest names: 'galaxiesml_64'"), ("galaxiesml_64/x", "has no file 'x'"), ("hsc_pdr2/x", "none")],
)
def test_an_unknown_name_is_refused_with_the_known_ones(wanted: str, message: str) -> None:
    with pytest.raises(MixzError, match=message):
        choose(REGISTRY, wanted)
