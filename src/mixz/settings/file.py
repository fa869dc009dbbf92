"""Configs on disk: YAML in, a checked `Config` out, and every mistake named with its place."""

from __future__ import annotations

import reprlib
from pathlib import Path

from pydantic import ValidationError

from mixz.errors import MixzError, shortened
from mixz.settings.config import Config
from mixz.settings.yaml_tree import read_yaml

MOST_MISTAKES = 20
"""More of them at a time help nobody."""


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
    tree = read_yaml(path)
    if not isinstance(tree, dict):
        raise MixzError(
            f"{path} is not a config", "a YAML mapping with name, bands, tables", "see configs/ for examples"
        )
    try:
        config = Config.model_validate(tree)
    except ValidationError as error:
        raise _as_mixz_error(path, error) from None
    try:
        return config.located(path.parent)
    except RuntimeError as error:  # a path that starts with ~ and no one's name
        raise MixzError(f"{path}: {error}", "paths of tables", "write the path out, without ~") from None


def _as_mixz_error(path: Path, error: ValidationError) -> MixzError:
    """Turn pydantic's list of mistakes into one message with the path of each."""
    mistakes = error.errors(include_url=False, include_context=False)
    # A list whose item is wrong is told of by its item.
    outer = {mistake["loc"][:depth] for mistake in mistakes for depth in range(len(mistake["loc"]))}
    lines = []
    for mistake in mistakes:
        if mistake["loc"] in outer:
            continue
        place = ".".join(str(part) for part in mistake["loc"]) or "config"
        message = mistake["msg"].removeprefix("Value error, ")
        given = "" if mistake["type"] in ("value_error", "missing") else f" (given: {reprlib.repr(mistake['input'])})"
        lines.append(" ".join(f"{shortened(place, 200)}: {shortened(message, 800)}{given}".split()))
    more = [f"and {len(lines) - MOST_MISTAKES} more"] if len(lines) > MOST_MISTAKES else []
    return MixzError(
        f"{path} is not a valid config\n  " + "\n  ".join(lines[:MOST_MISTAKES] + more),
        "",
        "mend these keys; docs/config.md lists all of them",
    )
