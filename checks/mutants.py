"""Mutation testing: how many small faults in `mixz.metrics` and `mixz.truths` their tests find.

    python checks/mutants.py                      # 300 faults, drawn by a seed
    python checks/mutants.py --faults 0           # all of them
    python checks/mutants.py --only metrics/point --faults 0

A fault (checks/mutations.py) is found where a test fails that calls the function it is in; one outside of functions may
be found by any test.  Asked are tests/metrics, tests/truths and the examples of the modules themselves.  Every fault
gets a process of its own, forked from one that has imported everything but mixz: nothing is imported twice.

Of libraries for this, mutmut leaves decorated functions alone, which most metrics are, and copies a function's examples
with it; cosmic-ray starts Python anew for every fault.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import importlib
import importlib.machinery
import os
import pickle
import random
import signal
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from mutations import Fault, faults, mutated

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "mixz"
ROOMS = ("metrics", "truths")
ASKED = [f"{place}/{room}" for room in ROOMS for place in ("tests", "src/mixz")]
NEVER_SHARED = ("hypothesis", "mixz", "rail")
OPTIONS = [
    "-q",
    "-x",
    "--assert=plain",
    "-p",
    "no:cacheprovider",
    "-p",
    "no:randomly",
    "-p",
    "no:xdist",
    "--doctest-modules",
]
QUICK_S = 0.1


@dataclass(eq=False)  # pytest keeps plugins in sets
class Called:
    """A plugin of pytest: the lines at which a test calls functions of the house in any thread, and its time."""

    lines: dict[str, set[tuple[str, int]]] = field(default_factory=dict)
    seconds: Counter[str] = field(default_factory=Counter)
    modules: list[str] = field(default_factory=list)
    shared: dict[str, set[tuple[str, int]]] = field(default_factory=dict)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Any:
        """Fixtures may be made for the first test that asks and serve others of its file."""
        return (yield from self._watched(item, self.shared.setdefault(str(item.path), set())))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Any:
        """What the test itself calls."""
        return (yield from self._watched(item, self.lines.setdefault(item.nodeid, set())))

    def _watched(self, item: pytest.Item, into: set[tuple[str, int]]) -> Any:
        def look(frame: Any, event: str, _argument: object) -> None:
            if event == "call" and frame.f_code.co_filename.startswith(str(SOURCE)):
                into.add((frame.f_code.co_filename, frame.f_code.co_firstlineno))

        begin = time.perf_counter()
        sys.setprofile(look)
        threading.setprofile(look)
        try:
            return (yield)
        finally:
            sys.setprofile(None)
            threading.setprofile(None)
            self.seconds[item.nodeid] += time.perf_counter() - begin

    def of(self, path: Path, fault: Fault) -> list[str]:
        """The tests that may find a fault, the quick ones first."""
        first, last = fault.function or (0, 10**9)
        able = []
        for test, lines in self.lines.items():
            called = lines | self.shared.get(str(ROOT / test.split("::")[0]), set())
            if fault.function is None or any(file == str(path) and first <= line <= last for file, line in called):
                able.append(test)
        files: Counter[str] = Counter()
        for test in able:
            files[test.split("::")[0]] += self.seconds[test]
        return sorted(able, key=lambda test: (self.seconds[test] > QUICK_S, files[test.split("::")[0]]))


@dataclass(eq=False)  # pytest keeps plugins in sets
class Chosen:
    """A plugin of pytest: these tests, in this order."""

    tests: list[str]

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Leave the others out."""
        order = {test: place for place, test in enumerate(self.tests)}
        items[:] = sorted((item for item in items if item.nodeid in order), key=lambda item: order[item.nodeid])


class Faulty(importlib.machinery.SourceFileLoader):
    """Loads one module with a fault in it."""

    tree: ast.Module

    def get_code(self, fullname: str) -> Any:
        """The faulty module's code, never that of a file."""
        return compile(self.tree, self.get_filename(fullname), "exec", dont_inherit=True)


