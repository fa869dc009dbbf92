"""What a writer of tables gives: a function to append rows with."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

Append = Callable[[pd.DataFrame], None]
"""Appends the rows of a frame to a table; all frames have the same columns."""
