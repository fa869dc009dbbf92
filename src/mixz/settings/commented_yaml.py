"""YAML that is written for people: settings in their order, each with a comment, read back as they were."""

from __future__ import annotations

import json
import re
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mixz.settings.yaml_tree import CONTROL

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH = 118
PLAIN = re.compile(r"[A-Za-z_./][\w./-]*(?<!\.)")
WORDS_OF_YAML = ("true", "false", "null", "yes", "no", "on", "off", "y", "n")
"""Words that some reader of YAML takes for something else than text."""


@dataclass(frozen=True)
class Setting:
    """A key of a mapping in YAML, and what is said of it.

    Parameters
    ----------
    key
        Its name; ``""`` for a comment alone.
    value
        A number, a truth value, text, None, a list or mapping of these; a tuple of entries; or a list of such tuples.
    comment
        What to say of it, in plain words.
    """

    key: str
    value: Any = None
    comment: str = ""


def commented_yaml(entries: Sequence[Setting], indent: int = 0) -> str:
    """The text of a mapping.

    Examples
    --------
    >>> print(commented_yaml([
    ...     Setting("name", "deep field"),
    ...     Setting("bands", ["g", "r"], "by wavelength"),
    ...     Setting("tables", [(Setting("path", "a.csv"), Setting("columns", (Setting("mag", "{band}"),)))]),
    ... ]), end="")
    name: "deep field"
    bands: [g, r]  # by wavelength
    tables:
      - path: a.csv
        columns:
          mag: "{band}"
    """
    return "".join(f"{line}\n" for entry in entries for line in _lines(entry, " " * indent))


def _lines(entry: Setting, margin: str) -> list[str]:
    comment = _printable(entry.comment)
    if not entry.key:
        return _wrapped(comment, margin)
    inner: list[str] = []
    if isinstance(entry.value, tuple):
        head = f"{margin}{_text(entry.key)}:"
        inner = commented_yaml(entry.value, len(margin) + 2).splitlines()
    elif isinstance(entry.value, list) and entry.value and all(isinstance(item, tuple) for item in entry.value):
        head = f"{margin}{_text(entry.key)}:"
        inner = [line for item in entry.value for line in _item(item, margin)]
    else:
        head = f"{margin}{_text(entry.key)}: {flow(entry.value)}"
    if comment and len(head) + len(comment) + 4 <= WIDTH:
        return [f"{head}  # {comment}", *inner]
    return [*_wrapped(comment, margin), head, *inner]


def _item(item: Sequence[Setting], margin: str) -> list[str]:
    """A mapping as an item of a list: a dash before its first key."""
    lines = commented_yaml(item, len(margin) + 4).splitlines()
    first = next(k for k, line in enumerate(lines) if not line.lstrip().startswith("#"))
    above = [line.removeprefix("  ") for line in lines[:first]]
    return [*above, f"{margin}  - {lines[first].lstrip()}", *lines[first + 1 :]]


def flow(value: Any) -> str:
    """A value in one line.

    Examples
    --------
    >>> flow(["g", "y", 1e-3, None]), flow({"mag": "{band}_mag", "on": True})
    ('[g, "y", 0.001, null]', '{mag: "{band}_mag", "on": true}')
    """
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case int():
            return str(value)
        case float():
            return f"{value:.17g}" if float(f"{value:g}") != value else f"{value:g}"
        case dict():
            return "{" + ", ".join(f"{_text(str(key))}: {flow(inner)}" for key, inner in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(flow, value)) + "]"
    return _text(str(value))


def _text(text: str) -> str:
    plain = PLAIN.fullmatch(text) and text.lower() not in WORDS_OF_YAML
    return text if plain else json.dumps(text, ensure_ascii=False)


def _printable(text: str) -> str:
    """A comment in one line, whatever names of columns are quoted in it."""
    return " ".join(CONTROL.sub(" ", text).replace("\x85", " ").replace("\u2028", " ").replace("\u2029", " ").split())


def _wrapped(comment: str, margin: str) -> list[str]:
    lines = textwrap.wrap(comment, WIDTH - len(margin) - 2, break_long_words=False, break_on_hyphens=False)
    return [f"{margin}# {line}" for line in lines]
