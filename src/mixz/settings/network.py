"""What each member of an ensemble is: its layers, what it sees of a galaxy, and what it ends in."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from mixz.densities.grid import FARTHEST
from mixz.strict import Strict

MOST_WEIGHTS = 100_000_000
"""Of a network: 0.4 GB, some thousand times the default's."""


class ColourTerm(Strict):
    """How a band of a photometric system differs from the common system's: m' = m + slope (m_1 - m_2) + offset.

    Parameters
    ----------
    system, band
        The system whose magnitudes these are, and the band that is carried.
    colour
        The bands 1 and 2, both of that system.
    slope, offset
        Of the term; the offset [mag].
    rms
        What the term leaves [mag], as told by who computed it; not used.
    """

    system: str
    band: str
    colour: tuple[str, str]
    slope: float
    offset: float = 0.0
    rms: float | None = None


class Network(Strict):
    """What each member is: dense ReLU layers, the input joined again before the output (`skip`), and a head.

    The default is the network of the public GalaxiesML example: 122,006 weights with five bands.

    Parameters
    ----------
    hidden, skip
        Widths of the hidden layers, and whether the input is joined again before the output.
    inputs
        ``minmax``, each band's training range onto [0, 1] as in that example, or ``whitened``, uncorrelated inputs
        of mean 0 and spread 1 (ours), from which networks learn in far fewer updates.
    kind
        ``dense``, or ``bayesian``: a Gaussian over every weight, as in jones2024 (arXiv:2306.13179).
    head
        ``point``, one redshift trained on the HSC loss; ``gaussian``, a mean and a width trained on the negative
        log-likelihood; ``binned``, a density of any shape on a grid, or ``mixture``, one made of Gaussians (ours).
        Left open: gaussian for a Bayesian network, point for others.
    nodes, z_max, components
        Of densities: nodes of the grid in ln(1 + z), its upper end (left open: a little above the highest label), and
        how many Gaussians a mixture has.
    systems, system_spread
        Whether galaxies of several photometric systems are carried into one by small learned adapters, and how far
        apart systems may be, in units of the inputs' spread (the width of a Gaussian prior).
    colour_terms
        What is known of them beforehand, ``{system: {band: {colour: [g, r], slope: 0.1, offset: 0}}}`` from each system
        into the common one, which has none.  Adapters start there, and the prior is centred there: filter curves are
        known better than that two systems are alike, and what training finds beyond them should be small.
    asinh
        See magnitudes as asinh magnitudes, which are finite for bands in which nothing was detected.
    jitter
        Shake training magnitudes by so many of their own errors, anew in each epoch: less is learnt by heart.
    drop_bands
        The share of training galaxies that lose some of their bands in each epoch, so that the networks can be asked
        about galaxies with missing bands; 0: every band is needed.
    own_bands
        Bands that not every table has, seen where they are and done without elsewhere (`mixz.model.inputs.own`).
        Left open: those that some of the training galaxies' tables lack and the first step's galaxies have.
    drop_own
        The share of training galaxies that lose their own bands in each epoch: networks learn to do without, and not to
        tell surveys apart by what is missing.
    errors
        Whether networks see the magnitude errors: ``none``; ``robust``, with noise added in training until errors do
        not tell which truth labelled a galaxy; ``relative``, as ranks among galaxies of like magnitude in their own
        photometric system; ``plain``, as they are (a trap where truths and surveys coincide: see LOG.md).
    embedding
        What networks see of magnitudes besides them: ``periodic``, their colours and sines of learned frequencies of
        both, taken after the adapters (`mixz.model.embedding`; whitened inputs, dense networks); ``none``.
    calibrate
        Whether densities are made honest by the held-out galaxies' labels (of the conformal side, else of the
        validation side) once training is done, and intervals learned.
    draws, kl_weight
        Of a Bayesian network: weight draws that a prediction is the mean of, and the factor before the divergence
        from the prior (1 is Bayes' theorem).
    """

    hidden: Annotated[tuple[Annotated[int, Field(ge=1, le=10_000)], ...], Field(min_length=1, max_length=50)] = (
        200,
        200,
        200,
        200,
    )
    skip: bool = True
    inputs: Literal["minmax", "whitened"] = "minmax"
    kind: Literal["dense", "bayesian"] = "dense"
    head: Literal["point", "gaussian", "binned", "mixture"] | None = None
    nodes: Annotated[int, Field(ge=10, le=2000)] = 200
    z_max: Annotated[float, Field(gt=0, le=FARTHEST)] | None = None
    components: Annotated[int, Field(ge=1, le=50)] = 5
    systems: bool = False
    system_spread: Annotated[float, Field(gt=0)] = 0.3
    colour_terms: tuple[ColourTerm, ...] = ()
    asinh: bool = False
    jitter: Annotated[float, Field(ge=0)] = 0.0
    drop_bands: Annotated[float, Field(ge=0, lt=1)] = 0.0
    own_bands: tuple[str, ...] | None = None
    drop_own: Annotated[float, Field(ge=0, lt=1)] = 0.5
    errors: Literal["none", "plain", "robust", "relative"] = "none"
    embedding: Literal["none", "periodic"] = "none"
    calibrate: bool = True
    draws: Annotated[int, Field(ge=1, le=10_000)] = 20
    kl_weight: Annotated[float, Field(ge=0)] = 1.0

    @field_validator("colour_terms", mode="before")
    @classmethod
    def _terms_may_be_told_by_system_and_band(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        if not all(
            isinstance(bands, dict) and all(isinstance(t, dict) for t in bands.values()) for bands in value.values()
        ):
            raise ValueError("write {system: {band: {colour: [g, r], slope: 0.1, offset: 0}}}")
        return tuple({"system": s, "band": b} | term for s, bands in value.items() for b, term in bands.items())

    @model_validator(mode="after")
    def _colour_terms_need_systems(self) -> Network:
        if self.colour_terms and not self.systems:
            raise ValueError("colour_terms carry photometric systems into one: set systems: true")
        return self

    @model_validator(mode="after")
    def _own_bands_are_named_once(self) -> Network:
        if len(set(self.own)) < len(self.own):
            raise ValueError(f"own_bands {list(self.own)}: name each band once")
        return self

    @model_validator(mode="after")
    def _embedding_has_its_inputs(self) -> Network:
        if self.embedding != "none" and (self.inputs != "whitened" or self.kind != "dense"):
            raise ValueError(f"embedding: {self.embedding} is of inputs: whitened in networks of kind: dense; set both")
        return self

    @model_validator(mode="after")
    def _fits_into_memory(self) -> Network:
        weights = sum(inner * outer for inner, outer in pairwise(self.hidden))
        if weights > MOST_WEIGHTS:
            raise ValueError(
                f"hidden layers with {weights} weights between them; {MOST_WEIGHTS} are allowed: make them narrower"
            )
        return self

    @model_validator(mode="after")
    def _bayesian_needs_a_likelihood(self) -> Network:
        if self.kind == "bayesian" and self.head == "point":
            raise ValueError("a Bayesian network needs a likelihood: head: gaussian (or leave head out)")
        return self

    @property
    def own(self) -> tuple[str, ...]:
        """The own bands; none while they are open."""
        return self.own_bands or ()

    @property
    def has_density(self) -> bool:
        """Whether it ends in a density of any shape."""
        return self.head in ("binned", "mixture")

    @property
    def head_name(self) -> Literal["point", "gaussian", "binned", "mixture"]:
        """Name the head, given or implied."""
        return self.head or ("gaussian" if self.kind == "bayesian" else "point")
