"""A recipe is a list of steps and the network that they train; a step: which truths, which layers, how fast."""

from __future__ import annotations

import reprlib
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, ValidationError, model_validator

from mixz.errors import MixzError, nearest
from mixz.settings.network import Network
from mixz.strict import Strict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PAPER_PATIENCE = 10
"""Early stopping of the public GalaxiesML example: epochs without a better validation loss."""


class Step(Strict):
    """One stretch of training: which labels, which layers, which optimiser settings.

    The defaults are those of the public GalaxiesML example of the paper's group: Adam at 5e-4, batches of 100,
    up to 1000 epochs, early stopping after 10 epochs without a better validation loss.

    Parameters
    ----------
    truths
        The labels to believe: ``[many_band, spec]``, or with how much a galaxy of each counts,
        ``{many_band: 0.2, spec: 1}``.  A galaxy with several labels enters once, exact truths first.
    weights
        How much a galaxy counts per truth, in the order of `truths`; 1 each if empty.
    loss
        ``head``, labels at face value (the HSC loss of a point, the likelihood of a density), or ``label_likelihood``,
        what labels say that are as wrong as their truth's kernel has it (only heads that end in a density).  Only
        distillation sets ``imitate``, the cross entropy with a teacher's densities.
    target, target_limit
        A sample to weight the training galaxies towards, by how many galaxies like them it has against how many are
        trained on: a truth's galaxies or a table's, which needs no labels.  No weight is more than `target_limit`
        times the mean, or less than its inverse.
    freeze
        How many hidden layers, counted from the input, keep their weights.
    adapter_rank
        Let the hidden layers move only by products of this rank (LoRA); none: let them move whole.
    pull
        Strength a of an L2 pull towards the weights before the step: a / 2 * |w - w_before|^2 joins the loss
        (L2-SP, Li et al. 2018, arXiv:1802.01483).
    optimiser
        ``adam``, ``adamw`` or ``sgd``.
    lr, lr_factor
        The optimiser's learning rate is their product.  A recipe that refines gently says so by the factor, so that it
        stays gentle whatever `lr` a run sets.
    schedule
        ``constant`` (the paper group's), ``cosine`` or ``one_cycle``; the last two end at zero after `epochs`.
    warm_up
        Epochs over which the learning rate rises from zero.
    batch_size
        Galaxies per update and member.
    epochs, patience
        Most passes over the data; passes without a better validation loss before a member stops.  Left open,
        patience is 10 with a constant learning rate and without end with the others, whose best comes last.
    """

    truths: Annotated[tuple[str, ...], Field(min_length=1)]
    weights: tuple[Annotated[float, Field(gt=0)], ...] = ()
    loss: Literal["head", "label_likelihood", "imitate"] = "head"
    target: Annotated[str, Field(min_length=1)] | None = None
    target_limit: Annotated[float, Field(gt=1)] = 10.0
    freeze: Annotated[int, Field(ge=0)] = 0
    adapter_rank: Annotated[int, Field(ge=1, le=10_000)] | None = None
    pull: Annotated[float, Field(ge=0)] = 0.0
    optimiser: Literal["adam", "adamw", "sgd"] = "adam"
    lr: Annotated[float, Field(gt=0)] = 5e-4
    lr_factor: Annotated[float, Field(gt=0)] = 1.0
    schedule: Literal["constant", "cosine", "one_cycle"] = "constant"
    warm_up: Annotated[float, Field(ge=0)] = 0.0
    batch_size: Annotated[int, Field(ge=1, le=10_000_000)] = 100
    epochs: Annotated[int, Field(ge=1, le=1_000_000)] = 1000
    patience: Annotated[int, Field(ge=1, le=1_000_000)] | None = None

    @model_validator(mode="before")
    @classmethod
    def _truths_may_carry_weights(cls, data: Any) -> Any:
        if isinstance(data, dict) and isinstance(data.get("truths"), dict):
            if data.get("weights"):
                raise ValueError("weights stand either beside their truths or in a list of their own")
            return data | {"truths": tuple(data["truths"]), "weights": tuple(data["truths"].values())}
        return data

    @model_validator(mode="after")
    def _settings_agree(self) -> Step:
        if len(set(self.truths)) != len(self.truths):
            raise ValueError(f"truths {self.truths}: name each truth once")
        if self.weights and len(self.weights) != len(self.truths):
            raise ValueError(f"{len(self.weights)} weights for {len(self.truths)} truths: give one each")
        if self.schedule != "constant" and "epochs" not in self.model_fields_set:
            raise ValueError(f"schedule: {self.schedule} needs epochs: its learning rate ends at zero after them")
        if self.warm_up > self.epochs:
            raise ValueError(f"warm_up lasts {self.warm_up:g} of {self.epochs} epochs; make it shorter")
        return self

    @property
    def patience_epochs(self) -> int:
        """Epochs without a better validation loss before a member stops."""
        if self.patience is not None:
            return self.patience
        return PAPER_PATIENCE if self.schedule == "constant" else self.epochs

    def weight_of(self, truth: str) -> float:
        """How much a galaxy labelled by `truth` counts."""
        return self.weights[self.truths.index(truth)] if self.weights else 1.0


