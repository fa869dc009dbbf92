"""mixz as a scikit-learn regressor: magnitudes in, redshifts out (needs ``pip install 'mixz[sklearn]'``)."""

from __future__ import annotations

from numbers import Integral
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from pydantic import ValidationError

from mixz.errors import MixzError
from mixz.galaxies import GalaxySet
from mixz.model.ensemble import Ensemble
from mixz.settings.network import Network
from mixz.settings.recipe import Step

try:
    from sklearn.base import BaseEstimator, RegressorMixin
    from sklearn.utils import check_random_state
    from sklearn.utils.validation import check_is_fitted, validate_data
except ImportError as error:
    raise MixzError("scikit-learn is not installed", "", "pip install 'mixz[sklearn]'") from error

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

TRUTH = "labels"
"""What the one truth of a regressor is called: scikit-learn knows one `y`."""


class MixzRegressor(RegressorMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn is untyped
    """An ensemble of the paper group's networks with scikit-learn's `fit` and `predict`.

    Labels are believed as they are.  Recipes that believe several truths, photometric systems and label errors are
    beyond scikit-learn's `fit(X, y)`: for these there is `mixz.Ensemble`.

    Parameters
    ----------
    members
        Number of networks, from as many random starts.
    hidden
        Widths of the hidden layers.
    inputs
        ``whitened`` or ``minmax``: see `mixz.Network`.
    head
        ``point``, ``gaussian``, ``binned`` or ``mixture``: see `mixz.Network`.
    epochs, batch_size, lr
        Passes over the data (a learning rate that rises and falls over them), galaxies per update, highest learning
        rate.
    validation_fraction
        Share of the galaxies that decide which weights are best.
    random_state
        Seed of all random numbers; as everywhere in scikit-learn also a generator to draw it from, or None for one that
        is new with every fit.

    Attributes
    ----------
    ensemble_
        The trained `mixz.Ensemble`.

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
        members: int = 5,
        hidden: tuple[int, ...] = (200, 200, 200, 200),
        inputs: str = "whitened",
        head: str = "point",
        epochs: int = 20,
        batch_size: int = 256,
        lr: float = 3e-3,
        validation_fraction: float = 0.15,
        random_state: int | np.random.RandomState | None = 0,
    ) -> None:
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
            split=self._split(len(mag), seed),
        )
        network, step = self._settings(training=int((galaxies.split == "train").sum()))
        self.ensemble_ = Ensemble.fit(galaxies, (step,), network=network, members=self.members, seed=seed)
        return self

    def predict(self, X: ArrayLike) -> NDArray[np.float64]:  # noqa: N803
        """Estimate redshifts of magnitudes `X`, shape (galaxy, band)."""
        check_is_fitted(self)
        mag = validate_data(self, X, reset=False, dtype=np.float64)
        galaxies = GalaxySet(np.arange(len(mag)), _bands(mag), mag, np.full(mag.shape, np.nan))
        return np.array(self.ensemble_.predict(galaxies).z_phot)

    def _settings(self, training: int) -> tuple[Network, Step]:
        """Give the network and the step that the parameters ask for.

        Raises
        ------
        MixzError
            One of them is not allowed.
        """
        try:
            step = Step(
                truths=(TRUTH,),
                schedule="one_cycle",
                epochs=self.epochs,
                lr=self.lr,
                batch_size=min(self.batch_size, training),
            )
            return Network(hidden=tuple(self.hidden), inputs=self.inputs, head=self.head), step
        except ValidationError as error:
            wrong = error.errors()[0]
            name = ".".join(map(str, wrong["loc"]))
            raise MixzError(f"{name}: {wrong['input']!r}", wrong["msg"], "set another") from error

    def _seed(self) -> int:
        """Give one seed, whatever `random_state` is."""
        state = self.random_state
        return int(state) if isinstance(state, Integral) else int(check_random_state(state).randint(2**31))

    def _split(self, galaxies: int, seed: int) -> NDArray[Any]:
        """Choose the galaxies that validate: at least one, and not all."""
        count = min(max(1, round(self.validation_fraction * galaxies)), galaxies - 1)
        split = np.full(galaxies, "train", dtype="<U10")
        split[np.random.default_rng(seed).permutation(galaxies)[:count]] = "validation"
        return split


def _bands(mag: NDArray[Any]) -> tuple[str, ...]:
    return tuple(f"band{k}" for k in range(mag.shape[1]))
