"""`mixz train` hands its machine to whoever trains, and says in the model what was really used."""

from __future__ import annotations

from contextlib import nullcontext
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from mixz import stages
from mixz.errors import MixzError
from mixz.model.folder import load_model
from mixz.model.training.step import train_one_step
from mixz.settings.file import load_config

if TYPE_CHECKING:
    from rich.console import Console

    from mixz.model.training.devices import Machine
    from mixz.settings.config import Config


@pytest.fixture
def config(toy_settings: dict[str, Any], write_config: Any) -> Config:
    built = load_config(write_config(toy_settings | {"recipes": ["spec"], "members": 1}))
    stages.build(built)
    return built


def test_dask_gets_the_whole_machine(config: Config, console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    """The device is a GPU's name that only the workers must have; these have none, and the model says so."""
    given: list[Machine] = []

    def workers(_client: Any, ensemble: Any, galaxies: Any, step: Any, *, machine: Machine, **_: Any) -> Any:
        given.append(machine)
        return train_one_step(ensemble, galaxies, step)

    monkeypatch.setattr(
        "mixz.bridges.dask_members.dask_client", lambda *_a, **_k: nullcontext(SimpleNamespace(dashboard_link=""))
    )
    monkeypatch.setattr("mixz.bridges.dask_members.train_step_on", workers)
    (path,) = stages.train(config, console, device="cuda", precision="tf32", workers=2)
    assert [(machine.device, machine.precision) for machine in given] == [("cuda", "tf32")]
    told = load_model(path).provenance
    assert (told["device"], told["precision"]) == ("cpu", "float32")


def test_an_unknown_recipe_is_told_before_any_is_trained(config: Config, console: Console) -> None:
    with pytest.raises(MixzError, match="recipe 'tl' is not in the config"):
        stages.train(config, console, recipes=["spec", "tl"])
    assert not stages.Results(config).model_path("spec").exists()
