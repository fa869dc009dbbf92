"""How a file of the mock survey is told from the real one of the same name."""

from __future__ import annotations

import json
from pathlib import Path

ABOUT_FILE = "mock.json"
"""Lies beside the mock's files and says what they are."""


def is_mock(path: Path) -> bool:
    """Whether a file lies in a folder that `mixz mock` made."""
    about = Path(path).parent / ABOUT_FILE
    try:
        return bool(json.loads(about.read_text())["simulated"])
    except (OSError, ValueError, KeyError, TypeError):
        return False
