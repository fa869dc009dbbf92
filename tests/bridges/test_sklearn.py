"""The regressor keeps scikit-learn's rules, as scikit-learn checks them."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="needs mixz[sklearn]")

from sklearn.base import clone
from sklearn.utils.estimator_checks import estimator_checks_generator

from mixz.bridges.sklearn_estimator import MixzRegressor

QUICK = {"members": 1, "hidden": (8,), "epochs": 2, "batch_size": 32}

# Checks whose data are no magnitudes, or that ask for accuracy after two epochs.
NOT_SENSIBLE = {
    "check_fit2d_1feature": "one column of noise is nothing to learn from",
    "check_regressors_train": "asks for accuracy on standardised targets, which are no redshifts",
}


@pytest.mark.parametrize(
    ("estimator", "check"),
    list(estimator_checks_generator(MixzRegressor(**QUICK), mark="skip", expected_failed_checks=NOT_SENSIBLE)),
    ids=lambda one: getattr(getattr(one, "func", None), "__name__", ""),
)
def test_scikit_learns_rules(estimator: Any, check: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the checks' own insides
        check(estimator)


def test_it_learns_and_clones() -> None:
    rng = np.random.default_rng(0)
    z = rng.uniform(0.1, 1.0, 600)
    mag = np.column_stack([20 + 2 * z, 20 + rng.normal(0, 1, 600)])
    model = MixzRegressor(members=2, hidden=(20,), epochs=30, batch_size=32)
    again = clone(model)
    assert again.get_params() == model.get_params()
    assert model.fit(mag[:500], z[:500]).score(mag[500:], z[500:]) > 0.95
    assert np.array_equal(again.fit(mag[:500], z[:500]).predict(mag), model.predict(mag)), "the same seed"
    assert again.set_params(members=1).fit(mag, z).ensemble_.members == 1
