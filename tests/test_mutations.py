"""The faults of mutation testing are what they say, each changes the code, and some code is left alone."""

from __future__ import annotations

import ast
import importlib
from typing import Any

import pytest

from test_locks import ROOT

CODE = '''
"""A module."""
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    X = 1
__all__ = ["f"]

@decorated(3)
def f(x: "Literal[1]", low: float = 0.5) -> "str":
    """Not this one."""
    if not x and low < x:
        raise ValueError("wrong", 1)
    for _ in y:
        break
    log("a sentence")
    return -x + 2 if x != "a" else None
'''


@pytest.fixture(scope="module")
def mutations() -> Any:
    """checks/mutations.py."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "checks")
        return importlib.import_module("mutations")


def test_every_kind_of_fault(mutations: Any) -> None:
    tree = ast.parse(CODE)
    before = ast.unparse(tree).splitlines()
    found = []
    for fault in mutations.faults(tree):
        after = ast.unparse(mutations.mutated(tree, fault)).splitlines()
        found += [(fault.kind, new.strip()) for old, new in zip(before, after, strict=True) if old != new]
    assert sorted(found) == sorted(
        [
            ("number", "def f(x: 'Literal[1]', low: float=1.5) -> 'str':"),
            ("condition", "if not (not x and low < x):"),
            ("and-or", "if not x or low < x:"),
            ("sign", "if not not x and low < x:"),
            ("comparison", "if not x and low >= x:"),
            ("edge", "if not x and low <= x:"),
            ("jump", "continue"),
            ("dropped", "None"),
            ("return", "return None"),
            ("condition", "return -x + 2 if not x != 'a' else None"),
            ("arithmetic", "return -x - 2 if x != 'a' else None"),
            ("sign", "return --x + 2 if x != 'a' else None"),
            ("number", "return -x + 3 if x != 'a' else None"),
            ("comparison", "return -x + 2 if x == 'a' else None"),
            ("word", "return -x + 2 if x != 'not a' else None"),
        ]
    )


def test_a_fault_knows_its_function(mutations: Any) -> None:
    functions = {fault.function for fault in mutations.faults(ast.parse(CODE))}
    assert functions == {(8, 16)}, "from the decorator on"
    assert {fault.function for fault in mutations.faults(ast.parse("X = 1\nY = X < 2"))} == {None}
