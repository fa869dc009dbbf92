"""`mixz kernel`: a kernel learned without spectra, as a table that a config can name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from mixz import stages
from mixz.errors import MixzError
from mixz.settings.file import load_config
from toy_survey import toy_survey


def test_labels_worse_than_their_kernel_are_found(tmp_path: Path, write_config: Any, console: Console) -> None:
    """The toy's labels scatter by far more than `sigma` says; the table can be named in the same config."""
    settings = toy_survey(tmp_path, deep=6000) | {"recipes": ["fused"]}
    settings["truths"] = {"many_band": {"kernel": "gaussian", "sigma": 0.004}}
    config = load_config(write_config(settings))
    stages.build(config)
    stages.train(config, console)
    path, found = stages.kernel(config, recipe="fused", truth="many_band")
    assert path == config.folder / "kernels" / "many_band.csv"
    widths = [one.width for one in found if one.galaxies]
    assert min(widths) >= 1
    assert max(widths) > 1.2
    settings["truths"] = {"many_band": {"kernel": "table", "table": str(path)}}
    named = load_config(write_config(settings)).known_truths()["many_band"].kernel
    assert named.narrowest() > 0.004


def test_labels_with_errors_of_their_own_are_refused(tmp_path: Path, write_config: Any) -> None:
    settings: dict[str, Any] = toy_survey(tmp_path) | {"truths": {"many_band": {"kernel": "reported"}}}
    settings["tables"][0]["truth_errors"] = {"many_band": "mag_err_i"}
    config = load_config(write_config(settings))
    stages.build(config)
    with pytest.raises(MixzError, match="each label's own error"):
        stages.kernel(config, recipe="fused", truth="many_band")
