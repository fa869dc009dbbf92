"""A recipe is a list of steps; a step says which truths to believe, which layers may move, and how fast."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from mixz.errors import MixzError, nearest


class Strict(BaseModel):
    """Base of everything read from YAML: frozen, and unknown keys are refused with the allowed ones."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _refuse_unknown_keys(cls, data: Any) -> Any:
        if isinstance(data, dict):
            for key in data:
                if key not in cls.model_fields:
                    allowed = ", ".join(cls.model_fields)
                    raise ValueError(f"unknown key {key!r}; allowed: {allowed}{nearest(str(key), cls.model_fields)}")
        return data


class Step(Strict):
    """One stretch of training: which labels, which layers, which optimiser settings.

    The defaults are those of the public GalaxiesML example of the paper's group: Adam at 5e-4, batches of 100,
    up to 1000 epochs, early stopping after 10 epochs without a better validation loss.

    Parameters
    ----------
    truths
        The labels to believe.  A galaxy with several of them enters once, exact truths first.
    freeze
        How many hidden layers, counted from the input, keep their weights.
    lr
        Adam's learning rate.
    batch_size
        Galaxies per update and member.
    epochs, patience
        Most passes over the data; passes without a better validation loss before a member stops.
    """

    truths: Annotated[tuple[str, ...], Field(min_length=1)]
    freeze: Annotated[int, Field(ge=0)] = 0
    lr: Annotated[float, Field(gt=0)] = 5e-4
    batch_size: Annotated[int, Field(ge=1)] = 100
    epochs: Annotated[int, Field(ge=1)] = 1000
    patience: Annotated[int, Field(ge=1)] = 10

    @model_validator(mode="after")
    def _each_truth_once(self) -> Step:
        if len(set(self.truths)) != len(self.truths):
            raise ValueError(f"truths {self.truths}: name each truth once")
        return self


Recipe = tuple[Step, ...]

# arXiv:2411.18054 trains NN-Base on TransferZ, refines it on GalaxiesML to NN-TL, and trains NN-Combo on both.
# How many layers NN-TL freezes and its learning rate are ours: the paper's body was not available to us.
# `spec` is the spec-only baseline of the follow-up arXiv:2601.17222.
RECIPES: dict[str, Recipe] = {
    "base": (Step(truths=("many_band",)),),
    "spec": (Step(truths=("spec",)),),
    "tl": (Step(truths=("many_band",)), Step(truths=("spec",), freeze=2, lr=1e-4)),
    "combo": (Step(truths=("many_band", "spec")),),
}


def named_recipe(name: str) -> Recipe:
    """Look a recipe up by its name.

    Raises
    ------
    MixzError
        There is no recipe of that name.

    Examples
    --------
    >>> [step.truths for step in named_recipe("tl")]
    [('many_band',), ('spec',)]
    """
    if name not in RECIPES:
        raise MixzError(
            f"no recipe is called {name!r}",
            f"recipes: {', '.join(RECIPES)}",
            f"use one of these, or write its steps under `recipes:` in the config{nearest(name, RECIPES)}",
        )
    return RECIPES[name]
