"""Arguments that several verbs have, and what they change of a config."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mixz.settings.choices import MOST_MEMBERS

if TYPE_CHECKING:
    from mixz.settings.config import Config

ConfigArgument = Annotated[Path, typer.Argument(metavar="CONFIG", help="YAML file: tables, bands, truths, recipes.")]
Out = Annotated[Path | None, typer.Option(help="Folder for results, instead of the config's `out`.")]
Members = Annotated[
    int | None, typer.Option(min=1, max=MOST_MEMBERS, help="Random starts per recipe, instead of the config's.")
]
MLflow = Annotated[
    bool, typer.Option("--mlflow", help="Log to MLflow: `mlruns` beside the results, or MLFLOW_TRACKING_URI.")
]
Model = Annotated[Path, typer.Argument(help="Model folder, e.g. `out/pair_a/models/tl`, or an ONNX file.")]
ModelFolder = Annotated[Path, typer.Argument(help="Model folder, e.g. `out/pair_a/models/tl`.")]


def settings_of(path: Path, out: Path | None, members: int | None = None) -> Config:
    """Read a config, and put what the command line says in place of what it says."""
    from mixz.settings.file import load_config

    changes = {"out": out, "members": members}
    return load_config(path).model_copy(update={k: v for k, v in changes.items() if v is not None})
