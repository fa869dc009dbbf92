"""A truth is a kind of redshift label and how wrong it can be; several stand in the order of belief."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mixz.errors import MixzError, nearest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mixz.truths.kernel import Kernel


@dataclass(frozen=True)
class Truth:
    """A kind of redshift label.

    Parameters
    ----------
    name
        What its columns are called by: ``z_<name>``.
    kernel
        How its labels scatter about the redshift.
    exact
        Whether its labels count as the redshift itself: they are believed before others, and judged on as they are.
    simulated
        Whether it is the truth of a simulation: never trained on unless a recipe names it.
    """

    name: str
    kernel: Kernel
    exact: bool = False
    simulated: bool = False

    def scaled(self, factor: float) -> Truth:
        """The truth whose labels are `factor` times as far off."""
        return replace(self, kernel=self.kernel.scaled(factor))


@dataclass(frozen=True, eq=True)
class Truths(Mapping[str, Truth]):
    """Truths by name, in the order of belief: exact ones first, then as given.

    Parameters
    ----------
    every
        The truths, each name once.

    Examples
    --------
    >>> from mixz.truths.gaussian import GaussianKernel
    >>> truths = Truths((Truth("many_band", GaussianKernel(0.02)), Truth("spec", GaussianKernel(0.0005), exact=True)))
    >>> list(truths), truths.exact, truths["many_band"].kernel
    (['spec', 'many_band'], ('spec',), GaussianKernel(sigma=0.02))
    """

    every: tuple[Truth, ...]

    def __post_init__(self) -> None:
        ordered = tuple(sorted(self.every, key=lambda truth: not truth.exact))
        if len({truth.name for truth in ordered}) < len(ordered):
            raise ValueError(f"truths are called {[truth.name for truth in ordered]}: each name once")
        object.__setattr__(self, "every", ordered)

    def __getitem__(self, name: str) -> Truth:
        """The truth of a name.

        Raises
        ------
        MixzError
            There is none.
        """
        for truth in self.every:
            if truth.name == name:
                return truth
        known = ", ".join(self) or "none"
        raise MixzError(f"truth {name!r} is unknown", f"truths: {known}", f"name one of these{nearest(name, self)}")

    def __contains__(self, name: object) -> bool:
        """Whether there is a truth of that name."""
        return any(truth.name == name for truth in self.every)

    def __iter__(self) -> Iterator[str]:
        """The names in the order of belief."""
        return (truth.name for truth in self.every)

    def __len__(self) -> int:
        """How many there are."""
        return len(self.every)

    @property
    def exact(self) -> tuple[str, ...]:
        """Names of those whose labels are the redshift, which `GalaxySet.reference` believes before others."""
        return tuple(truth.name for truth in self.every if truth.exact)

    def scaled(self, scales: Mapping[str, float]) -> Truths:
        """The truths, with the labels of some as many times as far off as `scales` says by name.

        Raises
        ------
        MixzError
            A name is unknown.
        """
        return self.with_kernels({name: self[name].kernel.scaled(factor) for name, factor in scales.items()})

    def with_kernels(self, kernels: Mapping[str, Kernel]) -> Truths:
        """The truths, some of them with other kernels, by name.

        Raises
        ------
        MixzError
            A name is unknown.
        """
        changed = {name: replace(self[name], kernel=kernel) for name, kernel in kernels.items()}
        return Truths(tuple(changed.get(truth.name, truth) for truth in self.every))
