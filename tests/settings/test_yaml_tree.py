"""YAML that nobody meant: told in one line, in bounded time and memory; and what is written is what is read."""

from __future__ import annotations

import copy
import os
import re
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mixz.errors import MixzError
from mixz.settings.file import load_config
from mixz.settings.yaml_tree import MOST_BYTES, read_yaml

CONFIGS = sorted((Path(__file__).parents[2] / "configs").glob("*.yaml"))
SHIPPED = [read_yaml(path) for path in CONFIGS]


def refusal(path: Path) -> str:
    """What the config is refused with: shortly, and at once."""
    started = time.perf_counter()
    with pytest.raises(MixzError) as refused:
        load_config(path)
    assert time.perf_counter() - started < 5
    assert len(str(refused.value)) < 25_000
    return str(refused.value)


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("true: zs\n1: a\nnull: b\n~: c\n1.50: d\nno: e\n2020-01-01: f", {"true": "zs", "1": "a", "null": "b"}),
        ("0x10: a\n010: b\n1:30: c\n'': d", {"0x10": "a", "010": "b", "1:30": "c", "": "d"}),
        ("a: no\nb: on\nc: y\nd: 2020-01-01\ne: 1:30\nf: 010\ng: 1_000", {"a": "no", "d": "2020-01-01", "f": "010"}),
        (
            "a: 1e-3\nb: 1.5\nc: 12\nd: -0x1F\ne: 1e5\nf: .5\ng: +3",
            {"a": 1e-3, "b": 1.5, "c": 12, "d": "-0x1F", "g": 3},
        ),
        ("a: true\nb: False\nc: null\nd:\ne: ~\nf: 'true'", {"a": True, "b": False, "c": None, "d": None, "f": "true"}),
        ("a: &a {x: 1, y: 2}\nb: *a\nc: {<<: *a, y: 3}", {"b": {"x": 1, "y": 2}, "c": {"x": 1, "y": 3}}),
        ("a: &a {x: 1}\nb: &b {<<: *a, x: 2}\nc: {<<: [*b, *a]}", {"b": {"x": 2}, "c": {"x": 2}}),
        ("a: 'x\n  y'\nb: |\n  x\n  y\n", {"a": "x y", "b": "x\ny\n"}),
        ("\ufeffa: 1", {"a": 1}),
        ("a: !!str 5\nb: !!int '5'", {"a": "5", "b": 5}),
    ],
)
def test_what_is_written_is_read(text: str, tree: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "t.yaml").write_text(text, encoding="utf-8")
    read = read_yaml(tmp_path / "t.yaml")
    assert {key: read[key] for key in tree} == tree
    assert all(isinstance(key, str) for key in read)
    assert all(type(read[key]) is type(value) for key, value in tree.items())


BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{k + 1}: &a{k + 1} [{', '.join([f'*a{k}'] * 9)}]\n" for k in range(20)
)
MERGED = "a0: &a0 {x: 1}\n" + "".join(f"a{k + 1}: &a{k + 1} {{<<: [*a{k}, *a{k}, *a{k}]}}\n" for k in range(20))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("? [a, b]\n: 1", "line 1: a key that is a list or a mapping"),
        ("? {a: b}\n: 1", "line 1: a key that is a list or a mapping"),
        ("tables:\n- {path: a, path: b}", "line 2: key 'path' is given twice"),
        ("1: a\n'1': b", "key '1' is given twice"),
        ("a: &a {x: 1}\nb: {<<: *a, <<: *a}", "key '<<' is given twice"),
        ("a: {<<: 3}", "expected a mapping"),
        (BOMB, "more than 20000 values"),
        (MERGED, "more than 20000 values"),
        ("a: &a [*a]", "more than 20000 values"),
        ("a: &a {b: *a}", "more than 20000 values"),
        ("a: &a {<<: *a}", "more than 20000 values"),
        ("a: *b", "undefined alias"),
        ("[" * 5000, "more than 50 lists or mappings in each other"),
        ("- " * 5000, "more than 50 lists or mappings in each other"),
        ("{a: " * 5000, "more than 50 lists or mappings in each other"),
        ("a: !!python/object:os.system x", "line 1: the tag .*python/object.*: only plain words"),
        ("a: !!python/name:os.system", "the tag"),
        ("a: !foo x", "the tag '!foo'"),
        ("a: !!binary aGk=", "the tag"),
        ("a: !!set {x, y}", "the tag"),
        ("a: !!timestamp 2020-01-01", "the tag"),
        ("a: !!int x", "'x' is no number"),
        ("a: !!bool maybe", "neither true nor false"),
        ("a: !!float [x]", "should be a single word"),
        ("a: !!map [x]", "should be a mapping"),
        ("a: !!seq x", "should be a list"),
        ("members: " + "9" * 5000, "line 1: a number of 5000 characters"),
        ("members: 0x" + "f" * 5000, "line 1: a number of 5002 characters"),
        ("name: " + "x" * 20_000, "a text of 20000 characters"),
        ("x" * 900 + "y" * 20_000 + ": 1", "."),
        ('name: "a\\0b"', "a control character, '.x00', inside a text"),
        ('name: "a\\e[31mb"', "a control character"),
        ('name: "\\ud800"', "a control character"),
        ('"a\\0b": 1', "a control character"),
        ("name: a\0b", "special characters are not allowed"),
        ("name: a\n---\nname: b", "another document"),
        ("", "is not a config"),
        ("---", "is not a config"),
        ("[a, b]", "is not a config"),
        ("2020-01-01", "is not a config"),
    ],
)
def test_what_nobody_meant(text: str, message: str, write_config: Any) -> None:
    assert re.search(message, refusal(write_config(text)))


