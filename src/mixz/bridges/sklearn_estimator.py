"""mixz as a scikit-learn regressor: magnitudes in, redshifts out (needs the extra ``sklearn``)."""

from __future__ import annotations

from numbers import Integral
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from pydantic import ValidationError

from mixz.data.split import sides_without_test
from mixz.errors import not_installed
from mixz.galaxies import GalaxySet
from mixz.model.fit import fit
from mixz.settings.recipe import FAST, Recipe, named_recipe, wrong_setting

try:
    from sklearn.base import BaseEstimator, RegressorMixin
    from sklearn.utils import check_random_state
    from sklearn.utils.validation import check_is_fitted, validate_data
except ImportError as error:
    raise not_installed("scikit-learn is not installed", "sklearn") from error

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

TRUTH = "spec"
"""The one truth of a regressor: scikit-learn knows one `y`, which is believed as spectra are."""
NETWORK = {"inputs": "whitened"}
"""What the networks are where neither the recipe nor a parameter says otherwise; for steps it is `FAST`."""


class MixzRegressor(RegressorMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn is untyped
    """A finished model of `mixz.fit` with scikit-learn's `fit` and `predict`.

    Labels are believed as they are: every step of the recipe believes `y`.  Several truths, photometric systems and
    errors are beyond scikit-learn's `fit(X, y)`: for these there is `mixz.fit`.

    Parameters
    ----------
    recipe
        Name of a recipe, or a `mixz.Recipe`: its steps and its network.
    members
        Number of networks, from as many random starts.
    hidden, inputs, head
        Widths of the hidden layers, ``whitened`` or ``minmax``, and ``point``, ``gaussian``, ``binned`` or ``mixture``:
        see `mixz.Network`.  As the recipe has them if not given; inputs it says nothing of are whitened.
    epochs, batch_size, lr
        Passes over the data, galaxies per update, highest learning rate.  As the recipe has them if not given; what it
        says nothing of is 20, 256 (a quarter of the galaxies at most) and 3e-3, on one cycle.
    validation_fraction
        Share of the galaxies that decide which weights are best, and calibrate densities; chosen by the hash of the row
        number.
    random_state
        Seed of all random numbers; as everywhere in scikit-learn also a generator to draw it from, or None for one that
        is new with every fit.

    Attributes
    ----------
    ensemble_
        The finished `mixz.Ensemble`: where its head is binned or mixture, calibrated and with intervals (of 200
        validation galaxies or more); with its support.

    Examples
    --------
    >>> from sklearn.model_selection import cross_val_score
    >>> z = np.linspace(0.1, 1.0, 400)
    >>> mag = np.column_stack([20 + 2 * z, np.full(400, 20.0) + np.sin(np.arange(400))])
    >>> model = MixzRegressor(members=2, hidden=(16,), epochs=20, batch_size=50)
    >>> bool(cross_val_score(model, mag, z, cv=2).shape == (2,))
    True
    """

    def __init__(
        self,
        *,
        recipe: str | Recipe = "spec",
        members: int = 5,
        hidden: tuple[int, ...] | None = None,
        inputs: str | None = None,
        head: str | None = None,
        epochs: int | None = None,
        batch_size: int | None = None,
        lr: float | None = None,
        validation_fraction: float = 0.15,
        random_state: int | np.random.RandomState | None = 0,
    ) -> None:
        self.recipe = recipe
        self.members = members
        self.hidden = hidden
        self.inputs = inputs
        self.head = head
        self.epochs = epochs
        self.batch_size = batch_size
        self.lr = lr
        self.validation_fraction = validation_fraction
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:  # noqa: N803  # scikit-learn's name
        """Train on magnitudes `X`, shape (galaxy, band), and redshifts `y`, shape (galaxy,).

        Raises
        ------
        ValueError
            Shapes disagree, or a value is missing (scikit-learn's own checks).
        MixzError
            A setting is not allowed.
        """
        seed = self._seed()
        mag, z = validate_data(self, X, y, ensure_min_samples=2, y_numeric=True, dtype=np.float64)
        galaxies = GalaxySet(
            np.arange(len(mag)),
            _bands(mag),
            mag,
            np.full(mag.shape, np.nan),
            z={TRUTH: np.asarray(z, dtype=np.float64)},
            split=sides_without_test(np.arange(len(mag)), validation=self.validation_fraction, seed=seed),
        )
        self.ensemble_ = fit(galaxies, self._whole_recipe(len(mag)), members=self.members, seed=seed)
        return self

    def predict(self, X: ArrayLike) -> NDArray[np.float64]:  # noqa: N803
        """Estimate redshifts of magnitudes `X`, shape (galaxy, band)."""
        check_is_fitted(self)
        mag = validate_data(self, X, reset=False, dtype=np.float64)
        galaxies = GalaxySet(np.arange(len(mag)), _bands(mag), mag, np.full(mag.shape, np.nan))
        return np.array(self.ensemble_.predict(galaxies).z_phot)

    def _whole_recipe(self, galaxies: int) -> Recipe:
        """The recipe that the parameters ask for, for so many galaxies.

        Raises
        ------
        MixzError
            One of them is not allowed.
        """
        given = named_recipe(self.recipe) if isinstance(self.recipe, str) else self.recipe
        network = {"hidden": self.hidden, "inputs": self.inputs, "head": self.head}
        training = {"epochs": self.epochs, "batch_size": self.batch_size, "lr": self.lr}
        try:
            recipe = given.changed(training={"truths": (TRUTH,), "weights": ()}).over(network=NETWORK, training=FAST)
            return recipe.changed(network=_given(network), training=_given(training)).in_batches_for(galaxies)
        except ValidationError as error:
            raise wrong_setting(error) from error

    def _seed(self) -> int:
        """One seed, whatever `random_state` is."""
        state = self.random_state
        return int(state) if isinstance(state, Integral) else int(check_random_state(state).randint(2**31))


def _given(settings: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in settings.items() if value is not None}


def _bands(mag: NDArray[Any]) -> tuple[str, ...]:
    return tuple(f"band{k}" for k in range(mag.shape[1]))