class Recipe(Strict):
    """A whole way to a model: the steps of its training, and the network that they train.

    Parameters
    ----------
    steps
        The stretches of training, in their order.  A list of steps alone is a recipe for the default network.
    network
        What each member is.

    Examples
    --------
    >>> recipe = Recipe(steps=(Step(truths=("many_band",)), Step(truths=("spec",), freeze=2)))
    >>> gentle = recipe.changed(network={"head": "binned"}, training={"lr": 1e-4})
    >>> gentle.network.head, [step.lr for step in gentle.steps], gentle.steps[1].freeze
    ('binned', [0.0001, 0.0001], 2)
    """

    steps: Annotated[tuple[Step, ...], Field(max_length=100)]
    network: Network = Network()

    @model_validator(mode="before")
    @classmethod
    def _steps_alone_are_a_recipe(cls, data: Any) -> Any:
        return {"steps": data} if isinstance(data, list | tuple) else data

    @model_validator(mode="after")
    def _has_a_step(self) -> Recipe:
        if not self.steps:
            raise ValueError("a recipe has at least one step")
        return self

    def changed(self, *, network: Mapping[str, Any] | None = None, training: Mapping[str, Any] | None = None) -> Recipe:
        """The same recipe with some settings of its network, and of every step, set to others.

        Raises
        ------
        pydantic.ValidationError
            A setting is unknown or not allowed.
        """
        steps = tuple(Step(**(_told(step) | dict(training or {}))) for step in self.steps)
        return Recipe(steps=steps, network=Network(**(_told(self.network) | dict(network or {}))))

    def over(self, *, network: Mapping[str, Any] | None = None, training: Mapping[str, Any] | None = None) -> Recipe:
        """The same recipe with other defaults for what it leaves open; what it says itself stays.

        Raises
        ------
        pydantic.ValidationError
            A setting is unknown or not allowed.

        Examples
        --------
        >>> RECIPES["fused"].over(training={"epochs": 60, "patience": 9}).steps[0].epochs
        25
        """
        steps = tuple(Step(**(dict(training or {}) | _told(step))) for step in self.steps)
        return Recipe(steps=steps, network=Network(**(dict(network or {}) | _told(self.network))))

    def in_batches_for(self, galaxies: int) -> Recipe:
        """The same recipe with batches of at most a quarter of so many galaxies, but of one at least (ours)."""
        most = max(1, galaxies // 4)
        steps = [s if s.batch_size <= most else Step(**(_told(s) | {"batch_size": most})) for s in self.steps]
        return Recipe(steps=tuple(steps), network=self.network)


def _told(settings: Strict) -> dict[str, Any]:
    """What was set, without what was left open."""
    return settings.model_dump(include=settings.model_fields_set)


# arXiv:2411.18054 trains NN-Base on TransferZ, refines it on GalaxiesML to NN-TL, and trains NN-Combo on both.
# How many layers NN-TL freezes and its learning rate (1e-4) are ours: the paper's body was not available to us.
# `tl_reverse` refines the other way round.  `spec` is the spec-only baseline of the follow-up arXiv:2601.17222.
# `fused` (ours) believes every label as far as it can be believed; its networks end in a density.
# `bnn` is trained as jones2024 (arXiv:2306.13179), on spectra; its networks are Bayesian.
RECIPES: dict[str, Recipe] = {
    "base": Recipe(steps=(Step(truths=("many_band",)),)),
    "spec": Recipe(steps=(Step(truths=("spec",)),)),
    "tl": Recipe(steps=(Step(truths=("many_band",)), Step(truths=("spec",), freeze=2, lr_factor=0.2))),
    "combo": Recipe(steps=(Step(truths=("many_band", "spec")),)),
    "tl_reverse": Recipe(steps=(Step(truths=("spec",)), Step(truths=("many_band",), freeze=2, lr_factor=0.2))),
    "bnn": Recipe(steps=(Step(truths=("spec",)),), network=Network(kind="bayesian")),
    "fused": Recipe(
        steps=(
            Step(
                truths=("many_band", "spec"),
                loss="label_likelihood",
                schedule="one_cycle",
                lr=2e-3,
                batch_size=256,
                epochs=25,
            ),
        ),
        network=Network(head="binned", inputs="whitened", systems=True, jitter=0.5, embedding="periodic"),
    ),
}
"""The recipes that have names, each whole."""

FAST: dict[str, Any] = {"schedule": "one_cycle", "lr": 3e-3, "batch_size": 256, "epochs": 20}
"""Settings with which a step needs far fewer updates than with the paper group's (ours; best on whitened inputs)."""

SCHEDULES: dict[str, dict[str, Any]] = {"paper": {}, "fast": FAST}
"""Settings of steps that a config can name: `paper` is what `Step` says, the public GalaxiesML example's."""

DEFAULT_RECIPE = "fused"
"""What a config trains that names no recipes; it believes every kind of label that the tables offer."""


def believed(steps: Sequence[Step]) -> tuple[str, ...]:
    """Names of the truths that some step believes, in the order of the steps.

    Examples
    --------
    >>> believed(RECIPES["tl"].steps)
    ('many_band', 'spec')
    """
    return tuple(dict.fromkeys(truth for step in steps for truth in step.truths))


def named_recipe(name: str) -> Recipe:
    """The recipe of that name.

    Raises
    ------
    MixzError
        There is no recipe of that name.

    Examples
    --------
    >>> [step.truths for step in named_recipe("tl").steps]
    [('many_band',), ('spec',)]
    """
    if name not in RECIPES:
        raise MixzError(
            f"no recipe is called {name!r}",
            f"recipes: {', '.join(RECIPES)}",
            f"use one of these, or write its steps under `recipes:` in the config{nearest(name, RECIPES)}",
        )
    return RECIPES[name]


def wrong_setting(error: ValidationError) -> MixzError:
    """The first of the mistakes that pydantic found, as the error that is ours."""
    wrong = error.errors()[0]
    place = ".".join(map(str, wrong["loc"])) or "settings"
    given = "" if wrong["type"] in ("value_error", "missing") else f" (given: {reprlib.repr(wrong['input'])})"
    return MixzError(
        f"{place}: {wrong['msg'].removeprefix('Value error, ')}{given}", "settings as in a config", "see docs/config.md"
    )
