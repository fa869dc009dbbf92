"""Static figures: how their panels lie."""

from __future__ import annotations

import pytest

from mixz.report.figures import TRAINING_COLUMNS, draw_training


@pytest.mark.parametrize(("recipes", "shape"), [(1, (1, 1)), (TRAINING_COLUMNS, (1, TRAINING_COLUMNS)), (5, (2, 3))])
def test_training_curves_fill_rows_of_a_page(recipes: int, shape: tuple[int, int]) -> None:
    curves = {f"r{k}": {"1: spec": [[0.3, 0.2], [0.4, 0.1, 0.2]]} for k in range(recipes)}
    axes = draw_training(curves).axes
    rows, columns = axes[0].get_gridspec().get_geometry()
    assert (rows, columns) == shape
    assert [axis.get_title() for axis in axes] == [*curves, *[""] * (rows * columns - recipes)]
    assert [axis.axison for axis in axes] == [k < recipes for k in range(rows * columns)]
