"""Synthetic colour terms of real filter curves."""

from __future__ import annotations

import pytest
import yaml

from mixz.errors import MixzError
from mixz.mock.colour_terms import _main, colour_terms
from mixz.settings.network import Network

MEGACAM, DECAM = ({band: f"{name}-{band}" for band in "griz"} for name in ("cfht_megacam", "decam2014"))


def test_terms_shrink_what_systems_differ_by(mock_packages: None, capsys: pytest.CaptureFixture[str]) -> None:  # noqa: ARG001
    _main([*(f"{b}={c}" for b, c in MEGACAM.items()), "--", *(f"{b}={c}" for b, c in DECAM.items())])
    terms = yaml.safe_load(capsys.readouterr().out)
    # Two griz systems of CCD cameras: their terms are small, and leave little.
    assert all(0.01 < abs(term["slope"]) < 0.2 and term["rms"] < 0.04 for term in terms.values())
    back = colour_terms(DECAM, MEGACAM)
    for band in "griz":
        assert back[band]["slope"] == pytest.approx(-terms[band]["slope"], abs=0.04)
    network = Network(systems=True, colour_terms={"megacam": terms})
    assert {term.band for term in network.colour_terms} == set("griz")


def test_curves_that_are_not_there(mock_packages: None) -> None:  # noqa: ARG001
    with pytest.raises(MixzError, match="decam2014-Q"):
        colour_terms(MEGACAM, DECAM | {"g": "decam2014-Q"})
    with pytest.raises(MixzError, match="the same two or more bands"):
        colour_terms({"g": "decam2014-g"}, {"r": "decam2014-r"})
