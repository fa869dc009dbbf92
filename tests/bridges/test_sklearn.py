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
from mixz.errors import MixzError

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


def test_random_states_of_every_kind() -> None:
    rng = np.random.default_rng(0)
    mag, z = rng.uniform(18, 24, (60, 2)), rng.uniform(0.1, 1.0, 60)

    def predicted(state: Any) -> Any:
        return MixzRegressor(**QUICK, random_state=state).fit(mag, z).predict(mag)

    assert np.array_equal(predicted(np.random.RandomState(1)), predicted(np.random.RandomState(1)))
    assert not np.array_equal(predicted(None), predicted(None)), "None is new with every fit"
    assert np.array_equal(predicted(np.int64(3)), predicted(3))


@pytest.mark.parametrize("setting", [{"head": "oracle"}, {"epochs": 0}, {"members": 0}, {"hidden": (0,)}, {"lr": -1.0}])
def test_settings_that_are_not_allowed(setting: dict[str, Any]) -> None:
    with pytest.raises(MixzError, match=next(iter(setting))):
        MixzRegressor(**(QUICK | setting)).fit(np.full((20, 2), 20.0), np.linspace(0, 1, 20))
