"""Configs on disk: YAML in, a checked `Config` out, and every mistake named with its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from mixz.errors import MixzError
from mixz.settings.config import Config


class _UniqueKeyLoader(yaml.SafeLoader):
    """PyYAML keeps the last of two equal keys without a word; here that is an error."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.constructor.ConstructorError(None, None, f"key {key!r} is given twice", node.start_mark)
        return super().construct_mapping(node, deep)


def load_config(path: str | Path) -> Config:
    """Read a config from a YAML file; table paths become relative to that file.

    Parameters
    ----------
    path
        The YAML file.

    Raises
    ------
    MixzError
        The file is missing, is not YAML (tabs!), or says something the config tree does not allow.
    """
    path = Path(path)
    tree = _read_yaml(path)
    if not isinstance(tree, dict):
        raise MixzError(
            f"{path} is not a config", "a YAML mapping with name, bands, tables", "see configs/ for examples"
        )
    try:
        config = Config.model_validate(tree)
    except ValidationError as error:
        raise _as_mixz_error(path, error) from None
    return config.located(path.parent)


def _read_yaml(path: Path) -> Any:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise MixzError(
            f"no config file {path}",
            "a YAML file",
            "check the path; without CONFIG, `mixz run` runs the demo",
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise MixzError(f"{path} cannot be read: {error}", "a YAML text file", "name the config file") from None
    try:
        return _UniqueKeyLoader(text).get_single_data()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f" line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or str(error)
        advice = "indent with spaces, not tabs" if "\\t" in problem else "mend that line"
        raise MixzError(f"{path}{place}: {problem}", "YAML", advice) from None


def _as_mixz_error(path: Path, error: ValidationError) -> MixzError:
    """Turn pydantic's list of mistakes into one message with the path of each."""
    lines = []
    mistakes = error.errors()
    for mistake in mistakes:
        if any(m is not mistake and m["loc"][: len(mistake["loc"])] == mistake["loc"] != m["loc"] for m in mistakes):
            continue  # a list whose item is wrong is told of by its item
        place = ".".join(str(part) for part in mistake["loc"]) or "config"
        message = mistake["msg"].removeprefix("Value error, ")
        given = "" if mistake["type"] in ("value_error", "missing") else f" (given: {mistake['input']!r})"
        lines.append(f"{place}: {message}{given}")
    return MixzError(
        f"{path} is not a valid config\n  " + "\n  ".join(lines),
        "",
        "mend these keys; docs/config.md lists all of them",
    )
