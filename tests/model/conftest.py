"""Each recipe and each kind of network in turn, for the laws that hold for all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from toys import ALL_RECIPES, HEADS, quick, toy_galaxies

if TYPE_CHECKING:
    from mixz.galaxies import GalaxySet
    from mixz.settings.network import Network
    from mixz.settings.recipe import Recipe


@pytest.fixture(scope="session")
def galaxies() -> GalaxySet:
    """240 toy galaxies; laws say that nothing changes them."""
    return toy_galaxies()


@pytest.fixture(params=ALL_RECIPES)
def recipe(request: pytest.FixtureRequest) -> Recipe:
    """Each recipe in turn, made short."""
    return quick(ALL_RECIPES[request.param])


@pytest.fixture(params=HEADS)
def network(request: pytest.FixtureRequest) -> Network:
    """Each kind of network and head in turn, made small."""
    return HEADS[request.param]