@pytest.mark.parametrize("content", [b"\xff\xfe\0a", b"\x89PNG\r\n\x1a\n\0\0", b"a: \xff", bytes(range(256))])
def test_binary_files(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "t.yaml").write_bytes(content)
    assert "t.yaml" in refusal(tmp_path / "t.yaml")


def test_what_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "large.yaml").write_text("a: b\n" * MOST_BYTES)
    for path, message in (
        (tmp_path, "is no file"),
        (tmp_path / "pipe", "is no file"),
        (Path("/dev/zero"), "is no file"),
        (tmp_path / "large.yaml", "is larger than 200 kB"),
        (tmp_path / ("x" * 5000), "cannot be read"),
        (tmp_path / "a\0b", "no config file|cannot be read"),
    ):
        assert any(part in refusal(path) for part in message.split("|")), path


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"members": 10**9}, "members: .*less than or equal to 1000"),
        ({"members": 1e9}, "members: .*less than or equal to 1000"),
        ({"members": True}, "members is True, and no truth value can stand there"),
        ({"bands": ["g", True]}, "no truth value can stand there"),
        ({"seed": 2**31}, "seed: "),
        ({"seed": -1}, "seed: "),
        ({"split": {"seed": -1}}, "split.seed: "),
        ({"split": {"seed": 2**64}}, "split.seed: "),
        ({"split": {"train": float("nan")}}, "split.train: .*finite"),
        ({"split": {"patch_deg": float("inf")}}, "split.patch_deg: "),
        ({"training": {"epochs": 10**12}}, "epochs"),
        ({"training": {"batch_size": 10**12}}, "batch_size"),
        ({"training": {"lr": float("inf")}}, "lr"),
        ({"training": {"adapter_rank": 10**12}}, "adapter_rank"),
        ({"network": {"hidden": [10**9]}}, "network.hidden.0: "),
        ({"network": {"hidden": [5] * 1000}}, "network.hidden: .*50"),
        ({"network": {"hidden": [10_000] * 3}}, "hidden layers with 200000000 weights"),
        ({"network": {"draws": 10**9}}, "draws"),
        ({"network": {"nodes": 10**9}}, "nodes"),
        ({"bands": [f"b{k}" for k in range(5000)]}, "bands: .*1000"),
        ({"bands": list(range(5000))}, "bands.0: .*and 4980 more"),
        ({"name": ["x" * 500] * 20}, "name: .*given: "),
        ({"x" * 5000: 1}, "unknown key"),
        (
            {"tables": [{"path": "~nobody-of-this-name/x", "truths": {"spec": "z"}}], "recipes": ["spec"]},
            "home directory",
        ),
    ],
)
def test_numbers_and_texts_that_nobody_meant(
    change: dict[str, Any], message: str, toy_settings: dict[str, Any], write_config: Any
) -> None:
    told = refusal(write_config(toy_settings | change))
    assert re.search(f"(?s){message}", told), told
    assert max(map(len, told.splitlines())) < 1500


def loaded_or_refused(path: Path) -> None:
    """Nothing but a config or one clear error comes of a file, and soon."""
    started = time.perf_counter()
    told = ""
    try:
        load_config(path)
    except MixzError as error:
        told = str(error)
    assert len(told) < 25_000
    assert time.perf_counter() - started < 5


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(),
    st.sampled_from(["1e9", "no", "spec", "mag_{band}", "~x", "", " ", "{", "a\0b", "2020-01-01", "9" * 300, "é"]),
    st.text(max_size=8),
)
TREES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=6), inner, max_size=3)),
    max_leaves=6,
)


@given(data=st.data())
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_configs_with_something_else_in_some_place(data: st.DataObject, tmp_path: Path) -> None:
    tree = copy.deepcopy(data.draw(st.sampled_from(SHIPPED)))
    place: Any = tree
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = data.draw(st.sampled_from(keys))
        if not isinstance(place[key], dict | list) or not place[key] or data.draw(st.integers(0, 3)) == 0:
            break
        place = place[key]
    match data.draw(st.sampled_from(["other", "gone", "twice", "new"])):
        case "gone":
            del place[key]
        case "twice" if isinstance(place, list):
            place.append(place[key])
        case "new" if isinstance(place, dict):
            place[data.draw(st.text(max_size=6))] = place[key]
        case _:
            place[key] = data.draw(TREES)
    (tmp_path / "t.yaml").write_text(yaml.safe_dump(tree))
    loaded_or_refused(tmp_path / "t.yaml")


@given(data=st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_configs_with_other_characters_in_them(data: st.DataObject, tmp_path: Path) -> None:
    text = data.draw(st.sampled_from(CONFIGS)).read_bytes()[:1500]
    start = data.draw(st.integers(0, len(text)))
    other = data.draw(
        st.one_of(st.binary(max_size=6), st.text("[]{}:,-&*!|>'\"%@`#?<~ \n\t0a", max_size=12).map(str.encode))
    )
    (tmp_path / "t.yaml").write_bytes(text[:start] + other + text[start + data.draw(st.integers(0, 20)) :])
    loaded_or_refused(tmp_path / "t.yaml")


@given(text=st.text("[]{}:,-&*!|>'\"%@`#?<~= \n\t01ae.", max_size=60))
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text(text: str, tmp_path: Path) -> None:
    (tmp_path / "t.yaml").write_text(text)
    loaded_or_refused(tmp_path / "t.yaml")