@dataclass
class Finder:
    """Finds the faulty module in the place of the right one."""

    name: str
    path: Path
    tree: ast.Module

    def find_spec(self, name: str, _path: object = None, _target: object = None) -> Any:
        """Only that one."""
        if name != self.name:
            return None
        loader = Faulty(name, str(self.path))
        loader.tree = self.tree
        return importlib.util.spec_from_file_location(
            name,
            self.path,
            loader=loader,
            submodule_search_locations=[str(self.path.parent)] if self.path.name == "__init__.py" else None,
        )


def main() -> int:
    """Try the faults and print which were not found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--faults", type=int, default=300, help="how many, 0 for all")
    parser.add_argument("--seed", type=int, default=1, help="which of them")
    parser.add_argument("--only", default="", help="part of the files' names, e.g. metrics/point")
    parser.add_argument("--least", type=float, default=0.9, help="the share that has to be found")
    asked = parser.parse_args()
    os.chdir(ROOT)
    paths = [path for room in ROOMS for path in sorted((SOURCE / room).glob("*.py")) if asked.only in str(path)]
    trees = {path: ast.parse(path.read_text()) for path in paths}
    everything = [(path, fault) for path, tree in trees.items() for fault in faults(tree)]
    tried = sorted(random.Random(asked.seed).sample(range(len(everything)), asked.faults or len(everything)))
    print(f"{len(tried)} of {len(everything)} faults, seed {asked.seed}", flush=True)
    called: Called | None = in_a_process(watch, 3600)
    if called is None:
        raise SystemExit(f"the tests fail without any fault: see `pytest {' '.join(ASKED)}`")
    for module in called.modules:
        with contextlib.suppress(Exception):  # some exist in a process that has done something else first
            importlib.import_module(module)
    print(f"{len(called.lines)} tests, {sum(called.seconds.values()):.0f} s watched", flush=True)
    ends = Counter[str]()
    for number in tried:
        path, fault = everything[number]
        end = tried_out(path, trees[path], fault, called)
        ends[end] += 1
        if end not in FOUND:
            line = path.read_text().splitlines()[fault.line - 1].strip()
            print(f"{path.relative_to(SOURCE)}:{fault.line}: {fault.kind} {end}: {line}", flush=True)
    found = sum(ends[end] for end in FOUND)
    print(f"found {found} of {len(tried)} ({found / len(tried):.1%}): {dict(ends)}")
    return int(found < asked.least * len(tried))


FOUND = ("found", "never ended")


def tried_out(path: Path, tree: ast.Module, fault: Fault, called: Called) -> str:
    """Whether the tests find a fault."""
    tests = called.of(path, fault)
    if not tests:
        return "not tested"
    parts = path.relative_to(SOURCE).with_suffix("").parts
    finder = Finder(".".join(["mixz", *(part for part in parts if part != "__init__")]), path, mutated(tree, fault))

    def run() -> bool:
        sys.meta_path.insert(0, finder)
        return bool(tested(list(dict.fromkeys(test.split("::")[0] for test in tests)), Chosen(tests)))

    patience = 60 + 10 * sum(called.seconds[test] for test in tests)
    failed = in_a_process(run, patience)
    return "never ended" if failed is None else "found" if failed else "survived"


def watch() -> Called:
    """Run all tests, which must pass, and see what they call."""
    called = Called()
    if tested(ASKED, called):
        os._exit(1)
    called.modules = [name for name, module in sys.modules.items() if shared(name, module)]
    return called


def shared(name: str, module: Any) -> bool:
    """Whether a module may be imported before a fault is put in: a library's, not the house's or its tests'."""
    file = getattr(module, "__file__", None) or ""
    return not name.startswith(NEVER_SHARED) and "site-packages" in file and "pytest" not in name


def tested(places: list[str], plugin: object) -> int:
    """Run tests quietly, the same ones every time."""
    os.environ["CI"] = "yes"  # hypothesis then draws the same examples every time
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
        return int(pytest.main([*places, *OPTIONS], plugins=[plugin]))


def in_a_process(work: Any, seconds: float) -> Any:
    """What some work gives, done in a process of its own; None where it takes too long or ends the process."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        signal.alarm(int(seconds))
        with os.fdopen(writing, "wb") as told:
            told.write(pickle.dumps(work()))
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as told:
        words = told.read()
    os.waitpid(child, 0)
    return pickle.loads(words) if words else None


if __name__ == "__main__":
    sys.exit(main())
