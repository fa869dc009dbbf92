"""A YAML file as the tree that is written there: keys are text, little is guessed, nothing is larger than bounds."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml

from mixz.errors import MixzError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MOST_BYTES = 200_000
MOST_LEVELS = 50
MOST_VALUES = 20_000
MOST_CHARACTERS = 10_000
"""Of a file; of lists in lists; of all values with what aliases repeat; of one value.  Real configs are far smaller."""

CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
"""Characters that no name, path or column has, and that escapes (``"\\0"``) can write into one."""

PREFIX = "tag:yaml.org,2002:"

# YAML 1.2's: `no` is a word, 010 and 1:30 and 2020-01-01 are text, 1e-3 is a number.
WORDS = {
    "bool": (r"true|True|TRUE|false|False|FALSE", "tTfF"),
    "int": (r"[-+]?(?:0|[1-9][0-9]*)|0x[0-9a-fA-F]+|0o[0-7]+", "-+0123456789"),
    "float": (
        r"[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*)(?:[eE][-+]?[0-9]+)?|[-+]?[0-9]+[eE][-+]?[0-9]+"
        r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
        "-+.0123456789",
    ),
    "null": (r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    "merge": (r"<<", "<"),
}


class _Loader(yaml.SafeLoader):
    """Keys as they are written, each once; values of plain kinds only, and of bounded number, depth and length."""

    # Empty, to be filled below: PyYAML's own would guess more.
    yaml_implicit_resolvers = {}  # noqa: RUF012
    yaml_constructors = {}  # noqa: RUF012

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.depth = 0
        self.sizes: dict[int, int] = {}

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.depth >= MOST_LEVELS:
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise _mistake(f"more than {MOST_LEVELS} lists or mappings in each other", mark)
        self.depth += 1
        node: yaml.Node | None = super().compose_node(parent, index)
        self.depth -= 1
        if node is not None and self._size(node) > MOST_VALUES:
            raise _mistake(f"more than {MOST_VALUES} values, counting what aliases repeat", node.start_mark)
        return node

    def _size(self, node: yaml.Node) -> int:
        """How many values a node stands for; one inside of itself counts as too many."""
        if id(node) not in self.sizes:
            if isinstance(node, yaml.ScalarNode):
                self.sizes[id(node)] = 1
            elif node.end_mark is None:  # an alias to what is not at its end yet
                return MOST_VALUES + 1
            else:
                pairs = [inner for pair in node.value for inner in (pair if isinstance(pair, tuple) else (pair,))]
                self.sizes[id(node)] = 1 + sum(map(self._size, pairs))
        return self.sizes[id(node)]

    def as_mapping(self, node: yaml.Node) -> dict[str, Any]:
        if not isinstance(node, yaml.MappingNode):
            raise _mistake("what should be a mapping is none", node.start_mark)
        _require_single_keys(node)
        self.flatten_mapping(node)
        # Merged pairs come first, so that a mapping's own go over them.
        return {self.written(key): self.construct_object(value, deep=True) for key, value in node.value}

    def written(self, node: yaml.Node) -> str:
        """A single value as text."""
        if not isinstance(node, yaml.ScalarNode):
            raise _mistake("what should be a single word is a list or a mapping", node.start_mark)
        text: str = node.value
        if len(text) > MOST_CHARACTERS:
            raise _mistake(f"a text of {len(text)} characters; {MOST_CHARACTERS} are allowed", node.start_mark)
        if found := CONTROL.search(text):
            raise _mistake(f"a control character, {found.group()!r}, inside a text", node.start_mark)
        return text

    def as_sequence(self, node: yaml.Node) -> list[Any]:
        if not isinstance(node, yaml.SequenceNode):
            raise _mistake("what should be a list is none", node.start_mark)
        return [self.construct_object(inner, deep=True) for inner in node.value]


for _kind, (_pattern, _first) in WORDS.items():
    _Loader.add_implicit_resolver(PREFIX + _kind, re.compile(f"(?:{_pattern})\\Z"), list(_first))


def _number(kind: Callable[[str], float]) -> Callable[[_Loader, yaml.Node], float]:
    def construct(loader: _Loader, node: yaml.Node) -> float:
        text = loader.written(node)
        if len(text) > 100:
            raise _mistake(f"a number of {len(text)} characters", node.start_mark)
        try:
            return kind(text)
        except ValueError:
            raise _mistake(f"{text!r} is no number", node.start_mark) from None

    return construct


def _truth(loader: _Loader, node: yaml.Node) -> bool:
    text = loader.written(node).lower()
    if text not in ("true", "false"):
        raise _mistake(f"{text!r} is neither true nor false", node.start_mark)
    return text == "true"


def _nothing(_: _Loader, node: yaml.Node) -> None:
    """None, which may be written as ``null``, ``~`` or not at all."""


def _unknown(_: _Loader, node: yaml.Node) -> None:
    raise _mistake(f"the tag {node.tag!r}: only plain words, numbers, lists and mappings", node.start_mark)


_Loader.add_constructor(PREFIX + "map", _Loader.as_mapping)
_Loader.add_constructor(PREFIX + "seq", _Loader.as_sequence)
_Loader.add_constructor(PREFIX + "str", _Loader.written)
_Loader.add_constructor(PREFIX + "merge", _Loader.written)
_Loader.add_constructor(PREFIX + "bool", _truth)
_Loader.add_constructor(PREFIX + "int", _number(lambda text: int(text, 0)))
_Loader.add_constructor(PREFIX + "float", _number(lambda text: float(re.sub(r"\.(?=inf|nan)", "", text.lower()))))
_Loader.add_constructor(PREFIX + "null", _nothing)
_Loader.add_constructor(None, _unknown)


def read_yaml(path: Path) -> Any:
    """Read a YAML file as mappings of text, lists, text, numbers, truth values and None.

    Raises
    ------
    MixzError
        There is no such file, it is not YAML (tabs!), says a key twice, or is larger than a config can be.
    """
    text = _text_of(path)
    try:
        return _Loader(text).get_single_data()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f" line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or " ".join(str(error).split())
        advice = "indent with spaces, not tabs" if "\\t" in problem else "mend that line"
        raise MixzError(f"{path}{place}: {problem[:500]}", "YAML", advice) from None


def _text_of(path: Path) -> str:
    try:
        if not path.exists():
            raise FileNotFoundError
        if not path.is_file():  # a pipe would be waited for without end
            raise MixzError(f"{path} is no file", "a YAML text file", "name the config file")
        with path.open("rb") as file:
            found = file.read(MOST_BYTES + 1)
        if len(found) > MOST_BYTES:
            raise MixzError(
                f"{path} is larger than {MOST_BYTES // 1000} kB", "a YAML text file", "name the config file"
            )
        return found.decode("utf-8-sig")
    except FileNotFoundError:
        raise MixzError(
            f"no config file {path}",
            "a YAML file",
            "check the path; without CONFIG, `mixz run` runs the demo",
        ) from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise MixzError(f"{path} cannot be read: {reason}", "a YAML text file", "name the config file") from None


def _require_single_keys(node: yaml.MappingNode) -> None:
    seen = set()
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise _mistake("a key that is a list or a mapping", key.start_mark)
        if key.value in seen:
            raise _mistake(f"key {key.value[:100]!r} is given twice", key.start_mark)
        seen.add(key.value)


def _mistake(problem: str, mark: Any) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=mark)
