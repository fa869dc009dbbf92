"""`mixz distill`: a trained ensemble -> one network that says the same."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mixz.atomic import alone
from mixz.digest import digest_of_file
from mixz.progress import progress_bar
from mixz.settings.model_record import RECORD
from mixz.stages.store.results import Results
from mixz.stages.train import watch_epochs

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from mixz.model.distillation import Distilled
    from mixz.settings.config import Config


def distill(
    config: Config,
    console: Console,
    *,
    recipe: str,
    output: Path | None = None,
    hidden: tuple[int, ...] | None = None,
    epochs: int | None = None,
) -> tuple[Path, Distilled]:
    """Teach a recipe's ensemble to one network on the run's galaxies, and write it as a model folder.

    Parameters
    ----------
    config, console
        The settings, and where to tell of progress.
    recipe
        The recipe whose ensemble teaches.
    output
        The folder to write; ``models/<recipe>_distilled`` if not given.
    hidden, epochs
        Widths of the student's layers (the teacher's if not given) and passes over the galaxies (by default four times
        those of the recipe's last step: the student has the teacher's smooth densities to learn, not noisy labels).

    Raises
    ------
    MixzError
        The model is missing, was made with other settings, or gives no densities.
    """
    from mixz.model.distillation import distil
    from mixz.model.folder import require_model_place

    results = Results(config)
    path = output or results.model_path(f"{recipe}_distilled")
    require_model_place(path)
    with alone(config.folder):
        galaxies, teacher = results.read_galaxies(), results.read_model(recipe)
        taught_by = results.model_path(recipe) / RECORD
        last = config.recipe(recipe).steps[-1]
        step = last.model_copy(
            update={"freeze": 0, "adapter_rank": None, "pull": 0.0, "epochs": epochs or 4 * last.epochs}
        )
        with progress_bar(f"distill {recipe}", console) as bar:
            made = distil(teacher, galaxies, step, hidden=hidden, seed=config.seed, watch=watch_epochs(bar))
        told = {
            "teacher": recipe,
            "teacher_digest": digest_of_file(taught_by),
            "divergence": made.divergence,
            "shift": made.shift,
            "galaxies": made.galaxies,
        }
        student = replace(made.model, provenance={**teacher.provenance, "distilled": told})
        results.write_model(student, path)
        if path.is_relative_to(config.folder):
            results.digests.note("distill", [path], [results.galaxies_path, taught_by])
        return path, made
